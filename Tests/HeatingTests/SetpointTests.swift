import Testing

@testable import Heating

@Suite("Devices with a thermostat of their own: targets")
struct SetpointTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
    private let office = Room("office")!

    private func rule(_ change: (inout PumpTable) -> Void) throws -> PumpRule {
        var table = PumpTable()
        (table.rooms, table.name) = (["office"], "dev")
        change(&table)
        return try PumpRule(kind: "plain", table.over(try #require(DeviceKind.builtIn("plain")).pump))
    }

    private func said(_ rule: PumpRule, _ isOn: Bool, _ target: Double?) -> [String] {
        rule.commands(isOn: isOn, target: target).map {
            "\($0.topic) \(String(decoding: $0.payload, as: UTF8.self))"
        }
    }

    /// Zigbee2MQTT, Bosch BTH-RA: https://www.zigbee2mqtt.io/devices/BTH-RA.html, "Climate".
    @Test("a radiator valve of Zigbee2MQTT")
    func radiatorValve() throws {
        let trv = try rule {
            $0.targetCommand = "zigbee2mqtt/{device}/set"
            $0.targetPayload = #"{"occupied_heating_setpoint": {target}}"#
            $0.targetState = "zigbee2mqtt/{device}"
            $0.targetValue = "occupied_heating_setpoint"
        }
        for isOn in [true, false] {
            #expect(
                said(trv, isOn, 21.54) == [#"zigbee2mqtt/dev/set {"occupied_heating_setpoint": 21.5}"#])
        }
        #expect(said(trv, true, nil).isEmpty, "no device is told a temperature that nobody wants")
        let target = try #require(trv.target)
        let report =
            #"{"battery":74,"local_temperature":19.31,"occupied_heating_setpoint":21.5,"pi_heating_demand":40}"#
        #expect(target.celsius(Array(report.utf8)) == 21.5 && target.isSame(21.5, 21.54))
        #expect(!target.isSame(21.5, 22))
        for other in ["{}", "", #"{"occupied_heating_setpoint":null}"#, "offline"] {
            #expect(target.celsius(Array(other.utf8)) == nil)
        }
    }

    /// Tasmota IR: https://tasmota.github.io/docs/Tasmota-IR/#sending-irhvac-commands.
    @Test("a mini-split behind Tasmota's IRHVAC, which takes whole degrees")
    func irhvac() throws {
        let split = try rule {
            $0.command = "cmnd/{device}/IRHVAC"
            $0.on =
                #"{"Vendor":"DAIKIN","Power":"On","Mode":"Heat","Celsius":"On","Temp":{target},"FanSpeed":"Auto"}"#
            $0.off = #"{"Vendor":"DAIKIN","Power":"Off"}"#
            $0.targetStep = 1
        }
        #expect(split.needsTarget && split.target == nil)
        #expect(said(split, true, 21.4).first?.contains(#""Temp":21.0,"#) == true)
        #expect(said(split, false, 21.4) == [#"cmnd/dev/IRHVAC {"Vendor":"DAIKIN","Power":"Off"}"#])
    }

    /// ESPHome: https://esphome.io/components/climate/#mqtt-options, `mode_command_topic`, `target_temperature_command_topic`.
    @Test("a climate of ESPHome in °F: mode first, then the target, and none while it is off")
    func climate() throws {
        let climate = try rule {
            $0.command = "{device}/climate/ac/mode/command"
            ($0.on, $0.off) = ("heat", "off")
            $0.targetCommand = "{device}/climate/ac/target_temperature/command"
            $0.targetUnit = "F"
            $0.targetStep = 1
            $0.targetState = "{device}/climate/ac/target_temperature/state"
        }
        #expect(
            said(climate, true, 21.5) == [
                "dev/climate/ac/mode/command heat", "dev/climate/ac/target_temperature/command 71.0",
            ])
        #expect(said(climate, false, 21.5) == ["dev/climate/ac/mode/command off"])
        let target = try #require(climate.target)
        let celsius = try #require(target.celsius(Array("71".utf8)))
        #expect(target.isSame(celsius, 21.5) && !target.isSame(celsius, 22.5))
        #expect(try #require(target.celsius(Array("21.5 °C".utf8))) == 21.5, "it says its unit")
    }

    @Test(
        "what a room wants of such a device: the middle; by hand its ends, where it is not switched")
    func wanted() throws {
        var settings = Thermostat.Settings()
        (settings.onBelow, settings.offAbove) = (20, 22)
        var thermostat = Thermostat(settings: settings, now: at(0))
        _ = thermostat.handle(.reading(21), now: at(1))
        #expect(
            thermostat.deviceTarget(isSwitched: true) == 21
                && thermostat.deviceTarget(isSwitched: false) == 21)
        _ = thermostat.handle(.hold(.temperature(18), for: nil, source: .cli), now: at(2))
        #expect(thermostat.deviceTarget(isSwitched: true) == 18)
        _ = thermostat.handle(.clearHold, now: at(3))
        _ = thermostat.handle(.override(on: false, for: nil, source: .cli), now: at(4))
        #expect(thermostat.deviceTarget(isSwitched: true) == 21)
        #expect(thermostat.deviceTarget(isSwitched: false) == settings.frostBelow)
        _ = thermostat.handle(.override(on: true, for: nil, source: .cli), now: at(5))
        #expect(thermostat.deviceTarget(isSwitched: false) == 22)
        settings.enabled = false
        #expect(Thermostat(settings: settings, now: at(0)).deviceTarget(isSwitched: true) == nil)
    }

    @Test(
        "a room that stays cold although its device was told is found within the stated time, and not before"
    )
    func follows() {
        var response = TargetResponse()
        func observe(_ value: Double, _ minute: Double, target: Double? = 21) {
            response.observe(
                value, target: target, onBelow: 20, window: .seconds(1800), now: at(minute * 60))
        }
        observe(18, 0)
        observe(18.1, 29)
        #expect(response.problem == nil)
        observe(18.2, 30)
        #expect(response.problem == .init(from: 18, to: 18.2, target: 21, within: .seconds(1800)))
        #expect(response.problem?.text(in: .celsius).contains("18.2") == true)
        observe(19, 60)
        #expect(response.problem == nil, "it follows")
        observe(19.1, 90)
        #expect(response.problem != nil)
        observe(20.5, 91)
        #expect(response.problem == nil, "it is warm")
        observe(18, 100)
        observe(18, 200)
        #expect(response.problem == nil, "of a silence nothing can be said")
        observe(18, 230)
        #expect(response.problem != nil)
        observe(18, 231, target: nil)
        #expect(response.problem == nil, "nothing was told")
    }

    @Test("a new target is to be confirmed anew, and a knob that somebody turned is told")
    func confirmation() {
        var feedback = PumpFeedback(hasState: true)
        feedback.toldAnew(now: at(0))
        #expect(feedback.heard(isOn: true, now: at(1)) == .confirmed)
        feedback.toldAnew(now: at(10))
        #expect(feedback.heard(isOn: false, now: at(11)) == nil, "the old one")
        #expect(feedback.repeats(now: at(12)) == true)
        #expect(feedback.problem(now: at(54)) == nil)
        #expect(feedback.problem(now: at(56)) != nil)
        #expect(feedback.heard(isOn: true, now: at(60)) == .confirmed)
        #expect(feedback.heard(isOn: false, now: at(70)) == .foreign(isOn: false))
    }
}
