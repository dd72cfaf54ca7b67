import CRdkafka
import Synchronization

/// The event log on a Kafka cluster. Appends of all threads share one idempotent producer; each reader has its own
/// consumer.
///
/// An append is durable when every in-sync replica has it: create topics with a replication factor of 3 and
/// `min.insync.replicas` of 2 (``ensureTopics(_:partitions:replication:configuration:)``). Kafka itself does not flush
/// each event to disk; with a single broker an event survives a crash of the process, not of the machine.
public final class KafkaLog: EventLog {
    let peer: KafkaPeer
    var settings: KafkaSettings { peer.settings }
    var report: NoticeHandler { peer.report }
    var board: LogStatusBoard { peer.board }
    private let producer = Mutex<KafkaProducer?>(nil)
    private let batches = Mutex(BatchLimit())
    private let closed = Atomic(false)

    /// Connects in the background; a cluster that is away is no error here.
    /// - Throws: `settings` if librdkafka does not take them.
    public init(_ settings: KafkaSettings, report: @escaping NoticeHandler = { _ in }) throws(EventLogError) {
        guard !settings.bootstrap.isEmpty else {
            throw EventLogError(.settings, "No Kafka servers are given. Set KAFKA_HOST to host:port[,host:port…].")
        }
        peer = KafkaPeer(settings: settings, report: report)
        _ = try currentProducer()
    }

    public var status: EventLogStatus { board.snapshot }

    var isClosed: Bool { closed.load(ordering: .acquiring) }

    public func close() {
        closed.store(true, ordering: .releasing)
        // Freed outside of the lock, since it waits for librdkafka's threads.
        let last = producer.withLock { slot -> KafkaProducer? in
            defer { slot = nil }
            return slot
        }
        withExtendedLifetime(last) {}
    }

    public func append(_ events: [Event]) throws(EventLogError) {
        guard !events.isEmpty else { return }
        let limit = settings.maxEventBytes
        if let index = events.firstIndex(where: { $0.size > limit }) {
            let error = EventLogError(
                .tooLarge,
                "appending to \(events[index].topic): the event has \(events[index].size) bytes, more than \(limit).",
                eventIndex: index)
            board.failedAppend(error)
            throw error
        }
        var start = events.startIndex
        while start < events.endIndex {
            let end = batches.withLock { $0.end(of: events, from: start) }
            try appendInHalves(events[start..<end])
            start = end
        }
        board.appended(events.count)
    }

    /// What librdkafka sends to a partition at once may be more than its topic takes (`max.message.bytes`, error
    /// MSG_SIZE_TOO_LARGE): it goes in halves, down to single events. What had been taken of it is there twice then.
    private func appendInHalves(_ events: ArraySlice<Event>) throws(EventLogError) {
        let producer = try currentProducer()
        do throws(EventLogError) {
            try producer.append(Array(events), isClosed: { isClosed })
            peer.complaints.clear()
        } catch {
            if error.code == .restarted { discard(producer) }
            if error.code == .tooLarge, events.count > 1 {
                batches.withLock { $0.refused(events) }
                let middle = events.startIndex + events.count / 2
                try appendInHalves(events[..<middle])
                return try appendInHalves(events[middle...])
            }
            board.failedAppend(error)
            guard error.code == .tooLarge else { throw error }
            throw EventLogError(.tooLarge, error.message, eventIndex: events.startIndex)
        }
    }

    public func reader(
        group: String, topics: [String], instance: String? = nil
    ) throws(EventLogError) -> any EventReader {
        guard !isClosed else { throw .closed }
        guard !topics.isEmpty, !group.isEmpty else {
            throw EventLogError(.settings, "A reader needs a group and at least one topic.")
        }
        board.update(group: group) { _ in }
        return try KafkaReader(log: self, group: group, topics: topics, instance: instance)
    }

    /// Where a partition begins or ends (`RD_KAFKA_OFFSET_…`), asked on a connection that is not the consumer's.
    func offset(_ which: Int32, of position: TopicPartition) -> Int64? {
        guard let producer = try? currentProducer() else { return nil }
        return withExtendedLifetime(producer) { producer.handle.offset(which, of: position, within: 2_000) }
    }

    func offsets(_ which: Int32, of positions: [TopicPartition]) -> [TopicPartition: Int64]? {
        guard let producer = try? currentProducer() else { return nil }
        return withExtendedLifetime(producer) { producer.handle.offsets(which, of: positions, within: 2_000) }
    }

    public func probe() throws(EventLogError) {
        let producer = try currentProducer()
        let result = withExtendedLifetime(producer) { producer.handle.partitions(of: nil, within: 4_000).error }
        if isClosed { throw .closed }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw peer.error(result, "asking the cluster")
        }
    }

    func currentProducer() throws(EventLogError) -> KafkaProducer {
        guard !isClosed else { throw .closed }
        // Mutex.withLock cannot carry a typed error out of a closure that returns a value in this toolchain.
        let result = producer.withLock { slot -> Result<KafkaProducer, EventLogError> in
            if let producer = slot { return .success(producer) }
            do throws(EventLogError) {
                let made = try KafkaProducer(peer)
                slot = made
                return .success(made)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The next append makes a new producer. The last thread that leaves the old one frees it.
    private func discard(_ broken: KafkaProducer) {
        let wasCurrent = producer.withLock { slot -> Bool in
            guard slot === broken else { return false }
            slot = nil
            return true
        }
        guard wasCurrent else { return }
        board.update { $0.producerRestarts += 1 }
        report(EventLogNotice(.warning, "kafka: the producer cannot go on and is replaced"))
    }
}
