import CRdkafka

extension KafkaLog {
    /// Creates the topics that do not exist; leaves those that do as they are. Blocks for up to 30 seconds.
    /// - Returns: The names that were created.
    /// - Throws: ``EventLogError`` of the first topic that could not be created.
    @discardableResult
    public func ensureTopics(_ plans: [TopicPlan]) throws(EventLogError) -> [String] {
        guard !plans.isEmpty else { return [] }
        var topics: [OpaquePointer?] = []
        defer { for topic in topics { rd_kafka_NewTopic_destroy(topic) } }
        for plan in plans { topics.append(try newTopic(plan)) }
        return try administer(RD_KAFKA_ADMIN_OP_CREATETOPICS, "creating topics") { handle, options, queue in
            // How long the brokers wait until the topics are known everywhere.
            rd_kafka_AdminOptions_set_operation_timeout(options, 15_000, nil, 0)
            rd_kafka_CreateTopics(handle, &topics, topics.count, options, queue)
        } answered: { event throws(EventLogError) in
            try created(event)
        }
    }

    /// What the cluster says of a topic; nil if there is none. Blocks for up to 35 seconds.
    public func facts(of topic: String) throws(EventLogError) -> TopicPlan.Facts? {
        let client = try currentProducer()
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let local = rd_kafka_topic_new(client.handle.pointer, topic, nil)
        defer { if let local { rd_kafka_topic_destroy(local) } }
        let result = rd_kafka_metadata(client.handle.pointer, 0, local, &metadata, 5_000)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw error(result, "asking for \(topic)") }
        defer { rd_kafka_metadata_destroy(metadata) }
        guard metadata.pointee.topic_cnt > 0, metadata.pointee.topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR else {
            return nil
        }
        let found = metadata.pointee.topics[0]
        let partitions = UnsafeBufferPointer(start: found.partitions, count: Int(found.partition_cnt))
        return TopicPlan.Facts(
            partitions: partitions.count, replicas: partitions.map { Int($0.replica_cnt) }.min() ?? 0,
            configuration: try configuration(of: topic))
    }

    private func configuration(of topic: String) throws(EventLogError) -> [String: String] {
        var resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
        defer { rd_kafka_ConfigResource_destroy(resource) }
        let doing = "asking for the settings of \(topic)"
        return try administer(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, doing) { handle, options, queue in
            rd_kafka_DescribeConfigs(handle, &resource, 1, options, queue)
        } answered: { event throws(EventLogError) in
            var count = 0
            let resources = rd_kafka_DescribeConfigs_result_resources(
                rd_kafka_event_DescribeConfigs_result(event), &count)
            guard count > 0, let found = resources?[0] else { return [:] }
            let code = rd_kafka_ConfigResource_error(found)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw error(code, doing) }
            let entries = rd_kafka_ConfigResource_configs(found, &count)
            var configuration: [String: String] = [:]  // Own names: Kafka's.
            for entry in UnsafeBufferPointer(start: entries, count: count) {
                guard let name = rd_kafka_ConfigEntry_name(entry), let value = rd_kafka_ConfigEntry_value(entry) else {
                    continue
                }
                configuration[String(cString: name)] = String(cString: value)
            }
            return configuration
        }
    }

    /// One request of the admin protocol and its answer.
    private func administer<Value>(
        _ operation: rd_kafka_admin_op_t, _ doing: String,
        ask: (OpaquePointer, OpaquePointer?, OpaquePointer?) -> Void,
        answered: (OpaquePointer) throws(EventLogError) -> Value
    ) throws(EventLogError) -> Value {
        let client = try currentProducer()
        let handle = client.handle.pointer
        let options = rd_kafka_AdminOptions_new(handle, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        // How long we wait for the brokers.
        rd_kafka_AdminOptions_set_request_timeout(options, 25_000, nil, 0)
        guard let queue = rd_kafka_queue_new(handle) else { throw EventLogError(.settings, "No memory for a queue.") }
        defer { rd_kafka_queue_destroy(queue) }
        ask(handle, options, queue)
        guard let event = rd_kafka_queue_poll(queue, 30_000) else { throw error(RD_KAFKA_RESP_ERR__TIMED_OUT, doing) }
        defer { rd_kafka_event_destroy(event) }
        let result = rd_kafka_event_error(event)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw error(result, doing) }
        return try withExtendedLifetime(client) { () throws(EventLogError) in try answered(event) }
    }

    private func newTopic(_ plan: TopicPlan) throws(EventLogError) -> OpaquePointer {
        var text = [CChar](repeating: 0, count: 256)
        let topic = rd_kafka_NewTopic_new(
            plan.name, Int32(clamping: plan.partitions), Int32(clamping: plan.replication), &text, text.count)
        guard let topic else {
            throw EventLogError(.settings, "creating topic \(plan.name): \(string(text)). Correct the settings.")
        }
        for (key, value) in plan.configuration { rd_kafka_NewTopic_set_config(topic, key, value) }
        return topic
    }

    private func created(_ event: OpaquePointer) throws(EventLogError) -> [String] {
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
        peer.error(code, doing)
    }
}
