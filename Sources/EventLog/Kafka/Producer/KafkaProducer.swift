import CRdkafka
import Machine

/// One idempotent producer; owns the `rd_kafka_t`. Delivery reports arrive on a thread of librdkafka.
final class KafkaProducer: Sendable {
    let handle: KafkaHandle
    private let peer: KafkaPeer
    // librdkafka's callbacks use it until the client is destroyed.
    private let context: CallbackContext

    init(_ peer: KafkaPeer) throws(EventLogError) {
        self.peer = peer
        context = CallbackContext(peer)
        let configuration = try KafkaConfiguration(peer.settings.producer)
        install(context, on: configuration.pointer)
        rd_kafka_conf_set_events(configuration.pointer, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
        rd_kafka_conf_set_background_event_cb(configuration.pointer, eventCallback)
        handle = try configuration.makeClient(RD_KAFKA_PRODUCER)
        let main = rd_kafka_queue_get_main(handle.pointer)
        let background = rd_kafka_queue_get_background(handle.pointer)
        rd_kafka_queue_forward(main, background)
        rd_kafka_queue_destroy(background)
        rd_kafka_queue_destroy(main)
    }

    deinit {
        // Each event that is still under way must be reported, or its reference to the DeliveryReports is never given back.
        rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        rd_kafka_flush(handle.pointer, 5_000)
        rd_kafka_destroy(handle.pointer)
    }

    /// Sends the events and waits for every report.
    /// - Throws: `restarted` if this producer is of no more use.
    func append(_ events: [Event], isClosed: () -> Bool) throws(EventLogError) {
        let delivery = DeliveryReports()
        // librdkafka reports each event within message.timeout.ms; the rest is for a library that does not.
        let end = Clock.deadline(after: peer.settings.appendTimeout.nanoseconds + 10_000_000_000)
        var refusal: rd_kafka_resp_err_t?
        for event in events {
            let result = try handOver(event, delivery, until: end, isClosed: isClosed)
            if result != RD_KAFKA_RESP_ERR_NO_ERROR {
                refusal = result
                break
            }
        }
        delivery.allHandedOver()
        while !delivery.isDone(within: 200, flushing: handle) {
            if isClosed() { throw .closed }
            if Clock.monotonicNanoseconds >= end {
                throw EventLogError(.restarted, "appending: librdkafka did not report. The producer is replaced.")
            }
        }
        guard let failure = delivery.failure ?? refusal.map({ ($0, nil) }) else { return }
        throw explain(failure.0, topics: failure.1.map { [$0] } ?? Set(events.map(\.topic)))
    }

    /// Waits while librdkafka's queue is full.
    private func handOver(
        _ event: Event, _ delivery: DeliveryReports, until end: Int64, isClosed: () -> Bool
    ) throws(EventLogError) -> rd_kafka_resp_err_t {
        while true {
            let reference = delivery.begin()
            let result = enqueue(event, reference)
            if result == RD_KAFKA_RESP_ERR_NO_ERROR { return result }
            // The result counts once it is final; until then only the reference has to come back.
            DeliveryReports.end(reference)
            guard result == RD_KAFKA_RESP_ERR__QUEUE_FULL, Clock.monotonicNanoseconds < end else { return result }
            if isClosed() { throw .closed }
            _ = delivery.wait(until: Clock.deadline(after: 5_000_000))
        }
    }

    private func enqueue(_ event: Event, _ reference: UnsafeMutableRawPointer) -> rd_kafka_resp_err_t {
        var headers: OpaquePointer?
        if !event.headers.isEmpty {
            headers = rd_kafka_headers_new(event.headers.count)
            for header in event.headers {
                header.value.withUnsafeBytes { value in
                    // A null value would come back as null; -1 as the size of the name means "up to its NUL".
                    _ = rd_kafka_header_add(headers, header.name, -1, value.baseAddress ?? emptyBytes, value.count)
                }
            }
        }
        let result = withBytes(of: event.key.map { ArraySlice($0.utf8) }) { key, keySize in
            withBytes(of: event.value) { value, valueSize in
                hearth_kafka_produce(
                    handle.pointer, event.topic, key, keySize, value, valueSize, headers, reference)
            }
        }
        if result != RD_KAFKA_RESP_ERR_NO_ERROR, let headers { rd_kafka_headers_destroy(headers) }
        return result
    }

    /// What to tell the operator; after a timeout asks the cluster whether the topic is there.
    private func explain(_ code: rd_kafka_resp_err_t, topics: Set<String>) -> EventLogError {
        if let fatal = handle.fatalError {
            return EventLogError(
                .restarted, "appending: \(describe(fatal.code)), \(fatal.text). The producer is replaced; repeat.")
        }
        var cause = code
        if code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT {
            for topic in topics where cause == code { cause = metadataError(of: topic) ?? code }
        }
        return peer.error(cause, "appending to \(topics.sorted().joined(separator: ", "))")
    }

    /// What is wrong with a topic, as the cluster sees it; nil if nothing.
    private func metadataError(of topic: String) -> rd_kafka_resp_err_t? {
        guard let local = rd_kafka_topic_new(handle.pointer, topic, nil) else { return nil }
        defer { rd_kafka_topic_destroy(local) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let result = rd_kafka_metadata(handle.pointer, 0, local, &metadata, 1_000)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { return result }
        defer { rd_kafka_metadata_destroy(metadata) }
        guard metadata.pointee.topic_cnt > 0 else { return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART }
        let found = metadata.pointee.topics[0]
        guard found.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return found.err }
        let partitions = UnsafeBufferPointer(start: found.partitions, count: Int(found.partition_cnt))
        if partitions.contains(where: { $0.leader < 0 }) { return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE }
        // Whether that is too few only the topic's min.insync.replicas says, but then the append did fail.
        return partitions.contains { $0.isr_cnt < $0.replica_cnt } ? RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS : nil
    }
}

/// Runs on librdkafka's background thread.
private func eventCallback(client: OpaquePointer?, event: OpaquePointer?, opaque: UnsafeMutableRawPointer?) {
    guard let event else { return }
    defer { rd_kafka_event_destroy(event) }
    switch rd_kafka_event_type(event) {
    case RD_KAFKA_EVENT_DR:
        while let message = rd_kafka_event_message_next(event) {
            guard let reference = message.pointee._private else { continue }
            let result = outcome(of: message.pointee)
            guard result != RD_KAFKA_RESP_ERR_NO_ERROR else { DeliveryReports.end(reference); continue }
            let topic = rd_kafka_topic_name(message.pointee.rkt).map { String(cString: $0) }
            DeliveryReports.end(reference, result, topic)
        }
    case RD_KAFKA_EVENT_ERROR:
        guard let context = CallbackContext.of(opaque), let text = rd_kafka_event_error_string(event) else { return }
        if rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__AUTHENTICATION { context.renewLogin(of: client) }
        noteError(rd_kafka_event_error(event), String(cString: text), "kafka producer", context)
    default:
        break
    }
}

/// What a delivery report is worth: a success without a place in the log is librdkafka's conclusion, not a broker's word.
///
/// When a batch is confirmed whose predecessor was refused, librdkafka takes that one for stored ("R2 succeeded, which means the
/// messages in R1 were in fact persisted", rd_kafka_handle_idempotent_Produce_success, 2.0.2), since Kafka would have refused the
/// second for its sequence number. A broker that does not look at sequence numbers has lost the first. It is appended again, and
/// may be there twice. What a broker itself calls a duplicate has the offset -1.
private func outcome(of message: rd_kafka_message_t) -> rd_kafka_resp_err_t {
    guard message.err == RD_KAFKA_RESP_ERR_NO_ERROR, message.offset == Int64(RD_KAFKA_OFFSET_INVALID) else {
        return message.err
    }
    return RD_KAFKA_RESP_ERR__INCONSISTENT
}

/// What an empty, but not null, key or value points to.
private var emptyBytes: UnsafeRawPointer { UnsafeRawPointer(("" as StaticString).utf8Start) }

private func withBytes<Result>(
    of bytes: ArraySlice<UInt8>?, _ body: (UnsafeRawPointer?, Int) -> Result
) -> Result {
    guard let bytes else { return body(nil, 0) }
    return bytes.withUnsafeBytes { body($0.baseAddress ?? emptyBytes, $0.count) }
}
