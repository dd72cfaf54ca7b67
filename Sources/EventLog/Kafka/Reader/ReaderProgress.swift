/// How far a reader has got in each partition it has.
struct ReaderProgress: Sendable {
    private struct Mark {
        var next: Int64?
        var committed: Int64?
        /// Where reading began.
        var began: Int64?
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

    /// Where a partition begins for this reader, as the group's coordinator and the brokers say.
    mutating func placed(_ position: TopicPartition, at next: Int64) {
        guard var mark = marks[position], mark.next == nil else { return }
        (mark.next, mark.committed, mark.began) = (next, mark.committed ?? next, next)
        marks[position] = mark
    }

    /// Where a partition began for this reader; nil while that is not known.
    func began(_ position: TopicPartition) -> Int64? { marks[position]?.began }

    /// A partition goes on at a lower offset than was to come: what is there is another log.
    mutating func beganAnew(_ position: TopicPartition, at offset: Int64) {
        marks[position] = Mark(next: offset, committed: offset, began: offset)
    }

    /// Partitions of which it is not known yet where they begin.
    var unplaced: [TopicPartition] { marks.filter { $0.value.next == nil }.map(\.key) }

    /// Where an event was not the one that was to come next.
    struct Jump: Equatable {
        var position: TopicPartition
        var expected: Int64
        var found: Int64
        /// The event's place in the batch.
        var index: Int
        var isBack: Bool { found < expected }
    }

    /// Offsets have gaps of the log's own as well (compaction, transactions): the log's beginning tells them apart. Of those
    /// ahead the first of each partition is enough, since what follows was read behind that beginning.
    func jumps(in events: [Event]) -> [Jump] {
        var jumps: [Jump] = []
        var expected: [TopicPartition: Int64] = [:]
        var ahead: Set<TopicPartition> = []
        var index = 0
        while index < events.count {
            let position = events[index].position
            var next = expected[position] ?? marks[position]?.next
            // A run of events of one partition.
            repeat {
                let offset = events[index].offset
                if let next, offset != next, offset < next || ahead.insert(position).inserted {
                    jumps.append(Jump(position: position, expected: next, found: offset, index: index))
                }
                next = offset + 1
                index += 1
            } while index < events.count && events[index].partition == position.partition
                && events[index].topic == position.topic
            expected[position] = next
        }
        return jumps
    }

    /// The first event after an assignment shows what the group had committed.
    mutating func read(_ position: TopicPartition, next: Int64, in events: [Event]) {
        guard var mark = marks[position] else { return }
        mark.next = next
        if mark.began == nil { mark.began = events.first { $0.position == position }?.offset }
        mark.committed = mark.committed ?? mark.began
        marks[position] = mark
    }

    mutating func committed(_ offsets: [TopicPartition: Int64]) {
        for (position, offset) in offsets { marks[position]?.committed = offset }
    }

    /// Events that were not read; of a partition whose beginning is not known there are none as far as one knows.
    func unread(_ end: (TopicPartition) -> Int64?) -> Int64 { sum(\.next, end) }

    /// Events that are not committed.
    func uncommitted(_ end: (TopicPartition) -> Int64?) -> Int64 { sum(\.committed, end) }

    private func sum(_ place: KeyPath<Mark, Int64?>, _ end: (TopicPartition) -> Int64?) -> Int64 {
        marks.reduce(0) { sum, entry in
            guard let offset = entry.value[keyPath: place], let end = end(entry.key) else { return sum }
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
