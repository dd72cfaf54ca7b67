/// What ingest and the pipelines write to and read from. Two engines: ``KafkaLog`` and ``JournalLog``.
///
/// All calls are synchronous and may block for as long as each says; call them from threads of your own, never from
/// the Swift concurrency pool. Appends may come from several threads.
///
/// Delivery is at least once: after an error or a crash, events may be stored or read a second time. What is downstream
/// has to be idempotent.
public protocol EventLog: Sendable {
    /// Stores events; returns when every one of them is durable by the engine's promise.
    ///
    /// Order is kept per topic and key. After an error some events may be stored and some not: repeat the whole batch.
    /// Blocks until the log has answered, at most for the engine's append timeout.
    /// - Throws: ``EventLogError``; `tooLarge` names the event in ``EventLogError/eventIndex`` where it is known.
    func append(_ events: [Event]) throws(EventLogError)

    /// Joins a consumer group. Each event of the topics is read by one reader of every group, beginning with the
    /// oldest event that is kept.
    /// - Parameters:
    ///   - group: Events that no reader of the group has committed are kept for it.
    ///   - topics: At least one. They need not exist yet.
    ///   - instance: A name that is stable across restarts and unique in the group (the pod's name), so that a quick
    ///     restart moves no partitions. Ignored by the journal engine.
    func reader(group: String, topics: [String], instance: String?) throws(EventLogError) -> any EventReader

    /// Reads a topic from the oldest event that is kept to the newest at the time of the call, without a group.
    ///
    /// Blocks until that is done. A topic that does not exist has no events.
    /// - Parameter body: called in order of offsets within a partition.
    func scan(_ topic: String, _ body: (Event) -> Void) throws(EventLogError)

    /// The next offset of each partition of a topic that other processes append to; nil if they cannot, or nobody says now.
    /// Blocks up to seven seconds.
    func ends(of topic: String) -> [Int32: Int64]?

    /// Asks whether the log can be reached and used now; blocks up to five seconds.
    func probe() throws(EventLogError)

    /// A snapshot for metrics and health; never blocks on I/O.
    var status: EventLogStatus { get }

    /// Ends the log from any thread: blocked calls throw `closed` within half a second, later ones at once. Close the
    /// readers first. Idempotent.
    func close()
}

extension EventLog {
    public func ends(of topic: String) -> [Int32: Int64]? { nil }
}

/// A member of a consumer group, confined to one thread at a time.
public protocol EventReader: AnyObject {
    /// The events after the last read.
    ///
    /// Call it at least every five minutes, or a Kafka group takes the partitions away.
    /// - Parameters:
    ///   - count: At least 1; the batch holds at most so many events.
    ///   - nanoseconds: How long to wait for the first event. The batch is empty when there was none; it may return
    ///     earlier with only a change of partitions.
    /// - Throws: A transient error changes nothing: read again, after a pause. After any other, close the reader.
    func read(atMost count: Int, within nanoseconds: Int64) throws(EventLogError) -> EventBatch

    /// Marks progress, after the work for the events is done, and stores events that came out of it.
    ///
    /// Returns when `events` are durable, and the offsets are stored or their partitions were taken away meanwhile;
    /// the next read says which, and their new reader repeats the events. The journal engine does both in one
    /// transaction, the last one where the events are more than a megabyte; what comes without events does not wait for
    /// the disk, so that a power cut may undo it. Kafka appends first.
    /// - Parameters:
    ///   - offsets: The next offset to read after a restart, per partition. May be lower than what was read, to read
    ///     those events again after a restart; this reader goes on where it is. Not lower than an earlier commit, which
    ///     the journal engine would ignore. May be empty.
    ///   - reached: How far the work has got in partitions whose offset is lower than that, for ``reached(_:)`` after
    ///     a restart. Never lost if the offset is not.
    ///   - events: May be empty. May go to any topic.
    /// - Throws: After a transient error repeat the same call: the events may not be stored.
    func commit(
        _ offsets: [TopicPartition: Int64], reached: [TopicPartition: Int64], appending events: [Event]
    ) throws(EventLogError)

    /// How far the group had got in a partition of this reader, as its last commit said; 0 if none did.
    ///
    /// Who commits less than was read, to build up again after a restart what it had in memory, learns here which
    /// events have been dealt with before. Blocks up to ten seconds.
    func reached(_ position: TopicPartition) throws(EventLogError) -> Int64

    /// Leaves the group, within about five seconds. The reader cannot be used afterwards. Idempotent.
    func close()
}

extension EventReader {
    /// Marks progress only.
    public func commit(_ offsets: [TopicPartition: Int64]) throws(EventLogError) {
        try commit(offsets, reached: [:], appending: [])
    }

    /// Marks progress, after storing events.
    public func commit(_ offsets: [TopicPartition: Int64], appending events: [Event]) throws(EventLogError) {
        try commit(offsets, reached: [:], appending: events)
    }
}
