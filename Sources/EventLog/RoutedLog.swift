/// Two logs as one: one topic has a log of its own, everything else is in the other.
///
/// For the journal engine, whose one file keeps nothing that every group has passed and deletes nothing that one has not:
/// neither is right for dead letters, which wait for a person.
public final class RoutedLog: EventLog {
    private let topic: String
    private let own: any EventLog
    private let others: any EventLog

    /// - Parameters:
    ///   - topic: what is in `own`; it must be read alone.
    ///   - own: closed with this log, as `others` is.
    public init(topic: String, in own: any EventLog, others: any EventLog) {
        self.topic = topic
        self.own = own
        self.others = others
    }

    public func append(_ events: [Event]) throws(EventLogError) {
        try others.append(appendingOwn(events))
    }

    /// Appends what is of the topic. - Returns: the rest.
    fileprivate func appendingOwn(_ events: [Event]) throws(EventLogError) -> [Event] {
        guard events.contains(where: { $0.topic == topic }) else { return events }
        try own.append(events.filter { $0.topic == topic })
        return events.filter { $0.topic != topic }
    }

    public func reader(group: String, topics: [String], instance: String?) throws(EventLogError) -> any EventReader {
        if topics == [topic] { return try own.reader(group: group, topics: topics, instance: instance) }
        return RoutedReader(log: self, try others.reader(group: group, topics: topics, instance: instance))
    }

    public func scan(_ topic: String, _ body: (Event) -> Void) throws(EventLogError) {
        try (topic == self.topic ? own : others).scan(topic, body)
    }

    public func ends(of topic: String) -> [Int32: Int64]? { (topic == self.topic ? own : others).ends(of: topic) }

    public func probe() throws(EventLogError) {
        try others.probe()
        try own.probe()
    }

    public var status: EventLogStatus { others.status.with(own.status) }

    public func close() {
        others.close()
        own.close()
    }
}

/// A reader of the other topics whose commits may append to all.
private final class RoutedReader: EventReader {
    private let log: RoutedLog
    private let reader: any EventReader

    init(log: RoutedLog, _ reader: any EventReader) {
        self.log = log
        self.reader = reader
    }

    func read(atMost count: Int, within nanoseconds: Int64) throws(EventLogError) -> EventBatch {
        try reader.read(atMost: count, within: nanoseconds)
    }

    func commit(
        _ offsets: [TopicPartition: Int64], reached: [TopicPartition: Int64], appending events: [Event]
    ) throws(EventLogError) {
        try reader.commit(offsets, reached: reached, appending: log.appendingOwn(events))
    }

    func reached(_ position: TopicPartition) throws(EventLogError) -> Int64 { try reader.reached(position) }

    func close() { reader.close() }
}
