import Testing

@testable import Heating

@Suite("Presets, holds, doubtful readings and pumps that do not respond")
struct ThermostatPresetTests {
    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    private func thermostat(_ change: (inout Thermostat.Settings) -> Void = { _ in }) -> Thermostat {
        var settings = Thermostat.Settings()
        settings.refresh = .zero
        change(&settings)
        return Thermostat(settings: settings, now: .zero)
    }

    private func switches(_ actions: [Thermostat.Action]) -> [Bool] {
        actions.map { action in
            switch action {
            case .command(let isOn, _, _): isOn
            }
        }
    }

    // MARK: - Presets and holds

    @Test func theScheduleChangesTheLimitsAndTheReasonSaysSo() {
        var thermostat = thermostat { $0.presets[.eco] = .limits(onBelow: 16, offAbove: 18) }
        #expect(switches(thermostat.handle(.reading(19), now: at(0))) == [true])
        #expect(switches(thermostat.handle(.scheduled(.eco), now: at(1))) == [false])
        #expect(thermostat.status.reason.description == "19.0 is above 18.0 (eco)")
        #expect(thermostat.status.preset == .eco)
        #expect(switches(thermostat.handle(.scheduled(nil), now: at(2))) == [true])
    }

    @Test func presetsThatNobodyConfiguredFollowTheRoomsLimits() {
        var settings = Thermostat.Settings()
        (settings.onBelow, settings.offAbove) = (21, 22)
        #expect(settings.limits(of: .comfort) == .init(onBelow: 21, offAbove: 22))
        #expect(settings.limits(of: .eco) == .init(onBelow: 18, offAbove: 19))
        #expect(settings.limits(of: .frost) == .init(onBelow: 6, offAbove: 8))
        settings.frostBelow = 20.5
        for preset in Preset.allCases {
            let limits = settings.limits(of: preset)
            #expect(settings.frostBelow <= limits.onBelow && limits.onBelow <= limits.offAbove)
        }
    }

    @Test func aHoldEndsByItselfAndTheScheduleGoesOn() {
        var thermostat = thermostat { $0.presets[.eco] = .limits(onBelow: 16, offAbove: 18) }
        _ = thermostat.handle(.scheduled(.eco), now: at(0))
        #expect(switches(thermostat.handle(.reading(19), now: at(1))) == [false])
        let hold = Thermostat.Event.hold(.preset(.comfort), for: .seconds(600), source: .homeAssistant)
        #expect(switches(thermostat.handle(hold, now: at(2))) == [true])
        #expect(thermostat.status.hold?.until == at(602))
        #expect(thermostat.status.reason.description == "19.0 is below 20.0 (comfort set by Home Assistant for 10 min)")
        #expect(thermostat.nextDeadline == at(602))
        #expect(switches(thermostat.handle(.tick, now: at(602))) == [false])
        #expect(thermostat.status.preset == .eco)
    }

    /// As a user found it: 24.5 °C, 26 was asked for, and nothing was heated, since the limits lay five degrees apart.
    @Test func whoAsksForATemperatureGetsItWhateverTheLimitsAre() {
        for (low, high) in [(20.0, 25.0), (20, 21), (10, 30)] {
            var thermostat = thermostat { ($0.onBelow, $0.offAbove, $0.overheatAbove) = (low, high, 35) }
            _ = thermostat.handle(.reading(24.5), now: at(0))
            _ = thermostat.handle(.hold(.temperature(26), for: nil, source: .page), now: at(1))
            #expect(thermostat.status.isOn == true)
            #expect(thermostat.status.limits == .init(onBelow: 25.7, offAbove: 26.3))
            #expect(thermostat.status.target == 26)
            #expect(thermostat.handle(.hold(.temperature(.nan), for: nil, source: .page), now: at(2)) == [])
            #expect(thermostat.handle(.hold(.temperature(500), for: nil, source: .page), now: at(3)) == [])
            #expect(thermostat.status.target == 26)
            #expect(switches(thermostat.handle(.reading(26.4), now: at(4))) == [false])
        }
    }

    /// Set 5, and 6.2 was shown.
    @Test func theNumberThatWasAskedForIsShownAlsoWhereFrostProtectionLiesAbove() {
        var thermostat = thermostat { $0.band = 1 }
        _ = thermostat.handle(.hold(.temperature(5), for: .untilChanged, source: .homeAssistant), now: at(0))
        #expect(thermostat.status.target == 5)
        #expect(thermostat.status.limits == .init(onBelow: 5, offAbove: 5.5))
        #expect(thermostat.status.hold?.until == nil && thermostat.status.hold?.duration == nil)
        #expect(thermostat.status.program?.text(in: .celsius) == "5.0 set by Home Assistant until it is changed")
        _ = thermostat.handle(.tick, now: at(400 * 86_400))
        #expect(thermostat.status.hold?.target == .temperature(5), "until it is changed")
    }

    @Test func aRoomWithATargetHasItsBandAroundItAndPresetsBelow() {
        var thermostat = thermostat { ($0.target, $0.presets[.eco]) = (21.5, .target(17)) }
        #expect(thermostat.status.target == 21.5)
        #expect(thermostat.status.limits == .init(onBelow: 21.2, offAbove: 21.8))
        #expect(switches(thermostat.handle(.reading(21.1), now: at(0))) == [true])
        #expect(switches(thermostat.handle(.reading(21.7), now: at(1))) == [])
        #expect(switches(thermostat.handle(.reading(21.9), now: at(2))) == [false])
        _ = thermostat.handle(.scheduled(.eco), now: at(3))
        #expect(thermostat.status.target == 17 && thermostat.status.limits == .init(onBelow: 16.7, offAbove: 17.3))
        _ = thermostat.handle(.scheduled(.comfort), now: at(4))
        #expect(thermostat.status.target == 21.5 && thermostat.status.preset == .comfort)
    }

    // MARK: - Off

    @Test func offIsWithoutAnEndAndFrostProtectionStays() {
        var thermostat = thermostat()
        _ = thermostat.handle(.reading(19), now: at(0))
        var settings = thermostat.settings
        settings.mode = .off
        #expect(switches(thermostat.handle(.settings(settings), now: at(1))) == [false])
        #expect(thermostat.status.reason.description == "the room is switched off")
        #expect(switches(thermostat.handle(.reading(18), now: at(90 * 86_400))) == [])
        #expect(switches(thermostat.handle(.reading(4.9), now: at(90 * 86_400 + 1))) == [true])
        #expect(switches(thermostat.handle(.reading(5.6), now: at(90 * 86_400 + 2))) == [false])
        settings.mode = .auto
        #expect(switches(thermostat.handle(.settings(settings), now: at(90 * 86_400 + 3))) == [true])
    }

    @Test func whatIsAskedForUnderOffIsKeptAndStartsNoPump() {
        var thermostat = thermostat { $0.mode = .off }
        _ = thermostat.handle(.reading(19), now: at(0))
        #expect(
            switches(thermostat.handle(.hold(.temperature(23), for: .untilChanged, source: .cli), now: at(1))) == [])
        #expect(thermostat.status.isOn == false && thermostat.status.target == 23)
        var settings = thermostat.settings
        settings.mode = .auto
        #expect(switches(thermostat.handle(.settings(settings), now: at(2))) == [true])
        #expect(thermostat.status.target == 23)
    }

    @Test func aPumpThatIsForcedOnRunsUnderOffUntilItsEndOrTheRoomIsTooWarm() {
        var thermostat = thermostat { $0.mode = .off }
        _ = thermostat.handle(.reading(19), now: at(0))
        let forced = Thermostat.Event.override(on: true, for: .seconds(600), source: .homeAssistant)
        #expect(switches(thermostat.handle(forced, now: at(1))) == [true])
        #expect(switches(thermostat.handle(.reading(28.1), now: at(2))) == [false])
        #expect(switches(thermostat.handle(.reading(27), now: at(3))) == [true])
        #expect(switches(thermostat.handle(.tick, now: at(601))) == [false])
    }

    // MARK: - Overrides over holds

    @Test func aHoldEndsAForcedRunAndAForcedRunLeavesTheHoldForLater() {
        var thermostat = thermostat()
        _ = thermostat.handle(.reading(22), now: at(0))
        _ = thermostat.handle(.hold(.preset(.eco), for: .untilChanged, source: .cli), now: at(1))
        _ = thermostat.handle(.override(on: true, for: .seconds(60), source: .cli), now: at(2))
        #expect(thermostat.status.hold != nil && thermostat.status.override?.isOn == true)
        _ = thermostat.handle(.tick, now: at(62))
        #expect(thermostat.status.hold?.target == .preset(.eco) && thermostat.status.override == nil)
        _ = thermostat.handle(.override(on: true, for: nil, source: .cli), now: at(63))
        _ = thermostat.handle(.endOverride, now: at(64))
        #expect(thermostat.status.hold != nil && thermostat.status.override == nil)
        _ = thermostat.handle(.override(on: true, for: nil, source: .cli), now: at(65))
        _ = thermostat.handle(.hold(.preset(.eco), for: nil, source: .cli), now: at(66))
        #expect(thermostat.status.hold != nil && thermostat.status.override == nil)
        _ = thermostat.handle(.clearOverride(source: .cli), now: at(67))
        #expect(thermostat.status.hold == nil)
    }

    @Test func whatWaitsForTheCompressorIsSaid() {
        var thermostat = thermostat { ($0.minOff, $0.minOn) = (.seconds(300), .seconds(120)) }
        _ = thermostat.handle(.reading(19), now: at(60))
        #expect(thermostat.status.waitingUntil == at(300))
        #expect(
            thermostat.status.waiting?.text(left: .seconds(240)) == "starts in 4 min: the pump rests at least 5 min")
        _ = thermostat.handle(.tick, now: at(300))
        _ = thermostat.handle(.reading(26), now: at(310))
        #expect(
            thermostat.status.waiting?.text(left: .seconds(110)) == "stops in 1 min 50 s: the pump runs at least 2 min")
    }

    @Test func aPersonsHoldOutranksTheCloud() {
        var thermostat = thermostat { $0.authority = .cloud }
        _ = thermostat.handle(.reading(19), now: at(0))
        #expect(switches(thermostat.handle(.override(on: false, for: nil, source: .cloud), now: at(1))) == [false])
        #expect(switches(thermostat.handle(.hold(.preset(.comfort), for: nil, source: .cli), now: at(2))) == [true])
        #expect(switches(thermostat.handle(.clearOverride(source: .cli), now: at(3))) == [false])
    }

    @Test func noPresetHeatsLessThanFrostProtection() {
        var thermostat = thermostat { $0.frostBelow = 8 }
        _ = thermostat.handle(.hold(.temperature(2), for: nil, source: .homeAssistant), now: at(0))
        #expect(switches(thermostat.handle(.reading(7.9), now: at(1))) == [true])
        #expect(thermostat.status.limits.onBelow >= 8)
    }

    // MARK: - Doubtful readings

    @Test(arguments: [-127.0, 85.0, 130.0, -60.1])
    func impossibleReadingsAreFaults(value: Double) {
        var thermostat = thermostat { $0.maxPlausible = 80 }
        _ = thermostat.handle(.reading(22), now: at(0))
        #expect(thermostat.handle(.reading(value), now: at(1)) == [])
        #expect(thermostat.status.lastReading == 22 && thermostat.status.discarded == 1)
    }

    @Test func aJumpIsBelievedWhenItHasBeenReadThreeTimes() {
        var thermostat = thermostat { $0.maxChangePerMinute = 2 }
        _ = thermostat.handle(.reading(22), now: at(0))
        for second in Int64(1)...2 { #expect(thermostat.handle(.reading(15), now: at(second)) == []) }
        #expect(switches(thermostat.handle(.reading(15.5), now: at(3))) == [true])
        #expect(thermostat.status.discarded == 2)
    }

    @Test func wildReadingsThatDisagreeAreNeverBelieved() {
        var thermostat = thermostat { $0.maxChangePerMinute = 2 }
        _ = thermostat.handle(.reading(22), now: at(0))
        for second in Int64(1)..<50 {
            #expect(thermostat.handle(.reading(second % 2 == 0 ? 5 : 40), now: at(second)) == [])
        }
        #expect(thermostat.status.lastReading == 22)
    }

    @Test func aSingleWildReadingBetweenGoodOnesChangesNothing() {
        var thermostat = thermostat { $0.maxChangePerMinute = 2 }
        for second in Int64(0)..<100 {
            #expect(thermostat.handle(.reading(second % 2 == 0 ? 22 : 3), now: at(second)) == [])
        }
        #expect(thermostat.status.discarded == 50)
    }

    @Test func afterASilenceTheRoomMayHaveChanged() {
        var thermostat = thermostat { $0.maxChangePerMinute = 1 }
        _ = thermostat.handle(.reading(22), now: at(0))
        #expect(switches(thermostat.handle(.reading(15), now: at(600))) == [true])
    }

    /// Found by a history (seed 180361025482725): the limits of a hold that ended with it decided once more.
    @Test func aHoldThatEndsWithTheThermostatDecidesNothingMore() {
        var thermostat = thermostat { ($0.onBelow, $0.offAbove) = (20, 25) }
        _ = thermostat.handle(.scheduled(.eco), now: at(0))
        _ = thermostat.handle(.hold(.preset(.comfort), for: .seconds(3600), source: .cli), now: at(0))
        _ = thermostat.handle(.reading(19), now: at(1))
        #expect(thermostat.status.demand == true)
        var settings = thermostat.settings
        (settings.enabled, settings.onBelow, settings.offAbove) = (false, 18, 19)
        _ = thermostat.handle(.settings(settings), now: at(2))
        #expect(thermostat.status.demand == false, "19 is above eco's 16")
    }

    /// Found by a history (seed 180358439754032): a doubt from before the guard was off counted towards the next one.
    @Test func aGuardThatWasOffForAWhileHasNoDoubtsLeft() {
        var thermostat = thermostat { $0.maxChangePerMinute = 2 }
        _ = thermostat.handle(.reading(22), now: at(0))
        _ = thermostat.handle(.reading(15), now: at(1))
        var settings = thermostat.settings
        settings.maxChangePerMinute = 0
        _ = thermostat.handle(.settings(settings), now: at(2))
        _ = thermostat.handle(.reading(22), now: at(3))
        settings.maxChangePerMinute = 2
        _ = thermostat.handle(.settings(settings), now: at(4))
        for second in Int64(5)...6 { #expect(thermostat.handle(.reading(15), now: at(second)) == []) }
        #expect(switches(thermostat.handle(.reading(15), now: at(7))) == [true])
    }

    // MARK: - A pump that does not respond

    @Test func aRoomThatFallsWhileOnRaisesTheAlarmAndRecovers() {
        var thermostat = thermostat()
        for minute in Int64(0)...61 {
            _ = thermostat.handle(.reading(19 - Double(minute) / 20), now: at(minute * 60))
            if minute < 30 { #expect(thermostat.status.pumpProblem == nil) }
        }
        guard case .fallsWhileOn? = thermostat.status.pumpProblem else {
            Issue.record("\(String(describing: thermostat.status.pumpProblem))")
            return
        }
        for minute in Int64(62)...130 { _ = thermostat.handle(.reading(17), now: at(minute * 60)) }
        #expect(thermostat.status.pumpProblem == nil)
    }

    @Test func aRoomThatRisesWhileOffRaisesTheAlarmOnlyAboveItsLimit() {
        var thermostat = thermostat()
        _ = thermostat.handle(.reading(26), now: at(0))
        for minute in Int64(0)...31 { _ = thermostat.handle(.reading(26 + Double(minute) / 20), now: at(minute * 60)) }
        #expect(thermostat.status.pumpProblem?.text(in: .celsius).contains("told to stop") == true)

        var sunny = Thermostat(now: .zero)
        _ = sunny.handle(.override(on: false, for: .seconds(7200), source: .cli), now: at(0))
        for minute in Int64(0)...90 { _ = sunny.handle(.reading(20.5 + Double(minute) / 25), now: at(minute * 60)) }
        #expect(sunny.status.pumpProblem == nil)
    }

    @Test func aSilenceIsNoEvidenceAgainstThePump() {
        var thermostat = thermostat { $0.onStale = .hold }
        _ = thermostat.handle(.reading(19), now: at(0))
        _ = thermostat.handle(.reading(19), now: at(60))
        _ = thermostat.handle(.reading(10), now: at(20_000))
        _ = thermostat.handle(.reading(10), now: at(20_060))
        #expect(thermostat.status.pumpProblem == nil)
    }
}
