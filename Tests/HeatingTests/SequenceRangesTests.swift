import Testing

@testable import Heating

@Suite struct SequenceRangesTests {
    /// `Set<Int64>` is the reference; every operation of a random history must agree with it.
    @Test func behavesAsASetOfSequences() throws {
        for seed in seeds(1500, "behavesAsASetOfSequences") {
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
    }

    private func agree(
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

    @Test func theEndsOfInt64DoNotOverflow() {
        var ranges = SequenceRanges([.max ... .max, .min ... .min, 0...0])
        #expect(ranges.count == 3)
        ranges.insert(.min...5)
        ranges.insert((Int64.max - 1) ... .max)
        #expect(ranges.ranges == [.min...5, (.max - 1) ... .max])
        #expect(ranges.contiguousEnd(after: .max) == .max)
        #expect(ranges.next(after: .max) == nil)
        #expect(ranges.gaps(in: .min ... .max) == [6...(.max - 2)])
        ranges.formUnion(SequenceRanges([.min ... .max]))
        #expect(ranges.ranges == [.min ... .max])
        #expect(ranges.count == .max)
        ranges.remove(through: .max)
        #expect(ranges.isEmpty)
    }

    @Test func tenThousandHostileRangesCostMilliseconds() throws {
        var random = SeededGenerator(seed: 3)
        let multiples: [Int64] = (0..<10_000).map { Int64($0) * 3 }
        let hostile = multiples.shuffled(using: &random).map { $0...$0 }
        let other = SequenceRanges(multiples.map { ($0 + 1)...($0 + 1) })
        let time = ContinuousClock().measure {
            var ranges = SequenceRanges(hostile)
            ranges.formUnion(other)
            #expect(ranges.count == 20_000)
            #expect(ranges.subtracting(other).count == 10_000)
        }
        #expect(time < .seconds(2), "unoptimised builds take about 0.1 s")
    }
}

@Suite struct AcknowledgementTests {
    private func error(_ payload: String) -> AcknowledgementError? {
        do throws(AcknowledgementError) {
            _ = try Acknowledgement(payload: bytes(payload))
            return nil
        } catch { return error }
    }

    @Test func readsWhatItWrites() throws {
        let acknowledgement = Acknowledgement(epoch: "f00\"é", ranges: [7...9, 1...3, 0...0])
        #expect(try Acknowledgement(payload: acknowledgement.payload) == acknowledgement)
        #expect(
            Acknowledgement(epoch: "abc", ranges: [1...2, 4...4]).payload
                == bytes(#"{"epoch": "abc", "ranges": [[1, 2], [4, 4]]}"#))
        #expect(try Acknowledgement(payload: bytes(#"{"ranges":[],"epoch":"e","more":1}"#)).ranges == [])
    }

    @Test(arguments: [
        ("", AcknowledgementError.notJSON), ("[]", .badEpoch), (#"{"epoch": "", "ranges": []}"#, .badEpoch),
        (#"{"epoch": 1, "ranges": []}"#, .badEpoch), (#"{"epoch": "e"}"#, .badRanges),
        (#"{"epoch": "e", "ranges": {}}"#, .badRanges), (#"{"epoch": "e", "ranges": [1]}"#, .badRanges),
        (#"{"epoch": "e", "ranges": [[1]]}"#, .badRanges), (#"{"epoch": "e", "ranges": [[1,2,3]]}"#, .badRanges),
        (#"{"epoch": "e", "ranges": [[2,1]]}"#, .badRanges), (#"{"epoch": "e", "ranges": [[-1,1]]}"#, .badRanges),
        (#"{"epoch": "e", "ranges": [[1.5,2]]}"#, .badRanges), (#"{"epoch": "e", "ranges": [["1","2"]]}"#, .badRanges),
        (#"{"epoch": "e", "ranges": [[1,9223372036854775808]]}"#, .badRanges),
        (#"{"epoch": "e", "epoch": "f", "ranges": []}"#, .notJSON),
    ])
    func namesWhatIsWrong(payload: String, expected: AcknowledgementError) {
        #expect(error(payload) == expected)
    }

    @Test func boundsSizeAndCount() {
        func ranges(_ count: Int) -> String {
            "{\"epoch\":\"e\",\"ranges\":[" + repeatElement("[1,2]", count: count).joined(separator: ",") + "]}"
        }
        #expect(error(ranges(10_000)) == nil)
        #expect(error(ranges(10_001)) == .tooManyRanges)
        #expect(error(ranges(50_000)) == .oversized)
        #expect(error("{\"epoch\":\"\(String(repeating: "e", count: 65))\",\"ranges\":[]}") == .badEpoch)
    }
}
