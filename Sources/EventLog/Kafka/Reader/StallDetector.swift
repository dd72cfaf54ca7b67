/// Finds partitions that have events and deliver none, which some librdkafka bugs cause (#5591 and relatives). A value
/// that is told what happened; times are monotonic nanoseconds.
struct StallDetector: Sendable {
    /// Silence for so long makes a partition suspect; so much more with events waiting convicts it.
    let patience: Int64
    private var marks: [TopicPartition: Mark] = [:]
    // Where a replaced consumer stood. Replacing it a second time at the same place would not help either: what is
    // between there and the end may be a transaction's markers, which are never delivered.
    private var replacedAt: [TopicPartition: Int64] = [:]

    private struct Mark {
        var next: Int64?
        var quietSince: Int64
        var suspectAt: Int64?
    }

    enum Verdict: Equatable, Sendable {
        case fine, suspect, stalled
        /// Stalled, and a new consumer has not helped.
        case hopeless
    }

    init(patience: Int64) {
        self.patience = patience
    }

    mutating func assigned(_ positions: [TopicPartition], now: Int64) {
        for position in positions { marks[position] = Mark(next: nil, quietSince: now) }
    }

    mutating func revoked(_ positions: [TopicPartition]) {
        for position in positions { marks[position] = nil }
    }

    mutating func read(_ position: TopicPartition, next: Int64, now: Int64) {
        marks[position] = Mark(next: next, quietSince: now)
        if !replacedAt.isEmpty { replacedAt[position] = nil }
    }

    /// The partition that should be looked at, if one has been quiet for too long.
    func due(now: Int64) -> (position: TopicPartition, next: Int64?)? {
        guard let (position, mark) = marks.min(by: { $0.value.quietSince < $1.value.quietSince }),
            now - mark.quietSince >= patience
        else { return nil }
        return (position, mark.next)
    }

    /// What its leader says: `end` is the offset after the last event, `next` where this reader stands.
    mutating func observed(_ position: TopicPartition, next: Int64, end: Int64, now: Int64) -> Verdict {
        guard let mark = marks[position] else { return .fine }
        guard next < end else {
            marks[position] = Mark(next: mark.next, quietSince: now)
            return .fine
        }
        guard mark.suspectAt == next else {
            marks[position] = Mark(next: mark.next, quietSince: now, suspectAt: next)
            return .suspect
        }
        marks[position] = Mark(next: mark.next, quietSince: now)
        guard replacedAt[position] != next else { return .hopeless }
        replacedAt[position] = next
        return .stalled
    }

    /// Its leader did not answer: an outage, not a stall.
    mutating func unanswered(_ position: TopicPartition, now: Int64) {
        marks[position]?.quietSince = now
    }
}
