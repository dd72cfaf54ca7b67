import Testing

@testable import Heating

/// A broker that takes messages up to a size only, and one whose cloud has no use for commands.
@Suite struct UplinkSizeTests {
    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    /// Sends everything to a broker that answers "too large" to more than `limit` rows in one message, until nothing is
    /// left to send.
    private func drain(_ state: inout UplinkState, limit: Int, oversized: Set<Int64> = []) -> (
        delivered: [Int64], refused: Int
    ) {
        var delivered: [Int64] = []
        var (refused, id) = (0, Int32(0))
        for _ in 0..<20_000 {
            for range in state.takeOversized() { state.skipped(range) }
            guard case .send(let batch) = state.nextAction(now: at(1)) else { break }
            let rows = Array(batch.range.prefix(batch.rows))
            for part in batch.asFrame ? [rows] : rows.map({ [$0] }) {
                id += 1
                guard let first = part.first, let last = part.last else { continue }
                state.sent(part, scanned: first...last, flight: id, now: at(1))
                if part.count > limit || part.contains(where: oversized.contains) {
                    refused += 1
                    state.published(id, .tooLarge, now: at(1))
                } else {
                    delivered += part
                    state.published(id, .delivered, now: at(1))
                }
            }
        }
        return (delivered, refused)
    }

    @Test(arguments: [1, 2, 7, 100, 499]) func framesAreHalvedUntilTheyFit(_ limit: Int) {
        var state = UplinkState(epoch: "e", lowWatermark: 0, newest: 5000)
        state.connected(sendMaximum: 64, now: .zero)
        let (delivered, refused) = drain(&state, limit: limit)
        #expect(Set(delivered) == Set(1...5000) && delivered.count == 5000)
        #expect(refused < 200, "what was refused once is not tried with every frame: \(refused)")
    }

    @Test func whatDoesNotFitAloneIsNamedAndTheRestGoesOn() {
        var state = UplinkState(epoch: "e", lowWatermark: 0, newest: 300)
        state.connected(sendMaximum: 64, now: .zero)
        let (delivered, _) = drain(&state, limit: 50, oversized: [7, 8, 200])
        #expect(Set(delivered) == Set(1...300).subtracting([7, 8, 200]))
        state.acknowledged(Acknowledgement(epoch: "e", ranges: [1...6, 9...199, 201...300]), now: at(2))
        #expect(state.lowWatermark == 300 && state.unconfirmed == 0)
        #expect(state.lost.ranges == [7...8, 200...200], "audit tells that they never left")
    }

    @Test func aBrokerThatClosesForTheSizeIsUnderstood() {
        var state = UplinkState(epoch: "e", lowWatermark: 0, newest: 200)
        var (closes, delivered) = (0, Set<Int64>())
        var id: Int32 = 0
        while delivered.count < 199, closes < 60 {
            state.connected(sendMaximum: 64, now: .zero)
            connection: while case .send(let batch) = state.nextAction(now: at(1)) {
                let rows = Array(batch.range.prefix(batch.rows))
                for part in batch.asFrame ? [rows] : rows.map({ [$0] }) {
                    id += 1
                    state.sent(part, scanned: part[0]...part[part.count - 1], flight: id, now: at(1))
                    if part.count > 40 || part.contains(77) {
                        closes += 1
                        state.disconnected(isTooLarge: true)
                        break connection
                    }
                    delivered.formUnion(part)
                    state.published(id, .delivered, now: at(1))
                    state.acknowledged(
                        Acknowledgement(epoch: "e", ranges: [part[0]...part[part.count - 1]]), now: at(1))
                }
            }
            for range in state.takeOversized() { state.skipped(range) }
        }
        #expect(delivered == Set(1...200).subtracting([77]) && state.lowWatermark == 200)
    }

    @Test func aCommandThatNobodyReadsIsDeliveredWhereTheBrokerConfirms() {
        var state = UplinkState(settings: .init(confirm: .broker), epoch: "e", lowWatermark: 0, newest: 3)
        state.connected(sendMaximum: 64, now: .zero)
        state.sent([1], scanned: 1...1, flight: 1, now: .zero)
        state.sent([2], scanned: 2...2, flight: 2, isCommand: true, now: .zero)
        state.sent([3], scanned: 3...3, flight: 3, now: .zero)
        #expect(state.meaning(of: .nobody, for: 2) == .delivered && state.meaning(of: .nobody, for: 3) == .nobody)
        for id in [1, 2, 3] as [Int32] { state.published(id, id == 1 ? .delivered : .nobody, now: at(1)) }
        #expect(state.lowWatermark == 2 && state.counters.unread == 1, "a reading waits until somebody reads it")
        var careful = UplinkState(epoch: "e", lowWatermark: 0, newest: 1)
        careful.connected(sendMaximum: 64, now: .zero)
        careful.sent([1], scanned: 1...1, flight: 1, isCommand: true, now: .zero)
        careful.published(1, .nobody, now: at(1))
        #expect(careful.lowWatermark == 0, "an ingestor reads commands: nobody means that it is away")
    }

    @Test func whatTheJournalKnowsAsConfirmedIsNotSentAgain() {
        var state = UplinkState(epoch: "e", lowWatermark: 6, newest: 400, confirmed: [3...4, 8...399, 500...600])
        state.connected(sendMaximum: 64, now: .zero)
        #expect(state.unconfirmed == 2)
        let (delivered, _) = drain(&state, limit: 500)
        #expect(delivered == [7, 400])
    }
}
