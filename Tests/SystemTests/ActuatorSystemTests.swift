import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite("P3 commands homes from the cloud")
    struct ActuatorSystemTests {
        private static let rooms = 25

        /// A room whose temperature jumps between 10 and 30 °C every `period` seconds of the wall's clock. The loop ends
        /// with the shell: killing that alone would leave it and its publisher behind.
        private func sensor(_ room: Int, period: Int, port: Int) throws -> ChildProcess {
            let script = """
                while kill -0 $$ 2>/dev/null; do
                    now=$(date +%s)
                    if [ $((now / \(period) % 2)) = 0 ]; then value=10; else value=30; fi
                    printf '{"timestamp": "%s", "value": %s}\\n' "$(date -u +%Y-%m-%dT%H:%M:%S)" $value
                    sleep 1
                done | mosquitto_pub -p \(port) -q 1 -l -t home1/room\(room)/temperature
                """
            return try ChildProcess("/bin/sh", ["-c", script])
        }

        @Test("a command takes a second and 25 rooms speak each second: only the newest decisions leave, memory stays")
        func slow() async throws {
            let rig = try await CloudRig(.kafka, homes: 0)
            let wire = try WireProxy(upstream: rig.broker.port)
            try rig.start("ingest")
            try rig.start("clean")
            let slow = [
                "MQTT_PORT": "\(wire.port)", "ACTUATE_SLOW": "1s", "ACTUATE_REFRESH": "1s",
            ]
            try rig.start("actuate", environment: slow)
            try await eventually(within: .seconds(20), "the ingestor listens") {
                rig.output("ingest").contains("connected")
            }
            let period = 40
            let sensors = try (0..<Self.rooms).map { try sensor($0, period: period, port: rig.broker.port) }
            defer { sensors.forEach { $0.kill() } }
            func commands() -> [WireProxy.Delivery] { wire.published.filter { $0.topic.hasSuffix("/heatpump/set") } }
            try await eventually(within: .seconds(60), "the first command") { !commands().isEmpty }
            let (clock, wall) = (ContinuousClock.now, Date().timeIntervalSince1970)
            let seconds = 60 * SystemTests.scale
            try await Task.sleep(for: .seconds(20))
            let early = rig.residentBytes("actuate")
            try await Task.sleep(for: .seconds(seconds - 20))
            let late = rig.residentBytes("actuate")
            let sent = commands()

            var newest: [String: Double] = [:]
            for command in sent where command.time >= clock {
                let time = wall + (command.time - clock).milliseconds / 1e3
                let isOn = String(decoding: command.payload, as: UTF8.self).contains("\"1\"")
                // What the room showed a moment before; around a jump either is right.
                let wanted = { (at: Double) in Int(at) / period % 2 == 0 }
                #expect(isOn == wanted(time) || isOn == wanted(time - 4), "\(command.topic): \(isOn) at \(time)")
                newest[command.topic] = time
            }
            let end = wall + (ContinuousClock.now - clock).milliseconds / 1e3
            #expect(newest.count == Self.rooms, "every room gets its turn: \(newest.count)")
            let oldest = newest.values.map { end - $0 }.max() ?? 0
            print(
                "actuate: \(sent.count) commands in \(Int(seconds)) s, the room that waits longest \(oldest) s,",
                "RSS \(early >> 10) -> \(late >> 10) KiB")
            #expect(oldest <= Double(Self.rooms) + 4, "nobody waits longer than one round: \(oldest)")
            #expect(late - early <= 2 << 20, "memory is flat: \(early) -> \(late)")
        }

        @Test("authority = \"cloud\": the cloud decides while it is there, the home without a gap when it is not")
        func authority() async throws {
            let rig = try await CloudRig(.kafka, homes: 0)
            let home = try await CloudRig.Home(
                "home1", cloudPort: rig.broker.port, more: "[thermostat]\nauthority = \"cloud\"\nstale_after = \"5m\"")
            // At 27 °C the home alone stops its pump, and this cloud wants it on.
            let http = try freePort()
            let cloud = [
                "ACTUATE_ON_BELOW": "30", "ACTUATE_OFF_ABOVE": "35", "ACTUATE_REFRESH": "2s", "HTTP_PORT": "\(http)",
            ]
            for service in ["ingest", "clean"] { try rig.start(service) }
            try rig.start("actuate", environment: cloud)
            try home.start()
            let script = """
                while kill -0 $$ 2>/dev/null; do
                    printf '{"timestamp": "%s", "value": 27}\\n' "$(date -u +%Y-%m-%dT%H:%M:%S)"
                    sleep 1
                done | mosquitto_pub -p \(home.broker.port) -q 1 -l -t office/temperature
                """
            try await eventually(within: .seconds(20), "the home records") { home.output.contains("recording") }
            let sensor = try ChildProcess("/bin/sh", ["-c", script])
            defer { sensor.kill() }
            func changes() -> [Bool] {
                home.wire.published.filter { $0.topic == "office/heatpump" }
                    .map { String(decoding: $0.payload, as: UTF8.self).contains("\"1\"") }
                    .reduce(into: []) { if $0.last != $1 { $0.append($1) } }
            }
            try await eventually(within: .seconds(60), "the cloud decides") { changes().last == true }
            let reason = try home.status()["rooms"][0]["reason"].string
            #expect(reason == "the cloud decides: on")
            let metrics = try await ChildProcess.run("/usr/bin/curl", ["--silent", "http://127.0.0.1:\(http)/metrics"])
            for name in ["hearth_log_lag_events", "hearth_log_partitions"] {
                #expect(metrics.output.contains("\n\(name){group=\"p3-actuator-group\"} "), "\(metrics.output)")
            }
            rig.kill("actuate")
            try await eventually(within: .seconds(20), "the home decides again") { changes().last == false }
            try rig.start("actuate", environment: cloud)
            try await eventually(within: .seconds(60), "and the cloud again") { changes().last == true }
            rig.broker.kill()
            try await eventually(within: .seconds(20), "a dead link is noticed too") { changes().last == false }
            #expect(changes().drop { !$0 } == [true, false, true, false], "no flap in between: \(changes())")
        }
    }
}
