/// What this process has appended last, so that a reader which keeps up gets the very events that were appended, without
/// a look at the file; and which topics were in what it appended before, so that a reader passes over rows of others.
///
/// Only what the journal has made durable goes in. A gap or another epoch starts it anew: it never says anything about
/// sequences that it has not seen being appended.
struct RecentRows {
    struct Row {
        let topic: String
        /// The very events that were appended, at least one.
        let events: ArraySlice<Event>
        /// The sequence of the first; the others follow it without gaps.
        let first: Int64
        let appendedAt: Int64
        /// About what it takes in memory.
        let bytes: Int

        var last: Int64 { first + Int64(events.count) - 1 }

        /// Appends the events with their places in the log.
        func append(to stored: inout [StoredEvent]) {
            var offset = first
            for event in events {
                stored.append(StoredEvent(event: event, partition: 0, offset: offset, appendedAt: appendedAt))
                offset += 1
            }
        }
    }

    /// Consecutive sequences with the topics that are in them.
    struct Run: Equatable {
        var first: Int64
        var last: Int64
        var topics: [String]
    }

    /// Bytes of events that are kept, about; the oldest append stays in memory whole as long as a row of it is kept.
    private let limit: Int
    private let runLimit: Int
    private var epoch = ""
    private var rows: [Row] = []
    /// Rows before this were let go.
    private var head = 0
    private var bytes = 0
    private(set) var runs: [Run] = []
    private var through: Int64 = 0

    init(limit: Int = 4 << 20, runLimit: Int = 1024) {
        self.limit = limit
        self.runLimit = runLimit
    }

    /// Takes rows, in the order of their sequences, that were appended one after the other.
    mutating func add(_ added: [Row], epoch: String) {
        guard let first = added.first?.first else { return }
        if epoch != self.epoch || first != through + 1 {
            self.epoch = epoch
            (rows, head, bytes, runs) = ([], 0, 0, [])
        }
        for row in added {
            rows.append(row)
            bytes += row.bytes
            through = row.last
            note(row)
        }
        while bytes > limit, head < rows.count {
            bytes -= rows[head].bytes
            head += 1
        }
        if head > 64, head * 2 > rows.count {
            rows.removeFirst(head)
            head = 0
        }
    }

    /// The rows of these topics from the one with the sequence after `after` on, of at most about `count` events.
    /// - Returns: and through which sequence that is all there is; nil when that sequence is not here.
    func read(
        after: Int64, topics: [String], atMost count: Int, epoch: String
    ) -> (rows: [Row], through: Int64)? {
        guard epoch == self.epoch, head < rows.count, after + 1 >= rows[head].first, after < through else { return nil }
        var found: [Row] = []
        var events = 0
        var reached = after
        for row in rows[place(of: after + 1)...] {
            if topics.contains(row.topic) {
                if events + row.events.count > count, events > 0 { break }
                found.append(row)
                events += row.events.count
            }
            reached = row.last
        }
        return (found, reached)
    }

    /// The last sequence up to which, from `after` on, there is known to be none of these topics.
    func end(ofOthersAfter after: Int64, topics: [String], epoch: String) -> Int64 {
        guard epoch == self.epoch else { return after }
        var reached = after
        for run in runs where run.last > reached {
            guard run.first <= reached + 1, !run.topics.contains(where: topics.contains) else { break }
            reached = run.last
        }
        return reached
    }

    private func place(of sequence: Int64) -> Int {
        var (low, high) = (head, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].last < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func note(_ row: Row) {
        if let last = runs.indices.last, runs[last].topics == [row.topic] {
            runs[last].last = row.last
        } else {
            runs.append(Run(first: row.first, last: row.last, topics: [row.topic]))
        }
        // With topics in turn, the older half is told in half as many words.
        guard runs.count > runLimit else { return }
        let half = runs.count / 2
        let merged = stride(from: 0, to: half, by: 2).map { index in
            let next = runs[min(index + 1, half - 1)]
            let topics = Array(Set(runs[index].topics + next.topics)).sorted()
            return Run(first: runs[index].first, last: next.last, topics: topics)
        }
        runs = merged + runs[half...]
    }
}
