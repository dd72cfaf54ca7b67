import Testing

@testable import Heating

extension DeviceTally {
    /// Counts what the rules make of a message.
    fileprivate mutating func hear(_ topic: String, _ payload: String, by rules: DeviceRules, _ second: Int64) {
        let (bytes, arrival) = (Array(payload.utf8), Timestamp(nanoseconds: 1_795_953_600_000_000_000))
        for outcome in rules.read(topic: topic, payload: bytes, isRetained: false, arrival: arrival) {
            count(outcome, payload: bytes, now: Instant(nanoseconds: second * 1_000_000_000))
        }
    }
}

/// The built-in kinds, and what a person is told about a table or a message.
extension DeviceRuleTests {
    @Test("every built-in kind is right in itself and names its documentation")
    func kinds() throws {
        let names = DeviceKind.builtIn.map(\.name)
        #expect(
            names == [
                "hearth", "zigbee2mqtt", "tasmota", "shelly", "shelly1", "esphome", "homie", "rtl_433", "heishamon",
                "ems-esp", "plain",
            ])
        for kind in DeviceKind.builtIn {
            #expect(!kind.documentation.isEmpty)
            for measure in ["temperature"] + kind.sensor.measures.keys.sorted() {
                var table = SensorTable()
                table.measure = measure
                if kind.name == "plain" { table.topic = "{room}/t" }
                if ["heishamon", "ems-esp"].contains(kind.name) { table.room = "living" }
                _ = try SensorRule(kind: kind.name, table.over(kind.sensor))
            }
            guard kind.pump.on != nil else { continue }
            var pump = PumpTable()
            pump.rooms = ["office"]
            if kind.name == "plain" { pump.command = "a/b" }
            _ = try PumpRule(kind: kind.name, pump.over(kind.pump))
        }
        #expect(SensorRule.blackBox != nil)
    }

    @Test("a wrong table says every key and what to write")
    func wrongTable() {
        var table = SensorTable()
        (table.unit, table.measure, table.retained, table.rooms) = ("R", "Feuchte", "keep", [("a", "x/y")])
        do {
            _ = try SensorRule(kind: "plain", table)
            Issue.record("taken")
        } catch {
            #expect(error.errors.map(\.key) == ["topic", "rooms", "unit", "measure", "retained"])
            #expect(error.errors.allSatisfy { !$0.message.isEmpty })
        }
    }

    @Test("advice names the line to write")
    func advice() throws {
        let rules = DeviceRules([try rule("plain") { $0.topic = "{room}/t" }])
        let payload = Array(#"{"hum":40,"AM2301":{"Temperature":20.5}}"#.utf8)
        guard
            case .rejected(let rejection)? = rules.read(
                topic: "a/t", payload: payload, isRetained: false, arrival: arrival
            ).first
        else {
            Issue.record("taken")
            return
        }
        #expect(rules.advice(for: rejection, payload: payload).text.contains(#"write value = "AM2301.Temperature""#))
    }

    @Test(
        "the path that is named first is the room's temperature, not a time, a serial number, a wish, or °F beside °C",
        arguments: [
            // Shelly BLU H&T through a gateway, Gen2 RPC notification.
            (
                #"{"params":{"ts":1796025600.1,"temperature:0":{"id":0,"tC":21.5,"tF":70.7}}}"#,
                "params.temperature:0.tC"
            ),
            // EMS-ESP, OpenMQTTGateway, Zigbee2MQTT's Tuya valves, ESP Easy's controller, Homematic's CCU-Jack.
            (#"{"seltemp":20,"currtemp":19.4}"#, "currtemp"), (#"{"tempf":70.7,"tempc":21.5}"#, "tempc"),
            (#"{"comfort_temperature":21,"eco_temperature":17,"local_temperature":19.4}"#, "local_temperature"),
            (#"{"id":17,"TaskName":"bath","Temperature":21.5}"#, "Temperature"),
            (#"{"ts":1796025600123,"v":21.5,"s":0}"#, "v"),
            (#"{"temperature_F":50.2,"temperature_C":10.1,"id":1234}"#, "temperature_C"),
            // Zigbee2MQTT: Sonoff TRVZB, Tuya TS0601, Moes BHT-002 (Koenkk/zigbee2mqtt#20481, Koenkk/zigbee2mqtt#3821).
            (
                #"{"external_temperature_input":20.9,"frost_protection_temperature":7,"local_temperature":21.2}"#,
                "local_temperature"
            ),
            (#"{"auto_temperature":20,"local_temperature":23.1,"max_temperature":30}"#, "local_temperature"),
            (#"{"deadzone_temperature":1,"local_temperature":20.5}"#, "local_temperature"),
            // Shelly BLU TRV and Wall Display, Shelly TRV (Gen1).
            (#"{"id":200,"target_C":21.0,"current_C":19.6,"pos":35,"rssi":-71}"#, "current_C"),
            (#"{"id":0,"target_C":23.0,"current_C":21.3,"output":true}"#, "current_C"),
            (
                #"{"thermostats":[{"pos":0.0,"target_t":{"value":21.0},"tmp":{"value":19.6}}]}"#,
                "thermostats.0.tmp.value"
            ),
            // gysmo38/mitsubishi2MQTT#79, ESPAltherma (names with points), zwave-js-ui in °F, SwitchBot.
            (#"{"temperature":26,"roomTemperature":26.5}"#, "roomTemperature"),
            (
                #"{"Outdoor air temp.(R1T)":4.5,"DHW tank temp. (R5T)":47.1,"Indoor ambient temp. (R1T)":20.9}"#,
                #"Indoor ambient temp\. (R1T)"#
            ),
            (#"{"time":1616676412332,"value":70.3}"#, "value"), (#"{"nodeId":12,"unit":"°F","value":70.3}"#, "value"),
            (#"{"humidity":40,"temperature":{"f":70.3,"c":21.3}}"#, "temperature.c"),
        ])
    func likelyNumber(payload: String, path: String) {
        #expect(JSONPath.numbers(in: Array(payload.utf8)).first == path)
    }

    @Test(
        "the unit that a document says goes into the line to write",
        arguments: [
            (#"{"temp_f":58.2}"#, "F"), (#"{"time":1616676412332,"unit":"°F","value":70.3}"#, "@unit"),
            (#"{"AM2301":{"Temperature":58.2},"TempUnit":"F","PressureUnit":"hPa"}"#, "@TempUnit"),
            (#"{"a":{"units":"C","temp":20},"b":{"temp":58,"units":"F"}}"#, nil), (#"{"temp":20.5,"unit":"C"}"#, nil),
            (#"{"b":{"temp":58,"units":"F"},"a":{"units":"C","x":20}}"#, "@b.units"), (#"{"temp":20.5}"#, nil),
        ] as [(String, String?)])
    func likelyUnit(payload: String, unit: String?) throws {
        let bytes = Array(payload.utf8)
        let path = try #require(JSONPath.numbers(in: bytes).first)
        #expect(JSONPath.unit(of: path, in: bytes) == unit)
        let outcome = DeviceRules([]).read(
            topic: "office/temperature", payload: bytes, isRetained: false, arrival: arrival)
        guard case .rejected(let rejection)? = outcome.first else { throw DeviceTableError("", "taken") }
        let advice = DeviceRules([]).advice(for: rejection, payload: bytes).text
        #expect(advice.contains("unit = ") == (unit != nil), "\(advice)")
    }

    @Test("what only begins as a number is none, however long its beginning")
    func longText() {
        let digits = String(repeating: "1", count: 64)
        #expect(
            JSONPath.numbers(in: Array("\(digits)x".utf8)).isEmpty
                && JSONPath.numbers(in: Array("21.5 Cx".utf8)).isEmpty)
        #expect(JSONPath.numbers(in: Array("21.5 C".utf8)) == [""])
    }

    @Test("a number alone on the black box's topic is told how to be read")
    func adviceBlackBox() {
        for (payload, value) in [
            ("21.5", "\"\""), (#"{"temp": 21.5}"#, "\"temp\""),
            (#"{"timestamp": 1796025600, "value": 21.5}"#, "\"value\""),
            (#"{"timestamp": "2026-11-23T10:00:00", "value": "21,5"}"#, "\"value\""),
        ] {
            let outcome = DeviceRules([]).read(
                topic: "office/temperature", payload: Array(payload.utf8), isRetained: false, arrival: arrival)
            guard case .rejected(let rejection)? = outcome.first else {
                Issue.record("taken: \(payload)")
                continue
            }
            let advice = DeviceRules([]).advice(for: rejection, payload: Array(payload.utf8)).text
            #expect(advice.contains(#"topic = "office/temperature", value = \#(value), room = "office""#))
        }
    }

    @Test("a rule that never finds anything is told within a minute, one among lamps is not")
    func tally() throws {
        let rules = DeviceRules([try rule("zigbee2mqtt")])
        func hear(_ tally: inout DeviceTally, _ payload: String, _ second: Int64) {
            tally.hear("zigbee2mqtt/x", payload, by: rules, second)
        }
        var lamps = DeviceTally(rules.sensors)
        hear(&lamps, #"{"state":"ON"}"#, 0)
        #expect(lamps.troubled(now: Instant(nanoseconds: 30_000_000_000)).isEmpty)
        #expect(lamps.troubled(now: Instant(nanoseconds: 59_000_000_000)).map(\.rule) == [0])
        hear(&lamps, #"{"temperature":20}"#, 60)
        hear(&lamps, #"{"state":"ON"}"#, 61)
        #expect(lamps.troubled(now: Instant(nanoseconds: 600_000_000_000)).isEmpty)
        for second in Int64(62)...64 { hear(&lamps, #"{"temperature":null}"#, second) }
        let told = lamps.troubled(now: Instant(nanoseconds: 65_000_000_000))
        #expect(told.map(\.entry.last?.reason) == [.nullValue] && told[0].entry.sample == #"{"temperature":null}"#)
    }

    // Koenkk/zigbee2mqtt#28446, KartoffelToby/better_thermostat#1699: a valve among the sensors of a rule that is about all.
    @Test("a device that nobody listed and that tells a temperature elsewhere is told of, a lamp and a plug are not")
    func unlistedDevice() throws {
        let rules = DeviceRules([try rule("zigbee2mqtt")])
        var tally = DeviceTally(rules.sensors)
        func hear(_ name: String, _ payload: String, _ second: Int64) {
            tally.hear("zigbee2mqtt/\(name)", payload, by: rules, second)
        }
        for second in stride(from: Int64(0), through: 60, by: 20) {
            hear("th", #"{"temperature":20.5}"#, second)
            hear(
                "Heizung Büro",
                #"{"away_preset_temperature":"5.0","device_temperature":24,"local_temperature":21.5,"occupied_heating_setpoint":5}"#,
                second)
            hear("lamp", #"{"state":"ON","color_temp":300}"#, second)
            hear("plug", #"{"state":"ON","power":12,"device_temperature":31}"#, second)
        }
        let now = Instant(nanoseconds: 61_000_000_000)
        let told = tally.troubledDevices(now: now)
        #expect(told.map(\.device.name.text) == ["Heizung Büro"])
        let one = try #require(told.first)
        #expect(!tally.isListed(one.device))
        let advice = rules.adviceForUnlisted(try #require(one.entry.last), payload: one.entry.payload).text
        #expect(
            advice.contains(
                #"kind = "zigbee2mqtt", topic = "zigbee2mqtt/Heizung Büro", value = "local_temperature", room = "Heizung Büro""#
            ))
        #expect(advice.contains(#"rooms = { "Heizung Büro" = "" }"#))
    }

    @Test(
        "of a listed device that is never understood it is told although its rule reads others, with the line to write")
    func listedDevice() throws {
        let rules = DeviceRules([
            try rule("zigbee2mqtt") { $0.rooms = [("trv", "bath"), ("th", "office"), ("lamp", "")] }
        ])
        var tally = DeviceTally(rules.sensors)
        // A radiator valve of which the temperature comes late in a long message.
        let settings = (1...20).map { #""setting_\#($0)":"some value""# }.joined(separator: ",")
        func hear(_ name: String, _ payload: String, _ second: Int64) {
            tally.hear("zigbee2mqtt/\(name)", payload, by: rules, second)
        }
        for second in stride(from: Int64(0), through: 60, by: 20) {
            hear("th", #"{"temperature":20.5}"#, second)
            hear("trv", "{\(settings),\"local_temperature\":19.4}", second)
            hear("lamp", #"{"state":"ON"}"#, second)
            hear("nobody's", #"{"state":"ON"}"#, second)
        }
        let now = Instant(nanoseconds: 61_000_000_000)
        #expect(tally.troubled(now: now).isEmpty, "the rule itself is right")
        let told = tally.troubledDevices(now: now)
        #expect(told.map(\.device.name.text) == ["trv"])
        let last = try #require(told.first?.entry.last)
        #expect(last.room == Room("bath"))
        let advice = rules.advice(for: last, payload: told[0].entry.payload).text
        #expect(advice.contains(#"value = "local_temperature""#))
        hear("trv", #"{"temperature":19.4}"#, 62)
        #expect(tally.troubledDevices(now: now).isEmpty)
    }
}
