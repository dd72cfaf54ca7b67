import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What InfluxDB cannot take now is not lost: it waits, the service says why, and the points are there afterwards.
    @Suite("Troubles of the database and of its peers", .enabled(if: InfluxDatabase.executable != nil))
    struct DatabaseTroubleTests {
        @Test(
            "series limit: everything waits until it is raised, then everything is there",
            arguments: CloudRig.Engine.allCases)
        func seriesLimit(_ engine: CloudRig.Engine) async throws {
            let site = try await Site(engine, database: try InfluxDatabase(data: ["max-series-per-database = 1"]))
            try await site.publish("office", 0)
            try await eventually(within: .seconds(30), "a series") { try site.count() == 1 }
            for number in 1..<6 { try await site.publish(number % 2 == 0 ? "office" : "bath", number) }
            try await site.expectHeld("max-series-per-database limit exceeded")
            try site.rig.database.restart(data: [])
            try await eventually(within: .seconds(30), "all six") { try site.count() == 6 }
            try await site.waitUntilReady()
        }

        @Test("tag limit: as the series limit")
        func tagLimit() async throws {
            let site = try await Site(.journal, database: try InfluxDatabase(data: ["max-values-per-tag = 2"]))
            // InfluxDB counts before each request: four new values in one would all be taken.
            for room in ["office", "bath"] { try await site.publish(room, 1) }
            try await eventually(within: .seconds(30), "two values") { try site.count() == 2 }
            for room in ["attic", "beyond retention"] { try await site.publish(room, 1) }
            try await site.expectHeld("max-values-per-tag limit exceeded")
            try site.rig.database.restart(data: [])
            try await eventually(within: .seconds(30), "all four") { try site.count() == 4 }
        }

        @Test(
            "what a person drops is no longer counted within seconds", arguments: CloudRig.Engine.allCases
        )
        func dropped(_ engine: CloudRig.Engine) async throws {
            let database = try InfluxDatabase()
            try database.query("CREATE DATABASE raw")
            let now = Int64(Date().timeIntervalSince1970) * 1_000_000_000
            try database.write(
                "raw_temperature,home=home1,room=office value=21i \(now - 3600 * 1_000_000_000)",
                database: "raw")
            let site = try await Site(engine, database: database)
            for number in 0..<3 { try await site.publish("office", number) }
            try await asked(within: .seconds(30), "three wait") {
                try await site.metric("hearth_influx_conflicting_points", "p1-raw-saver") == 3
            }
            #expect(
                try await site.deadLetters("drop", "--reason", "field type conflict").contains("3 dropped"))
            try await asked(within: .seconds(20), "none is counted") {
                try await site.metric("hearth_influx_conflicting_points", "p1-raw-saver") == 0
            }
        }

        @Test(
            "a field of another type: other series go on, and its points come by themselves once it is mended",
            arguments: CloudRig.Engine.allCases)
        func typeConflict(_ engine: CloudRig.Engine) async throws {
            let database = try InfluxDatabase()
            try database.query("CREATE DATABASE raw")
            let now = Int64(Date().timeIntervalSince1970) * 1_000_000_000
            try database.write(
                "raw_temperature,home=home1,room=office value=21i \(now - 3600 * 1_000_000_000)", database: "raw")
            let site = try await Site(engine, database: database)
            for number in 0..<5 { try await site.publish("office", number) }
            try await site.send(#"{"status": "1"}"#, to: "home1/office/heatpump")
            try await asked(within: .seconds(30), "readyz says it") {
                let answer = try await site.get("/readyz")
                return answer.status == "503" && answer.body.contains("field type conflict")
                    && answer.body.contains("5 points")
            }
            #expect(try await site.metric("hearth_influx_alarm", "p1-raw-saver") == 1)
            #expect(try await site.metric("hearth_influx_conflicting_points", "p1-raw-saver") == 5)
            try await eventually(within: .seconds(20), "the command") {
                try site.rig.database.count("heatpump_state", field: "on", database: "raw") == 1
            }
            try await eventually(within: .seconds(20), "the clean bucket has them") {
                try site.count("temperature_clean", "clean") == 5
            }
            // It is known after a restart as well.
            _ = try await site.rig.terminate(site.saver)
            try site.rig.start(site.saver, environment: ["HTTP_PORT": "\(site.port)"])
            try await asked(within: .seconds(30), "known again") {
                try await site.metric("hearth_influx_conflicting_points", "p1-raw-saver") == 5
            }
            #expect(try await site.deadLetters("list").contains("field type conflict"))
            try database.query("DROP MEASUREMENT raw_temperature", database: "raw")
            try await eventually(within: .seconds(40), "all five came") { try site.count() == 5 }
            try await site.waitUntilReady()
            #expect(try await site.metric("hearth_influx_alarm", "p1-raw-saver") == 0)
            #expect(try await site.deadLetters("list").contains("0 dead letters"))
        }

        @Test("a full disk under the database loses nothing", .enabled(if: geteuid() == 0, "needs root to mount"))
        func fullDisk() async throws {
            let directory = try TemporaryDirectory("full")
            let mount = directory.file("disk")
            try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
            let mounted = try await ChildProcess.run(
                "/usr/bin/mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", mount])
            try #require(mounted.exit == .code(0), "\(mounted.output)")
            defer { _ = umount2(mount, Int32(MNT_DETACH)) }
            let database = try InfluxDatabase(in: URL(fileURLWithPath: mount))
            let site = try await Site(.journal, database: database)
            try await site.publish("office", 0)
            try await eventually(within: .seconds(20), "the first") { try site.count() == 1 }
            #expect(FileManager.default.createFile(atPath: mount + "/ballast", contents: nil))
            let ballast = try FileHandle(forWritingTo: URL(fileURLWithPath: mount + "/ballast"))
            while (try? ballast.write(contentsOf: Data(count: 1 << 16))) != nil {}
            while (try? ballast.write(contentsOf: Data(count: 64))) != nil {}
            // More than the last page of each log has room for.
            let load = try await ChildProcess.run(
                ChildProcess.binary("hearth-sim"),
                ["load", "--port", "\(site.rig.broker.port)", "--homes", "2", "--count", "5000", "--reliable"])
            try #require(load.exit == .code(0), "\(load.output)")
            try await site.expectHeld("no space left on device")
            // An open file keeps its room.
            try ballast.close()
            try FileManager.default.removeItem(atPath: mount + "/ballast")
            // influxd 1.6 goes on refusing until it is restarted, and shows points meanwhile that it does not have on disk.
            try site.rig.database.restart(data: [])
            try await eventually(within: .seconds(30), "all") {
                try site.count() == 5001 && site.count("temperature_clean", "clean") == 5001
            }
            try await site.waitUntilReady()
        }

        @Test("beyond retention is final, counted as such and told; with a longer retention it can come back")
        func retention() async throws {
            let database = try InfluxDatabase()
            try database.query("CREATE DATABASE raw WITH DURATION 1h")
            try database.query("CREATE DATABASE clean")
            try database.query("CREATE DATABASE aggregate")
            let rig = try await CloudRig(.journal, homes: 0, database: database, sets: false)
            let site = try await Site(rig)
            try await site.send(#"{"timestamp": "2020-01-01T00:00:00", "value": 20}"#, to: "home1/office/temperature")
            try await asked(within: .seconds(20), "counted") {
                try await site.metric("hearth_pipeline_dead_letters_total", "reason=\"beyond_retention\"") == 1
            }
            try await site.waitUntilReady()
            #expect(try await site.get("/readyz").body.contains("1 p1-raw-saver: beyond_retention"))
            try await eventually(within: .seconds(10), "told") { site.rig.output("serve").contains("beyond_retention") }
            #expect(try await site.deadLetters("replay").contains("1 replayed, 0 not"))
            try await asked(within: .seconds(20), "nothing has been mended, so it is a dead letter again") {
                try await site.metric("hearth_pipeline_dead_letters_total", "reason=\"beyond_retention\"") == 2
            }
            #expect(try await site.deadLetters("list").contains("1 dead letters"))
            try database.query("ALTER RETENTION POLICY autogen ON raw DURATION INF SHARD DURATION 1h")
            #expect(try await site.deadLetters("replay", "--reason", "beyond_retention").contains("1 replayed, 0 not"))
            try await eventually(within: .seconds(20), "it is a point") { try site.count() == 1 }
            #expect(try await site.deadLetters("list").contains("0 dead letters"))
        }

        @Test(
            "a reading whose zone is unknown here waits, is told, and nobody else waits for it",
            arguments: CloudRig.Engine.allCases)
        func unknownZone(_ engine: CloudRig.Engine) async throws {
            let site = try await Site(engine)
            let result = try await ChildProcess.run(
                "/usr/bin/mosquitto_pub",
                [
                    "-V", "5", "-p", "\(site.rig.broker.port)", "-q", "1", "-t", "mars/office/temperature", "-m",
                    #"{"timestamp": "2026-11-23T10:00:00", "value": 20}"#, "-D", "PUBLISH", "user-property", "zone",
                    "Mars/Olympus_Mons",
                ])
            try #require(result.exit == .code(0), "\(result.output)")
            try await site.publish("office", 1)
            try await eventually(within: .seconds(20), "the other one") { try site.count() == 1 }
            func isTold() async throws -> Bool {
                let answer = try await site.get("/readyz")
                let waiting = try await site.metric("hearth_pipeline_unknown_zone_readings", "p1-raw-saver")
                return waiting == 1 && answer.status == "200"
                    && answer.body.contains("1 readings wait: this program does not know the time zone")
                    && answer.body.contains("Mars/Olympus_Mons")
            }
            try await asked(within: .seconds(30), "told") { try await isTold() }
            #expect(try await site.metric("hearth_pipeline_dead_letters_total") == 0)
            try await eventually(within: .seconds(10), "the log") {
                site.rig.output(site.saver).contains("readings wait")
            }
            _ = try await site.rig.terminate(site.saver)
            try site.rig.start(site.saver, environment: ["HTTP_PORT": "\(site.port)"])
            try await asked(within: .seconds(30), "known after a restart") { try await isTold() }
            #expect(try await site.deadLetters("list").contains("unknown_zone"))
            #expect(try await site.deadLetters("replay").contains("once it knows the time zone"))
            #expect(try await site.deadLetters("drop", "--reason", "unknown_zone").contains("1 dropped"))
        }

        @Test(
            "dead letters are listed, shown, replayed and dropped while the services run",
            arguments: CloudRig.Engine.allCases)
        func deadLetters(_ engine: CloudRig.Engine) async throws {
            let site = try await Site(engine)
            try await site.send("not json", to: "home1/office/temperature")
            try await site.send(String(repeating: "x", count: 100_000), to: "home1/bath/temperature")
            try await site.send("{}", to: "home1/attic/temperature")
            try await asked(within: .seconds(30), "three") {
                try await site.deadLetters("list").contains("3 dead letters")
            }
            let list = try await site.deadLetters("list", "--json")
            #expect(list.contains(#""length":100000,"cut":true"#) && list.utf8.count < 20_000)
            // sha256sum of 100 000 times x.
            let sum = try await ChildProcess.run(
                "/bin/sh", ["-c", "head -c 100000 /dev/zero | tr '\\0' x | sha256sum | cut -d' ' -f1"])
            #expect(list.contains(sum.output.trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(try await site.deadLetters("show", "--reason", "missing").contains("home1/attic/temperature"))
            let replayed = try await site.deadLetters("replay")
            #expect(replayed.contains("0 replayed, 3 not") && replayed.contains("are kept"), "\(replayed)")
            #expect(try await site.deadLetters("drop", "--reason", "not_json").contains("1 dropped"))
            #expect(try await site.deadLetters("list").contains("2 dead letters"))
            #expect(try await site.deadLetters("list", "--since", "1h").contains("2 dead letters"))
            #expect(try await site.deadLetters("list", "--until", "1h").contains("0 dead letters"))
        }

        @Test("a service is ready only while broker, log and database are there, and soon after they are")
        func readiness() async throws {
            let site = try await Site(.journal)
            try await site.waitUntilReady()
            site.rig.database.stop()
            try await asked(within: .seconds(60), "unready without the database") {
                let answer = try await site.get("/readyz")
                return answer.status == "503" && answer.body.contains("database")
            }
            #expect(try await site.get("/healthz").status == "200")
            try site.rig.database.start()
            try await asked(within: .seconds(5), "ready again") { try await site.get("/readyz").status == "200" }
        }

        @Test(
            "a typo never becomes ready, also while there is nothing to write",
            arguments: ["INFLUX_URL", "KAFKA_HOST", "INFLUX_BUCKET"])
        func typo(_ name: String) async throws {
            let rig = try await CloudRig(.kafka, homes: 0)
            let port = try freePort()
            let wrong = [
                "INFLUX_URL": "http://influxdb-typo.invalid:8086", "KAFKA_HOST": "kafka-typo.invalid:9092",
                "INFLUX_BUCKET": "rwa",
            ]
            try rig.start("save-raw", environment: ["HTTP_PORT": "\(port)", name: wrong[name] ?? ""])
            let site = Site(rig, port: port)
            try await eventually(within: .seconds(20), "it listens") { isListening(port) }
            let end = ContinuousClock.now + .seconds(15)
            while ContinuousClock.now < end {
                #expect(try await site.get("/readyz").status == "503")
                try await Task.sleep(for: .milliseconds(500))
            }
            #expect(try await site.get("/readyz").body.contains(name == "KAFKA_HOST" ? "event log" : "database"))
        }
    }
}
