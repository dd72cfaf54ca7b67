import EventLog
import Influx

/// What a pipeline makes of a batch of events. A pure step: ``PipelineRunner`` reads before it and writes after it.
protocol Stage {
    /// The topics it reads.
    var topics: [String] { get }

    /// Whether ``assigned(_:)`` wants to know how far the group had got.
    var needsReached: Bool { get }

    /// These partitions are read from now on; an earlier run had dealt with everything before the given offsets.
    mutating func assigned(_ positions: [TopicPartition: Int64])

    mutating func process(_ events: [StoredEvent]) -> StageOutput

    /// Called while nothing arrives: what has settled by itself.
    mutating func idle() -> StageOutput

    /// These partitions are read by somebody else now: forget what was gathered from them.
    mutating func revoked(_ positions: [TopicPartition])
}

struct StageOutput {
    private(set) var points: [Point] = []
    /// For each point the event it came from, by index in the batch; none for a point that many events made.
    private(set) var sources: [Int?] = []
    /// Events to append before the commit.
    var events: [Event] = []
    /// Events that cannot be used, by index in the batch, with the reason.
    var rejected: [(source: Int, reason: String)] = []
    /// Where to read on after a restart.
    var commit: [TopicPartition: Int64] = [:]
    /// How far the work has got, where that is further.
    var reached: [TopicPartition: Int64] = [:]
    /// Values dropped on purpose (outliers, late readings), by reason.
    var dropped: [String: Int] = [:]

    var isEmpty: Bool { points.isEmpty && events.isEmpty && rejected.isEmpty && commit.isEmpty }

    mutating func add(_ point: Point, source: Int?) {
        points.append(point)
        sources.append(source)
    }

    /// A commit of everything in the batch.
    mutating func commitAll(_ events: [StoredEvent]) {
        // Offsets ascend within a partition, so the last one of each run of events says it.
        for (index, event) in events.enumerated() {
            if index + 1 < events.count, events[index + 1].partition == event.partition,
                events[index + 1].event.topic == event.event.topic
            {
                continue
            }
            commit[event.position] = max(commit[event.position] ?? 0, event.offset + 1)
        }
    }
}

extension Stage {
    var needsReached: Bool { false }
    mutating func assigned(_ positions: [TopicPartition: Int64]) {}
    mutating func idle() -> StageOutput { StageOutput() }
    mutating func revoked(_ positions: [TopicPartition]) {}
}
