import CRdkafka

extension KafkaLog {
    /// Creates the topics that do not exist; leaves those that do as they are. Blocks for up to 30 seconds.
    /// - Parameters:
    ///   - names: Topic names.
    ///   - partitions: Per topic; bounds how many readers of a group can work at once. Cannot be lowered later, and
    ///     raising it moves keys to other partitions.
    ///   - replication: Replicas of each partition, at most the number of brokers; -1 takes the brokers' default.
    ///   - configuration: Topic settings, for example `["min.insync.replicas": "2", "retention.ms": "604800000"]`.
    /// - Returns: The names that were created.
    /// - Throws: ``EventLogError`` of the first topic that could not be created.
    @discardableResult
    public func ensureTopics(
        _ names: [String], partitions: Int, replication: Int, configuration: [String: String] = [:]
    ) throws(EventLogError) -> [String] {
        guard !names.isEmpty else { return [] }
        let client = try currentProducer()
        let handle = client.handle.pointer
        var topics: [OpaquePointer?] = []
        defer { for topic in topics { rd_kafka_NewTopic_destroy(topic) } }
        for name in names {
            topics.append(try newTopic(name, partitions, replication, configuration))
        }
        let options = rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS)
        defer { rd_kafka_AdminOptions_destroy(options) }
        var text = [CChar](repeating: 0, count: 256)
        // How long the brokers wait until the topics are known everywhere, and how long we wait for the brokers.
        rd_kafka_AdminOptions_set_operation_timeout(options, 15_000, &text, text.count)
        rd_kafka_AdminOptions_set_request_timeout(options, 25_000, &text, text.count)
        guard let queue = rd_kafka_queue_new(handle) else { throw EventLogError(.settings, "No memory for a queue.") }
        defer { rd_kafka_queue_destroy(queue) }
        rd_kafka_CreateTopics(handle, &topics, topics.count, options, queue)
        guard let event = rd_kafka_queue_poll(queue, 30_000) else {
            throw error(RD_KAFKA_RESP_ERR__TIMED_OUT, "creating topics")
        }
        defer { rd_kafka_event_destroy(event) }
        return try withExtendedLifetime(client) { () throws(EventLogError) in try created(event) }
    }

    private func newTopic(
        _ name: String, _ partitions: Int, _ replication: Int, _ configuration: [String: String]
    ) throws(EventLogError) -> OpaquePointer {
        var text = [CChar](repeating: 0, count: 256)
        let topic = rd_kafka_NewTopic_new(
            name, Int32(clamping: partitions), Int32(clamping: replication), &text, text.count)
        guard let topic else {
            throw EventLogError(.settings, "creating topic \(name): \(string(text)). Correct the settings.")
        }
        for (key, value) in configuration { rd_kafka_NewTopic_set_config(topic, key, value) }
        return topic
    }

    private func created(_ event: OpaquePointer) throws(EventLogError) -> [String] {
        let result = rd_kafka_event_error(event)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let detail = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? ""
            throw error(result, "creating topics (\(detail))")
        }
        var count = 0
        let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
        var created: [String] = []
        for result in UnsafeBufferPointer(start: results, count: count) {
            let name = rd_kafka_topic_result_name(result).map { String(cString: $0) } ?? ""
            switch rd_kafka_topic_result_error(result) {
            case RD_KAFKA_RESP_ERR_NO_ERROR: created.append(name)
            case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: break
            case let code:
                let detail = rd_kafka_topic_result_error_string(result).map { String(cString: $0) } ?? ""
                throw error(code, "creating topic \(name) (\(detail))")
            }
        }
        return created
    }

    private func error(_ code: rd_kafka_resp_err_t, _ doing: String) -> EventLogError {
        EventLogError(kafka: code, doing: doing, bootstrap: settings.bootstrap)
    }
}
