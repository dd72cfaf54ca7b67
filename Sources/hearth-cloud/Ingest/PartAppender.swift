import EventLog
import Logging
import Machine

/// Appends what came from homes, so that neither an event that is too large nor a topic that the log refuses holds up what else came
/// with it. Used by the ingestor's thread.
struct PartAppender {
    /// Indices of a part's events that the log did not take. They are not confirmed, so their homes keep them.
    struct Left {
        /// The log takes them in no way.
        var tooLarge: [Int] = []
        /// Their topic is refused for now: it is missing, or forbidden.
        var refused: [Int] = []
    }

    /// How long a refused topic is not offered again.
    private static let refusalNanoseconds: Int64 = 60_000_000_000

    private let log: any EventLog
    /// Without the readings' topic there is nothing to go on with.
    private let essential: String
    private let deadLetters: String
    private let logger: Logger
    /// Boot times until which a topic is not offered.
    private var refusedUntil: [String: Int64] = [:]  // Own names: topics.

    init(log: any EventLog, topics: LogTopics, logger: Logger) {
        (self.log, self.logger) = (log, logger)
        (essential, deadLetters) = (topics.raw, topics.deadLetter)
    }

    /// Blocks until the log has the events.
    /// - Throws: what keeps the log from taking readings; nothing of the part counts as taken then.
    mutating func append(_ part: IngestBatch) throws(EventLogError) -> Left {
        let now = Clock.bootNanoseconds
        refusedUntil = refusedUntil.filter { $0.value > now }
        if !part.events.contains(where: { refusedUntil[$0.topic] != nil }) {
            do throws(EventLogError) {
                return Left(tooLarge: try append(part.events[...]))
            } catch {
                let others = Set(part.events.map(\.topic)).subtracting([essential])
                guard Self.isRefusal(error), let first = others.first else { throw error }
                // A refusal may take as long as an append may: where one topic alone can be meant, it is not asked again.
                if others.count == 1 { refuse(first, error) }
            }
        }
        // Once a minute at most they are appended a second time: their names tell that they are the same.
        var left = Left()
        for topic in Set(part.events.map(\.topic)).sorted() {
            let indices = part.events.indices.filter { part.events[$0].topic == topic }
            guard refusedUntil[topic] == nil else { left.refused += indices; continue }
            do throws(EventLogError) {
                left.tooLarge += try append(indices.map { part.events[$0] }[...]).map { indices[$0] }
            } catch {
                guard Self.isRefusal(error), topic != essential else { throw error }
                left.refused += indices
                refuse(topic, error)
            }
        }
        return left
    }

    private static func isRefusal(_ error: EventLogError) -> Bool {
        [.unknownTopic, .notAuthorized, .refused].contains(error.code)
    }

    private mutating func refuse(_ topic: String, _ error: EventLogError) {
        refusedUntil[topic] = Clock.bootNanoseconds + Self.refusalNanoseconds
        let what = topic == deadLetters ? "no dead letters: what cannot be used" : "nothing of a topic: what is for it"
        logger.error(
            "the event log takes \(what) stays with its home, all else goes on: \(error)",
            metadata: ["topic": "\(topic)"])
    }

    /// Appends; a run that is too large for the log goes in halves, so that one event cannot hold up the others.
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
