import Testing

@testable import Heating

/// What people, the cloud and settings ask of a room.
extension ThermostatTests {
    // MARK: - Overrides

    @Test func anOverrideEndsByItselfAndSaysWhen() {
        var thermostat = thermostat()
        _ = thermostat.handle(.reading(26), now: at(0))
        #expect(words(thermostat.handle(.override(on: true, for: .seconds(600), source: .page), now: at(10))) == "on")
        #expect(thermostat.status.override?.until == at(610))
        #expect(thermostat.status.override?.source == .page)
        for second in Int64(60)..<610 { _ = thermostat.handle(.reading(24), now: at(second)) }
        #expect(thermostat.status.isOn == true)
        #expect(words(thermostat.handle(.tick, now: at(610))) == "off")
        #expect(thermostat.status.override == nil)
    }

    @Test func anOverrideWithoutAnEndGetsTheConfiguredOne() {
        var thermostat = thermostat { $0.overrideTTL = .seconds(100) }
        _ = thermostat.handle(.override(on: true, for: nil, source: .homeAssistant), now: at(5))
        #expect(thermostat.nextDeadline == at(65))
        #expect(thermostat.status.override?.until == at(105))
    }

    @Test func anOverrideEndsAlsoWhereNothingElseEverDecided() {
        var thermostat = thermostat { $0.onStale = .hold }
        #expect(words(thermostat.handle(.override(on: true, for: .seconds(600), source: .cli), now: at(0))) == "on")
        #expect(words(thermostat.handle(.tick, now: at(600))) == "off")
    }

    @Test func theNewestOverrideCountsAndCanBeTakenBack() {
        var thermostat = thermostat()
        _ = thermostat.handle(.reading(26), now: at(0))
        _ = thermostat.handle(.override(on: true, for: nil, source: .cli), now: at(1))
        #expect(words(thermostat.handle(.override(on: false, for: nil, source: .cloud), now: at(2))) == "off")
        #expect(words(thermostat.handle(.override(on: true, for: nil, source: .page), now: at(3))) == "on")
        #expect(words(thermostat.handle(.clearOverride(source: .cli), now: at(4))) == "off")
        #expect(thermostat.handle(.override(on: true, for: .zero, source: .cli), now: at(5)) == [])
        #expect(thermostat.handle(.override(on: true, for: .seconds(-5), source: .cli), now: at(6)) == [])
    }

    // MARK: - The cloud's authority

    @Test func theCloudDecidesWhileItIsConnectedAndFresh() {
        var thermostat = thermostat { $0.authority = .cloud }
        #expect(words(thermostat.handle(.reading(26), now: at(0))) == "off")
        let command = Thermostat.Event.override(on: true, for: .seconds(300), source: .cloud)
        #expect(words(thermostat.handle(command, now: at(1))) == "on")
        #expect(thermostat.status.reason == .cloud(isOn: true))
        _ = thermostat.handle(.cloudLink(isUp: false), now: at(10))
        #expect(words(thermostat.handle(.cloudLink(isUp: true), now: at(20))) == "", "a short break changes nothing")
        #expect(words(thermostat.handle(.reading(26), now: at(69))) == "on again")
        #expect(words(thermostat.handle(.tick, now: at(70))) == "off", "the grace has passed")
        _ = thermostat.handle(command, now: at(71))
        #expect(words(thermostat.handle(.reading(26), now: at(371))) == "off", "no longer fresh")
    }

    @Test func aPersonAtHomeOutranksTheCloud() {
        var thermostat = thermostat { $0.authority = .cloud }
        _ = thermostat.handle(.reading(26), now: at(0))
        #expect(words(thermostat.handle(.override(on: true, for: nil, source: .cli), now: at(1))) == "on")
        #expect(words(thermostat.handle(.override(on: false, for: nil, source: .cloud), now: at(2))) == "")
        #expect(words(thermostat.handle(.clearOverride(source: .page), now: at(3))) == "off")
        #expect(thermostat.status.reason == .cloud(isOn: false))
    }

    // MARK: - Settings

    @Test func newLimitsCountAtOnce() {
        var thermostat = thermostat()
        _ = thermostat.handle(.reading(21), now: at(0))
        var settings = thermostat.settings
        settings.onBelow = 22
        #expect(words(thermostat.handle(.settings(settings), now: at(1))) == "on")
    }

    @Test func aDisabledRoomIsLeftAlone() {
        var thermostat = thermostat { $0.enabled = false }
        #expect(thermostat.handle(.reading(3), now: at(0)) == [])
        #expect(thermostat.handle(.override(on: true, for: nil, source: .cli), now: at(1)) == [])
        #expect(thermostat.handle(.tick, now: minutes(60)) == [])
        #expect(thermostat.nextDeadline == nil)
        #expect(thermostat.status.lastReading == 3)
        #expect(thermostat.status.reason == .disabled)
        var settings = thermostat.settings
        settings.enabled = true
        #expect(words(thermostat.handle(.settings(settings), now: minutes(61))) == "off", "blind by now")
    }

    @Test func defaultsAreTheContractsAndConsistent() {
        let settings = Thermostat.Settings()
        #expect(settings.problems == [])
        #expect(settings.onBelow == 20 && settings.offAbove == 25 && settings.frostBelow == 5)
        #expect(
            settings.discard == [100, 85, -127] && settings.refresh == .seconds(60)
                && settings.staleAfter == .seconds(900))
        #expect(settings.minOn == .zero && settings.minOff == .zero && settings.overrideTTL == .seconds(3600))
        #expect(settings.enabled && settings.authority == .local && settings.onStale == .off)
    }

    @Test func problemsNameTheKey() {
        let cases: [(String, (inout Thermostat.Settings) -> Void)] = [
            ("on_below", { $0.onBelow = 26 }), ("on_below", { $0.onBelow = .nan }),
            ("off_above", { $0.offAbove = .infinity }),
            ("frost_below", { $0.frostBelow = 21 }), ("discard", { $0.discard = [.nan] }),
            ("min_on", { $0.minOn = .seconds(-1) }), ("min_off", { $0.minOff = .seconds(400 * 86_400) }),
            ("refresh", { $0.refresh = .seconds(-1) }), ("stale_after", { $0.staleAfter = .zero }),
            ("override_ttl", { $0.overrideTTL = .zero }),
        ]
        for (key, change) in cases {
            var settings = Thermostat.Settings()
            change(&settings)
            #expect(settings.problems.contains { $0.hasPrefix(key) }, "\(key): \(settings.problems)")
        }
    }
}
