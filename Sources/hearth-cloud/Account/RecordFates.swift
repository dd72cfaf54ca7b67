import EventLog
import Heating
import Influx

/// What became of the records that a batch was made of. Pure; linear in the batch, of which all may be refused.
struct RecordFates {
    private(set) var ranges: [StoredAccount.Fate: [OriginTable.Journal: SequenceRanges]]

    /// - Parameter rejected: points that the database did not take, by index in `events`.
    init(_ output: StageOutput, of events: [Event], rejected: [RejectedPoint], _ topics: LogTopics) {
        var sequences: [StoredAccount.Fate: [OriginTable.Journal: [ClosedRange<Int64>]]] = [:]
        func note(_ record: RecordName?, _ fate: StoredAccount.Fate) {
            guard let record else { return }
            sequences[fate, default: [:]][record.journal, default: []].append(record.sequence...record.sequence)
        }
        func record(_ source: Int) -> RecordName? {
            source < events.count ? RecordName(events[source], topics) : nil
        }
        for point in rejected { note(record(point.index), point.refusal.isFinal ? .deadLetters : .held) }
        for event in output.rejected {
            note(record(event.source), event.reason == UnusableEvent.unknownZone ? .held : .deadLetters)
        }
        for record in output.overwritten { note(record, .overwritten) }
        ranges = sequences.mapValues { journals in journals.mapValues { SequenceRanges($0) } }
        // These are no points; those of the overwritten were written, and are another's by now.
        var points = output.origins
        for fate in [StoredAccount.Fate.deadLetters, .held] {
            for (journal, refused) in ranges[fate] ?? [:] { points[journal] = points[journal]?.subtracting(refused) }
        }
        ranges[.points] = points
    }
}
