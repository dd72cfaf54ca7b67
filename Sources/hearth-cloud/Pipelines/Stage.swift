import EventLog
import Heating
import Influx

/// What a pipeline makes of a batch of events. A pure step: ``PipelineRunner`` reads before it and writes after it.
protocol Stage {
    /// The topics it reads.
    var topics: [String] { get }

    /// Whether ``assigned(_:)`` wants to know how far the group had got.
    var needsReached: Bool { get }

    /// These partitions are read from now on; an earlier run had dealt with everything before the given offsets.
    mutating func assigned(_ positions: [TopicPartition: Int64])

    mutating func process(_ events: [Event]) -> StageOutput

    /// Called while nothing arrives: what has settled by itself.
    mutating func idle() -> StageOutput

    /// These partitions are read by somebody else now: forget what was gathered from them.
    mutating func revoked(_ positions: [TopicPartition])
}

struct StageOutput {
    /// Each point has the number of the event that it came from, by index in the batch, or ``noSource``.
    var points = PointBatch()
    /// Events to append before the commit.
    var events: [Event] = []
    /// Events that cannot be used, by index in the batch, with the reason.
    var rejected: [(source: Int, reason: String)] = []
    /// Where to read on after a restart.
    var commit: [TopicPartition: Int64] = [:]
    /// How far the work has got, where that is further.
    var reached: [TopicPartition: Int64] = [:]
    /// Values dropped on purpose (outliers, late readings), by reason.
    var dropped: [String: Int] = [:]  // Own names: reasons.
    /// The homes' records that the points are of, for a stage that accounts for them.
    var origins: [OriginTable.Journal: SequenceRanges] = [:]
    /// Records whose point another one has replaced.
    var overwritten: [RecordName] = []

    /// The number of a point that many events made.
    static let noSource = Int(Int32.max)

    var isEmpty: Bool { points.isEmpty && events.isEmpty && rejected.isEmpty && commit.isEmpty }

    /// A commit of everything in the batch.
    mutating func commitAll(_ events: [Event]) {
        // Offsets ascend within a partition, so the last event of each run of one partition says it.
        var index = events.count - 1
        while index >= 0 {
            let (position, next) = (events[index].position, events[index].offset + 1)
            commit[position] = max(commit[position] ?? 0, next)
            index -= 1
            while index >= 0, events[index].partition == position.partition,
                events[index].topic == position.topic
            {
                index -= 1
            }
        }
    }
}

extension Stage {
    var needsReached: Bool { false }
    mutating func assigned(_ positions: [TopicPartition: Int64]) {}
    mutating func idle() -> StageOutput { StageOutput() }
    mutating func revoked(_ positions: [TopicPartition]) {}
}
