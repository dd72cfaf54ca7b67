import Testing

@testable import Heating

extension DeviceSearch {
    /// In what a broker has.
    init(
        _ messages: [(topic: String, payload: String)], retained: Bool = true, rules: DeviceRules = DeviceRules([]),
        pumps: [PumpRule] = []
    ) {
        var heard = HeardTopics()
        for message in messages { heard.hear(message.topic, Array(message.payload.utf8), isRetained: retained) }
        let arrival = Timestamp(nanoseconds: 1_795_953_600_000_000_000)  // 2026-11-29T12:00:00Z
        self.init(heard, rules: rules, pumps: pumps, arrival: arrival)
    }
}

@Suite("Devices: what is found at a broker")
struct DeviceSearchTests {
    func found(
        _ messages: [(topic: String, payload: String)], retained: Bool = true, rules: DeviceRules = DeviceRules([]),
        pumps: [PumpRule] = []
    ) -> [FoundDevice] {
        DeviceSearch(messages, retained: retained, rules: rules, pumps: pumps).found
    }

    /// `role kind name room|topic|value reading standing`, what matters of each.
    func summary(_ devices: [FoundDevice]) -> [String] {
        devices.map { device in
            let standing =
                switch device.standing {
                case .new: ""
                case .known: " known"
                case .unclear: " unclear"
                }
            let said = device.said.map { " \($0.valueText)\($0.unitAttribute ?? "")" } ?? ""
            switch device.table {
            case .sensor(let table):
                let value = table.value.map { "|\($0)" } ?? ""
                return "\(device.kind) \(device.room?.name ?? "-") \(device.topic)\(value)\(said)\(standing)"
            case .pump: return "\(device.kind) pump \(device.name) \(device.topic)\(standing)"
            }
        }
    }

    // The list's form: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html#zigbee2mqtt-bridge-devices
    private let zigbeeList = #"""
        [{"ieee_address":"0x00124b0024c0ffee","type":"Coordinator","friendly_name":"Coordinator","definition":null},
         {"ieee_address":"0x00158d0001dead","type":"EndDevice","friendly_name":"Büro \"Süd\"","power_source":"Battery",
          "definition":{"model":"WSDCGQ11LM","exposes":[
           {"type":"numeric","name":"battery","property":"battery","unit":"%"},
           {"type":"numeric","name":"temperature","property":"temperature","unit":"°C"},
           {"type":"numeric","name":"device_temperature","property":"device_temperature","unit":"°C"}]}},
         {"type":"EndDevice","friendly_name":"eg/bad","power_source":"Battery","definition":{"exposes":[
           {"type":"climate","features":[{"type":"numeric","property":"local_temperature","unit":"°C"}]}]}},
         {"type":"Router","friendly_name":"plug","power_source":"Mains (single phase)","definition":{"exposes":[
           {"type":"switch","features":[{"type":"binary","property":"state","value_on":"ON"}]},
           {"type":"numeric","property":"power","unit":"W"}]}},
         {"type":"Router","friendly_name":"lamp","definition":{"exposes":[
           {"type":"light","features":[{"type":"binary","property":"state"}]}]}},
         {"type":"EndDevice","friendly_name":"gone","disabled":true,"definition":{"exposes":[
           {"type":"numeric","property":"temperature"}]}},
         {"type":"EndDevice","friendly_name":"unknown","definition":null}]
        """#

    @Test("Zigbee2MQTT's list: sensors, thermostats and plugs; neither lamps nor what is switched off there")
    func zigbee() {
        let devices = found([
            ("zigbee2mqtt/bridge/devices", zigbeeList),
            ("zigbee2mqtt/Büro \"Süd\"", #"{"battery":97,"temperature":19.34}"#),
            ("zigbee2mqtt/lamp", #"{"state":"ON","brightness":254,"color_temp":25}"#),
            ("zigbee2mqtt/plug", #"{"state":"OFF","power":0}"#),
        ])
        #expect(
            summary(devices) == [
                "zigbee2mqtt Büro \"Süd\" zigbee2mqtt/Büro \"Süd\" 19.34",
                "zigbee2mqtt eg-bad zigbee2mqtt/eg/bad|local_temperature",
                "zigbee2mqtt pump plug zigbee2mqtt/plug/set",
            ])
        // It sleeps, and the broker kept its last word.
        guard case .sensor(let table)? = devices.first?.table else { return }
        #expect(table.retained == "use")
    }

    @Test("another base topic is written out")
    func otherBase() throws {
        let devices = found([("home/z2m/bridge/devices", zigbeeList)])
        #expect(summary(devices).contains("zigbee2mqtt pump plug home/z2m/plug/set"))
        let plug = try #require(devices.last)
        guard case .pump(var table) = plug.table else { return }
        table.rooms = ["office"]
        let rule = try PumpRule(kind: "zigbee2mqtt", table.over(try #require(DeviceKind.builtIn("zigbee2mqtt")).pump))
        #expect(rule.state?.topic == "home/z2m/plug" && rule.state?.read(Array(#"{"state":"ON"}"#.utf8)) == true)
        #expect(rule.available?.read(Array(#"{"state":"offline"}"#.utf8)) == false)
    }

    // Keys of tasmota/discovery: Tasmota's xdrv_12_discovery.ino.
    private let tasmotaConfig = #"""
        {"ip":"192.0.2.7","dn":"Office","fn":["Office",null],"hn":"tasmota-1A2B","mac":"AABBCC1A2B3C","md":"Sonoff TH",
         "ty":0,"if":0,"ofln":"Offline","onln":"Online","state":["OFF","ON","TOGGLE","HOLD"],"sw":"13.1.0",
         "t":"tasmota_1A2B3C","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1,0,0,0],"ver":1}
        """#

    private func tasmota(_ config: String, _ sensors: String, _ more: (topic: String, payload: String)...) -> [String] {
        summary(
            found(
                [
                    ("tasmota/discovery/AABBCC1A2B3C/config", config),
                    ("tasmota/discovery/AABBCC1A2B3C/sensors", sensors),
                ] + more))
    }

    @Test("Tasmota's discovery: the chip's topic and the relay's")
    func tasmota() {
        let sensors =
            #"{"sn":{"Time":"2026-11-29T12:00:00","AM2301":{"Temperature":20.5,"Humidity":40},"ESP32":{"Temperature":53.3},"TempUnit":"C"},"ver":1}"#
        let said = #"{"Time":"2026-11-29T12:00:00","AM2301":{"Temperature":69.1},"TempUnit":"F"}"#
        #expect(
            tasmota(tasmotaConfig, sensors, ("tele/tasmota_1A2B3C/SENSOR", said)) == [
                "tasmota Office tele/tasmota_1A2B3C/SENSOR 69.1F", "tasmota pump Office cmnd/tasmota_1A2B3C/POWER",
            ])
    }

    // https://tasmota.github.io/docs/MQTT/: %hostname% and %id% may stand in a full topic.
    @Test("Tasmota with its host name and its address in the full topic")
    func tasmotaHostName() {
        let config = tasmotaConfig.replacing("%prefix%/%topic%/", with: "home/%hostname%/%id%/%prefix%/")
        let sensors = #"{"sn":{"Time":"x","AM2301":{"Temperature":20.5},"TempUnit":"C"}}"#
        #expect(
            tasmota(config, sensors) == [
                "tasmota Office home/tasmota-1A2B/1A2B3C/tele/SENSOR",
                "tasmota pump Office home/tasmota-1A2B/1A2B3C/cmnd/POWER",
            ])
    }

    @Test("Tasmota with another full topic, several chips and several relays")
    func tasmotaUnusual() {
        let config = tasmotaConfig.replacing("%prefix%/%topic%/", with: "%topic%/%prefix%/")
            .replacing("[1,0,0,0]", with: "[1,1,0,0]")
        let sensors =
            #"{"sn":{"Time":"x","DS18B20-1":{"Temperature":20.5},"DS18B20-2":{"Temperature":null},"TempUnit":"C"}}"#
        #expect(
            tasmota(config, sensors) == [
                "tasmota Office DS18B20-1 tasmota_1A2B3C/tele/SENSOR|DS18B20-1.Temperature",
                "tasmota Office DS18B20-2 tasmota_1A2B3C/tele/SENSOR|DS18B20-2.Temperature",
                "tasmota pump Office 1 tasmota_1A2B3C/cmnd/POWER1",
                "tasmota pump Office 2 tasmota_1A2B3C/cmnd/POWER2",
            ])
    }

    @Test("Home Assistant's discovery: long and short keys, a base, an area, a device of several parts")
    func homeAssistant() {
        let devices = found([
            (
                "homeassistant/sensor/office/temperature/config",
                #"{"dev_cla":"temperature","unit_of_meas":"°C","stat_t":"office-node/sensor/temperature/state","name":"Temperature","dev":{"name":"office-node","sa":"Office"}}"#
            ),
            ("office-node/sensor/temperature/state", "20.25"),
            (
                "homeassistant/switch/heatpump/config",
                #"{"~":"office-node/switch/heatpump","cmd_t":"~/command","stat_t":"~/state","avty_t":"office-node/status","name":"Heatpump","dev":{"name":"office-node"}}"#
            ),
            (
                "homeassistant/sensor/node/hall_t/config",
                #"{"device_class":"temperature","state_topic":"omg/BTtoMQTT/A4C138","value_template":"{{ value_json.tempc | is_defined }}","device":{"name":"hall"}}"#
            ),
            ("omg/BTtoMQTT/A4C138", #"{"id":"A4:C1:38","tempc":21.5,"tempf":70.7,"hum":40}"#),
            (
                "homeassistant/device/attic/config",
                #"{"dev":{"name":"attic"},"state_topic":"attic/all","cmps":{"t":{"p":"sensor","device_class":"temperature","unit_of_measurement":"°F","value_template":"{{ value_json['t'] }}"},"h":{"p":"sensor","device_class":"humidity"}}}"#
            ),
            ("attic/all", #"{"t":50}"#),
            (
                "homeassistant/sensor/odd/config",
                #"{"device_class":"temperature","state_topic":"odd/x","value_template":"{{ value_json.t / 10 }}","device":{"name":"odd"}}"#
            ),
            (
                "homeassistant/climate/hearth_office/config",
                #"{"current_temperature_topic":"hearth/rooms/office","current_temperature_template":"{{ value_json.temperature }}"}"#
            ),
        ])
        #expect(
            summary(devices) == [
                "plain attic attic/all|t 50F", "plain hall omg/BTtoMQTT/A4C138|tempc 21.5",
                "plain odd odd/x unclear",
                "esphome Office office-node/sensor/temperature/state 20.25",
                "plain pump office-node Heatpump office-node/switch/heatpump/command",
            ])
    }

    @Test("a sensor that is told in °C and in °F is found once")
    func twins() {
        func entity(_ key: String, _ unit: String) -> (String, String) {
            (
                "homeassistant/sensor/A4C138-\(key)/config",
                #"{"dev_cla":"temperature","unit_of_meas":"\#(unit)","stat_t":"home/OMG/BTtoMQTT/A4C138","val_tpl":"{{ value_json.\#(key) | is_defined }}","device":{"name":"hall"}}"#
            )
        }
        let heard = ("home/OMG/BTtoMQTT/A4C138", #"{"tempc":21.4,"tempf":70.52}"#)
        #expect(summary(found([entity("tempf", "°F"), entity("tempc", "°C"), heard])).count == 1)
        #expect(summary(found([entity("tempf", "°F"), heard])) == ["plain hall home/OMG/BTtoMQTT/A4C138|tempf 70.52F"])
    }

    @Test("of what a heat pump tells Home Assistant only a room's temperature is offered for a room")
    func otherTemperatures() {
        func entity(_ name: String, _ key: String) -> (String, String) {
            (
                "homeassistant/sensor/ems-esp/\(key)/config",
                #"{"device_class":"temperature","name":"\#(name)","state_topic":"ems-esp/data","value_template":"{{value_json.\#(key)}}","device":{"name":"EMS-ESP"}}"#
            )
        }
        let devices = found([
            entity("Outside temperature", "outdoortemp"), entity("Current flow temperature", "curflowtemp"),
            entity("HC1 selected room temperature", "seltemp"), entity("HC1 current room temp", "currtemp"),
            entity("Tank", "tanktemp"),
            ("ems-esp/data", #"{"outdoortemp":3,"curflowtemp":41,"seltemp":21,"currtemp":19.5}"#),
        ])
        let offered = devices.filter { $0.standing == .new }
        #expect(offered.map(\.name) == ["EMS-ESP HC1 current room temp"])
        #expect(devices.count { if case .unclear = $0.standing { true } else { false } } == 4)
    }

    @Test(
        "value templates of the common forms, and no others",
        arguments: [
            ("{{ value_json.temperature }}", "temperature"), ("{{value_json.a.b}}", "a.b"),
            ("{{ value_json['a']['b'] }}", "a.b"),
            (#"{{ value_json["AM2301"].Temperature | float }}"#, "AM2301.Temperature"),
            ("{{ value_json.t | float(0) | round(1) }}", "t"), ("{{ (value_json.t | float) | round(1) }}", "t"),
            ("{{ value }}", ""), ("{{ value | round }}", ""), ("{{- value_json.list[0].t -}}", "list.0.t"),
            ("{{ value_json['a.b'] }}", "a\\.b"), ("{{ value_json.temperature|default(none) }}", "temperature"),
            // EMS-ESP, mitsubishi2MQTT: what stands for a missing number is no reading here.
            ("{{value_json.hc1.currtemp if value_json.hc1.currtemp is defined else 0}}", "hc1.currtemp"),
            (
                "{{ value_json['hc1'].t|round(1) if value_json.hc1 is defined and value_json['hc1'].t is defined else -0.5 }}",
                "hc1.t"
            ),
            (
                "{{ value_json.roomTemperature if (value_json is defined and value_json.roomTemperature|int > 0) else 26 }}",
                "roomTemperature"
            ),
            ("{{ value_json.t if value_json.t is defined }}", "t"),
            ("{{ value_json.t if value_json.t else 'None' -}}", "t"),
            ("{{ value_json.t if value_json.unit == 'C' else 0 }}", nil),
            ("{{ value_json.t if value_json.t is defined else value_json.u }}", nil),
            ("{{ value_json.t if value_json.t is defined else x }}", nil), ("{{ value_json.t if", nil),
            ("{{ value_json.get('temperature') }}", "temperature"), ("{{ value_json.a.get(\"t\", 0) | float }}", "a.t"),
            (
                "{{ value_json.t|float if value_json.t is defined else states('sensor.t') }}", "t"
            ), ("{{ value_json.t if value_json.t is defined else this.state }}", "t"),
            ("{% if value_json.t is defined %}{{ value_json.t }}{% endif %}", "t"),
            (
                "{%- if value_json.a.t is defined -%} {{ value_json.a.t | round(1) }} {%- else -%} {{ none }} {%- endif -%}",
                "a.t"
            ),
            ("{% if value_json.u > 3 %}{{ value_json.t }}{% endif %}", nil),
            ("{% if value_json.t is defined %}{{ value_json.t }}{% else %}{{ value_json.u }}{% endif %}", nil),
            ("{% if value_json.t %}{{ value_json.t }}", nil), ("{% set x = value_json.t %}{{ value_json.t }}", nil),
            ("{{ value_json.get(x) }}", nil), ("{{ value_json.t if value_json.t else states(x) }}", nil),
            ("{{ value_json.t * 10 }}", nil), ("{{ value_json.t | float / 10 }}", nil),
            ("{% if x %}{{ value }}{% endif %}", nil),
            ("{{ value_json }}", nil), ("{{ states('x') }}", nil), ("{{ value_json.t | multiply(0.1) }}", nil),
            ("value_json.t", nil),
            ("{{ value_json.t }}{{ value_json.u }}", nil), ("{{ value_json['a }}", nil), ("{{ value_json.t", nil),
            ("", nil),
            ("{{ value_json.t | float(x(1)) }}", nil), ("{{ valuejson }}", nil),
        ] as [(String, String?)])
    func templates(template: String, path: String?) {
        #expect(ValueTemplate.path(template) == path)
    }

    @Test("what the configuration has is known; what it has and does not understand is said")
    func known() throws {
        let z2m = try SensorRule(
            kind: "zigbee2mqtt", SensorTable().over(try #require(DeviceKind.builtIn("zigbee2mqtt")).sensor))
        var table = PumpTable()
        (table.rooms, table.command) = (["office"], "zigbee2mqtt/plug/set")
        let pump = try PumpRule(kind: "plain", table)
        var wrong = SensorTable(topic: "home/office/temperature", value: "t")
        wrong.room = "office"
        let rules = DeviceRules([z2m, try SensorRule(kind: "plain", wrong)])
        let devices = found(
            [
                ("zigbee2mqtt/bridge/devices", zigbeeList), ("zigbee2mqtt/Büro \"Süd\"", #"{"temperature":19.34}"#),
                (
                    "homeassistant/sensor/o/config",
                    #"{"dev_cla":"temperature","stat_t":"home/office/temperature","dev":{"name":"office"}}"#
                ), ("home/office/temperature", "21.5"),
            ], rules: rules, pumps: [pump])
        #expect(
            summary(devices) == [
                "zigbee2mqtt Büro \"Süd\" zigbee2mqtt/Büro \"Süd\" 19.34 known",
                "zigbee2mqtt eg-bad zigbee2mqtt/eg/bad|local_temperature",
                "plain office home/office/temperature 21.5 unclear", "zigbee2mqtt pump plug zigbee2mqtt/plug/set known",
            ])
    }

    @Test("names that a rule cannot hold are said, and nothing of a broker fails the search")
    func hostile() {
        let devices = found([
            ("homeassistant/sensor/o/config", #"{"dev_cla":"temperature","stat_t":"a/{b}/t","dev":{"name":"x"}}"#),
            ("homeassistant/sensor/p/config", #"{"dev_cla":"temperature","stat_t":"a/+/t","dev":{"name":"+/#"}}"#),
            ("homeassistant/sensor/q/config", "[1"), ("zigbee2mqtt/bridge/devices", "{}"),
            ("tasmota/discovery/x/config", #"{"t":3}"#),
            ("tasmota/discovery/y/config", #"{"t":"y","rl":"z","tp":[1]}"#),
            ("homeassistant/device/z/config", #"{"cmps":[1]}"#),
        ])
        #expect(summary(devices) == ["plain - a/+/t", "plain x a/{b}/t unclear"])
    }
}
