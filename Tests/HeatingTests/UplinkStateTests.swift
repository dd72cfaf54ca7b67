import Testing

@testable import Heating

@Suite struct UplinkStateTests {
    private func state(
        _ settings: UplinkState.Settings = .init(), low: Int64 = 0, newest: Int64 = 0
    ) -> UplinkState {
        var state = UplinkState(settings: settings, epoch: "e", lowWatermark: low, newest: newest)
        state.connected(sendMaximum: 1000, now: .zero)
        return state
    }

    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    private func batch(_ action: UplinkState.Action) -> UplinkState.Batch? {
        if case .send(let batch) = action { batch } else { nil }
    }

    private func acknowledge(_ state: inout UplinkState, _ ranges: ClosedRange<Int64>..., now: Instant) {
        state.acknowledged(Acknowledgement(epoch: "e", ranges: ranges), now: now)
    }

    @Test func nothingIsSentWithoutAConnectionOrRows() {
        var state = UplinkState(epoch: "e", lowWatermark: 5, newest: 9)
        #expect(state.nextAction(now: .zero) == .wait(until: nil))
        state.connected(sendMaximum: 10, now: .zero)
        #expect(batch(state.nextAction(now: .zero))?.range == 6...9)
        state.disconnected()
        #expect(state.nextAction(now: .zero) == .wait(until: nil))
    }

    @Test func fewRowsTravelAloneAndManyInFrames() {
        var state = state(newest: 50)
        #expect(batch(state.nextAction(now: .zero))?.asFrame == false)
        state.newest(51)
        let frame = batch(state.nextAction(now: .zero))
        #expect(frame?.asFrame == true)
        #expect(frame?.rows == 51)
        state.newest(100_000)
        #expect(batch(state.nextAction(now: .zero))?.rows == 500)
        var broker = UplinkState(
            settings: .init(confirm: .broker), epoch: "e", lowWatermark: 0, newest: 100_000)
        broker.connected(sendMaximum: 20, now: .zero)
        let single = batch(broker.nextAction(now: .zero))
        #expect(single?.asFrame == false)
        #expect(single?.rows == 20)
    }

    @Test func onlyTheIngestorConfirmsInItsMode() {
        var state = state(newest: 3)
        state.sent([1, 2, 3], scanned: 1...3, flight: 1, now: .zero)
        state.published(1, .delivered, now: .zero)
        #expect(state.takeConfirmed() == [])
        #expect(state.unconfirmed == 3)
        acknowledge(&state, 1...2, now: .zero)
        #expect(state.takeConfirmed() == [1...2])
        #expect(state.takeConfirmed() == [])
        #expect(state.lowWatermark == 2)
        #expect(state.unconfirmed == 1)
    }

    @Test func aRefusedPublicationIsNotConfirmedByTheBroker() {
        var state = state(.init(confirm: .broker), newest: 2)
        state.sent([1], scanned: 1...1, flight: 1, now: .zero)
        state.sent([2], scanned: 2...2, flight: 2, now: .zero)
        state.published(1, .refused, now: .zero)
        state.published(2, .delivered, now: .zero)
        #expect(state.takeConfirmed() == [2...2])
        #expect(state.lowWatermark == 0)
        #expect(state.counters.refused == 1)
        let again = batch(state.nextAction(now: at(31)))
        #expect(again?.range == 1...1)
        #expect(again?.isResend == true)
    }

    @Test func whileNobodySubscribesOneRecordAtATimeAsksAndThenTheOrderIsKept() {
        var state = state(newest: 400)
        state.sent(Array(1...100), scanned: 1...100, flight: 1, now: .zero)
        state.sent(Array(101...200), scanned: 101...200, flight: 2, now: .zero)
        state.sent(Array(201...300), scanned: 201...300, flight: 3, now: .zero)
        state.published(1, .delivered, now: .zero)
        state.published(2, .nobody, now: .zero)
        // The third flight is still to be answered, and nothing else leaves before that.
        #expect(batch(state.nextAction(now: at(2))) == nil)
        state.published(3, .nobody, now: .zero)
        #expect(state.nextAction(now: .zero) == .wait(until: at(1)))
        let question = batch(state.nextAction(now: at(1)))
        #expect(question?.range.lowerBound == 101)
        #expect(question?.rows == 1)
        #expect(question?.asFrame == false)
        state.sent([101], scanned: 101...101, flight: 4, now: at(1))
        #expect(batch(state.nextAction(now: at(1))) == nil)
        state.published(4, .nobody, now: at(1))
        #expect(state.nextAction(now: at(1)) == .wait(until: at(3)), "it waits twice as long")
        state.sent([101], scanned: 101...101, flight: 5, now: at(3))
        state.published(5, .delivered, now: at(3))
        let rest = batch(state.nextAction(now: at(3)))
        #expect(rest?.range == 102...400)
        #expect(rest?.asFrame == true)
        acknowledge(&state, 1...101, now: at(4))
        #expect(state.lowWatermark == 101)
    }

    @Test func aQuestionThatIsRefusedIsAskedOfTheNextRecordAndWithAFullWindowAgain() {
        var state = state(.init(windowRecords: 3), newest: 400)
        state.sent([1, 2], scanned: 1...2, flight: 1, now: .zero)
        state.published(1, .nobody, now: .zero)
        var now: Int64 = 1
        for sequence in Int64(1)...3 {
            let question = batch(state.nextAction(now: at(now)))
            #expect(question?.range.lowerBound == sequence && question?.rows == 1 && question?.isResend == false)
            state.sent([sequence], scanned: sequence...sequence, flight: Int32(sequence) + 1, now: at(now))
            state.published(Int32(sequence) + 1, .refused, now: at(now))
            #expect(batch(state.nextAction(now: at(now))) == nil, "a refusal is no reason to hurry")
            now += 10
        }
        // All of the window was refused; before, nothing was ever sent again on this connection.
        let again = batch(state.nextAction(now: at(60)))
        #expect(again?.range.lowerBound == 1 && again?.isResend == true)
    }

    @Test func theIngestorsWordEndsTheWaitForASubscriber() {
        var state = state(newest: 10)
        state.sent([1], scanned: 1...1, flight: 1, now: .zero)
        state.sent([2], scanned: 2...2, flight: 2, now: .zero)
        state.published(1, .delivered, now: .zero)
        state.published(2, .nobody, now: .zero)
        #expect(batch(state.nextAction(now: .zero)) == nil)
        acknowledge(&state, 1...1, now: .zero)
        #expect(batch(state.nextAction(now: .zero))?.range == 2...10)
    }

    @Test func foreignStaleAndImpossibleAcknowledgementsAreCountedAndChangeNothing() {
        var state = state(newest: 100)
        state.sent(Array(1...10), scanned: 1...10, flight: 1, now: .zero)
        state.acknowledged(Acknowledgement(epoch: "other", ranges: [1...10]), now: .zero)
        #expect(state.counters.foreignAcks == 1)
        acknowledge(&state, 11...100, now: .zero)
        #expect(state.counters.clippedAcks == 1)
        #expect(state.takeConfirmed() == [])
        acknowledge(&state, 5...5000, now: .zero)
        #expect(state.takeConfirmed() == [5...10])
        acknowledge(&state, 6...7, now: .zero)
        #expect(state.counters.staleAcks == 2)
        #expect(state.takeConfirmed() == [])
        #expect(state.lowWatermark == 0)
        acknowledge(&state, 1...4, 2...3, now: .zero)
        #expect(state.lowWatermark == 10)
    }

    @Test func gapsInTheJournalAreNotWaitedFor() {
        var state = state(newest: 20)
        state.sent([5, 9], scanned: 1...12, flight: 1, now: .zero)
        #expect(state.takeConfirmed() == [1...4, 6...8, 10...12])
        acknowledge(&state, 5...5, 9...9, now: .zero)
        #expect(state.lowWatermark == 12)
        #expect(state.inFlightRecords == 0)
        state.skipped(13...20)
        #expect(state.lowWatermark == 20)
        #expect(state.nextAction(now: .zero) == .wait(until: nil) || state.unansweredPublications == 1)
    }

    @Test func aNewConnectionStartsAtTheLowWatermarkAndLeavesOutWhatIsConfirmed() {
        var state = state(newest: 40)
        state.sent(Array(1...40), scanned: 1...40, flight: 1, now: .zero)
        acknowledge(&state, 1...10, 20...30, now: .zero)
        state.disconnected()
        state.connected(sendMaximum: 100, now: at(1))
        #expect(batch(state.nextAction(now: at(1)))?.range == 11...19)
        state.sent(Array(11...19), scanned: 11...19, flight: 1, now: at(1))
        #expect(batch(state.nextAction(now: at(1)))?.range == 31...40)
        #expect(state.counters.resent == 9)
        // Late, for the publication of the old connection: still the truth.
        acknowledge(&state, 31...40, now: at(1))
        #expect(batch(state.nextAction(now: at(1))) == nil)
    }

    @Test func whatTheJournalDroppedIsNeitherSentNorConfirmed() {
        var state = state(newest: 100)
        state.sent(Array(1...10), scanned: 1...10, flight: 1, now: .zero)
        state.floor(60)
        #expect(state.lowWatermark == 60)
        #expect(state.takeConfirmed() == [])
        #expect(batch(state.nextAction(now: .zero))?.range == 61...100)
        #expect(state.unansweredPublications == 1)
        acknowledge(&state, 1...10, now: .zero)
        #expect(state.takeConfirmed() == [])
    }

    @Test func aLostFlightGoesAgainOnceALaterOneIsConfirmed() {
        var state = state(newest: 30)
        for id in 0..<3 {
            let first = Int64(id * 10 + 1)
            state.sent(Array(first...(first + 9)), scanned: first...(first + 9), flight: Int32(id), now: at(Int64(id)))
            state.published(Int32(id), .delivered, now: at(Int64(id)))
        }
        acknowledge(&state, 21...30, now: at(5))
        #expect(state.nextAction(now: at(29)) == .wait(until: at(30)))
        let again = batch(state.nextAction(now: at(30)))
        #expect(again?.range == 1...10)
        #expect(again?.asFrame == true)
        state.sent(Array(1...10), scanned: 1...10, flight: 7, now: at(30))
        state.published(7, .delivered, now: at(30))
        #expect(batch(state.nextAction(now: at(31)))?.range == 11...20)
        acknowledge(&state, 1...10, 11...20, now: at(32))
        #expect(state.lowWatermark == 30)
        #expect(state.counters.resent == 10)
    }

    @Test func onlyTheUnconfirmedPartOfAFlightGoesAgain() {
        var state = state(newest: 20)
        state.sent(Array(1...10), scanned: 1...10, flight: 1, now: .zero)
        state.sent(Array(11...20), scanned: 11...20, flight: 2, now: at(1))
        state.published(1, .delivered, now: at(1))
        acknowledge(&state, 1...3, 5...5, 9...10, 11...20, now: at(2))
        #expect(batch(state.nextAction(now: at(31)))?.range == 4...8)
    }

    @Test func aSilentIngestorGetsProbesAndNotTheWholeWindow() {
        var state = state(newest: 5000)
        var id: Int32 = 0
        while let batch = batch(state.nextAction(now: .zero)) {
            id += 1
            let last = min(batch.range.upperBound, batch.after + Int64(batch.rows))
            state.sent(
                Array(batch.range.lowerBound...last), scanned: batch.range.lowerBound...last, flight: id, now: .zero)
            state.published(id, .delivered, now: .zero)
        }
        #expect(id == 10)
        var probes: [Int64] = []
        var now = Instant.zero
        while now < at(3600) {
            switch state.nextAction(now: now) {
            case .send(let batch):
                #expect(batch.isResend)
                id += 1
                probes.append(now.nanoseconds / 1_000_000_000)
                state.sent(Array(batch.range), scanned: batch.range, flight: id, now: now)
                state.published(id, .delivered, now: now)
            case .wait(until: let next): now = next ?? .distantFuture
            case .reconnect: Issue.record("reconnect"); return
            }
        }
        #expect(probes.prefix(6) == [30, 90, 210, 450, 930, 1530])
        #expect(probes.count < 12)
        // The first sign of life sets the rest free.
        acknowledge(&state, 1...500, now: now)
        let last = state.nextAction(now: now)
        #expect(batch(last)?.isResend == true || state.lowWatermark == 500)
    }

    @Test func aBrokerThatAnswersNothingIsGivenUp() {
        var state = state(newest: 1)
        state.sent([1], scanned: 1...1, flight: 1, now: at(10))
        #expect(state.nextAction(now: at(10)) == .wait(until: at(70)))
        #expect(state.nextAction(now: at(70)) == .reconnect)
        state.published(1, .delivered, now: at(71))
        #expect(state.nextAction(now: at(71)) != .reconnect)
    }

    @Test func theRateLimitHoldsWhileABacklogDrainsAndNotForLiveReadings() {
        var state = state(.init(maxRate: 100), newest: 100_000)
        var sent = 0
        var now = Instant.zero
        var id: Int32 = 0
        while now < at(20) {
            switch state.nextAction(now: now) {
            case .send(let batch):
                id += 1
                let range = batch.range.lowerBound...(batch.after + Int64(batch.rows))
                sent += batch.rows
                state.sent(Array(range), scanned: range, flight: id, now: now)
                state.published(id, .delivered, now: now)
                state.acknowledged(Acknowledgement(epoch: "e", ranges: [range]), now: now)
            case .wait(until: let next): now = max(now + .milliseconds(1), next ?? at(20))
            case .reconnect: Issue.record("reconnect"); return
            }
        }
        #expect((2000...2200).contains(sent), "\(sent) in 20 s at 100 per second and a burst of 100")
        #expect(Int(id) < sent / 20, "\(id) messages for \(sent) readings")
        var live = UplinkState(settings: .init(maxRate: 1), epoch: "e", lowWatermark: 0, newest: 40)
        live.connected(sendMaximum: 100, now: .zero)
        #expect(batch(live.nextAction(now: .zero))?.rows == 40)
    }

    @Test func aPacketIdOfAnotherConnectionMeansNothing() {
        var state = state(.init(confirm: .broker), newest: 1)
        state.published(99, .delivered, now: .zero)
        #expect(state.takeConfirmed() == [])
        state.sent([1], scanned: 1...1, flight: 5, now: .zero)
        state.disconnected()
        state.connected(sendMaximum: 1, now: .zero)
        state.published(5, .delivered, now: .zero)
        #expect(state.takeConfirmed() == [])
    }
}
