import SimulationModel
import Testing

@testable import Heating

@Suite struct SequenceRangesTests {
    /// `Set<Int64>` is the reference; every operation of a random history must agree with it.
    @Test func behavesAsASetOfSequences() throws {
        for seed in seeds(300, "behavesAsASetOfSequences") { try RangesHistory.run(seed: seed) }
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
