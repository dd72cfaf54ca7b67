/// Confirmed sequences above a cursor: sorted ranges that neither overlap nor touch.
struct ConfirmedRanges: Equatable {
    /// More than a window of flights can leave; beyond it the highest are forgotten and confirmed again later.
    static let maximum = 4096

    /// Of more than these only the lowest are kept over a restart.
    static let maximumStored = 256

    private(set) var ranges: [ClosedRange<Int64>] = []

    init() {}

    /// - Parameter stored: ``stored``; what is no range is left out.
    init(stored: String) {
        for part in stored.utf8.split(separator: UInt8(ascii: ",")) {
            let ends = part.split(separator: UInt8(ascii: "-")).compactMap { Int64(Substring($0)) }
            if ends.count == 2, ends[0] > 0, ends[0] <= ends[1] { insert(ends[0]...ends[1]) }
        }
    }

    /// Empty when there are none.
    var stored: String {
        ranges.prefix(Self.maximumStored).map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }

    /// A sequence that was not given out yet cannot have been confirmed.
    func clipped(through newest: Int64) -> ConfirmedRanges {
        var clipped = self
        clipped.ranges = ranges.filter { $0.lowerBound <= newest }.map { $0.lowerBound...min($0.upperBound, newest) }
        return clipped
    }

    mutating func insert(_ range: ClosedRange<Int64>) {
        // The first range that ends at or after the neighbour of the new one, by bisection.
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < range.lowerBound - 1 { low = middle + 1 } else { high = middle }
        }
        var merged = range
        var end = low
        while end < ranges.count, ranges[end].lowerBound <= range.upperBound + 1 {
            merged = min(merged.lowerBound, ranges[end].lowerBound)...max(merged.upperBound, ranges[end].upperBound)
            end += 1
        }
        ranges.replaceSubrange(low..<end, with: CollectionOfOne(merged))
        if ranges.count > Self.maximum { ranges.removeLast() }
    }

    /// Removes what is at or below the contiguous prefix that starts after `floor`, and returns where that ends.
    mutating func takePrefix(after floor: Int64) -> Int64 {
        var through = floor
        var count = 0
        while count < ranges.count, ranges[count].lowerBound <= through + 1 {
            through = max(through, ranges[count].upperBound)
            count += 1
        }
        ranges.removeFirst(count)
        return through
    }
}
