/// One topic in two logs, its partitions 0 and 1, so that what fills the one takes no place from the other.
///
/// For the journal engine's dead letters: what waits and is written by itself later must not make room for junk.
public final class PartedLog: EventLog {
    private let parts: [any EventLog]
    private let isSecond: @Sendable (Event) -> Bool

    /// - Parameters:
    ///   - first: closed with this log, as `second` is.
    ///   - isSecond: which of them an event is for.
    public init(first: any EventLog, second: any EventLog, isSecond: @escaping @Sendable (Event) -> Bool) {
        parts = [first, second]
        self.isSecond = isSecond
    }

    public func append(_ events: [Event]) throws(EventLogError) {
        let second = events.filter(isSecond)
        if !second.isEmpty { try parts[1].append(second) }
        if second.count < events.count { try parts[0].append(events.filter { !isSecond($0) }) }
    }

    /// No group reads it: it is scanned.
    public func reader(group: String, topics: [String], instance: String?) throws(EventLogError) -> any EventReader {
        throw EventLogError(.settings, "Dead letters are not read by a group; they are scanned.")
    }

    public func scan(_ topic: String, _ body: (Event) -> Void) throws(EventLogError) {
        for (number, part) in parts.enumerated() {
            try part.scan(topic) { event in
                var event = event
                event.partition = Int32(number)
                body(event)
            }
        }
    }

    public func probe() throws(EventLogError) {
        for part in parts { try part.probe() }
    }

    public var status: EventLogStatus { parts[0].status.with(parts[1].status) }

    public func close() {
        for part in parts { part.close() }
    }
}
