import Heating

/// Sequences as ranges beside the same as a set; every operation must agree with it.
package enum RangesHistory {
    package static func run(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var (ranges, reference) = (SequenceRanges(), Set<Int64>())
        func randomRange() -> ClosedRange<Int64> {
            let low = Int64.random(in: 0...60, using: &random)
            return low...(low + Int64.random(in: 0...8, using: &random))
        }
        for _ in 0..<Int.random(in: 1...25, using: &random) {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let range = randomRange()
                ranges.insert(range)
                reference.formUnion(range)
            case 2:
                let several = (0..<Int.random(in: 0...9, using: &random)).map { _ in randomRange() }
                ranges.formUnion(SequenceRanges(several))
                reference.formUnion(several.joined())
            default:
                let floor = Int64.random(in: -1...70, using: &random)
                ranges.remove(through: floor)
                reference = reference.filter { $0 > floor }
            }
            try agree(ranges, reference, randomRange(), seed)
        }
    }

    private static func agree(
        _ ranges: SequenceRanges, _ reference: Set<Int64>, _ probe: ClosedRange<Int64>, _ seed: UInt64
    ) throws {
        try check(Set(ranges.ranges.joined()) == reference, seed, "\(ranges.ranges) is not \(reference.sorted())")
        try check(ranges.count == reference.count, seed, "count")
        try check(ranges.first == reference.min() && ranges.last == reference.max(), seed, "bounds")
        try check(ranges.isEmpty == reference.isEmpty, seed, "isEmpty")
        for (left, right) in zip(ranges.ranges, ranges.ranges.dropFirst()) {
            try check(left.upperBound + 1 < right.lowerBound, seed, "\(left) and \(right) touch")
        }
        try check(ranges.contains(probe) == probe.allSatisfy(reference.contains), seed, "contains \(probe)")
        let missing = Set(ranges.gaps(in: probe).joined())
        try check(missing == Set(probe).subtracting(reference), seed, "gaps in \(probe)")
        let inside = Set(ranges.intersection(probe).ranges.joined())
        try check(inside == reference.intersection(probe), seed, "intersection with \(probe)")
        let other = SequenceRanges([probe])
        try check(
            Set(ranges.subtracting(other).ranges.joined()) == reference.subtracting(probe), seed, "minus \(probe)")
        var end = probe.lowerBound
        while reference.contains(end + 1) { end += 1 }
        try check(ranges.contiguousEnd(after: probe.lowerBound) == end, seed, "contiguousEnd")
        let next = reference.filter { $0 > probe.lowerBound }.min()
        try check(ranges.next(after: probe.lowerBound) == next, seed, "next")
        try check(SequenceRanges(json: ranges.json) == ranges, seed, "JSON")
    }
}
