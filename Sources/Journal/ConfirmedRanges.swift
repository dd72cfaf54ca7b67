/// Confirmed sequences above a cursor: sorted ranges that neither overlap nor touch.
struct ConfirmedRanges: Equatable {
    /// More than a window of flights can leave; beyond it the highest are forgotten and confirmed again later.
    static let maximum = 4096

    private(set) var ranges: [ClosedRange<Int64>] = []

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
