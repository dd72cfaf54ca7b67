import Foundation
import Heating
import TestSupport
import Testing

extension SystemTests {
    /// `gap: none` means points: what the event log has and the database has not is told by the cloud.
    @Suite("The audit asks the cloud what became points", .enabled(if: InfluxDatabase.executable != nil))
    struct StoredAuditTests {
        private func send(_ rig: CloudRig, _ room: String, _ value: String, ago seconds: Int64) async throws {
            let at = Timestamp(nanoseconds: (Int64(Date().timeIntervalSince1970) - seconds) * 1_000_000_000)
            let result = try await ChildProcess.run(
                "/usr/bin/mosquitto_pub",
                [
                    "-p", "\(rig.homes[0].broker.port)", "-q", "1", "-t", "\(room)/temperature", "-m",
                    "{\"timestamp\": \"\(at)\", \"value\": \(value)}",
                ])
            #expect(result.exit == .code(0))
        }

        private func told(
            _ rig: CloudRig, within limit: Duration = .seconds(60), _ what: String, _ isSo: (Bool, JSON) -> Bool
        )
            async throws
        {
            let deadline = ContinuousClock.now + limit
            while true {
                let (isClean, answer) = try await rig.homes[0].audit()
                if isSo(isClean, answer) { return }
                if ContinuousClock.now > deadline { throw Failure("not told: \(what): \(answer)") }
                try await Task.sleep(for: .milliseconds(300))
            }
        }

        private func kinds(_ answer: JSON) -> [String] {
            var kinds: [String] = []
            while let kind = answer["gaps"]?[kinds.count]?["kind"]?.string { kinds.append(kind) }
            return kinds
        }

        @Test(
            "points, what the database refuses for now, a killed P1: each as it is",
            arguments: CloudRig.Engine.allCases)
        func fates(_ engine: CloudRig.Engine) async throws {
            let rig = try await CloudRig(engine, homes: 1)
            // Two months ago somebody's script wrote integers; InfluxDB keeps a field's type per shard.
            let monthsAgo: Int64 = 60 * 86_400
            try rig.database.write(
                "raw_temperature,home=old,room=old value=1i \((Int64(Date().timeIntervalSince1970) - monthsAgo) * 1_000_000_000)",
                database: "raw")
            try rig.startAll()
            try await eventually(within: .seconds(30), "the home records") { rig.homes[0].output.contains("recording") }
            for number in 1...20 { try await send(rig, "office", "21.\(number)", ago: Int64(100 - number)) }
            try await told(rig, "all are points") { isClean, answer in
                isClean && answer["records"]?.int ?? 0 >= 20 && answer["stored"]?.int == answer["records"]?.int
            }
            try await send(rig, "bath", "20.5", ago: monthsAgo)
            try await told(rig, "one is held") { isClean, answer in !isClean && kinds(answer) == ["held"] }

            let saver = engine == .journal ? "serve" : "save-raw"
            try await send(rig, "office", "22.5", ago: 3)
            rig.kill(saver)
            try await send(rig, "office", "23.5", ago: 2)
            try rig.start(saver)
            try await told(rig, "after a kill only the held one is missing") { _, answer in
                kinds(answer) == ["held"] && answer["stored"]?.int == (answer["records"]?.int ?? 0) - 1
            }

            // The database is mended: what waited is written, and told.
            _ = try rig.database.answer("DROP SERIES FROM raw_temperature WHERE home = 'old'", database: "raw")
            _ = try rig.database.answer(
                "DROP SHARD \(try shard(rig, before: Int64(Date().timeIntervalSince1970) - 30 * 86_400))",
                database: "raw")
            try await told(rig, within: .seconds(90), "all are points") { isClean, answer in
                isClean && answer["stored"]?.int == answer["records"]?.int
            }
        }

        /// The one shard that ends before then.
        private func shard(_ rig: CloudRig, before seconds: Int64) throws -> Int64 {
            let answer = try rig.database.answer("SHOW SHARDS")
            for series in answer["results"]?[0]?["series"]?.array ?? [] {
                for row in series["values"]?.array ?? [] {
                    guard series["name"]?.string == "raw", let id = row[0]?.int, let end = row[5]?.string,
                        let time = Timestamp(iso8601: end.utf8), time.nanoseconds < seconds * 1_000_000_000
                    else { continue }
                    return id
                }
            }
            throw Failure("no such shard: \(answer)")
        }

        @Test("what ingest sets aside is told as set aside", arguments: CloudRig.Engine.allCases)
        func setAside(_ engine: CloudRig.Engine) async throws {
            let rig = try await CloudRig(engine, homes: 0)
            try rig.startAll()
            try await eventually(within: .seconds(30), "the ingestor listens") {
                rig.broker.log.contains("+/+/temperature")
            }
            for (number, payload) in ["nonsense", "{\"timestamp\": \"2026-11-23T10:00:00\", \"value\": 20}"]
                .enumerated()
            {
                let result = try await ChildProcess.run(
                    "/usr/bin/mosquitto_pub",
                    [
                        "-V", "5", "-p", "\(rig.broker.port)", "-q", "1", "-t", "home9/office/temperature", "-m",
                        payload,
                        "-D", "publish", "user-property", "seq", "\(7 + number)", "-D", "publish", "user-property",
                        "epoch", "x",
                    ])
                #expect(result.exit == .code(0))
            }
            let deadline = ContinuousClock.now + .seconds(40)
            var text = ""
            while !(text.contains("\"deadLetters\":[[7,7]]") && text.contains("\"points\":[[8,8]]")) {
                if ContinuousClock.now > deadline { throw Failure("not told: \(text)") }
                text = try await ChildProcess.run(
                    "/usr/bin/mosquitto_sub",
                    ["-p", "\(rig.broker.port)", "-t", "home9/gateway/stored", "-C", "1", "-W", "2"]
                ).output
            }
        }
    }
}
