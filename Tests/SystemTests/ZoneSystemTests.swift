import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite("zones and targets: what pumps, valves and thermostats hear over a real broker")
    struct ZoneSystemTests {
        private static let zone = """
            [thermostat]
            min_on = "0s"
            min_off = "0s"
            [[sensors]]
            kind = "zigbee2mqtt"
            topic = "zigbee2mqtt/{room}"
            except = ["zigbee2mqtt/bath-valve"]
            [[pumps]]
            name = "main"
            rooms = ["bath", "hall"]
            kind = "shelly"
            starting_time = "2s"
            [rooms.bath]
            valve = { kind = "zigbee2mqtt", device = "bath-valve" }
            [rooms.hall]
            valve = { command = "hall-valve/set", on = "OPEN", off = "CLOSE" }
            """

        private static let topics = [
            "main/command/switch:0", "zigbee2mqtt/bath-valve/set", "hall-valve/set",
        ]

        private func room(_ name: String, _ value: Double, _ rig: Rig) async throws {
            try await publish(
                "{\"temperature\":\(value)}", to: "zigbee2mqtt/\(name)", port: rig.home.port)
        }

        /// What the devices of the zone heard, in order, repetitions left out.
        private func heard(_ home: Recorder) -> [String] {
            var last: [String: String] = [:]
            return home.arrivals.filter { Self.topics.contains($0.topic) }.compactMap { arrival in
                guard last.updateValue(arrival.payload, forKey: arrival.topic) != arrival.payload else {
                    return nil
                }
                let device = ["main": "pump", "zigbee2mqtt": "bath", "hall-valve": "hall"]
                let name = device[String(arrival.topic.prefix { $0 != "/" })] ?? arrival.topic
                let isOn = ["on", #"{"state": "ON"}"#, "OPEN"].contains(arrival.payload)
                return "\(name) \(isOn ? "on" : "off")"
            }
        }

        @Test(
            "the valve opens, then the pump starts; the pump stops, then the valve closes; from room to room without a stop"
        )
        func order() async throws {
            let rig = try await Rig(configuration: Self.zone)
            let home = try await Recorder(port: rig.home.port)
            try await rig.startAndSubscribe()
            try await room("hall", 26, rig)
            try await room("bath", 18, rig)
            try await eventually("the bath's valve is told") { heard(home).contains("bath on") }
            try await always(for: .seconds(1), "the pump waits for the valve") {
                !heard(home).contains("pump on")
            }
            try await publish(#"{"state":"ON"}"#, to: "zigbee2mqtt/bath-valve", port: rig.home.port)
            try await eventually("the pump starts, and the hall's valve is closed") {
                heard(home).suffix(2) == ["pump on", "hall off"]
            }
            try await publish(
                #"{"output":true,"apower":900}"#, to: "main/status/switch:0", port: rig.home.port)
            // Over to the hall, whose valve has no word of its own.
            try await room("hall", 18, rig)
            try await eventually("the hall's opens") { heard(home).last == "hall on" }
            try await room("bath", 26, rig)
            try await eventually("and only then the bath's closes") { heard(home).last == "bath off" }
            try await publish(#"{"state":"OFF"}"#, to: "zigbee2mqtt/bath-valve", port: rig.home.port)
            try await room("hall", 26, rig)
            try await eventually("the pump stops") { heard(home).last == "pump off" }
            try await always(for: .seconds(1), "it still runs on") { heard(home).last == "pump off" }
            try await publish(
                #"{"output":false,"apower":0.4}"#, to: "main/status/switch:0", port: rig.home.port)
            try await eventually("and the valve closes") { heard(home).last == "hall off" }
            #expect(
                heard(home).filter { $0.hasPrefix("pump") && $0 != "pump off" } == ["pump on"],
                "\(heard(home))")
            try await rig.stop()
        }

        @Test(
            "a valve that says closed, or is offline, keeps the pump off, and both are told within a minute"
        )
        func closed() async throws {
            let rig = try await Rig(configuration: Self.zone)
            let home = try await Recorder(port: rig.home.port)
            try await rig.startAndSubscribe()
            try await publish(#"{"state":"OFF"}"#, to: "zigbee2mqtt/bath-valve", port: rig.home.port)
            try await room("hall", 26, rig)
            try await room("bath", 18, rig)
            let status = try await rig.status(within: .seconds(60)) {
                House.finding("pump-waits-for-valve", in: $0) != nil && House.finding("pump-unconfirmed", in: $0) != nil
            }
            #expect(House.finding("pump-unconfirmed", in: status)?["subject"].string == "valve bath")
            #expect(House.finding("pump-waits-for-valve", in: status)?["severity"].string == "cold")
            #expect(!heard(home).contains("pump on"), "\(heard(home))")
            // Somebody opens it: the pump runs, and stops as soon as it is closed again.
            try await publish(#"{"state":"ON"}"#, to: "zigbee2mqtt/bath-valve", port: rig.home.port)
            try await eventually("it runs") { heard(home).contains("pump on") }
            try await rig.status { House.finding("pump-waits-for-valve", in: $0) == nil }
            try await publish(#"{"state":"OFF"}"#, to: "zigbee2mqtt/bath-valve", port: rig.home.port)
            try await eventually("it stops") { heard(home).last == "pump off" }
            try await rig.stop()
        }

        @Test(
            "a pump that says it runs and takes no power, and one that runs on, are told within a minute")
        func power() async throws {
            let rig = try await Rig(
                configuration: Self.zone.replacingOccurrences(
                    of: "valve = { kind = \"zigbee2mqtt\"", with: "valve = { command = \"b\""))
            try await rig.startAndSubscribe()
            try await room("hall", 26, rig)
            try await room("bath", 18, rig)
            try await publish(
                #"{"output":true,"apower":0.3}"#, to: "main/status/switch:0", port: rig.home.port)
            let lame = try await rig.status(within: .seconds(60)) { House.finding("pump-power", in: $0) != nil }
            #expect(House.finding("pump-power", in: lame)?["text"].string?.contains("takes 0 W") == true)
            try await publish(
                #"{"output":true,"apower":900}"#, to: "main/status/switch:0", port: rig.home.port)
            try await rig.status { House.finding("pump-power", in: $0) == nil }
            try await room("bath", 26, rig)
            try await publish(
                #"{"output":false,"apower":880}"#, to: "main/status/switch:0", port: rig.home.port)
            let runs = try await rig.status(within: .seconds(60)) { House.finding("pump-power", in: $0) != nil }
            #expect(House.finding("pump-power", in: runs)?["text"].string?.contains("880 W") == true)
            try await rig.stop()
        }

        private static let setpoints = """
            [thermostat]
            on_below = 20.0
            off_above = 22.0
            response_time = "1m"
            min_on = "0s"
            min_off = "0s"
            [[sensors]]
            kind = "zigbee2mqtt"
            topic = "zigbee2mqtt/{room}"
            except = ["zigbee2mqtt/trv"]
            [[pumps]]
            name = "trv"
            rooms = ["office"]
            target_command = "zigbee2mqtt/trv/set"
            target_payload = '{"occupied_heating_setpoint": {target}}'
            target_state = "zigbee2mqtt/trv"
            target_value = "occupied_heating_setpoint"
            [[pumps]]
            name = "split"
            rooms = ["attic"]
            command = "split/mode"
            on = "heat"
            off = "off"
            target_command = "split/target"
            target_unit = "F"
            """

        @Test(
            "a target is handed on when it changes and until it is confirmed; a turned knob is a wish; who does not obey is found"
        )
        func targets() async throws {
            let rig = try await Rig(configuration: Self.setpoints)
            let home = try await Recorder(port: rig.home.port)
            try await rig.startAndSubscribe()
            func told(_ topic: String) -> [String] {
                home.arrivals.filter { $0.topic == topic }.map(\.payload)
            }
            func setpoint(_ value: String) -> String { #"{"occupied_heating_setpoint": \#(value)}"# }
            try await room("office", 18, rig)
            try await eventually("the middle, and again until it is confirmed") {
                told("zigbee2mqtt/trv/set").count { $0 == setpoint("21.0") } >= 2
            }
            try await publish(
                #"{"occupied_heating_setpoint":21,"local_temperature":18.1}"#, to: "zigbee2mqtt/trv",
                port: rig.home.port)
            let confirmed = told("zigbee2mqtt/trv/set").count
            try await room("office", 23, rig)
            try await always(for: .seconds(4), "it is left alone") {
                told("zigbee2mqtt/trv/set").count <= confirmed + 1
            }
            // By hand, from here and at the device.
            let hold: [String: Any] = ["room": "office", "pump": "18.5", "seconds": 3600]
            _ = try Varlink.call("io.hearth.Gateway.Override", hold, socket: rig.socket)
            try await eventually("another target") {
                told("zigbee2mqtt/trv/set").last == setpoint("18.5")
            }
            try await publish(
                #"{"occupied_heating_setpoint":18.5}"#, to: "zigbee2mqtt/trv", port: rig.home.port)
            try await publish(
                #"{"occupied_heating_setpoint":23}"#, to: "zigbee2mqtt/trv", port: rig.home.port)
            try await rig.status { status in
                status["rooms"].array?.first { $0["room"].string == "office" }?["hold"]["target"].string
                    == "23.0"
            }
            // °F, and mode first.
            try await room("attic", 18, rig)
            try await eventually("the split's") {
                told("split/mode").last == "heat" && told("split/target").last == "69.8"
            }
            try await room("attic", 23, rig)
            try await eventually("and off") { told("split/mode").last == "off" }
            let attic = told("split/target").count
            // The room does not become warmer.
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(65) {
                try await room("office", 18, rig)
                try await Task.sleep(for: .seconds(5))
            }
            let status = try await rig.status { House.finding("target-not-followed", in: $0) != nil }
            #expect(House.finding("target-not-followed", in: status)?["room"].string == "office")
            #expect(told("split/target").count == attic, "no target wakes a device that shall rest")
            try await rig.stop()
        }
    }
}
