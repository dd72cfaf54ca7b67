import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite("devices: sensors and pumps that are not the black box, beside one that is")
    struct DeviceSystemTests {
        /// Nobody waits for a compressor here.
        private static let house = """
            [thermostat]
            min_on = "0s"
            min_off = "0s"
            [[sensors]]
            kind = "zigbee2mqtt"
            [[sensors]]
            topic = "cellar/probe"
            value = "temp"
            room = "cellar"
            [[sensors]]
            topic = "attic/fahrenheit"
            unit = "F"
            room = "attic"
            [[pumps]]
            name = "heatpump"
            rooms = ["office"]
            kind = "tasmota"
            [[pumps]]
            name = "main"
            rooms = ["bath", "hall"]
            kind = "shelly"
            """

        private func stamp(_ second: Int) -> String { "2026-11-29T10:00:0\(second)Z" }

        @Test("the pump hears its own words, the cloud the contract's, once; the black box's room is as ever")
        func house() async throws {
            let rig = try await Rig(configuration: Self.house)
            let home = try await Recorder(port: rig.home.port)
            let cloud = try await Recorder(port: rig.cloud.port)
            try await rig.startAndSubscribe()
            func count(_ topic: String, _ payload: String) -> Int {
                home.arrivals.count { $0.topic == topic && $0.payload == payload }
            }
            // A killed uplink may say again what was not confirmed; the number tells that from a second reading.
            func atCloud(_ topic: String) -> [Recorder.Arrival] {
                var seen: Set<String> = []
                return cloud.arrivals.filter { $0.topic == topic && seen.insert($0.properties).inserted }
            }

            try await publish(
                #"{"battery":97,"temperature":18.50,"humidity":48.1}"#, to: "zigbee2mqtt/office", port: rig.home.port)
            try await eventually("the pump hears ON, and again until it confirms") {
                count("cmnd/heatpump/POWER", "ON") >= 2
            }
            #expect(
                count("office/heatpump", #"{"status": "1"}"#) >= 1, "the contract's form beside it: \(home.arrivals)")
            try await publish("ON", to: "stat/heatpump/POWER", port: rig.home.port)
            try await eventually("the reading is at the cloud") { !atCloud("home1/office/temperature").isEmpty }
            let reading = atCloud("home1/office/temperature")
            #expect(reading.first?.payload.hasSuffix(#""value":18.50}"#) == true, "\(reading)")
            #expect(reading.first?.properties.contains("source:zigbee2mqtt/office") == true, "\(reading)")
            try await publish(#"{"temperature":26.0}"#, to: "zigbee2mqtt/office", port: rig.home.port)
            try await eventually("and OFF") { count("cmnd/heatpump/POWER", "OFF") >= 1 }
            try await publish("OFF", to: "stat/heatpump/POWER", port: rig.home.port)

            // The black box's room.
            let payload = #"{"timestamp": "2026-11-29T10:00:00Z",  "value": 18}"#
            try await publish(payload, to: "kitchen/temperature", port: rig.home.port)
            try await eventually("its bytes") { atCloud("home1/kitchen/temperature").map(\.payload) == [payload] }
            #expect(atCloud("home1/kitchen/temperature").first?.properties.contains("source") == false)
            try await eventually("its pump") { count("kitchen/heatpump", #"{"status": "1"}"#) >= 1 }

            // A device's clock that was never set is counted, and its reading counts.
            try await publish(
                #"{"temperature":26.0,"last_seen":"1970-01-01T00:00:12Z"}"#, to: "zigbee2mqtt/store",
                port: rig.home.port)
            try await rig.status { $0["counters"]["replacedTimes"]["absurd"].int == 1 }

            // Fahrenheit is obeyed and recorded as °C.
            try await publish("50", to: "attic/fahrenheit", port: rig.home.port)
            try await eventually("10 °C") {
                atCloud("home1/attic/temperature").first?.payload.hasSuffix(#""value":10.0}"#) == true
            }
            #expect(atCloud("home1/attic/temperature").first?.properties.contains("read:50 F") == true)

            // Again from the journal and the kept session: nothing comes twice.
            rig.kill()
            try await publish(#"{"temperature":26.5}"#, to: "zigbee2mqtt/office", port: rig.home.port)
            try await rig.startAndSubscribe()
            try await eventually("what came meanwhile") { atCloud("home1/office/temperature").count >= 3 }
            #expect(atCloud("home1/office/temperature").count == 3, "\(atCloud("home1/office/temperature"))")
            #expect(atCloud("home1/kitchen/temperature").count == 1)
            try await rig.stop()
        }

        @Test("one pump of two rooms runs while one of them calls")
        func shared() async throws {
            let rig = try await Rig(configuration: Self.house)
            let home = try await Recorder(port: rig.home.port)
            try await rig.startAndSubscribe()
            func said() -> [String] {
                home.arrivals.filter { $0.topic == "main/command/switch:0" }.map(\.payload)
                    .reduce(into: []) { if $0.last != $1 { $0.append($1) } }
            }
            func room(_ name: String, _ value: Double) async throws {
                try await publish("{\"temperature\":\(value)}", to: "zigbee2mqtt/\(name)", port: rig.home.port)
            }
            try await room("bath", 18)
            try await eventually("the bath calls") { said() == ["on"] }
            try await room("hall", 26)
            try await publish(#"{"output":true,"apower":900}"#, to: "main/status/switch:0", port: rig.home.port)
            try await eventually("the hall does not") {
                home.arrivals.contains { $0.topic == "hall/heatpump" && $0.payload == #"{"status": "0"}"# }
            }
            #expect(said() == ["on"], "the bath still calls")
            try await room("bath", 26)
            try await eventually("nobody calls") { said() == ["on", "off"] }
            try await rig.stop()
        }

        @Test("sensors that name themselves on one topic decide over their own rooms alone")
        func sharedTopic() async throws {
            let rig = try await Rig(
                configuration: """
                    [[sensors]]
                    topic = "rtl_433/+/events"
                    value = "temperature_C"
                    time = "time"
                    room_at = "id"
                    rooms = { "37" = "garage", "173" = "office" }
                    """)
            let home = try await Recorder(port: rig.home.port)
            try await rig.startAndSubscribe()
            func said(_ room: String) -> [String] {
                home.arrivals.filter { $0.topic == "\(room)/heatpump" }.map(\.payload)
            }
            func hear(_ id: Int, _ value: Double, _ time: String) async throws {
                try await publish(
                    "{\"time\":\"2026-11-29 \(time)\",\"id\":\(id),\"temperature_C\":\(value)}",
                    to: "rtl_433/pi/events",
                    port: rig.home.port)
            }
            try await hear(37, 10.1, "10:00:00")
            try await eventually("the garage is cold") { said("garage") == [#"{"status": "1"}"#] }
            // Long after the other one: of one sensor it would be the start of a backlog.
            try await hear(173, 26, "10:20:00")
            try await eventually("the office is warm") { said("office").last == #"{"status": "0"}"# }
            #expect(!said("garage").contains(#"{"status": "0"}"#), "the garage is still cold: \(said("garage"))")
            try await rig.stop()
        }

        @Test("a radiator valve that somebody gave a room, and whose rule reads only others, is a finding")
        func listedDevice() async throws {
            let rig = try await Rig(
                configuration: """
                    [[sensors]]
                    kind = "zigbee2mqtt"
                    rooms = { "trv" = "bath", "th" = "office" }
                    """)
            try await rig.startAndSubscribe()
            let settings = (1...20).map { "\"setting_\($0)\":\"some value\"" }.joined(separator: ",")
            func speak() async throws {
                try await publish("{\"temperature\":20.5}", to: "zigbee2mqtt/th", port: rig.home.port)
                try await publish(
                    "{\(settings),\"local_temperature\":19.4}", to: "zigbee2mqtt/trv", port: rig.home.port)
            }
            for _ in 0..<3 { try await speak() }
            let status = try await rig.status(within: .seconds(60)) {
                $0["alarms"].array?.contains { $0["name"].string == "device-rule-silent" } == true
            }
            let alarm = status["alarms"].array?.first { $0["name"].string == "device-rule-silent" }
            #expect(alarm?["room"].string == "bath" && alarm?["severity"].string == "cold", "\(status["alarms"])")
            #expect(alarm?["advice"].string?.contains(#"value = "local_temperature""#) == true, "\(status["alarms"])")
            try await publish("{\"temperature\":19.4}", to: "zigbee2mqtt/trv", port: rig.home.port)
            try await rig.status { ($0["alarms"].array ?? []).allSatisfy { $0["name"].string != "device-rule-silent" } }
            try await rig.stop()
        }

        @Test("a rule that finds nothing and a pump that is not there are findings")
        func findings() async throws {
            let rig = try await Rig(configuration: Self.house)
            try await publish(
                "Offline", to: "tele/heatpump/LWT", port: rig.home.port, options: ["-r"])
            try await rig.startAndSubscribe()
            let status = try await rig.status { House.finding("pump-offline", in: $0) != nil }
            #expect(House.finding("pump-offline", in: status)?["severity"].string == "cold")
            try await publish(#"{"t":21.5}"#, to: "cellar/probe", port: rig.home.port)
            let silent = try await rig.status(within: .seconds(60)) {
                House.finding("device-rule-silent", in: $0) != nil
            }
            let text = House.finding("device-rule-silent", in: silent)
            #expect(text?["text"].string?.contains(#"{"t":21.5}"#) == true, "one sample: \(text as Any)")
            #expect(text?["advice"].string?.contains(#"value = "t""#) == true, "the line to write: \(text as Any)")
            // What cannot be understood is neither obeyed nor lost.
            try await publish("Online", to: "tele/heatpump/LWT", port: rig.home.port, options: ["-r"])
            try await rig.status { House.finding("pump-offline", in: $0) == nil }
            // Nobody confirms.
            try await publish(#"{"temperature":18}"#, to: "zigbee2mqtt/office", port: rig.home.port)
            let unconfirmed = try await rig.status(within: .seconds(60)) {
                House.finding("pump-unconfirmed", in: $0) != nil
            }
            #expect(House.finding("pump-unconfirmed", in: unconfirmed)?["severity"].string == "cold")
            try await rig.stop()
        }
    }
}
