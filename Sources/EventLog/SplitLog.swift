/// A log whose one topic is two, so that what fills the one takes no place from the other: some of its events are in a
/// second topic, and whoever scans it gets both.
///
/// For dead letters on Kafka, whose topic is bounded: what waits and is written by itself later must not make room for junk.
public final class SplitLog: EventLog {
    private let log: any EventLog
    private let topic: String
    private let second: String
    private let number: Int32
    private let isSecond: @Sendable (Event) -> Bool

    /// - Parameters:
    ///   - log: closed with this one. What its readers append with a commit is not split.
    ///   - number: what the second topic's partitions begin with here; more than the first has.
    ///   - isSecond: which events of the topic are for the second. While the log does not have it, or not for this user, as
    ///     a cluster that an earlier version has set up, they are kept in the first.
    public init(
        _ log: any EventLog, topic: String, second: String, from number: Int32,
        isSecond: @escaping @Sendable (Event) -> Bool
    ) {
        (self.log, self.topic, self.second, self.number) = (log, topic, second, number)
        self.isSecond = isSecond
    }

    public func append(_ events: [Event]) throws(EventLogError) {
        let isApart = events.map { $0.topic == topic && isSecond($0) }
        guard isApart.contains(true) else { return try log.append(events) }
        let apart = zip(events, isApart).compactMap { $1 ? $0 : nil }
        do throws(EventLogError) {
            try log.append(apart.map { Event(topic: second, key: $0.key, value: $0.value, headers: $0.headers) })
        } catch {
            guard error.code == .unknownTopic || error.code == .notAuthorized else { throw error }
            try log.append(apart)
        }
        let rest = zip(events, isApart).compactMap { $1 ? nil : $0 }
        if !rest.isEmpty { try log.append(rest) }
    }

    public func reader(group: String, topics: [String], instance: String?) throws(EventLogError) -> any EventReader {
        try log.reader(group: group, topics: topics, instance: instance)
    }

    public func scan(_ topic: String, _ body: (Event) -> Void) throws(EventLogError) {
        try log.scan(topic, body)
        guard topic == self.topic else { return }
        try log.scan(second) { event in
            var event = event
            event.topic = topic
            event.partition += number
            body(event)
        }
    }

    public func ends(of topic: String) -> [Int32: Int64]? {
        guard topic == self.topic else { return log.ends(of: topic) }
        guard var ends = log.ends(of: topic), let more = log.ends(of: second) else { return nil }
        for (partition, end) in more { ends[partition + number] = end }
        return ends
    }

    public func probe() throws(EventLogError) { try log.probe() }
    public var status: EventLogStatus { log.status }
    public func close() { log.close() }
}
