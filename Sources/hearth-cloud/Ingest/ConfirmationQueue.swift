import Heating

/// Confirmations that wait for the broker's window: per home and journal one entry, whose ranges grow while it waits.
/// Bounded; a value.
///
/// Entries leave in the order in which they began to wait, so no home's come before its turn. What does not fit is
/// refused and counted: its home sends the records again and is asked to wait no longer than that.
struct ConfirmationQueue {
    struct Key: Hashable {
        var home: HomeID
        var epoch: ExactString
    }

    struct Confirmation: Equatable {
        var key: Key
        var ranges: SequenceRanges
    }

    static let entryLimit = 65_536
    /// Journals of one home: a real one has one, and a second after its disk was replaced.
    static let epochLimit = 16
    /// Ranges of all entries together.
    static let rangeLimit = 1 << 20
    /// Ranges of one entry: a home that leaves more gaps confirms nothing real.
    static let rangesPerEntry = 32_768

    private var waiting: [Key: SequenceRanges] = [:]
    private var epochs: [HomeID: Int] = [:]
    private var order: [Key] = []
    private var head = 0
    private var rangeCount = 0

    var isEmpty: Bool { waiting.isEmpty }
    /// How many confirmations wait.
    var count: Int { waiting.count }

    /// - Returns: false when there is no place for it.
    mutating func put(_ key: Key, _ ranges: SequenceRanges) -> Bool {
        guard !ranges.isEmpty else { return true }
        guard var known = waiting[key] else { return putNew(key, ranges) }
        let before = known.ranges.count
        guard before + ranges.ranges.count <= Self.rangesPerEntry,
            rangeCount + ranges.ranges.count <= Self.rangeLimit
        else { return false }
        waiting[key] = nil  // Else the union would copy what the table holds.
        known.formUnion(ranges)
        rangeCount += known.ranges.count - before
        waiting[key] = known
        return true
    }

    private mutating func putNew(_ key: Key, _ ranges: SequenceRanges) -> Bool {
        guard waiting.count < Self.entryLimit, epochs[key.home, default: 0] < Self.epochLimit,
            ranges.ranges.count <= Self.rangesPerEntry, rangeCount + ranges.ranges.count <= Self.rangeLimit
        else { return false }
        waiting[key] = ranges
        epochs[key.home, default: 0] += 1
        rangeCount += ranges.ranges.count
        order.append(key)
        return true
    }

    /// The one that has waited longest, with at most so many ranges; the rest of it goes to the end.
    mutating func takeFirst(ranges limit: Int) -> Confirmation? {
        guard head < order.count else { return nil }
        let key = order[head]
        head += 1
        if head > 1024, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        guard let ranges = waiting.removeValue(forKey: key) else { return nil }
        let part = SequenceRanges(ranges.ranges.prefix(limit))
        rangeCount -= part.ranges.count
        if ranges.ranges.count > part.ranges.count {
            waiting[key] = SequenceRanges(ranges.ranges.dropFirst(limit))
            order.append(key)
        } else if let count = epochs[key.home] {
            epochs[key.home] = count > 1 ? count - 1 : nil
        }
        return Confirmation(key: key, ranges: part)
    }
}
