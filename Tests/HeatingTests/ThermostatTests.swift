import Testing

@testable import Heating

@Suite struct ThermostatTests {
    func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }
    func minutes(_ count: Int64) -> Instant { at(count * 60) }

    func thermostat(_ change: (inout Thermostat.Settings) -> Void = { _ in }) -> Thermostat {
        var settings = Thermostat.Settings()
        change(&settings)
        return Thermostat(settings: settings, now: .zero)
    }

    /// What was commanded: "on", "off", with "again" for a refresh.
    func words(_ actions: [Thermostat.Action]) -> String {
        actions.map { action in
            switch action {
            case .command(let isOn, _, let isRefresh): (isOn ? "on" : "off") + (isRefresh ? " again" : "")
            }
        }.joined(separator: ", ")
    }

    func reason(_ actions: [Thermostat.Action]) -> String? {
        if case .command(_, let reason, _)? = actions.first { reason.description } else { nil }
    }

    // MARK: - The limits

    @Test func startsStrictlyBelowAndStopsStrictlyAbove() {
        var thermostat = thermostat()
        #expect(words(thermostat.handle(.reading(20.0), now: at(1))) == "")
        #expect(words(thermostat.handle(.reading(19.999), now: at(2))) == "on")
        #expect(words(thermostat.handle(.reading(25.0), now: at(3))) == "")
        #expect(words(thermostat.handle(.reading(25.001), now: at(4))) == "off")
        #expect(words(thermostat.handle(.reading(20.0), now: at(5))) == "")
    }

    @Test func saysNothingBeforeAFirstDecision() {
        var thermostat = thermostat()
        #expect(thermostat.handle(.reading(22), now: at(1)) == [])
        #expect(thermostat.handle(.reconnected, now: at(2)) == [])
        #expect(thermostat.handle(.tick, now: at(300)) == [])
        #expect(thermostat.status.isOn == nil)
        #expect(thermostat.status.reason.description == "22.0 is between 20.0 and 25.0: no decision yet")
    }

    @Test func exactlyOneHundredIsNeitherHeatNorASignOfLife() {
        // In a sauna a hundred is near.
        var thermostat = thermostat { $0.maxPlausible = 120 }
        _ = thermostat.handle(.reading(19), now: at(0))
        for second in stride(from: Int64(1), to: 1000, by: 1) {
            #expect(thermostat.handle(.reading(100), now: at(second)) == [])
        }
        #expect(words(thermostat.handle(.tick, now: at(1000))) == "off")
        #expect(thermostat.status.discarded == 999)
        #expect(thermostat.status.isStale)
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(thermostat.handle(.reading(value), now: at(1001)) == [])
        }
        #expect(words(thermostat.handle(.reading(100.0000001), now: at(1002))) == "")
        #expect(thermostat.status.lastReading == 100.0000001)
    }

    @Test(arguments: [85, -127, 60.000_001, -40.000_001, 1e300, -1e300])
    func whatNoRoomHasIsNeitherHeatNorASignOfLife(_ value: Double) {
        var thermostat = thermostat()
        _ = thermostat.handle(.reading(19), now: at(0))
        #expect(thermostat.handle(.reading(value), now: at(800)) == [])
        #expect(thermostat.status.discarded == 1 && thermostat.status.lastDiscarded == value)
        #expect(words(thermostat.handle(.tick, now: at(900))) == "off")
    }

    @Test(arguments: [60, 84.999, -40])
    func whatARoomMayHaveDecides(_ value: Double) {
        var thermostat = thermostat { $0.maxPlausible = 84.999 }
        _ = thermostat.handle(.reading(19), now: at(0))
        #expect(words(thermostat.handle(.reading(value), now: at(1))) == (value > 25 ? "off" : ""))
        #expect(thermostat.status.lastReading == value)
    }

    @Test func reasonsAreSentencesForAnOperator() {
        var thermostat = thermostat()
        #expect(reason(thermostat.handle(.reading(19.4), now: at(1))) == "19.4 is below 20.0")
        #expect(reason(thermostat.handle(.reading(25.304), now: at(2))) == "25.3 is above 25.0")
        #expect(reason(thermostat.handle(.reading(19.999), now: at(3))) == "just below 20.0")
        #expect(reason(thermostat.handle(.reading(4.2), now: at(100))) == "frost: 4.2 is below 5.0")
        #expect(reason(thermostat.handle(.reading(-7.239), now: at(200))) == "frost: -7.2 is below 5.0")
        #expect(reason(thermostat.handle(.tick, now: minutes(30))) == "no reading for 15 min: the pump is off")
        let override = Thermostat.Event.override(on: true, for: .seconds(7200), source: .cli)
        #expect(reason(thermostat.handle(override, now: minutes(31))) == "switched on at a terminal for 2 h")
    }

    // MARK: - What users complain about elsewhere

    @Test func aDeadSensorDoesNotKeepHeating() {
        var thermostat = thermostat()
        #expect(words(thermostat.handle(.reading(15), now: at(0))) == "on")
        #expect(thermostat.nextDeadline == at(60))
        #expect(words(thermostat.handle(.tick, now: at(899))) == "on again")
        #expect(words(thermostat.handle(.tick, now: at(900))) == "off")
        #expect(thermostat.status.isStale)
    }

    @Test func aSensorMissingSinceTheStartIsSilentToo() {
        for (action, expected) in [(Thermostat.OnStale.off, "off"), (.on, "on"), (.hold, "")] {
            var thermostat = thermostat { $0.onStale = action }
            #expect(thermostat.nextDeadline == minutes(15))
            #expect(words(thermostat.handle(.tick, now: minutes(15))) == expected)
        }
    }

    @Test func anUnchangedValueIsAlive() {
        var thermostat = thermostat()
        for minute in 0..<600 { _ = thermostat.handle(.reading(19), now: minutes(Int64(minute))) }
        #expect(!thermostat.status.isStale)
        #expect(thermostat.status.isOn == true)
    }

    @Test func aBlindRoomRecoversByItselfAndGoesOnWhereItWas() {
        var thermostat = thermostat()
        _ = thermostat.handle(.reading(19), now: at(0))
        #expect(words(thermostat.handle(.tick, now: minutes(15))) == "off")
        #expect(words(thermostat.handle(.reading(22), now: minutes(40))) == "on")
        #expect(!thermostat.status.isStale)
    }

    @Test func theFailSafeDoesNotStartAPumpThatAPersonSwitchedOff() {
        var thermostat = thermostat { $0.onStale = .on }
        _ = thermostat.handle(.reading(22), now: at(0))
        _ = thermostat.handle(.override(on: false, for: .seconds(7200), source: .cli), now: at(1))
        #expect(words(thermostat.handle(.tick, now: minutes(20))) == "off again")
        #expect(words(thermostat.handle(.tick, now: at(7201))) == "on")
    }

    @Test func aLostCommandIsRepeated() {
        var thermostat = thermostat()
        _ = thermostat.handle(.reading(19), now: at(0))
        #expect(thermostat.nextDeadline == at(60))
        #expect(words(thermostat.handle(.reading(22), now: at(59))) == "")
        #expect(words(thermostat.handle(.reading(22), now: at(60))) == "on again")
        #expect(thermostat.nextDeadline == at(120))
        #expect(words(thermostat.handle(.reconnected, now: at(61))) == "on again")
        #expect(thermostat.nextDeadline == at(121))
    }

    @Test func noRefreshWhenItIsSwitchedOff() {
        var thermostat = thermostat { $0.refresh = .zero }
        _ = thermostat.handle(.reading(19), now: at(0))
        #expect(thermostat.nextDeadline == minutes(15))
        #expect(thermostat.handle(.tick, now: at(600)) == [])
    }

    @Test func aNoisySensorCannotShortCycleTheCompressor() {
        var thermostat = thermostat {
            $0.minOn = .seconds(300)
            $0.minOff = .seconds(600)
            $0.refresh = .zero
        }
        var switches: [(on: Bool, second: Int64)] = []
        for second in Int64(0)..<4000 {
            let value = second % 2 == 0 ? 19.0 : 26.0
            for case .command(let isOn, _, _) in thermostat.handle(.reading(value), now: at(second)) {
                switches.append((isOn, second))
            }
        }
        #expect(switches.count >= 7)
        for (first, second) in zip(switches, switches.dropFirst()) {
            #expect(first.on != second.on)
            #expect(second.second - first.second >= (first.on ? 300 : 600))
        }
    }

    // MARK: - Minimum times

    @Test func aWishIsKeptUntilTheMinimumTimeHasPassed() {
        var thermostat = thermostat {
            $0.minOff = .seconds(300)
            $0.refresh = .zero
        }
        #expect(words(thermostat.handle(.reading(19), now: at(10))) == "")
        #expect(thermostat.status.waitingUntil == at(300))
        #expect(thermostat.nextDeadline == at(300))
        #expect(words(thermostat.handle(.tick, now: at(300))) == "on")
        #expect(thermostat.status.waitingUntil == nil)
    }

    @Test func aWishThatPassesIsForgotten() {
        var thermostat = thermostat { $0.minOff = .seconds(300) }
        _ = thermostat.handle(.reading(19), now: at(10))
        #expect(words(thermostat.handle(.reading(26), now: at(100))) == "off")
        #expect(thermostat.handle(.tick, now: at(159)) == [])
    }

    @Test func minimumTimesHoldForOverridesAndFrost() {
        var thermostat = thermostat {
            $0.minOn = .seconds(300)
            $0.minOff = .seconds(300)
            $0.refresh = .zero
        }
        _ = thermostat.handle(.reading(22), now: at(0))
        #expect(words(thermostat.handle(.override(on: true, for: nil, source: .cli), now: at(10))) == "")
        #expect(words(thermostat.handle(.tick, now: at(300))) == "on")
        #expect(words(thermostat.handle(.override(on: false, for: nil, source: .cloud), now: at(310))) == "")
        #expect(words(thermostat.handle(.reading(22), now: at(600))) == "off")
        #expect(words(thermostat.handle(.reading(3), now: at(610))) == "")
        #expect(words(thermostat.handle(.reading(3), now: at(900))) == "on")
    }

    @Test func afterARestartThePumpCountsAsJustStopped() {
        var thermostat = thermostat { $0.minOff = .seconds(600) }
        #expect(thermostat.handle(.restored(on: true), now: at(1)) == [])
        #expect(thermostat.handle(.reading(19), now: at(2)) == [])
        #expect(thermostat.handle(.reading(19), now: at(600)) == [])
        #expect(words(thermostat.handle(.reading(19), now: at(601))) == "on again")
    }

    @Test func aRestoredPumpIsNotStoppedBeforeItsMinimumRunTime() {
        var thermostat = thermostat { $0.minOn = .seconds(600) }
        _ = thermostat.handle(.restored(on: true), now: at(1))
        #expect(thermostat.handle(.reading(26), now: at(2)) == [])
        #expect(words(thermostat.handle(.reading(26), now: at(601))) == "off")
    }

    // MARK: - Restart

    @Test func aRestoredDecisionIsRepeatedOnlyWhenAReadingSupportsIt() {
        var thermostat = thermostat()
        #expect(thermostat.handle(.restored(on: true), now: at(1)) == [])
        #expect(thermostat.status.isOn == true)
        #expect(thermostat.status.reason.description == "on before the restart, no reading since")
        #expect(thermostat.handle(.tick, now: at(300)) == [])
        #expect(thermostat.handle(.reconnected, now: at(300)) == [])
        #expect(words(thermostat.handle(.reading(22), now: at(301))) == "on again")
        #expect(words(thermostat.handle(.reading(25.1), now: at(302))) == "off")
    }

    @Test func anOverrideThatARestartForgotDoesNotBecomeADecision() {
        var before = thermostat()
        _ = before.handle(.reading(26), now: at(0))
        _ = before.handle(.override(on: true, for: nil, source: .cli), now: at(1))
        let status = before.status
        #expect(status.isOn == true && status.demand == false)
        var after = thermostat()
        _ = after.handle(.restored(on: true, demand: status.demand), now: at(1))
        #expect(words(after.handle(.reading(22), now: at(2))) == "off")
    }

    @Test func aRestoredStateThatComesLateIsIgnored() {
        var thermostat = thermostat()
        #expect(words(thermostat.handle(.reading(19), now: at(1))) == "on")
        #expect(thermostat.handle(.restored(on: false), now: at(2)) == [])
        #expect(thermostat.status.isOn == true)
    }

    // MARK: - Frost

    @Test func frostBeatsEveryOverride() {
        for source in Thermostat.Source.allCases {
            for authority in Thermostat.Authority.allCases {
                var thermostat = thermostat { $0.authority = authority }
                _ = thermostat.handle(.reading(10), now: at(0))
                _ = thermostat.handle(.override(on: false, for: nil, source: source), now: at(1))
                #expect(words(thermostat.handle(.reading(5), now: at(2))) == "")
                #expect(words(thermostat.handle(.reading(4.99), now: at(3))) == "on")
                #expect(words(thermostat.handle(.reading(5.2), now: at(4))) == "", "no cycling around one value")
                #expect(words(thermostat.handle(.reading(5.5), now: at(5))) == "off")
            }
        }
    }
}
