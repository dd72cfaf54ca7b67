import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite("Bad input is counted and set aside, and the lanes go on")
    struct BadInputTests {
        private static let bad: [(payload: String, reason: String)] = [
            ("", "not_json"), ("not json", "not_json"), ("[1]", "not_an_object"), ("{}", "missing_timestamp"),
            (#"{"timestamp": "2026-11-23T10:00:00"}"#, "missing_value"),
            (#"{"value": 20}"#, "missing_timestamp"),
            (#"{"timestamp": "yesterday", "value": 20}"#, "bad_timestamp"),
            (#"{"timestamp": 5, "value": 20}"#, "bad_timestamp"),
            (#"{"timestamp": "2026-11-23T10:00:00", "value": "warm"}"#, "bad_value"),
            (#"{"timestamp": "2026-11-23T10:00:00", "value": [20]}"#, "bad_value"),
            (#"{"timestamp": "2026-11-23T10:00:00", "value": NaN}"#, "not_finite"),
            (#"{"timestamp": "2026-11-23T10:00:00", "value": -Infinity}"#, "not_finite"),
            (#"{"timestamp": "2026-11-23T10:00:00", "value": 1e999}"#, "not_finite"),
        ]

        @Test("every kind of bad payload has its counter, and a good reading still starts the pump")
        func payloads() async throws {
            let rig = try await Rig()
            try await rig.startAndSubscribe()
            let pump = try await Recorder(port: rig.home.port, topic: "office/heatpump")
            for (payload, _) in Self.bad { try await publish(payload, to: "office/temperature", port: rig.home.port) }
            let binary = rig.directory.file("binary")
            try Data([0xff, 0xfe, 0x00, 0x80] + Array(repeating: 0xc3, count: 100)).write(
                to: URL(fileURLWithPath: binary))
            try await publishFile(binary, to: "office/temperature", rig)
            let huge = rig.directory.file("huge")
            try Data(repeating: UInt8(ascii: "7"), count: 256 * 1024).write(to: URL(fileURLWithPath: huge))
            try await publishFile(huge, to: "office/temperature", rig)
            try await publish("{\"status\": \"7\"}", to: "office/heatpump", port: rig.home.port)

            let expected = Dictionary(Self.bad.map { ($0.reason, 1) }, uniquingKeysWith: +)
            let status = try await rig.status {
                let counted = $0["counters"]["rejected"].object ?? [:]
                return expected.allSatisfy { counted[$0.key]?.int ?? 0 >= $0.value }
                    && counted["oversized"]?.int == 1
                    && counted.values.compactMap(\.int).reduce(0, +) >= Self.bad.count + 3
            }
            #expect(status["counters"]["recorded"].int ?? 0 <= 2, "bad payloads are not forwarded as readings")
            let kept = try JSONValue(Varlink.call("io.hearth.Gateway.Journal", socket: rig.socket))
            #expect((kept["setAside"].array?.count ?? 0) >= Self.bad.count, "and they are kept for a look")

            try await publish(
                #"{"timestamp": "2026-11-23T10:00:01", "value": 18}"#, to: "office/temperature", port: rig.home.port)
            try await eventually("the pump starts") { pump.arrivals.contains { $0.payload == #"{"status": "1"}"# } }
        }

        @Test("strange rooms are rooms; retained readings are never obeyed")
        func rooms() async throws {
            let rig = try await Rig()
            try await publish(
                #"{"timestamp": "2026-11-23T10:00:00", "value": 1}"#, to: "ghost/temperature", port: rig.home.port,
                options: ["-r"])
            try await rig.startAndSubscribe()
            let pumps = try await Recorder(port: rig.home.port, topic: "+/heatpump")
            let rooms = ["Wohnzimmer mit Ä", "🔥", "<script>alert(1)", "hearth", "-", "'; DROP TABLE"]
            for room in rooms {
                try await publish(
                    #"{"timestamp": "2026-11-23T10:00:00", "value": 18}"#, to: "\(room)/temperature",
                    port: rig.home.port)
            }
            try await eventually("every strange room is heated") {
                Set(pumps.arrivals.map(\.topic)).isSuperset(of: rooms.map { "\($0)/heatpump" })
            }
            #expect(!pumps.arrivals.contains { $0.topic == "ghost/heatpump" }, "a retained reading is history")
        }

        @Test("a flood of retained readings and unknown rooms is bounded")
        func flood() async throws {
            let rig = try await Rig()
            try await rig.startAndSubscribe()
            let before = rig.hearthd?.residentBytes ?? 0
            let load = try await ChildProcess.run(
                ChildProcess.binary("hearth-sim"),
                ["load", "--port", "\(rig.home.port)", "--count", "20000", "--rooms", "5000", "--reliable", "--json"])
            #expect(load.exit == .code(0))
            let status = try await rig.status(within: .seconds(30)) { $0["counters"]["recorded"].int ?? 0 >= 20000 }
            #expect(status["rooms"].array?.count ?? 0 <= 1000, "control follows a house, not a flood")
            let after = rig.hearthd?.residentBytes ?? 0
            print("flood of 5000 rooms: RSS \(before >> 10) KiB before, \(after >> 10) KiB after")
            #expect(after < 64 << 20)
        }

        private func publishFile(_ file: String, to topic: String, _ rig: Rig) async throws {
            let result = try await ChildProcess.run(
                "/usr/bin/mosquitto_pub", ["-p", "\(rig.home.port)", "-q", "1", "-t", topic, "-f", file])
            #expect(result.exit == .code(0))
        }

        /// The TOML library's assertions would end the process there; found by scripts/fuzz.
        @Test("a configuration that is no TOML is refused with its line", arguments: ["[é]", "[[[a]]]", "x = [}", "["])
        func malformedConfiguration(_ line: String) async throws {
            let directory = try TemporaryDirectory("malformed")
            let file = try directory.write("home = \"h\"\n\(line)\n", to: "hearthd.toml")
            let result = try await ChildProcess.run(
                ChildProcess.binary("hearthd"), ["--config", file, "--check-config"])
            #expect(result.exit == .code(78), "\(result.output)")
            #expect(result.output.contains("hearthd.toml:2"), "\(result.output)")
        }
    }
}
