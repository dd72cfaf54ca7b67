import CRdkafka
import Machine
import Synchronization

/// One member of a consumer group; owns the `rd_kafka_t`. Confined to its reader's thread.
final class KafkaConsumer {
    private let handle: KafkaHandle
    private let context: CallbackContext
    private var isRetired = false

    /// Joins the group in the background.
    init(
        _ peer: KafkaPeer, group: String, topics: [String], instance: String?
    ) throws(EventLogError) {
        context = CallbackContext(peer)
        let configuration = try KafkaConfiguration(peer.settings.consumer(group: group, instance: instance))
        install(context, on: configuration.pointer)
        installRebalance(on: configuration.pointer)
        rd_kafka_conf_set_error_cb(configuration.pointer, errorCallback)
        handle = try configuration.makeClient(RD_KAFKA_CONSUMER)
        rd_kafka_poll_set_consumer(handle.pointer)
        let result = PartitionList(topics: topics).withPointer { rd_kafka_subscribe(handle.pointer, $0) }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
            retire(within: 0)
            throw peer.error(result, "subscribing to \(topics.joined(separator: ", "))")
        }
    }

    deinit {
        retire(within: 0)
    }

    var fatalError: (code: rd_kafka_resp_err_t, text: String)? { handle.fatalError }

    /// The next message or error, for `body` to look at; false if there was none in time. Runs the callbacks.
    func poll(within milliseconds: Int32, _ body: (UnsafeMutablePointer<rd_kafka_message_t>) -> Void) -> Bool {
        guard let message = rd_kafka_consumer_poll(handle.pointer, milliseconds) else { return false }
        body(message)
        rd_kafka_message_destroy(message)
        return true
    }

    var hasChanges: Bool { context.rebalances.withLock { !$0.changes.isEmpty } }

    func takeChanges() -> [Rebalances.Change] { context.rebalances.withLock { $0.take() } }

    /// Sends the offsets to the group's coordinator and waits for the answer; nil if there was none by the deadline
    /// (monotonic nanoseconds) or `isClosed` came true.
    func commit(
        _ offsets: [TopicPartition: CommitMark], until end: Int64, isClosed: () -> Bool
    ) -> rd_kafka_resp_err_t? {
        // Not the synchronous rd_kafka_commit, which waits without bound when the coordinator is away.
        guard let queue = rd_kafka_queue_new(handle.pointer) else { return nil }
        defer { rd_kafka_queue_destroy(queue) }
        let result = PartitionList(offsets: offsets).withPointer {
            rd_kafka_commit_queue(handle.pointer, $0, queue, nil, nil)
        }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { return result }
        while Clock.monotonicNanoseconds < end, !isClosed() {
            guard let event = rd_kafka_queue_poll(queue, 200) else { continue }
            defer { rd_kafka_event_destroy(event) }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT { return rd_kafka_event_error(event) }
        }
        return nil
    }

    /// What the group has committed, with a negative offset if that is nothing; nil if the coordinator did not say in
    /// time.
    func committedMark(of position: TopicPartition, within milliseconds: Int32) -> CommitMark? {
        committedMarks(of: [position], within: milliseconds)?[position]
    }

    /// The same for several; without those that the coordinator could not tell.
    func committedMarks(
        of positions: [TopicPartition], within milliseconds: Int32
    ) -> [TopicPartition: CommitMark]? {
        let wanted = positions.map { ($0, CommitMark(next: Int64(RD_KAFKA_OFFSET_INVALID))) }
        return PartitionList(offsets: Dictionary(wanted) { $1 }).withPointer { list in
            let result = rd_kafka_committed(handle.pointer, list, milliseconds)
            guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
            return list.elements { $0.err == result ? CommitMark($0) : nil }
        }
    }

    /// The next offset of a partition as of the last fetch; does no I/O.
    func knownEnd(of position: TopicPartition) -> Int64? {
        var low: Int64 = 0
        var high: Int64 = 0
        let result = rd_kafka_get_watermark_offsets(handle.pointer, position.topic, position.partition, &low, &high)
        return result == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : nil
    }

    /// Makes the thread of a partition's broker look whether there is room to fetch again.
    ///
    /// Once its queue is full, 2.0.2 looks for room only once a second (rd_kafka_broker_consumer_serve), however fast
    /// the queue is emptied; fetch.queue.backoff.ms came with 2.2.0. Any request to that broker wakes the thread up.
    func nudge(_ position: TopicPartition) {
        _ = handle.offset(RD_KAFKA_OFFSET_END, of: position, within: 200)
    }

    /// Leaves the group and frees the client on a thread of its own, since 2.0.2 can hang when an assignment arrives
    /// during the close (librdkafka #4528). Waits for that up to the given nanoseconds.
    func retire(within nanoseconds: Int64) {
        guard !isRetired else { return }
        isRetired = true
        let (handle, context, isGone) = (handle, context, Monitor(false))
        let close: @Sendable () -> Void = {
            rd_kafka_consumer_close(handle.pointer)
            if context.rebalances.withLock({ $0.hasBeenAssigned }) {
                withExtendedLifetime(context) { rd_kafka_destroy(handle.pointer) }
            } else {
                // Freeing a cooperative consumer before its first assignment crashes (librdkafka #4381, fixed in
                // 2.3.0). Rather leak it, and what its callbacks use: a program is ending before its group has formed.
                _ = Unmanaged.passRetained(context)
            }
            isGone.change { $0 = true }
        }
        // No thread to be had: here rather than not at all.
        do { try startThread(named: "kafka-close", close) } catch { close() }
        _ = isGone.wait(until: Clock.deadline(after: nanoseconds)) { $0 }
    }
}

/// Runs inside rd_kafka_consumer_poll. Errors here are informational: librdkafka goes on trying.
private func errorCallback(
    client: OpaquePointer?, code: Int32, reason: UnsafePointer<CChar>?, opaque: UnsafeMutableRawPointer?
) {
    guard let context = CallbackContext.of(opaque), let reason else { return }
    if rd_kafka_resp_err_t(code) == RD_KAFKA_RESP_ERR__AUTHENTICATION { context.renewLogin(of: client) }
    noteError(rd_kafka_resp_err_t(code), String(cString: reason), "kafka consumer", context)
}

/// An error that librdkafka goes on trying to overcome: "1/1 brokers are down" gets its cause.
func noteError(
    _ code: rd_kafka_resp_err_t, _ text: String, _ prefix: String, _ context: CallbackContext
) {
    let isSummary = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN
    if !isSummary { context.complaints.add(text, now: Clock.monotonicNanoseconds) }
    let cause = isSummary ? context.complaints.latest(now: Clock.monotonicNanoseconds) : nil
    let message = cause.map { "\(text): \($0)" } ?? text
    context.board.update { $0.lastError = "\(prefix): \(message)" }
    context.complain(message, as: prefix, .warning)
}
