/// One MQTT message on its way: a run of the journal, until every sequence in it is confirmed.
struct Flight: Equatable, Sendable {
    /// The whole run that was scanned for it, gaps included.
    var range: ClosedRange<Int64>
    var rows: Int
    /// The packet id of its latest publication.
    var id: Int32
    var sentAt: Instant
    /// How many times it was sent again.
    var resends: Int
    /// When it may be sent again; nil until the broker has answered for the latest publication.
    var dueAt: Instant?
    /// It is a heat-pump command, which a cloud may have no use for.
    var isCommand = false
    /// Most rows of one message with what is in it: more were too large for the broker.
    var rowLimit: Int?
    /// It was, and has not been sent since: no doubt about whether it was lost.
    var isTooLarge = false
    var isFinished = false
}

/// The flights of one connection, in order of their sequences.
///
/// Finished flights leave from the front, so that adding, finding and finishing stay cheap with tens of thousands.
struct Flights: Sendable {
    private var slots: [Flight] = []
    private var head = 0
    /// Flights in the order in which they come due: first those that need not wait, then per number of resends (each
    /// level has one constant delay).
    private var due: [DueQueue] = []
    /// Rows of all unfinished flights.
    private(set) var rows = 0

    mutating func append(_ flight: Flight) {
        slots.append(flight)
        rows += flight.rows
    }

    /// The unfinished flight that covers a sequence.
    func flight(covering sequence: Int64) -> Flight? {
        index(covering: sequence).map { slots[$0] }
    }

    /// Changes the flight that covers a sequence; its range must stay within what it was.
    mutating func update(covering sequence: Int64, _ change: (inout Flight) -> Void) {
        guard let index = index(covering: sequence) else { return }
        rows -= slots[index].rows
        change(&slots[index])
        rows += slots[index].rows
    }

    /// Puts what is left of a flight behind it.
    mutating func insert(_ flight: Flight) {
        slots.insert(flight, at: lowerIndex(flight.range.lowerBound))
        rows += flight.rows
    }

    /// Forgets the flights from the one that begins at a sequence on.
    mutating func removeAll(from sequence: Int64) {
        let index = max(head, lowerIndex(sequence))
        guard index < slots.count else { return }
        rows -= slots[index...].reduce(0) { $0 + ($1.isFinished ? 0 : $1.rows) }
        slots.removeSubrange(index...)
    }

    /// - Parameter isUrgent: `instant` is now, and need not come after that of other flights.
    mutating func setDue(covering sequence: Int64, at instant: Instant, isUrgent: Bool = false) {
        guard let index = index(covering: sequence) else { return }
        slots[index].dueAt = instant
        let level = isUrgent ? 0 : slots[index].resends + 1
        while due.count <= level { due.append(DueQueue()) }
        due[level].append(first: slots[index].range.lowerBound, at: instant)
    }

    /// The flight that comes due first.
    mutating func firstDue() -> Flight? {
        var best: Flight?
        for level in due.indices {
            while let entry = due[level].first {
                let flight = flight(covering: entry.first)
                guard let flight, flight.dueAt == entry.at else {
                    due[level].removeFirst()
                    continue
                }
                if best.map({ entry.at < ($0.dueAt ?? entry.at) }) ?? true { best = flight }
                break
            }
        }
        return best
    }

    /// Finishes the flights that touch `range` and satisfy the condition; returns when the latest of them was sent.
    mutating func finish(touching range: ClosedRange<Int64>, where isComplete: (Flight) -> Bool) -> Instant? {
        var latest: Instant?
        var index = max(head, lowerIndex(range.lowerBound))
        while index < slots.count, slots[index].range.lowerBound <= range.upperBound {
            if !slots[index].isFinished, isComplete(slots[index]) {
                slots[index].isFinished = true
                rows -= slots[index].rows
                latest = max(latest ?? slots[index].sentAt, slots[index].sentAt)
            }
            index += 1
        }
        while head < slots.count, slots[head].isFinished { head += 1 }
        if head > 64, head > slots.count / 2 {
            slots.removeFirst(head)
            head = 0
        }
        return latest
    }

    private func index(covering sequence: Int64) -> Int? {
        let index = lowerIndex(sequence)
        guard index >= head, index < slots.count, slots[index].range.contains(sequence), !slots[index].isFinished
        else { return nil }
        return index
    }

    /// The first slot that ends at or after a sequence.
    private func lowerIndex(_ sequence: Int64) -> Int {
        var (low, high) = (head, slots.count)
        while low < high {
            let middle = (low + high) / 2
            if slots[middle].range.upperBound < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// First in, first out, without moving what stays.
private struct DueQueue: Sendable {
    private var entries: [(first: Int64, at: Instant)] = []
    private var head = 0

    var first: (first: Int64, at: Instant)? { head < entries.count ? entries[head] : nil }

    mutating func append(first: Int64, at instant: Instant) {
        entries.append((first, instant))
    }

    mutating func removeFirst() {
        head += 1
        if head > 64, head > entries.count / 2 {
            entries.removeFirst(head)
            head = 0
        }
    }
}
