import EventLog
import Heating
import Influx

/// What became of the records that a batch was made of. Pure.
struct RecordFates {
    private(set) var ranges: [StoredAccount.Fate: [OriginTable.Journal: SequenceRanges]]

    /// - Parameter rejected: points that the database did not take, by index in `events`.
    init(_ output: StageOutput, of events: [StoredEvent], rejected: [RejectedPoint], _ topics: LogTopics) {
        ranges = [.points: output.origins]
        func record(_ source: Int) -> RecordName? {
            source < events.count ? RecordName(events[source].event, topics) : nil
        }
        for point in rejected { take(record(point.index), point.refusal.isFinal ? .deadLetters : .held) }
        for event in output.rejected {
            take(record(event.source), event.reason == UnusableEvent.unknownZone ? .held : .deadLetters)
        }
        // Their points were written, and are another's by now.
        for record in output.overwritten { add(record, .overwritten) }
    }

    /// It is no point.
    private mutating func take(_ record: RecordName?, _ fate: StoredAccount.Fate) {
        guard let record else { return }
        let sequence = SequenceRanges([record.sequence...record.sequence])
        let points = ranges[.points]?[record.journal]
        ranges[.points]?[record.journal] = points?.subtracting(sequence)
        add(record, fate)
    }

    private mutating func add(_ record: RecordName, _ fate: StoredAccount.Fate) {
        ranges[fate, default: [:]][record.journal, default: SequenceRanges()].insert(record.sequence...record.sequence)
    }
}
