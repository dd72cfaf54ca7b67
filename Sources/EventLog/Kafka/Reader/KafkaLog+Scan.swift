import CRdkafka
import Machine

extension KafkaLog {
    /// How long the brokers may take for the next event.
    private static let scanPatience: Int64 = 20_000_000_000

    public func scan(_ topic: String, _ body: (Event) -> Void) throws(EventLogError) {
        let producer = try currentProducer()
        let found = withExtendedLifetime(producer) { producer.handle.partitions(of: topic, within: 5_000) }
        switch found.error {
        case RD_KAFKA_RESP_ERR_NO_ERROR: break
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: return
        case let code: throw error(code, topic)
        }
        let positions = found.partitions.map { TopicPartition(topic: topic, partition: $0) }
        guard let ends = offsets(RD_KAFKA_OFFSET_END, of: positions),
            let starts = offsets(RD_KAFKA_OFFSET_BEGINNING, of: positions), ends.count == positions.count
        else { throw error(RD_KAFKA_RESP_ERR__TIMED_OUT, topic) }
        let wanted = ends.filter { starts[$0.key] ?? 0 < $0.value }
        if !wanted.isEmpty { try read(wanted, body) }
    }

    public func ends(of topic: String) -> [Int32: Int64]? {
        guard let producer = try? currentProducer() else { return nil }
        let found = withExtendedLifetime(producer) {
            producer.handle.partitions(of: topic, within: 5_000)
        }
        // One that does not exist has no events.
        if found.error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || found.error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC {
            return [:]
        }
        guard found.error == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        let positions = found.partitions.map { TopicPartition(topic: topic, partition: $0) }
        guard let ends = offsets(RD_KAFKA_OFFSET_END, of: positions), ends.count == positions.count
        else { return nil }
        return Dictionary(ends.map { ($0.key.partition, $0.value) }) { $1 }
    }

    /// Reads each partition from its beginning to its end.
    private func read(
        _ ends: [TopicPartition: Int64], _ body: (Event) -> Void
    ) throws(EventLogError) {
        let topic = ends.first?.key.topic ?? ""
        let context = CallbackContext(peer)
        let configuration = try KafkaConfiguration(
            settings.consumer(group: "hearth-scan", instance: nil) + [
                // An eager one: cooperative consumers that never join cannot be freed (librdkafka #4381).
                ("partition.assignment.strategy", "range"), ("enable.partition.eof", "true"),
            ])
        install(context, on: configuration.pointer)
        let handle = try configuration.makeClient(RD_KAFKA_CONSUMER)
        rd_kafka_poll_set_consumer(handle.pointer)
        defer {
            withExtendedLifetime(context) {
                rd_kafka_consumer_close(handle.pointer)
                rd_kafka_destroy(handle.pointer)
            }
        }
        let starts = ends.mapValues { _ in CommitMark(next: Int64(RD_KAFKA_OFFSET_BEGINNING)) }
        let result = PartitionList(offsets: starts).withPointer { rd_kafka_assign(handle.pointer, $0) }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw error(result, topic) }
        var open = ends
        var patience = Clock.deadline(after: Self.scanPatience)
        while !open.isEmpty {
            if isClosed { throw .closed }
            guard Clock.monotonicNanoseconds < patience else { throw error(RD_KAFKA_RESP_ERR__TIMED_OUT, topic) }
            guard let message = rd_kafka_consumer_poll(handle.pointer, 200) else { continue }
            defer { rd_kafka_message_destroy(message) }
            let position = TopicPartition(topic: topic, partition: message.pointee.partition)
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR__PARTITION_EOF: open[position] = nil
            // Nobody goes on trying where the right to read is missing: it is told at once.
            case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: throw error(message.pointee.err, topic)
            default: break
            }
            guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR, let end = open[position] else { continue }
            patience = Clock.deadline(after: Self.scanPatience)
            if message.pointee.offset < end { body(Event(message, topic: topic)) }
            if message.pointee.offset + 1 >= end { open[position] = nil }
        }
    }

    private func error(_ code: rd_kafka_resp_err_t, _ topic: String) -> EventLogError {
        peer.error(code, "reading \(topic)")
    }
}
