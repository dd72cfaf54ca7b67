/// How far a reader has got in each partition it has.
struct ReaderProgress: Sendable {
    private struct Mark {
        var next: Int64?
        var committed: Int64?
    }

    private var marks: [TopicPartition: Mark] = [:]
    private var lastWaiting: TopicPartition?

    var count: Int { marks.count }
    var positions: [TopicPartition] { Array(marks.keys) }

    mutating func assigned(_ positions: [TopicPartition]) {
        for position in positions { marks[position] = Mark() }
    }

    mutating func revoked(_ positions: [TopicPartition]) {
        for position in positions { marks[position] = nil }
    }

    /// The first event after an assignment shows what the group had committed.
    mutating func read(_ position: TopicPartition, next: Int64, in events: [StoredEvent]) {
        guard var mark = marks[position] else { return }
        mark.next = next
        if mark.committed == nil { mark.committed = events.first { $0.position == position }?.offset }
        marks[position] = mark
    }

    mutating func committed(_ offsets: [TopicPartition: Int64]) {
        for (position, offset) in offsets { marks[position]?.committed = offset }
    }

    /// Events that are not committed; a partition of which nothing was read has none as far as one knows.
    func lag(_ end: (TopicPartition) -> Int64?) -> Int64 {
        marks.reduce(0) { sum, entry in
            guard let offset = entry.value.committed, let end = end(entry.key) else { return sum }
            return sum + max(0, end - offset)
        }
    }

    /// A partition that is known to have more events than were read, another one each time.
    mutating func waiting(_ end: (TopicPartition) -> Int64?) -> TopicPartition? {
        let found = marks.filter { position, mark in
            guard let next = mark.next, let end = end(position) else { return false }
            return next < end
        }.keys.sorted()
        let after = lastWaiting.flatMap { last in found.first { $0 > last } }
        lastWaiting = after ?? found.first
        return lastWaiting
    }
}
