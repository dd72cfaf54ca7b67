import Journal
import Machine

/// A reader of the journal: one place per topic. Several readers of different groups share the journal; two of one
/// group would both read everything, so a second one is not wanted.
final class JournalReader: EventReader {
    private let log: JournalLog
    private let group: String
    private let topics: [String]
    private var places: [Place] = []
    private var epoch: String
    private var tidyAt: Int64 = 0
    private var published = EventLogStatus.Group()
    private var isClosed = false
    /// What was gone before this sequence has been told.
    private var lossCheckedThrough: Int64 = 0
    // What the next batch has to say about partitions.
    private var pending = EventBatch()

    /// Bytes of one read, so that big values do not add up to much memory.
    private static let batchBytes = 4 << 20

    private struct Place {
        let topic: String
        let cursor: String
        /// The last sequence looked at.
        var scanned: Int64
        /// The last sequence handed out.
        var delivered: Int64
        /// Where the cursor is.
        var committed: Int64

        var position: TopicPartition { TopicPartition(topic: topic, partition: 0) }
        /// Another cursor, never behind the first: how far the work has got.
        var mark: String { cursor + "/reached" }
        /// Everything up to here is either committed or of no concern to the group.
        var settled: Int64 { delivered <= committed ? max(scanned, committed) : committed }
    }

    init(log: JournalLog, group: String, topics: [String]) throws(EventLogError) {
        self.log = log
        self.group = group
        self.topics = topics
        epoch = log.journal.epoch
        for topic in topics {
            let cursor = "\(group)/\(topic)"
            let committed = try log.run { () throws(JournalError) in
                // Creates the cursor at 0, or leaves it where it is: from now on nothing is deleted before it is read.
                try log.journal.advance(cursor, through: 0)
                return try log.journal.cursor(cursor)
            }
            if committed > 0 { noteLoss(after: committed, topic) }
            places.append(
                Place(topic: topic, cursor: cursor, scanned: committed, delivered: committed, committed: committed))
        }
        pending.assigned = places.map(\.position)
        publish()
    }

    deinit {
        close()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        log.board.update(group: group) {
            $0.partitions -= published.partitions
            $0.lag = nil
            $0.uncommitted = nil
        }
    }

    // MARK: Reading

    func read(atMost count: Int, within nanoseconds: Int64) throws(EventLogError) -> EventBatch {
        let end = Clock.deadline(after: nanoseconds)
        while true {
            guard !isClosed, !log.isClosed else { throw .closed }
            let seen = log.appends
            let (events, isAtEnd) = try scan(atMost: count)
            log.board.update(group: group) { $0.read += Int64(events.count) }
            tidy()
            if !events.isEmpty || !pending.isEmpty {
                defer { pending = EventBatch() }
                pending.events = events
                return pending
            }
            guard Clock.monotonicNanoseconds < end else { return EventBatch() }
            if isAtEnd { log.waitForAppend(after: seen, until: end) }
        }
    }

    /// Reads on from where the topic is that is furthest behind; nearly always that is where all are.
    private func scan(atMost count: Int) throws(EventLogError) -> (events: [Event], isAtEnd: Bool) {
        let after = places.map(\.scanned).min() ?? 0
        if lossCheckedThrough < log.journal.status.firstKept {
            for place in places where place.scanned > 0 { noteLoss(after: place.scanned, place.topic) }
            lossCheckedThrough = log.journal.status.firstKept
        }
        let found = try log.rows(after: after, topics: topics, atMost: count, bytes: Self.batchBytes)
        guard found.epoch == epoch else {
            try beginEpoch(found.epoch)
            return ([], false)
        }
        var through = found.through
        var events: [Event] = []
        events.reserveCapacity(found.rows.reduce(0) { $0 + $1.span })
        for row in found.rows {
            guard let index = places.firstIndex(where: { $0.topic == row.topic }) else { continue }
            let start = events.count
            EventCoding.append(row, to: &events)
            // The first row may begin before, and a topic may be further on than another.
            if events[start].offset <= places[index].scanned {
                let new = events[start...].firstIndex { $0.offset > places[index].scanned }
                events.removeSubrange(start..<(new ?? events.count))
            }
            // Of a row with more events than were asked for the rest is read next time.
            let isFull = events.count > count
            if isFull {
                through = events[count].offset - 1
                events.removeSubrange(count...)
            }
            if events.count > start { places[index].delivered = events[events.count - 1].offset }
            if isFull { break }
        }
        for index in places.indices { places[index].scanned = max(places[index].scanned, through) }
        return (events, through >= log.journal.status.newest)
    }

    /// Rows between the group's place and the first that is kept were deleted by somebody else: the journal itself keeps
    /// what a group has not passed.
    private func noteLoss(after place: Int64, _ topic: String) {
        let first = log.journal.status.firstKept
        guard first > place + 1, first > lossCheckedThrough else { return }
        lossCheckedThrough = first
        log.board.update(group: group) { $0.lost += first - place - 1 }
        log.report(
            EventLogNotice(
                .error,
                "journal: \(topic): the events \(place + 1) to \(first - 1) (\(first - place - 1), with those of other topics) "
                    + "were gone before \(group) had read them. Somebody deleted them from the file; their points are "
                    + "missing from the database."))
    }

    /// The file was damaged and replaced: go on from the cursors that could be saved.
    private func beginEpoch(_ new: String) throws(EventLogError) {
        for index in places.indices {
            let cursor = places[index].cursor
            let committed = try log.run { () throws(JournalError) in
                try log.journal.advance(cursor, through: 0)
                return try log.journal.cursor(cursor)
            }
            places[index].committed = committed
            places[index].scanned = committed
            places[index].delivered = committed
        }
        epoch = new
        pending = EventBatch(revoked: places.map(\.position), assigned: places.map(\.position))
        log.report(
            EventLogNotice(.error, "journal: the file was replaced; \(group) goes on with what could be saved of it"))
    }

    // MARK: Committing

    func commit(
        _ offsets: [TopicPartition: Int64], reached: [TopicPartition: Int64], appending events: [Event]
    ) throws(EventLogError) {
        guard !isClosed, !log.isClosed else { throw .closed }
        var moves: [Journal.CursorMove] = []
        var committed = places.map(\.committed)
        for (index, place) in places.enumerated() {
            if let next = reached[place.position] { moves.append((place.mark, next - 1)) }
            guard let next = offsets[place.position], next - 1 > place.committed else { continue }
            // Having dealt with all it got, the group is past the other topics' rows in between as well.
            committed[index] = next - 1 >= place.delivered ? max(next - 1, place.scanned) : next - 1
            moves.append((place.cursor, committed[index]))
        }
        try log.append(events, advancing: moves)
        for index in places.indices { places[index].committed = committed[index] }
        tidy()
    }

    func reached(_ position: TopicPartition) throws(EventLogError) -> Int64 {
        guard !isClosed, !log.isClosed else { throw .closed }
        guard let place = places.first(where: { $0.position == position }) else { return 0 }
        let through = try log.run { () throws(JournalError) in try log.journal.cursor(place.mark) }
        return through > 0 ? through + 1 : 0
    }

    /// Once a second: lets cursors pass rows of other topics, lets the journal delete history, and tells the status.
    private func tidy() {
        let now = Clock.monotonicNanoseconds
        guard now >= tidyAt else { return }
        tidyAt = now + 1_000_000_000
        for index in places.indices {
            let place = places[index]
            let passed = place.settled > place.committed ? [place.committed + 1...place.settled] : []
            do throws(JournalError) {
                try log.journal.confirm(passed, cursor: place.cursor, now: Clock.wallNanoseconds)
                places[index].committed = place.settled
            } catch {
                // Nothing depends on it; the journal's status has the error.
                return
            }
        }
        publish()
    }

    private func publish() {
        let newest = log.journal.status.newest
        let lag = places.map { max(0, newest - $0.scanned) }.max() ?? 0
        let uncommitted = places.map { max(0, newest - $0.settled) }.max() ?? 0
        let partitions = places.count - published.partitions
        published.partitions = places.count
        log.board.update(group: group) {
            $0.lag = lag
            $0.uncommitted = uncommitted
            $0.partitions += partitions
        }
    }
}
