import Journal

/// What this process has appended last, so that a reader which keeps up gets it without a look at the file; and which
/// topics were in what it appended before, so that a reader passes over rows of others.
///
/// Only what the journal has made durable goes in. A gap or another epoch starts it anew: it never says anything about
/// sequences that it has not seen being appended.
struct RecentRows {
    /// Consecutive sequences with the topics that are in them.
    struct Run: Equatable {
        var first: Int64
        var last: Int64
        var topics: [String]
    }

    /// Bytes that the rows may take, about.
    private let limit: Int
    private let runLimit: Int
    private var epoch = ""
    private var rows: [Journal.Record] = []
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
    mutating func add(_ added: [Journal.Record], epoch: String) {
        guard let first = added.first?.firstSequence else { return }
        if epoch != self.epoch || first != through + 1 {
            self.epoch = epoch
            (rows, head, bytes, runs) = ([], 0, 0, [])
        }
        for row in added {
            rows.append(row)
            bytes += Self.size(of: row)
            through = row.sequence
            note(row)
        }
        while bytes > limit, head < rows.count {
            bytes -= Self.size(of: rows[head])
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
    ) -> (rows: [Journal.Record], through: Int64)? {
        guard epoch == self.epoch, head < rows.count, after + 1 >= rows[head].firstSequence, after < through else {
            return nil
        }
        var found: [Journal.Record] = []
        var events = 0
        var reached = after
        for row in rows[place(of: after + 1)...] {
            if topics.contains(row.topic) {
                if events + row.span > count, events > 0 { break }
                found.append(row)
                events += row.span
            }
            reached = row.sequence
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

    private static func size(of row: Journal.Record) -> Int {
        row.payload.capacity + row.attributes.capacity + MemoryLayout<Journal.Record>.stride
    }

    private func place(of sequence: Int64) -> Int {
        var (low, high) = (head, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func note(_ row: Journal.Record) {
        if let last = runs.indices.last, runs[last].topics == [row.topic] {
            runs[last].last = row.sequence
        } else {
            runs.append(Run(first: row.firstSequence, last: row.sequence, topics: [row.topic]))
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
