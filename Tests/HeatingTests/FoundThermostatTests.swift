import Testing

@testable import Heating

/// Devices with a thermostat of their own, as their programs announce them.
@Suite("Devices: thermostats that are found, and how they are told")
struct FoundThermostatTests {
    private func found(_ messages: [(topic: String, payload: String)]) -> [FoundDevice] { DeviceSearch(messages).found }

    private func pump(_ devices: [FoundDevice]) throws -> PumpRule {
        let found = try #require(devices.first { !$0.isSensor })
        guard case .pump(var table) = found.table else { throw DeviceTableError("", "\(devices)") }
        table.rooms = ["office"]
        return try PumpRule(kind: found.kind, table.over(try #require(DeviceKind.builtIn(found.kind)).pump))
    }

    private func told(_ rule: PumpRule, isOn: Bool) -> [String] {
        rule.commands(isOn: isOn, target: 21.5).map { "\($0.topic) \(String(decoding: $0.payload, as: UTF8.self))" }
    }

    // The keys of mitsubishi2MQTT's haConfig() (gysmo38/mitsubishi2MQTT), set to °F.
    private let miniSplit = #"""
        {"name":"Living AC","uniq_id":"ac1","modes":["heat_cool","cool","dry","heat","fan_only","off"],
         "mode_cmd_t":"mitsubishi2mqtt/ac1/mode/set","mode_stat_t":"mitsubishi2mqtt/ac1/state",
         "mode_stat_tpl":"{{ value_json.mode if (value_json is defined and value_json.mode is defined and value_json.mode|length) else 'off' }}",
         "avty_t":"mitsubishi2mqtt/ac1/availability","pl_avail":"online","pl_not_avail":"offline",
         "temp_cmd_t":"mitsubishi2mqtt/ac1/temp/set","temp_stat_t":"mitsubishi2mqtt/ac1/state",
         "temp_stat_tpl":"{% if (value_json is defined and value_json.temperature is defined) %}{% if (value_json.temperature|int >= 61 and value_json.temperature|int <= 88) %}{{ value_json.temperature }}{% endif %}{% endif %}",
         "curr_temp_t":"mitsubishi2mqtt/ac1/state",
         "curr_temp_tpl":"{{ value_json.roomTemperature if (value_json is defined and value_json.roomTemperature is defined and value_json.roomTemperature|int > 0) else '26' }}",
         "temp_step":"1","temp_unit":"F","dev":{"ids":"ac1","name":"Living AC"}}
        """#

    @Test("a mini-split in °F: its room in °F, its mode, its target in its own unit and step")
    func fahrenheit() throws {
        let devices = found([
            ("homeassistant/climate/ac1/config", miniSplit),
            (
                "mitsubishi2mqtt/ac1/state",
                #"{"roomTemperature":70.5,"temperature":72,"fan":"AUTO","vane":"AUTO","mode":"heat","action":"heating"}"#
            ),
        ])
        let sensor = try #require(devices.first)
        #expect(sensor.said?.unitAttribute == "F" && sensor.room == Room("Living AC") && sensor.standing == .new)
        let rule = try pump(devices)
        #expect(told(rule, isOn: true) == ["mitsubishi2mqtt/ac1/mode/set heat", "mitsubishi2mqtt/ac1/temp/set 71.0"])
        #expect(told(rule, isOn: false) == ["mitsubishi2mqtt/ac1/mode/set off"])
        #expect(rule.state?.read(Array(#"{"mode":"heat","roomTemperature":70}"#.utf8)) == true)
        #expect(rule.state?.read(Array(#"{"mode":"off","roomTemperature":70}"#.utf8)) == false)
        #expect(rule.available?.read(Array("offline".utf8)) == false)
        #expect(rule.target?.state == nil, "its template is not understood, so that it is told and not asked")
    }

    // https://esphome.io/components/climate/ over MQTT: topics of a climate component.
    @Test("ESPHome's climate: told until it says so")
    func espHome() throws {
        let config = #"""
            {"curr_temp_t":"livingac/climate/ac/current_temperature/state","mode_cmd_t":"livingac/climate/ac/mode/command",
             "mode_stat_t":"livingac/climate/ac/mode/state","modes":["off","heat_cool","cool","heat"],
             "temp_cmd_t":"livingac/climate/ac/target_temperature/command",
             "temp_stat_t":"livingac/climate/ac/target_temperature/state","temp_step":0.5,"temp_unit":"C","name":"AC",
             "avty_t":"livingac/status","dev":{"name":"livingac"}}
            """#
        let devices = found([
            ("homeassistant/climate/livingac/ac/config", config),
            ("livingac/climate/ac/current_temperature/state", "21.5"),
            ("livingac/climate/ac/target_temperature/state", "22.0"), ("livingac/climate/ac/mode/state", "heat"),
        ])
        #expect(devices.filter { $0.standing == .new }.map(\.isSensor) == [true, false])
        let rule = try pump(devices)
        #expect(
            told(rule, isOn: true) == [
                "livingac/climate/ac/mode/command heat", "livingac/climate/ac/target_temperature/command 21.5",
            ])
        #expect(rule.target?.celsius(Array("22.0".utf8)) == 22)
        #expect(rule.filters.contains("livingac/climate/ac/target_temperature/state"))
    }

    // emsesp/EMS-ESP#438, emsesp/EMS-ESP32#2941: a mode whose template is a program of its own, and a target that is a path.
    @Test(
        "a mode whose word is not understood is commanded all the same; a device that cannot be off is told the temperature alone"
    )
    func modes() throws {
        let config = #"""
            {"~":"ems-esp","name":"Hc1","mode_stat_t":"~/thermostat_data",
             "mode_stat_tpl":"{%if value_json.hc1.mode=='manual'%}heat{%elif value_json.hc1.mode=='off'%}off{%else%}auto{%endif%}",
             "temp_cmd_t":"~/thermostat/hc1/seltemp","temp_stat_t":"~/thermostat_data",
             "temp_stat_tpl":"{{value_json.hc1.seltemp}}","curr_temp_t":"~/thermostat_data",
             "curr_temp_tpl":"{{value_json.hc1.currtemp if value_json.hc1.currtemp is defined else 0}}",
             "mode_cmd_t":"~/thermostat/hc1/mode","modes":MODES,"temp_step":"0.5","dev":{"name":"EMS-ESP Thermostat"}}
            """#
        let topic = "homeassistant/climate/ems-esp/thermostat_hc1/config"
        let rule = try pump(found([(topic, config.replacing("MODES", with: #"["auto","heat","off"]"#))]))
        #expect(
            told(rule, isOn: true) == ["ems-esp/thermostat/hc1/mode heat", "ems-esp/thermostat/hc1/seltemp 21.5"])
        #expect(rule.state == nil)
        #expect(rule.target?.celsius(Array(#"{"hc1":{"seltemp":21}}"#.utf8)) == 21)
        let always = try pump(found([(topic, config.replacing("MODES", with: #"["auto","heat"]"#))]))
        #expect(!always.isSwitched && told(always, isOn: true) == ["ems-esp/thermostat/hc1/seltemp 21.5"])
    }

    @Test(
        "a template of a command has one expression, the value",
        arguments: [
            (nil, "21"), ("{{ value }}", "21"), (#"{"value": {{ value }}}"#, #"{"value": 21}"#),
            ("SET+SETP+{{ value|int }}", "SET+SETP+21"), (#"{ "target":  {{value | float}} }"#, #"{ "target":  21 }"#),
            ("{{ value * 10 }}", nil), ("{% if value > 5 %}{{ value }}{% endif %}", nil),
            ("{{ value }}{{ value }}", nil),
            ("heat", nil), ("{{ value_json.t }}", nil), ("{{ value", nil), ("", nil),
        ] as [(String?, String?)])
    func payloads(template: String?, payload: String?) {
        #expect(ValueTemplate.payload(template, value: "21") == payload)
    }

    private func zigbee(_ power: String) -> String {
        #"""
        [{"type":"EndDevice","friendly_name":"bad/heizung","power_source":"\#(power)","definition":{"exposes":[
          {"type":"climate","features":[
           {"type":"numeric","property":"occupied_heating_setpoint","unit":"°C","value_min":5,"value_max":30,"value_step":0.5},
           {"type":"numeric","property":"local_temperature","unit":"°C"},
           {"type":"enum","property":"system_mode","values":["off","heat","auto"]}]},
          {"type":"switch","features":[{"type":"binary","property":"child_lock"}]}]}}]
        """#
    }

    // Forms of https://www.zigbee2mqtt.io/guide/usage/exposes.html#climate.
    @Test(
        "Zigbee2MQTT's thermostats: a valve on a battery is told the temperature alone, a wall thermostat its mode, too"
    )
    func zigbee2MQTT() throws {
        let battery = found([("z2m/bridge/devices", zigbee("Battery"))])
        #expect(battery.map(\.topic) == ["z2m/bad/heizung", "z2m/bad/heizung/set"])
        let valve = try pump(battery)
        #expect(!valve.isSwitched)
        #expect(told(valve, isOn: true) == [#"z2m/bad/heizung/set {"occupied_heating_setpoint": 21.5}"#])
        #expect(valve.target?.celsius(Array(#"{"occupied_heating_setpoint":21.5}"#.utf8)) == 21.5)
        #expect(valve.bridge?.topic == "z2m/bridge/state")
        // What Home Assistant is told of the same device is the same device.
        let config = #"""
            {"temperature_command_topic":"z2m/bad/heizung/set/occupied_heating_setpoint","modes":["off","heat"],
             "mode_command_topic":"z2m/bad/heizung/set/system_mode","device":{"name":"bad/heizung"},
             "current_temperature_topic":"z2m/bad/heizung","current_temperature_template":"{{ value_json.local_temperature }}"}
            """#
        let lock =
            #"{"command_topic":"z2m/bad/heizung/set/child_lock","entity_category":"config","device":{"name":"bad/heizung"}}"#
        let both = found([
            ("z2m/bridge/devices", zigbee("Mains (single phase)")), ("homeassistant/climate/x/climate/config", config),
            ("homeassistant/switch/x/child_lock/config", lock),
        ])
        #expect(both.map(\.topic) == ["z2m/bad/heizung", "z2m/bad/heizung/set"])
        #expect(
            told(try pump(both), isOn: true) == [
                #"z2m/bad/heizung/set {"system_mode": "heat"}"#,
                #"z2m/bad/heizung/set {"occupied_heating_setpoint": 21.5}"#,
            ])
    }
}
