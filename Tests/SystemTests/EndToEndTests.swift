import Foundation
import SimulationModel
import TestSupport
import Testing

extension SystemTests {
    @Suite(
        "G1 end to end: from a sensor's PUBACK to a point in InfluxDB", .enabled(if: InfluxDatabase.executable != nil))
    struct EndToEndTests {
        @Test(
            "kill -9 of anything, every few seconds: every acknowledged reading exactly once, bit-equal",
            arguments: CloudRig.Engine.allCases)
        func kills(_ engine: CloudRig.Engine) async throws {
            let seed = SystemTests.seed
            var random = SeededGenerator(seed: seed)
            print("end to end on \(engine.rawValue): HEARTH_SEED=\(seed)")
            let rig = try await CloudRig(engine, homes: 5)
            try rig.startAll()
            for home in rig.homes {
                try await eventually("\(home.name) records") { home.output.contains("recording") }
            }
            // A reading per room every 0.4 s whose clock says 24 s: sixty times too fast, like the real sensor's.
            let loads = try rig.homes.enumerated().map { number, home in
                try ChildProcess(
                    "hearth-sim",
                    [
                        "load", "--port", "\(home.broker.port)", "--rooms", "5", "--rate", "12.5", "--payload",
                        "sensor",
                        "--step", "24000000", "--seed", "\(seed &+ UInt64(number) &* 1_000_000)", "--reliable",
                        "--json",
                    ])
            }
            let began = ContinuousClock.now
            let end = began + .seconds(60 * SystemTests.scale)
            var faults: [String: Int] = [:]
            while ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(Int.random(in: 500...2500, using: &random)))
                let fault = try await self.fault(rig, &random)
                faults[fault, default: 0] += 1
            }
            for load in loads { try await load.terminate() }
            let seconds = (ContinuousClock.now - began).milliseconds / 1000
            try await settle(rig)
            let counts = try verify(rig)
            print(
                "end to end on \(engine.rawValue): seed \(seed), \(Int(seconds)) s, faults",
                faults.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "), "->", counts)
            #expect(faults.values.reduce(0, +) >= Int(15 * SystemTests.scale), "too few faults")
        }

        /// One fault; what was killed comes back after up to two seconds.
        private func fault(_ rig: CloudRig, _ random: inout SeededGenerator) async throws -> String {
            let away = Duration.milliseconds(Int.random(in: 0...2000, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                let home = rig.homes[Int.random(in: 0..<rig.homes.count, using: &random)]
                home.kill()
                try await Task.sleep(for: away)
                try home.start()
                return "hearthd"
            case 1:
                rig.broker.kill()
                try await Task.sleep(for: away)
                try await rig.broker.start()
                return "broker"
            case 2:
                // The broker dies with what it has acknowledged and nobody has taken: the ingestor is away.
                rig.kill(rig.ingestName)
                let log = rig.broker.log
                try await eventually("the broker holds messages") {
                    rig.broker.log.dropFirst(log.count).contains("Sending PUBACK")
                }
                try await Task.sleep(for: .milliseconds(500))
                rig.broker.kill()
                try await Task.sleep(for: away)
                try await rig.broker.start()
                try rig.start(rig.ingestName)
                return "broker with acknowledged messages"
            case 3:
                rig.database.killHard()
                try await Task.sleep(for: away)
                try rig.database.start()
                return "influxd"
            default:
                let service = rig.serviceNames[Int.random(in: 0..<rig.serviceNames.count, using: &random)]
                rig.kill(service)
                try await Task.sleep(for: away)
                try rig.start(service)
                return service
            }
        }

        /// Until no home has anything left to send and the database has what it should, or nothing more is coming.
        private func settle(_ rig: CloudRig) async throws {
            for home in rig.homes {
                try await eventually(within: .seconds(150), "\(home.name) has sent everything") {
                    (try? home.status()["uplink"]["backlog"].int) == 0
                }
            }
            // On Kafka a group waits for the death of its killed members. The checks themselves come after.
            let deadline = ContinuousClock.now + .seconds(90)
            while ContinuousClock.now < deadline, !isComplete(rig) { try await Task.sleep(for: .milliseconds(500)) }
        }

        private func isComplete(_ rig: CloudRig) -> Bool {
            guard let raw = try? rig.points("raw_temperature", in: "raw"),
                let clean = try? rig.points("temperature_clean", in: "clean"),
                let means = try? rig.points("home_avg_temperature", field: "avg_temp", in: "aggregate")
            else { return false }
            return rig.homes.allSatisfy { home in
                let acknowledged = home.acknowledged
                return acknowledged.count <= raw[home.name]?.count ?? 0
                    && acknowledged.filter { $0.value != 100 }.count <= clean[home.name]?.count ?? 0
                    && CloudRig.reference(clean[home.name] ?? [:]) == means[home.name] ?? [:]
            }
        }

        /// The promise, home by home. The homes' brokers were never killed, so at the end everything is acknowledged.
        private func verify(_ rig: CloudRig) throws -> String {
            let raw = try rig.points("raw_temperature", in: "raw")
            let clean = try rig.points("temperature_clean", in: "clean")
            let means = try rig.points("home_avg_temperature", field: "avg_temp", in: "aggregate")
            var totals = (acknowledged: 0, raw: 0, clean: 0, windows: 0)
            for home in rig.homes {
                let acknowledged = home.acknowledged
                let name = home.name
                expectEqual(raw[name] ?? [:], acknowledged, "raw of \(name)")
                expectEqual(clean[name] ?? [:], acknowledged.filter { $0.value != 100 }, "clean of \(name)")
                expectEqual(means[name] ?? [:], CloudRig.reference(clean[name] ?? [:]), "aggregate of \(name)")
                totals.acknowledged += acknowledged.count
                totals.raw += raw[name]?.count ?? 0
                totals.clean += clean[name]?.count ?? 0
                totals.windows += means[name]?.count ?? 0
            }
            #expect(totals.acknowledged > 0)
            return "\(totals.acknowledged) acknowledged, \(totals.raw) raw, \(totals.clean) clean, "
                + "\(totals.windows) windows"
        }

        private func expectEqual(_ found: [String: Double], _ wanted: [String: Double], _ what: String) {
            let missing = wanted.keys.filter { found[$0] == nil }.sorted()
            let surplus = found.keys.filter { wanted[$0] == nil }.sorted()
            let different = wanted.filter { key, value in
                found[key].map { $0.bitPattern != value.bitPattern } ?? false
            }.keys.sorted()
            #expect(
                missing.isEmpty && surplus.isEmpty && different.isEmpty,
                """
                \(what): of \(wanted.count) missing \(missing.count) \(missing.prefix(3)), not wanted \(surplus.count) \
                \(surplus.prefix(3)), different \(different.count) \
                \(different.prefix(3).map { "\($0): \(found[$0] ?? 0) for \(wanted[$0] ?? 0)" })
                """)
        }

        @Test(
            "plain producers, readings without a sequence, end up in all three buckets",
            arguments: CloudRig.Engine.allCases)
        func plainProducers(_ engine: CloudRig.Engine) async throws {
            let rig = try await CloudRig(engine, homes: 0)
            for service in rig.serviceNames { try rig.start(service) }
            try await eventually(within: .seconds(30), "the ingestor listens") {
                rig.broker.log.contains("$share/hearth-ingest/+/+/temperature")
            }
            for (index, value) in ["21.5", "100", "20", "-3.25"].enumerated() {
                try await publish(
                    "{\"timestamp\": \"2026-11-23T10:00:0\(index)\", \"value\": \(value)}",
                    to: "plain/\(index < 2 ? "office" : "kitchen")/temperature", port: rig.broker.port)
            }
            try await publish("no reading", to: "plain/office/temperature", port: rig.broker.port)
            let start: Int64 = 1_795_428_000
            try await eventually(within: .seconds(60), "all three buckets") {
                try rig.points("home_avg_temperature", field: "avg_temp", in: "aggregate")["plain"]?.isEmpty == false
                    && rig.points("raw_temperature", in: "raw")["plain"]?.count == 4
            }
            #expect(
                try rig.points("raw_temperature", in: "raw")["plain"] == [
                    "office \(start)000000000": 21.5, "office \(start + 1)000000000": 100,
                    "kitchen \(start + 2)000000000": 20, "kitchen \(start + 3)000000000": -3.25,
                ])
            #expect(
                try rig.points("temperature_clean", in: "clean")["plain"] == [
                    "office \(start)000000000": 21.5, "kitchen \(start + 2)000000000": 20,
                    "kitchen \(start + 3)000000000": -3.25,
                ])
            try await eventually(within: .seconds(30), "the mean of both rooms") {
                try rig.points("home_avg_temperature", field: "avg_temp", in: "aggregate")["plain"]
                    == [" \(start)000000000": (21.5 + (20 - 3.25) / 2) / 2]
            }
        }
    }
}
