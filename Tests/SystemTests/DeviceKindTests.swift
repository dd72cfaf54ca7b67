import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    @Suite("devices: simulated ones of each kind, found, heated and recorded")
    struct DeviceKindTests {
        /// What each kind's pump hears, and how the simulation's devices are found.
        private static let pumps: [(name: String, room: String, topic: String, on: String, off: String)] = [
            ("office plug", "office", "zigbee2mqtt/office plug/set", #"{"state": "ON"}"#, #"{"state": "OFF"}"#),
            ("kitchen", "kitchen", "cmnd/tasmota_1A2B3C/POWER", "ON", "OFF"),
            ("shellyplus1pm-a8032a", "bathroom", "shellyplus1pm-a8032a/command/switch:0", "on", "off"),
            ("bedroom-node Heatpump", "bedroom", "bedroom-node/switch/heatpump/command", "ON", "OFF"),
            ("heishamon", "living-room", "panasonic_heat_pump/commands/SetHeatpump", "1", "0"),
        ]
        private static let sensorTopics = [
            "zigbee2mqtt/office sensor", "tele/tasmota_1A2B3C/SENSOR", "shellyplus1pm-a8032a/status/temperature:0",
            "bedroom-node/sensor/temperature/state", "panasonic_heat_pump/main/Room_Thermostat_Temp",
        ]
        private static let sensors = [
            "office sensor=office", "shellyplus1pm-a8032a=bathroom", "heishamon=living-room",
        ]

        private func devices(port: Int, _ more: [String] = []) throws -> ChildProcess {
            try ChildProcess(
                "hearth-sim",
                ["devices", "--port", "\(port)", "--interval", "0.5", "--speed", "60", "--lag", "0.1"] + more)
        }

        /// `hearth devices --write` beside the running hearthd, and a reload.
        private func find(_ socket: String, _ hearthd: ChildProcess?) async throws {
            var arguments = ["devices", "--write", "--yes", "--for", "4s", "--socket", socket]
            for sensor in Self.sensors { arguments += ["--room", sensor] }
            for pump in Self.pumps { arguments += ["--pump", "\(pump.name)=\(pump.room)"] }
            let result = try await ChildProcess.run(ChildProcess.binary("hearth"), arguments)
            guard result.exit == .code(0) else { throw Failure("hearth devices: \(result.output)") }
            guard let hearthd else { throw Failure("hearthd is not running") }
            Glibc.kill(hearthd.processID, SIGHUP)
            try await eventually("hearthd has the devices") { hearthd.output.contains("configuration reloaded") }
        }

        @Test(
            "found by hearth devices --write, each pump hears its own words, and every reading is once in InfluxDB",
            .enabled(if: InfluxDatabase.executable != nil))
        func everyKind() async throws {
            let rig = try await CloudRig(.journal, homes: 1)
            let home = rig.homes[0]
            // Nobody waits for a compressor here.
            let file = try String(contentsOfFile: home.directory.file("hearthd.toml"), encoding: .utf8)
            try home.directory.write(file + "\n[thermostat]\nmin_on = \"0s\"\nmin_off = \"0s\"\n", to: "hearthd.toml")
            try rig.startAll()
            let socket = home.directory.file("control.sock")
            try await eventually("it records") { home.output.contains("recording") }
            let first = try devices(port: home.broker.port)
            try await eventually("they are there") { first.output.contains("time runs 60.0 times") }
            try await find(socket, home.hearthd)
            try await first.terminate()
            for topic in Self.sensorTopics {
                try await eventually("the recording side listens to \(topic)") {
                    home.broker.log.contains("hearthd-home1-record 1 \(topic)")
                }
            }

            let recorder = try await Recorder(port: home.broker.port)
            // What the broker kept of the first ones comes before this.
            try await publish("now", to: "test/begin", port: home.broker.port)
            try await eventually("the recorder is there") { recorder.arrivals.contains { $0.topic == "test/begin" } }
            let second = try devices(port: home.broker.port, ["--seed", "7"])
            func heard(_ topic: String, _ payload: String) -> Bool {
                recorder.arrivals.contains { $0.topic == topic && $0.payload == payload }
            }
            for pump in Self.pumps {
                try await eventually(within: .seconds(90), "\(pump.name) hears \(pump.on)") {
                    heard(pump.topic, pump.on)
                }
                try await eventually(within: .seconds(120), "\(pump.name) hears \(pump.off)") {
                    heard(pump.topic, pump.off)
                }
            }
            // Nothing is lost and nothing comes twice over the death of both processes.
            home.kill()
            // Queued with others, they arrive in one moment; none says when it was measured.
            for _ in 0..<5 { try await publish("21.25", to: Self.sensorTopics[3], port: home.broker.port, qos: 1) }
            try await Task.sleep(for: .seconds(2))
            try home.start()
            try await eventually("it records again") { home.output.contains("recording") }
            try await Task.sleep(for: .seconds(5))
            try await second.terminate()
            try await eventually(within: .seconds(60), "all is sent") {
                (try? home.status()["uplink"]["backlog"].int) == 0
            }
            let live = recorder.arrivals.drop { $0.topic != "test/begin" }
            let wanted = Self.readings(Array(live))
            #expect(wanted.count > 100 && Set(wanted.map { $0.prefix { $0 != " " } }).count == 5)
            func stored() throws -> [String] {
                try (rig.points("raw_temperature", in: "raw")["home1"] ?? [:]).map { key, value in
                    "\(key.prefix { $0 != " " }) \(value)"
                }.sorted()
            }
            // What is missing is said below, by name.
            _ = try? await eventually(within: .seconds(30), "they are in the database") {
                try stored().count >= wanted.count
            }
            let found = try stored()
            #expect(
                found == wanted, "missing \(Self.difference(wanted, found)), surplus \(Self.difference(found, wanted))")
        }

        /// `room value` of every reading that the simulated sensors published.
        private static func readings(_ arrivals: [Recorder.Arrival]) -> [String] {
            var seconds: Set<String> = []
            return arrivals.compactMap { arrival -> String? in
                // Tasmota writes whole seconds: the same bytes again are the same reading.
                if arrival.topic.hasPrefix("tele/"), !seconds.insert(arrival.payload).inserted { return nil }
                func number(_ path: String...) -> String? {
                    var json = try? JSONSerialization.jsonObject(with: Data(arrival.payload.utf8))
                    for name in path { json = (json as? [String: Any])?[name] }
                    return (json as? NSNumber).map { "\($0.doubleValue)" }
                }
                let plain = Double(arrival.payload).map { "\($0)" }
                return switch arrival.topic {
                case "zigbee2mqtt/office sensor": number("temperature").map { "office \($0)" }
                case "tele/tasmota_1A2B3C/SENSOR": number("AM2301", "Temperature").map { "kitchen \($0)" }
                case "shellyplus1pm-a8032a/status/temperature:0": number("tC").map { "bathroom \($0)" }
                case "bedroom-node/sensor/temperature/state": plain.map { "bedroom \($0)" }
                case "panasonic_heat_pump/main/Room_Thermostat_Temp": plain.map { "living-room \($0)" }
                default: nil
                }
            }.sorted()
        }

        private static func difference(_ left: [String], _ right: [String]) -> [String] {
            var counts: [String: Int] = [:]
            for text in right { counts[text, default: 0] += 1 }
            return left.filter { text in
                counts[text, default: 0] -= 1
                return counts[text, default: 0] < 0
            }.prefix(5).map { $0 }
        }

        @Test(
            "a device that takes no commands, one that is gone: told within a minute; lost feedback is asked for again")
        func feedback() async throws {
            let rig = try await Rig(configuration: House.alwaysCold)
            try await rig.startAndSubscribe()
            let simulated = try devices(
                port: rig.home.port, ["--kinds", "tasmota,esphome", "--deaf", "tasmota", "--lose", "0.3"])
            let home = try await Recorder(port: rig.home.port)
            try await find(rig.socket, rig.hearthd, ["kitchen", "bedroom-node Heatpump"])
            try await eventually(within: .seconds(20), "both are called") {
                Set(home.arrivals.map(\.topic)).isSuperset(of: [
                    "cmnd/tasmota_1A2B3C/POWER", "bedroom-node/switch/heatpump/command",
                ])
            }
            let called = ContinuousClock.now
            let status = try await rig.status(within: .seconds(60)) { House.finding("pump-unconfirmed", in: $0) != nil }
            #expect(ContinuousClock.now - called < .seconds(60))
            #expect(House.finding("pump-unconfirmed", in: status)?["text"].string?.contains("kitchen") == true)
            #expect(home.arrivals.count { $0.topic == "cmnd/tasmota_1A2B3C/POWER" } >= 3, "it is said again")
            // A third of its words is lost, and in the end it has confirmed.
            #expect(House.finding("pump-unconfirmed", in: status)?["text"].string?.contains("bedroom") == false)
            simulated.kill()
            let offline = try await rig.status(within: .seconds(60)) { House.finding("pump-offline", in: $0) != nil }
            #expect(House.finding("pump-offline", in: offline)?["severity"].string == "cold")
            let again = try devices(port: rig.home.port, ["--kinds", "tasmota,esphome"])
            try await rig.status(within: .seconds(60)) {
                House.finding("pump-offline", in: $0) == nil && House.finding("pump-unconfirmed", in: $0) == nil
            }
            try await again.terminate()
            try await rig.stop()
        }

        private func find(_ socket: String, _ hearthd: ChildProcess?, _ names: [String]) async throws {
            var arguments = ["devices", "--write", "--yes", "--for", "4s", "--socket", socket]
            for pump in Self.pumps where names.contains(pump.name) {
                arguments += ["--pump", "\(pump.name)=\(pump.room)"]
            }
            let result = try await ChildProcess.run(ChildProcess.binary("hearth"), arguments)
            guard result.exit == .code(0) else { throw Failure("hearth devices: \(result.output)") }
            guard let hearthd else { throw Failure("hearthd is not running") }
            Glibc.kill(hearthd.processID, SIGHUP)
        }

        @Test("what the broker kept of a sleeping sensor counts after each restart, for no longer than stale_after")
        func sleeping() async throws {
            let house = """
                [[sensors]]
                kind = "zigbee2mqtt"
                topic = "zigbee2mqtt/asleep"
                room = "office"
                retained = "use"
                stale_after = "2h"
                [[sensors]]
                kind = "zigbee2mqtt"
                topic = "zigbee2mqtt/long asleep"
                room = "hall"
                retained = "use"
                stale_after = "2h"
                [[sensors]]
                kind = "zigbee2mqtt"
                topic = "zigbee2mqtt/ignored"
                room = "attic"
                """
            let rig = try await Rig(configuration: house)
            func keep(_ name: String, minutesAgo: Double) async throws {
                let time = Int((Date.now.timeIntervalSince1970 - minutesAgo * 60) * 1000)
                try await publish(
                    #"{"temperature":18.5,"last_seen":\#(time)}"#, to: "zigbee2mqtt/\(name)", port: rig.home.port,
                    options: ["-r"])
            }
            try await keep("asleep", minutesAgo: 60)
            try await keep("long asleep", minutesAgo: 150)
            try await keep("ignored", minutesAgo: 1)
            for _ in 0..<2 {
                let home = try await Recorder(port: rig.home.port, topic: "+/heatpump")
                try await rig.startAndSubscribe()
                try await eventually("the office is heated") {
                    home.arrivals.contains { $0.topic == "office/heatpump" && $0.payload == #"{"status": "1"}"# }
                }
                func temperature(_ name: String, _ status: JSONValue) -> Double? {
                    status["rooms"].array?.first { $0["room"].string == name }?["temperature"].double
                }
                // A retained message of the others would have come with it.
                let status = try await rig.status { temperature("office", $0) == 18.5 }
                #expect(temperature("hall", status) == nil && temperature("attic", status) == nil)
                #expect(!home.arrivals.contains { $0.payload == #"{"status": "1"}"# && $0.topic != "office/heatpump" })
                rig.kill()
                home.stop()
            }
        }

        @Test(
            "overlapping filters record a reading once; a filter that left the file brings nothing more",
            arguments: ["5", "3.1.1"])
        func filters(_ version: String) async throws {
            let house = """
                [[sensors]]
                topic = "a/{room}/t"
                [[sensors]]
                topic = "+/x/t"
                room = "other"
                [[sensors]]
                topic = "gone/#"
                room = "gone"
                """
            let rig = try await Rig(configuration: house)
            try rig.rewrite { $0.replacing("[local]", with: "[local]\nprotocol = \"\(version)\"") }
            try await rig.startAndSubscribe()
            let cloud = try await Recorder(port: rig.cloud.port)
            func values(_ topic: String) -> [String] {
                var seen: Set<String> = []
                return cloud.arrivals.filter { $0.topic == topic && seen.insert($0.properties).inserted }
                    .compactMap { $0.payload.components(separatedBy: "\"value\":").last }
            }
            // The same value twice is two readings; each comes on two filters.
            for value in ["20.1", "20.1", "20.2"] { try await publish(value, to: "a/x/t", port: rig.home.port) }
            try await publish("1", to: "gone/t", port: rig.home.port)
            try await eventually("they are at the cloud") {
                values("home1/x/temperature").count >= 3 && values("home1/gone/temperature").count == 1
            }
            try await rig.stop()
            // While it is away, the session goes on.
            try await publish("2", to: "gone/t", port: rig.home.port)
            try rig.rewrite { $0.replacing("topic = \"gone/#\"", with: "topic = \"gone/t\"") }
            try await rig.startAndSubscribe()
            try await eventually("the old filter is taken back") {
                rig.home.log.contains("Received UNSUBSCRIBE from hearthd-home1-record")
            }
            try await publish("3", to: "gone/t", port: rig.home.port)
            try await publish("4", to: "gone/other", port: rig.home.port)
            try await publish("20.3", to: "a/x/t", port: rig.home.port)
            try await eventually("the rest is at the cloud") {
                values("home1/x/temperature").last == "20.3}" && values("home1/gone/temperature").count >= 3
            }
            #expect(values("home1/x/temperature") == ["20.1}", "20.1}", "20.2}", "20.3}"])
            #expect(values("home1/gone/temperature") == ["1}", "2}", "3}"])
            #expect(values("home1/other/temperature").isEmpty)
            let isSent = rig.home.log.split(separator: "\n").contains {
                $0.contains("Sending PUBLISH to hearthd-home1-record") && $0.contains("gone/other")
            }
            #expect(!isSent)
            try await rig.stop()
        }
    }
}
