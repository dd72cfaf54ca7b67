import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    /// Devices as people have set them up: with base topics, prefixes and full topics of their own.
    @Suite("devices: on topics of one's own, found, heated, and gone")
    struct OwnTopicTests {
        private static let zigbee = #"""
            [{"type":"Coordinator","friendly_name":"Coordinator","definition":null},
             {"type":"EndDevice","friendly_name":"eg/bad","power_source":"Battery","definition":{"exposes":[
              {"type":"numeric","property":"temperature","unit":"°C"}]}},
             {"type":"Router","friendly_name":"plug","power_source":"Mains (single phase)","definition":{"exposes":[
              {"type":"switch","features":[{"type":"binary","property":"state"}]}]}},
             {"type":"EndDevice","friendly_name":"valve","power_source":"Battery","definition":{"exposes":[
              {"type":"climate","features":[
               {"type":"numeric","property":"occupied_heating_setpoint","unit":"°C","value_step":0.5},
               {"type":"numeric","property":"local_temperature","unit":"°C"}]}]}}]
            """#
        private static let tasmota =
            #"{"dn":"Kitchen","hn":"tasmota-1A2B","mac":"AABBCC1A2B3C","state":["OFF","ON","TOGGLE","HOLD"],"t":"kitchen_th","ft":"home/%topic%/%prefix%/","tp":["cmnd","stat","tele"],"rl":[1,0],"ver":1}"#
        private static let node =
            #"{"dev_cla":"temperature","unit_of_meas":"°C","name":"Temperature","stat_t":"house/attic-node/sensor/temp_1/state","dev":{"name":"attic-node"}}"#
        private static let relay =
            #"{"name":"Heater","stat_t":"house/attic-node/switch/relay/state","cmd_t":"house/attic-node/switch/relay/command","avty_t":"house/attic-node/status","dev":{"name":"attic-node"}}"#
        private static let retained: [(topic: String, payload: String)] = [
            ("home/z2m/bridge/devices", zigbee), ("home/z2m/bridge/state", #"{"state":"online"}"#),
            ("home/z2m/eg/bad", #"{"temperature":21.5}"#), ("home/z2m/valve", #"{"local_temperature":21.5}"#),
            ("tasmota/discovery/AABBCC1A2B3C/config", tasmota),
            (
                "tasmota/discovery/AABBCC1A2B3C/sensors",
                #"{"sn":{"AM2301":{"Temperature":21.5},"TempUnit":"C"},"ver":1}"#
            ),
            ("ha/sensor/attic-node/temp_1/config", node), ("ha/switch/attic-node/relay/config", relay),
            ("house/attic-node/sensor/temp_1/state", "21.5"),
            ("og/hall/shelly/status/temperature:0", #"{"id":0,"tC":21.5,"tF":70.7}"#),
            ("og/hall/shelly/status/switch:0", #"{"id":0,"output":false,"apower":0}"#),
        ]
        private static let rooms = ["eg/bad=bath", "Kitchen=kitchen", "attic-node=attic", "og/hall/shelly=hall"]
        private static let pumps = [
            "plug=bath", "Kitchen=kitchen", "attic-node Heater=attic", "og/hall/shelly=hall", "valve=valve",
        ]
        /// Where each speaks, and what its pump hears when it is cold.
        private static let cold: [(topic: String, payload: String, command: String)] = [
            ("home/z2m/eg/bad", #"{"temperature":17.5}"#, #"home/z2m/plug/set {"state": "ON"}"#),
            (
                "home/kitchen_th/tele/SENSOR", #"{"AM2301":{"Temperature":17.5},"TempUnit":"C"}"#,
                "home/kitchen_th/cmnd/POWER ON"
            ),
            ("house/attic-node/sensor/temp_1/state", "17.5", "house/attic-node/switch/relay/command ON"),
            (
                "og/hall/shelly/status/temperature:0", #"{"id":0,"tC":17.5,"tF":63.5}"#,
                "og/hall/shelly/command/switch:0 on"
            ),
            (
                "home/z2m/valve", #"{"local_temperature":17.5}"#,
                #"home/z2m/valve/set {"occupied_heating_setpoint": 22.5}"#
            ),
        ]

        private func find(_ rig: Rig, _ pumps: [String]) async throws -> (exit: ChildProcess.Exit, output: String) {
            var arguments = ["devices", "--write", "--yes", "--for", "3s", "--socket", rig.socket]
            for room in Self.rooms { arguments += ["--room", room] }
            for pump in pumps { arguments += ["--pump", pump] }
            let result = try await ChildProcess.run(ChildProcess.binary("hearth"), arguments)
            return (result.exit, result.output)
        }

        private func alarm(_ name: String, _ status: JSONValue) -> JSONValue? {
            status["alarms"].array?.first { $0["name"].string == name }
        }

        @Test("found with one command, each pump hears its own words, and a bridge that goes is told within a minute")
        func ownTopics() async throws {
            let rig = try await Rig(configuration: "[thermostat]\nmin_on = \"0s\"\nmin_off = \"0s\"\n")
            for one in Self.retained {
                try await publish(one.payload, to: one.topic, port: rig.home.port, options: ["-r"])
            }
            try await rig.startAndSubscribe()
            let found = try await find(rig, Self.pumps)
            guard found.exit == .code(0), let hearthd = rig.hearthd else {
                throw Failure("hearth devices: \(found.output)")
            }
            Glibc.kill(hearthd.processID, SIGHUP)
            try await eventually("hearthd has the devices") { hearthd.output.contains("configuration reloaded") }
            try await rig.status { $0["links"].array?.count == 3 }
            let home = try await Recorder(port: rig.home.port)
            func hears(_ command: String) -> Bool { home.arrivals.contains { "\($0.topic) \($0.payload)" == command } }
            // It connects anew for them: what came before that is said again, as sensors do.
            func missing() -> [String] { Self.cold.map(\.command).filter { !hears($0) } }
            for _ in 0..<20 where !missing().isEmpty {
                for one in Self.cold { try await publish(one.payload, to: one.topic, port: rig.home.port) }
                _ = try? await eventually(within: .seconds(3)) { missing().isEmpty }
            }
            #expect(missing().isEmpty)

            // The bridge goes; its last will says so, and of its plug nobody says anything.
            try await publish(
                #"{"state":"offline"}"#, to: "home/z2m/bridge/state", port: rig.home.port, options: ["-r"])
            let gone = try await rig.status(within: .seconds(60)) { alarm("pump-offline", $0) != nil }
            let offline = try #require(alarm("pump-offline", gone))
            #expect(offline["text"].string?.contains("its gateway is offline") == true, "\(offline)")
            #expect(offline["advice"].string?.contains("home/z2m/bridge/state") == true, "\(offline)")
            home.stop()
            let again = try await Recorder(port: rig.home.port)
            try await publish("now", to: "test/begin", port: rig.home.port)
            try await eventually("the recorder is there") { again.arrivals.contains { $0.topic == "test/begin" } }
            try await publish(#"{"state":"online"}"#, to: "home/z2m/bridge/state", port: rig.home.port, options: ["-r"])
            try await eventually("what it may have missed is said again") {
                again.arrivals.contains { $0.topic == "home/z2m/plug/set" && $0.payload == #"{"state": "ON"}"# }
            }
            try await rig.status(within: .seconds(60)) { alarm("pump-offline", $0) == nil }
            try await rig.stop()
        }

        @Test("of two bridges with a plug of one name the topic says which is meant")
        func sameName() async throws {
            let rig = try await Rig()
            for base in ["z2m-east", "z2m-west"] {
                try await publish(Self.zigbee, to: "\(base)/bridge/devices", port: rig.home.port, options: ["-r"])
            }
            try await rig.startAndSubscribe()
            let rooms = ["devices", "--write", "--yes", "--for", "3s", "--socket", rig.socket]
            let unclear = try await ChildProcess.run(ChildProcess.binary("hearth"), rooms + ["--pump", "plug=bath"])
            #expect(unclear.exit != .code(0))
            #expect(unclear.output.contains("'z2m-east/plug/set', 'z2m-west/plug/set'"), "\(unclear.output)")
            let clear = try await ChildProcess.run(
                ChildProcess.binary("hearth"), rooms + ["--pump", "z2m-west/plug/set=bath"])
            #expect(clear.exit == .code(0), "\(clear.output)")
            let file = try String(contentsOfFile: rig.directory.file("devices.d/pump-plug.toml"), encoding: .utf8)
            #expect(
                file.contains(#"command = "z2m-west/plug/set""#) && file.contains(#"bridge = "z2m-west/bridge/state""#))
            try await rig.stop()
        }
    }
}
