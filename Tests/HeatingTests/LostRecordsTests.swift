import Testing

@testable import Heating

@Suite struct LostRecordsTests {
    private func state(newest: Int64) -> UplinkState {
        var state = UplinkState(epoch: "e", lowWatermark: 0, newest: newest)
        state.connected(sendMaximum: 1000, now: .zero)
        return state
    }

    @Test func `what the journal drops unconfirmed is lost, what was confirmed before is not`() {
        var state = state(newest: 9)
        state.sent(Array(1...9), scanned: 1...9, flight: 1, now: .zero)
        state.acknowledged(Acknowledgement(epoch: "e", ranges: [2...3, 7...7]), now: .zero)
        #expect(state.confirmedAbove.ranges == [2...3, 7...7] && state.lost.isEmpty)
        state.floor(5)
        #expect(state.lost.ranges == [1...1, 4...5])
        #expect(state.lowWatermark == 5)
        state.floor(5)
        #expect(state.lost.ranges == [1...1, 4...5])
    }

    @Test func `a row that is not in the journal any more is lost, once`() {
        var state = state(newest: 5)
        state.sent([1, 3], scanned: 1...3, flight: 1, now: .zero)
        #expect(state.lost.ranges == [2...2])
        state.skipped(2...2)
        #expect(state.lost.ranges == [2...2])
        // Confirmed before it vanished: not lost.
        state.sent([4, 5], scanned: 4...5, flight: 2, now: .zero)
        state.acknowledged(Acknowledgement(epoch: "e", ranges: [5...5]), now: .zero)
        state.skipped(4...5)
        #expect(state.lost.ranges == [2...2, 4...4])
    }

    @Test func `the newest ranges are kept, and their number is bounded`() {
        var state = state(newest: 10_000)
        for sequence in stride(from: Int64(2), to: 2_000, by: 2) {
            state.sent([sequence - 1], scanned: sequence - 1...sequence, flight: Int32(sequence), now: .zero)
        }
        #expect(state.lost.ranges.count == UplinkState.lostRangesKept)
        #expect(state.lost.last == 1_998)
    }
}
