import Foundation
import SimulationModel
import TestSupport
import Testing

extension SystemTests {
    @Suite("kill -9 of hearthd")
    struct KillTests {
        @Test("200 kills while 20 000 readings arrive: what was acknowledged on the wire reaches the cloud")
        func kills() async throws {
            let seed = SystemTests.seed
            var random = SeededGenerator(seed: seed)
            let rig = try await Rig(configuration: "[thermostat]\non_below = 21.0\n")
            let cloud = try await Recorder(port: rig.cloud.port, topic: "home1/#")
            try await rig.startAndSubscribe()
            let load = try ChildProcess(
                "hearth-sim",
                ["load", "--port", "\(rig.home.port)", "--count", "20000", "--rate", "250", "--reliable", "--json"])
            var firstCommands: [Double] = []
            var bareStarts: [Double] = []
            var kills = 0
            while load.isRunning || kills < 200 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...450, using: &random)))
                if let delay = firstCommand(rig) { firstCommands.append(delay) }
                rig.kill()
                kills += 1
                try rig.start()
                if kills.isMultiple(of: 20) { bareStarts.append(try await bareStart()) }
                guard kills < 400 else { break }
            }
            let summary = try await load.wait(within: .seconds(60))
            #expect(summary == .code(0), "the generator must get every reading to the home broker: \(load.output)")
            try await settle(rig, cloud)

            let acknowledged = rig.acknowledged.filter { $0.contains("/temperature ") }
            let arrivals = readings(cloud)
            let missing = acknowledged.subtracting(arrivals)
            let duplicates = arrivals.count - Set(arrivals).count
            let twice = journaledTwice(cloud)
            let p95 = firstCommands.percentile(0.95) ?? 0
            print(
                "kills: seed \(seed), \(kills) kills, \(acknowledged.count) acknowledged, \(Set(arrivals).count) arrived,",
                "\(missing.count) missing, \(duplicates) duplicates, \(twice) redeliveries not recognised; start to first command: median",
                "\(firstCommands.percentile(0.5) ?? 0) ms, p95 \(p95) ms, max \(firstCommands.max() ?? 0) ms",
                "of \(firstCommands.count)")
            #expect(kills >= 200)
            #expect(missing.isEmpty, "lost: \(missing.prefix(3))")
            #expect(Set(arrivals).count == 20000, "the home broker was never killed, so nothing at all may be missing")
            // What was on its way (64 messages) and what was confirmed since the cursor was written (256 rows).
            #expect(duplicates <= 320 * kills)
            // A reading that the generator sent twice, because the home broker did not answer in time, is two readings.
            #expect(twice <= resent(load), "same packet id, topic and bytes after a kept session: the same reading")
            // The load generator, two brokers and each start share the machine's processors: what most starts took tells, beside what
            // the program alone takes to start and end: some 20 ms on a quiet machine.
            let median = firstCommands.percentile(0.5) ?? .infinity
            let waiting = max(0, (bareStarts.percentile(0.5) ?? 0) - 20)
            print("kills: hearthd --version takes \(bareStarts) ms")
            #expect(median <= 200 + 5 * waiting, "a restarted gateway commands its pumps within 200 ms")
            // Those killed before their first command are not in the figures. Were each start to take 200 ms, more than half would
            // come to one: they are killed after 20 to 450.
            if waiting < 10 { #expect(firstCommands.count >= kills / 2) }
            #expect(!firstCommands.isEmpty)
            #expect(p95 <= 1000 + 5 * waiting, "and none waits for a connection's next attempt")
        }

        /// Milliseconds from a start of the program to its end where it has nothing to do.
        private func bareStart() async throws -> Double {
            let began = ContinuousClock.now
            _ = try await ChildProcess.run(ChildProcess.binary("hearthd"), ["--version"])
            return (ContinuousClock.now - began).milliseconds
        }

        /// Readings that the generator says it sent again.
        private func resent(_ load: ChildProcess) -> Int {
            let report = load.output.split(separator: "\n").last { $0.hasPrefix("{") }
            let json = report.flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            return (json?["resent"] as? NSNumber)?.intValue ?? 0
        }

        /// Milliseconds from the last start to the first heat-pump command on the wire.
        private func firstCommand(_ rig: Rig) -> Double? {
            let command = rig.homeWire.published.last(where: { $0.topic.hasSuffix("/heatpump") })
            guard let last = command, last.time > rig.startedAt else { return nil }
            let first = rig.homeWire.published.first { $0.topic.hasSuffix("/heatpump") && $0.time > rig.startedAt }
            return first.map { ($0.time - rig.startedAt).milliseconds }
        }

        /// Until hearthd has nothing more to send and nothing more arrives.
        private func settle(_ rig: Rig, _ cloud: Recorder) async throws {
            do {
                try await rig.status(within: .seconds(60)) {
                    !$0["journal"].isNull && $0["uplink"]["backlog"].int == 0
                }
            } catch {
                throw Failure("the backlog does not drain: \(try rig.currentStatus()) \(rig.hearthd?.output ?? "")")
            }
            let deadline = ContinuousClock.now + .seconds(30)
            while Set(readings(cloud)).count < 20000, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(500))
            }
        }

        /// Readings that are in the journal under more than one sequence.
        private func journaledTwice(_ cloud: Recorder) -> Int {
            var sequences: [String: Set<Substring>] = [:]
            for arrival in cloud.arrivals where arrival.topic.hasSuffix("/temperature") {
                let sequence = arrival.properties.split(separator: " ").first { $0.hasPrefix("seq:") }
                sequences["\(arrival.topic) \(arrival.payload)", default: []].insert(sequence ?? "none")
            }
            return sequences.values.count { $0.count > 1 }
        }

        /// Every reading that has arrived, repetitions included, as at home.
        private func readings(_ cloud: Recorder) -> [String] {
            cloud.arrivals.filter { $0.topic.hasSuffix("/temperature") }
                .map { "\($0.topic.dropFirst("home1/".count)) \($0.payload)" }
        }
    }
}
