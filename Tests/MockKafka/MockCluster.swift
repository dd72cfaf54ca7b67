import CRdkafka
import CRdkafka.Mock
import Glibc

/// librdkafka's mock cluster; owns it and the client it needs.
final class MockCluster {
    private let client: OpaquePointer
    private let cluster: OpaquePointer

    init?(brokers: Int32) {
        let configuration = rd_kafka_conf_new()
        // It has no servers to connect to, and would warn of that.
        rd_kafka_conf_set(configuration, "log_level", "3", nil, 0)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0) else { return nil }
        guard let cluster = rd_kafka_mock_cluster_new(client, brokers) else {
            rd_kafka_destroy(client)
            return nil
        }
        self.client = client
        self.cluster = cluster
        answerAtOnce()
    }

    /// Turns Nagle's algorithm off, as Kafka does and the mock forgets: it would hold an answer back until the client
    /// acknowledges the one before, up to 40 ms. Accepted connections inherit it from the socket that listens.
    private func answerAtOnce() {
        for descriptor in Int32(3)..<256 {
            var isListening: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0, isListening == 1 else {
                continue
            }
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
        }
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    var bootstrap: String { String(cString: rd_kafka_mock_cluster_bootstraps(cluster)) }

    /// Protocol numbers of requests, https://kafka.apache.org/protocol#protocol_api_keys.
    private static let requests: [String: Int16] = [
        "produce": 0, "fetch": 1, "list-offsets": 2, "metadata": 3, "offset-commit": 8, "offset-fetch": 9,
        "find-coordinator": 10, "join-group": 11, "heartbeat": 12, "sync-group": 14, "init-producer-id": 22,
    ]

    /// Runs a command; returns what is wrong with it.
    func perform(_ command: String, _ words: [String]) -> String? {
        func number(_ index: Int) -> Int32? { words.count > index ? Int32(words[index]) : nil }
        func request(_ index: Int) -> Int16? { words.count > index ? Self.requests[words[index]] : nil }
        let result: rd_kafka_resp_err_t
        switch (command, words.count) {
        case ("topic", 2...3):  // topic <name> <partitions> [replicas]
            result = rd_kafka_mock_topic_create(cluster, words[0], number(1) ?? 1, number(2) ?? 3)
        case ("down", 1):  // down <broker, -1 for all>
            result = rd_kafka_mock_broker_set_down(cluster, number(0) ?? -1)
        case ("up", 1):
            result = rd_kafka_mock_broker_set_up(cluster, number(0) ?? -1)
        case ("rtt", 2):  // rtt <broker> <milliseconds>
            result = rd_kafka_mock_broker_set_rtt(cluster, number(0) ?? -1, number(1) ?? 0)
        case ("leader", 3):  // leader <topic> <partition> <broker>
            result = rd_kafka_mock_partition_set_leader(cluster, words[0], number(1) ?? 0, number(2) ?? -1)
        case ("coordinator", 2):  // coordinator <group> <broker>
            result = rd_kafka_mock_coordinator_set(cluster, "group", words[0], number(1) ?? 1)
        case ("topic-error", 2):  // topic-error <name> <code>: what metadata says of it
            rd_kafka_mock_topic_set_error(cluster, words[0], rd_kafka_resp_err_t(number(1) ?? 0))
            return nil
        case ("errors", 2...3):  // errors <request> <code> [how many]
            guard let key = request(0), let code = number(1) else { return "error unknown request" }
            let codes = [rd_kafka_resp_err_t](repeating: rd_kafka_resp_err_t(code), count: Int(number(2) ?? 1))
            rd_kafka_mock_push_request_errors_array(cluster, key, codes.count, codes)
            return nil
        case ("clear", 1):  // clear <request>
            guard let key = request(0) else { return "error unknown request" }
            rd_kafka_mock_clear_request_errors(cluster, key)
            return nil
        case ("delay", 3...4):  // delay <broker> <request> <milliseconds> [code]
            guard let key = request(1), let broker = number(0) else { return "error unknown request" }
            let code = rd_kafka_resp_err_t(number(3) ?? 0)
            result = hearth_mock_push_delay(cluster, broker, key, code, number(2) ?? 0)
        default:
            return "error unknown command"
        }
        return result == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : "error \(String(cString: rd_kafka_err2str(result)))"
    }
}
