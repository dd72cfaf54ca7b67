/// A set of journal sequences, kept as sorted, disjoint, non-adjacent closed ranges.
///
/// Bulk operations merge two sorted lists in linear time, so an acknowledgement of thousands of ranges in hostile
/// order costs one sort. Bounds may be any `Int64`.
public struct SequenceRanges: Equatable, Sendable {
    public private(set) var ranges: [ClosedRange<Int64>]

    public init() {
        ranges = []
    }

    /// The union of ranges in any order, overlapping or not.
    public init(_ ranges: some Collection<ClosedRange<Int64>>) {
        self.ranges = Self.merged(ranges.sorted { $0.lowerBound < $1.lowerBound })
    }

    public var isEmpty: Bool { ranges.isEmpty }
    public var first: Int64? { ranges.first?.lowerBound }
    public var last: Int64? { ranges.last?.upperBound }

    /// How many sequences the set holds, clamped to `Int`.
    public var count: Int {
        var total = 0
        for range in ranges {
            // The span of two `Int64` fits in UInt64 but for the full range, which clamps as well.
            let span = UInt64(bitPattern: range.upperBound &- range.lowerBound)
            let (sum, overflow) = total.addingReportingOverflow(Int(clamping: span))
            guard !overflow, sum < .max else { return .max }
            total = sum + 1
        }
        return total
    }

    public func contains(_ sequence: Int64) -> Bool {
        contains(sequence...sequence)
    }

    /// Whether every sequence of `range` is in the set.
    public func contains(_ range: ClosedRange<Int64>) -> Bool {
        let index = firstIndex(endingAtOrAfter: range.lowerBound)
        return index < ranges.count && ranges[index].lowerBound <= range.lowerBound
            && range.upperBound <= ranges[index].upperBound
    }

    /// The end of the unbroken run that starts right after `floor`; `floor` itself if there is none.
    public func contiguousEnd(after floor: Int64) -> Int64 {
        guard floor < .max else { return floor }
        let index = firstIndex(endingAtOrAfter: floor + 1)
        guard index < ranges.count, ranges[index].lowerBound <= floor + 1 else { return floor }
        return ranges[index].upperBound
    }

    /// The smallest member greater than `sequence`.
    public func next(after sequence: Int64) -> Int64? {
        guard sequence < .max else { return nil }
        let index = firstIndex(endingAtOrAfter: sequence + 1)
        return index < ranges.count ? max(ranges[index].lowerBound, sequence + 1) : nil
    }

    public mutating func insert(_ range: ClosedRange<Int64>) {
        let (low, high) = (range.lowerBound, range.upperBound)
        let start = low == .min ? 0 : firstIndex(endingAtOrAfter: low - 1)
        var end = start
        while end < ranges.count, high == .max || ranges[end].lowerBound <= high + 1 { end += 1 }
        guard start < end else {
            ranges.insert(range, at: start)
            return
        }
        let joined = min(low, ranges[start].lowerBound)...max(high, ranges[end - 1].upperBound)
        ranges.replaceSubrange(start..<end, with: CollectionOfOne(joined))
    }

    public mutating func formUnion(_ other: SequenceRanges) {
        if other.ranges.count <= 4 {
            for range in other.ranges { insert(range) }
            return
        }
        var all: [ClosedRange<Int64>] = []
        all.reserveCapacity(ranges.count + other.ranges.count)
        var (left, right) = (ranges[...], other.ranges[...])
        while let first = left.first, let second = right.first {
            all.append(first.lowerBound <= second.lowerBound ? left.removeFirst() : right.removeFirst())
        }
        all += left
        all += right
        ranges = Self.merged(all)
    }

    /// Removes everything up to and including `sequence`.
    public mutating func remove(through sequence: Int64) {
        guard sequence < .max else {
            ranges = []
            return
        }
        let index = firstIndex(endingAtOrAfter: sequence + 1)
        ranges.removeFirst(index)
        if let range = ranges.first, range.lowerBound <= sequence {
            ranges[0] = (sequence + 1)...range.upperBound
        }
    }

    /// The part of the set that lies within `bounds`.
    public func intersection(_ bounds: ClosedRange<Int64>) -> SequenceRanges {
        var result = SequenceRanges()
        var index = firstIndex(endingAtOrAfter: bounds.lowerBound)
        while index < ranges.count, ranges[index].lowerBound <= bounds.upperBound {
            result.ranges.append(ranges[index].clamped(to: bounds))
            index += 1
        }
        return result
    }

    /// The members that are not in `other`.
    public func subtracting(_ other: SequenceRanges) -> SequenceRanges {
        var result = SequenceRanges()
        for range in ranges {
            other.forEachGap(in: range) { result.ranges.append($0) }
        }
        return result
    }

    /// The parts of `bounds` that are not in the set, in order.
    public func gaps(in bounds: ClosedRange<Int64>) -> [ClosedRange<Int64>] {
        var gaps: [ClosedRange<Int64>] = []
        forEachGap(in: bounds) { gaps.append($0) }
        return gaps
    }

    private func forEachGap(in bounds: ClosedRange<Int64>, _ body: (ClosedRange<Int64>) -> Void) {
        var start = bounds.lowerBound
        var index = firstIndex(endingAtOrAfter: start)
        while index < ranges.count, ranges[index].lowerBound <= bounds.upperBound {
            if start < ranges[index].lowerBound { body(start...(ranges[index].lowerBound - 1)) }
            guard ranges[index].upperBound < bounds.upperBound else { return }
            start = ranges[index].upperBound + 1
            index += 1
        }
        body(start...bounds.upperBound)
    }

    /// Binary search; `ranges.count` when all end before `sequence`.
    private func firstIndex(endingAtOrAfter sequence: Int64) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Joins what overlaps or touches in a list sorted by lower bound.
    private static func merged(_ sorted: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
        var result: [ClosedRange<Int64>] = []
        for range in sorted {
            if let last = result.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}

extension SequenceRanges {
    /// `[[from, to], …]`, as in an acknowledgement.
    public var json: JSON {
        .array(ranges.map { .array([JSON($0.lowerBound), JSON($0.upperBound)]) })
    }

    /// Reads `[[from, to], …]` in any order; nil unless every element is a pair of integers with `from <= to`.
    public init?(json: JSON) {
        guard let elements = json.array else { return nil }
        var ranges: [ClosedRange<Int64>] = []
        for element in elements {
            guard let pair = element.array, pair.count == 2, let low = pair[0].int, let high = pair[1].int, low <= high
            else { return nil }
            ranges.append(low...high)
        }
        self.init(ranges)
    }
}
