import Testing

@testable import Heating

/// What other programs tell Home Assistant of sensors, and what of it is a room's.
extension DeviceSearchTests {
    private func entity(_ device: String, _ name: String, _ topic: String, _ more: String = "") -> (String, String) {
        (
            "homeassistant/sensor/\(device.utf8.count)/\(topic.replacing("/", with: "_"))/config",
            #"{"dev_cla":"temperature","unit_of_meas":"°C","name":"\#(name)","stat_t":"\#(topic)","dev":{"name":"\#(device)"}\#(more)}"#
        )
    }

    // yozik04/nibe-mqtt's and Bosch's names; ESPHome's entity_category.
    @Test("what says that it is about a device, in hot water or outside is no room's, in German too")
    func machines() {
        let devices = found([
            entity("Nibe F1255", "BT2 Supply temp S1", "nibe/40008"), ("nibe/40008", "31.2"),
            entity("Nibe F1255", "BT50 Room Temp S1", "nibe/40033"), ("nibe/40033", "20.4"),
            entity("Nibe F1255", "BT7 HW Top", "nibe/40013"), ("nibe/40013", "33.1"),
            entity("Wärmepumpe", "Vorlauftemperatur", "wp/v"), ("wp/v", "31.2"),
            entity("Wärmepumpe", "Außentemperatur", "wp/a"), ("wp/a", "4.2"),
            entity("node1", "Chip", "node1/sensor/x/state", #","ent_cat":"diagnostic""#),
            ("node1/sensor/x/state", "31"),
            entity("Freezer", "Temperature", "z/freezer"), ("z/freezer", "4"),
            entity("Boiler room", "Temperature", "z/boiler"), ("z/boiler", "18.5"),
        ])
        #expect(
            devices.filter { $0.standing == .new }.map { $0.room?.name } == ["Boiler room", "Nibe F1255"])
    }

    @Test("several temperatures of one device are several rooms, by their own names")
    func severalOfOne() {
        let devices = found([
            entity("node1", "Kitchen Temperature", "n/k"), ("n/k", "20.5"), entity("node1", "Bad", "n/b"),
            ("n/b", "21.5"),
            entity("node1", "Temperature 3", "n/c"), ("n/c", "22.5"), entity("node2", "Temperature", "n/d"),
            ("n/d", "19"),
        ])
        #expect(devices.map { $0.room?.name } == ["Bad", "Kitchen", "node1", "node2"])
    }

    // OpenMQTTGateway with several receivers, and Home Assistant with a prefix of its own.
    @Test("a topic that leaves its gateway's name open, and another prefix of discovery")
    func wildcards() throws {
        let config =
            #"{"stat_t":"+/+/BTtoMQTT/A4C1386A7A30","dev_cla":"temperature","unit_of_meas":"°C","name":"tempc","val_tpl":"{{ value_json.tempc | is_defined }}","dev":{"name":"TH Sensor-6A7A30"}}"#
        let devices = found([
            ("ha/sensor/A4C1386A7A30-tempc/config", config),
            ("home/OMG_ESP32/BTtoMQTT/A4C1386A7A30", #"{"id":"A4:C1:38:6A:7A:30","tempc":21.7,"hum":48.1}"#),
        ])
        #expect(summary(devices) == ["plain TH Sensor-6A7A30 +/+/BTtoMQTT/A4C1386A7A30|tempc 21.7"])
        let all = config.replacing("+/+/BTtoMQTT/A4C1386A7A30", with: "#")
        #expect(summary(found([("homeassistant/sensor/x/config", all)])) == ["plain TH Sensor-6A7A30 #|tempc unclear"])
    }

    @Test("what Home Assistant is told of a device and what its kind says is one device")
    func notTwice() {
        let config =
            #"{"name":"Bath","stat_t":"tele/tasmota_1/SENSOR","dev":{"ids":["1"]},"unit_of_meas":"°C","val_tpl":"{{value_json['DHT11'].Temperature}}","dev_cla":"temperature"}"#
        let sensor = ("tele/tasmota_1/SENSOR", #"{"DHT11":{"Temperature":20.0},"TempUnit":"C"}"#)
        #expect(
            summary(found([("homeassistant/sensor/1_DHT11/config", config), sensor]))
                == ["plain Bath tele/tasmota_1/SENSOR|DHT11.Temperature 20.0"])
        // One that is not understood does not hide what is.
        let odd = config.replacing("['DHT11'].Temperature", with: ".x / 10")
        #expect(
            summary(found([("homeassistant/sensor/1_DHT11/config", odd), sensor])).contains(
                "tasmota tasmota_1 tele/tasmota_1/SENSOR 20.0"))
    }

    @Test("of several words about a plug's being there its own counts, not its bridge's")
    func availability() throws {
        let config = #"""
            {"availability":[{"topic":"z/bridge/state","value_template":"{{ value_json.state }}"},
              {"topic":"z/heater plug/availability","value_template":"{{ value_json.state }}"}],
             "command_topic":"z/heater plug/set","state_topic":"z/heater plug","value_template":"{{ value_json.state }}",
             "device":{"name":"heater plug"}}
            """#
        let plug = try #require(found([("homeassistant/switch/x/config", config)]).first)
        guard case .pump(let table) = plug.table else { throw DeviceTableError("", "no pump") }
        #expect(table.available == "z/heater plug/availability" && table.availablePath == "state")
    }
}
