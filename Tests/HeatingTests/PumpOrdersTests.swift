import Testing

@testable import Heating

/// What a pump is told, by what was wanted and the time alone: no reading, no room.
@Suite struct PumpOrdersTests {
    private let settings: Thermostat.Settings = {
        var settings = Thermostat.Settings()
        (settings.minOn, settings.minOff, settings.refresh) = (.seconds(300), .seconds(180), .seconds(60))
        return settings
    }()

    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    /// "on" or "off", with "again" for a repetition; "" for nothing.
    private func say(
        _ orders: inout PumpOrders, _ wish: Bool?, _ seconds: Int64, repeats: Bool = false
    ) -> String {
        orders.next(wish, .noReadingYet, settings, repeats: repeats, now: at(seconds)).map {
            switch $0 {
            case .command(let isOn, _, let isRefresh): (isOn ? "on" : "off") + (isRefresh ? " again" : "")
            }
        }.joined()
    }

    @Test func aStartWaitsForTheRestAndAStopForTheRun() {
        var orders = PumpOrders(now: .zero)
        #expect(say(&orders, true, 0).isEmpty && orders.waitingUntil == at(180), "it may have stopped just now")
        #expect(say(&orders, true, 179).isEmpty)
        #expect(say(&orders, true, 180) == "on")
        #expect(orders.waitingUntil == nil && orders.starts == [at(180)])
        #expect(say(&orders, false, 181).isEmpty && orders.waitingUntil == at(480))
        #expect(say(&orders, false, 480) == "off")
        #expect(orders.certainSince == at(480) && orders.since == at(480))
    }

    @Test func aFirstStopNeedsNoWait() {
        var orders = PumpOrders(now: .zero)
        #expect(say(&orders, false, 0) == "off")
    }

    @Test func aWishThatWasTakenBackIsWaitedForNoLonger() {
        var orders = PumpOrders(now: .zero)
        _ = say(&orders, false, 0)
        _ = say(&orders, true, 1)
        #expect(orders.waitingUntil == at(180))
        #expect(say(&orders, false, 2).isEmpty && orders.waitingUntil == nil)
    }

    @Test func whatWasToldIsRepeatedWhenDueOrAskedForAndNotBeforeTheFirstCommand() {
        var orders = PumpOrders(now: .zero)
        #expect(say(&orders, nil, 1, repeats: true).isEmpty && orders.refreshAt(settings) == nil)
        #expect(say(&orders, false, 10) == "off" && orders.refreshAt(settings) == at(70))
        #expect(say(&orders, false, 69).isEmpty)
        #expect(say(&orders, nil, 70) == "off again", "also while nothing decides")
        #expect(say(&orders, false, 71, repeats: true) == "off again")
        #expect(orders.refreshAt(settings) == at(131))
        #expect(say(&orders, true, 131) == "off again", "while another wish waits, what counts is repeated")
        var never = settings
        never.refresh = .zero
        #expect(orders.refreshAt(never) == nil)
    }

    @Test func aRepetitionOfAnotherWishKeepsTheReasonOfWhatCounts() {
        var orders = PumpOrders(now: .zero)
        _ = orders.next(false, .switchedOff, settings, repeats: false, now: at(0))
        let again = orders.next(true, .noReadingYet, settings, repeats: true, now: at(1))
        #expect(again == [.command(on: false, reason: .switchedOff, isRefresh: true)])
    }

    @Test func aRestGoesOnThroughARestartAndARunBeginsAnew() {
        var rested = PumpOrders(now: at(1000))
        rested.restore(false, lasting: .seconds(170), now: at(1000))
        #expect(rested.since == at(830) && !rested.isAsserted)
        #expect(say(&rested, true, 1009).isEmpty && rested.waitingUntil == at(1010))
        var running = PumpOrders(now: at(1000))
        running.restore(true, lasting: .seconds(900), now: at(1000))
        #expect(running.certainSince == at(100))
        #expect(say(&running, false, 1000) == "off", "it has run for long enough")
        var stopped = PumpOrders(now: at(1000))
        stopped.restore(true, lasting: .seconds(900), now: at(1000))
        #expect(say(&stopped, true, 1000).isEmpty, "it may have stopped with the power")
        #expect(say(&stopped, true, 1180) == "on again" && stopped.starts.isEmpty)
        var unknown = PumpOrders(now: at(1000))
        unknown.restore(false, lasting: nil, now: at(1000))
        #expect(unknown.since == at(1000) && unknown.certainSince == at(1000))
    }

    @Test func aPauseOfOursIsAGapOfWhichNobodyKnows() {
        var orders = PumpOrders(now: .zero)
        _ = say(&orders, false, 0)
        orders.forget(now: at(1000))
        #expect(orders.isOn == nil && orders.certainSince == nil && orders.refreshAt(settings) == nil)
        #expect(say(&orders, true, 1001).isEmpty && orders.waitingUntil == at(1180))
    }

    @Test func theNewestStartsAreKept() {
        var orders = PumpOrders(now: .zero)
        for round in 1...25 {
            #expect(say(&orders, true, Int64(round) * 1000) == "on")
            #expect(say(&orders, false, Int64(round) * 1000 + 500) == "off")
        }
        #expect(orders.starts.count == Thermostat.startsKept)
        #expect(orders.starts.first == at(6000) && orders.starts.last == at(25_000))
    }
}
