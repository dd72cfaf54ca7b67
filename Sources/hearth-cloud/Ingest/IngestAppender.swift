import EventLog
import Logging
import Machine

/// Puts what was decoded into the event log. What the log takes in no way holds up nothing else: neither an event that is too
/// large for it nor dead letters that it has no place for. For the connection's thread; blocks as long as the log does.
struct IngestAppender {
    /// How long a log that refused a dead letter is not asked again.
    private static let refusalNanoseconds: Int64 = 60_000_000_000

    private let log: any EventLog
    private let letterTopic: String
    private let logger: Logger
    /// Boot time until which dead letters are not offered to the log, since it refused the last.
    private var lettersAreRefusedUntil: Int64 = 0

    init(log: any EventLog, letterTopic: String, logger: Logger) {
        (self.log, self.letterTopic, self.logger) = (log, letterTopic, logger)
    }

    /// - Returns: the indices of events that the log takes in no way, and of dead letters that it refuses for now. They are
    ///   not confirmed.
    mutating func append(_ events: [Event]) throws(EventLogError) -> (tooLarge: [Int], refused: [Int]) {
        let letters = events.indices.filter { events[$0].topic == letterTopic }
        guard !letters.isEmpty else { return (try append(events[...]), []) }
        var refusal: EventLogError?
        if Clock.bootNanoseconds >= lettersAreRefusedUntil {
            do throws(EventLogError) {
                return (try append(events[...]), [])
            } catch {
                guard [.unknownTopic, .notAuthorized, .refused].contains(error.code) else { throw error }
                refusal = error
            }
        }
        // Once a minute at most they are appended a second time: their names tell that they are the same.
        let others = events.indices.filter { events[$0].topic != letterTopic }
        let tooLarge = others.isEmpty ? [] : try append(others.map { events[$0] }[...]).map { others[$0] }
        if let refusal {
            lettersAreRefusedUntil = Clock.bootNanoseconds + Self.refusalNanoseconds
            logger.error(
                "the event log takes no dead letters: what cannot be used stays with its home, all else goes on: \(refusal)",
                metadata: ["topic": "\(letterTopic)"])
        }
        return (tooLarge, letters)
    }

    /// A run that is too large for the log goes in halves, so that one event cannot hold up the others.
    /// - Returns: the indices of events that the log takes in no way.
    private func append(_ events: ArraySlice<Event>) throws(EventLogError) -> [Int] {
        do throws(EventLogError) {
            try log.append(Array(events))
            return []
        } catch {
            guard error.code == .tooLarge else { throw error }
            guard events.count > 1 else {
                guard let event = events.first else { return [] }
                logger.error(
                    "the event log does not take an event: it is left with its home. Raise max.message.bytes of the topic",
                    metadata: ["topic": "\(event.topic)", "key": "\(event.key ?? "")", "bytes": "\(event.size)"])
                return [events.startIndex]
            }
        }
        let middle = events.startIndex + events.count / 2
        return try append(events[..<middle]) + append(events[middle...])
    }
}
