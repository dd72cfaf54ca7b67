import EventLog
import Heating

/// What some messages of the cloud broker become: events for the log and, for each, what may be confirmed once the log
/// has it. A value; ``Ingestor`` has the effects.
struct IngestBatch {
    /// One record of one gateway's journal.
    struct Mark: Equatable {
        var home: HomeID
        var epoch: ExactString
        var sequence: Int64
    }

    let arrival: Timestamp
    private(set) var events: [Event] = []
    /// For each event what it confirms; nil where there is nothing to confirm.
    private(set) var marks: [Mark?] = []
    /// Bytes of the events' keys, values and headers.
    private(set) var bytes = 0
    var readings = 0
    var commands = 0
    /// Dead letters by reason.
    var deadLetters: [String: Int] = [:]  // Own names: reasons.
    /// What was neither kept nor confirmed, by reason: a gateway still has it.
    var refused: [String: Int] = [:]  // Own names: reasons.

    init(arrival: Timestamp) { self.arrival = arrival }

    mutating func add(_ event: Event, confirming mark: Mark?) {
        events.append(event)
        marks.append(mark)
        bytes += event.size
    }

    /// Sequences to confirm, per home and epoch.
    var confirmations: [HomeID: [ExactString: SequenceRanges]] { Self.confirmations(marks[...]) }

    static func confirmations(_ marks: ArraySlice<Mark?>) -> [HomeID: [ExactString: SequenceRanges]] {
        var result: [HomeID: [ExactString: SequenceRanges]] = [:]
        for case let mark? in marks {
            result[mark.home, default: [:]][mark.epoch, default: SequenceRanges()]
                .insert(mark.sequence...mark.sequence)
        }
        return result
    }
}
