import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite("hearth-cloud as a service", .enabled(if: InfluxDatabase.executable != nil))
    struct CloudServiceTests {
        private func get(_ path: String, _ port: Int) async throws -> (status: String, type: String, body: String) {
            let result = try await ChildProcess.run(
                "/usr/bin/curl",
                ["--silent", "--write-out", "\n%{http_code} %{content_type}", "http://127.0.0.1:\(port)\(path)"])
            let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
            let last = (lines.last ?? "").split(separator: " ", maxSplits: 1)
            return (String(last.first ?? ""), String(last.last ?? ""), lines.dropLast().joined(separator: "\n"))
        }

        @Test("with every peer away it is alive, says what hinders it, and ends in time")
        func alone() async throws {
            let directory = try TemporaryDirectory("cloud")
            let port = try freePort()
            let service = try ChildProcess(
                "hearth-cloud", ["serve"],
                environment: [
                    "MQTT_PORT": "\(try freePort())", "JOURNAL_PATH": directory.file("events.sqlite"),
                    "INFLUX_URL": "http://127.0.0.1:\(try freePort())", "INFLUX_API": "v1", "HTTP_PORT": "\(port)",
                ])
            try await eventually("it listens") { isListening(port) }
            let overIPv6 = try await ChildProcess.run("/usr/bin/curl", ["--silent", "http://[::1]:\(port)/healthz"])
            #expect(overIPv6.output.contains("ok") || !FileManager.default.fileExists(atPath: "/proc/net/if_inet6"))
            let health = try await get("/healthz", port)
            #expect(health.status == "200" && health.body.contains("ok"))
            let readiness = try await get("/readyz", port)
            #expect(readiness.status == "503" && readiness.body.contains("cloud broker"))
            let metrics = try await get("/metrics", port)
            // Prometheus 3 refuses anything else.
            #expect(metrics.type == "text/plain; version=0.0.4; charset=utf-8")
            for name in [
                "hearth_ingest_readings_total", "hearth_log_lag_events", "hearth_influx_retries_total",
                "hearth_pipeline_dead_letters_total", "hearth_log_partitions", "hearth_log_reader_restarts_total",
            ] {
                #expect(metrics.body.contains("\n# TYPE \(name) "), "\(name)")
            }
            let asked = ContinuousClock.now
            #expect(try await service.terminate() == .code(0))
            #expect(ContinuousClock.now - asked < .seconds(5))
        }

        @Test(
            "a service that cannot start by its settings ends with 78 and names the variable",
            arguments: [
                ["MQTT_PORT": "tcp://10.0.0.1:1883"], ["MQTT_PASSWORD_FILE": "/nowhere"],
                ["INFLUX_URL": "127.0.0.1:8086"],
                ["KAFKA_TOPIC": "clean-data"], ["EVENT_LOG": "kafka", "KAFKA_SASL_MECHANISM": "SCRAM"],
            ])
        func settings(_ wrong: [String: String]) async throws {
            let directory = try TemporaryDirectory("settings")
            let base = ["JOURNAL_PATH": directory.file("events.sqlite"), "INFLUX_API": "v1", "HTTP_PORT": "0"]
            let result = try await ChildProcess.run(
                ChildProcess.binary("hearth-cloud"), ["serve"], environment: base.merging(wrong) { $1 },
                within: .seconds(10))
            #expect(result.exit == .code(78), "\(result.output)")
            let name = wrong.keys.first { $0 != "EVENT_LOG" } ?? ""
            #expect(result.output.contains(name), "\(result.output)")
        }

        @Test(
            "told to stop in the middle of the work it finishes the batch: a restart writes the rest, and nothing twice"
        )
        func gracefulStop() async throws {
            let rig = try await CloudRig(.journal, homes: 0)
            // These producers know no gateway's journal: what comes meanwhile the broker has to keep.
            let staying = ["MQTT_ON_STOP": "stay"]
            try rig.start("serve", environment: staying)
            try await eventually(within: .seconds(30), "the ingestor listens") {
                rig.broker.log.contains("$share/hearth-ingest/+/+/temperature")
            }
            let load = try ChildProcess(
                "hearth-sim",
                [
                    "load", "--port", "\(rig.broker.port)", "--homes", "2", "--count", "20000", "--rate", "4000",
                    "--reliable", "--json",
                ])
            for _ in 0..<4 {
                try await eventually(within: .seconds(30), "at work") {
                    rig.output("serve").contains("connected to the cloud broker")
                }
                try await Task.sleep(for: .milliseconds(600))
                #expect(try await rig.terminate("serve") == .code(0), "\(rig.output("serve").suffix(500))")
                try rig.start("serve", environment: staying)
            }
            #expect(try await load.wait(within: .seconds(60)) == .code(0))
            try await eventually(within: .seconds(60), "all in the raw bucket") {
                try rig.database.count("raw_temperature", database: "raw") >= 20_000
            }
            #expect(try rig.database.count("raw_temperature", database: "raw") == 20_000)
        }

        @Test("told to stop while it starts, a service ends in good order")
        func stopWhileStarting() async throws {
            let rig = try await CloudRig(.journal, homes: 0)
            for delay in 0..<10 {
                // Its first work is to open the log; before that line of the program nothing of it can answer.
                let path = rig.directory.file("events\(delay).sqlite")
                try rig.start("serve", environment: ["JOURNAL_PATH": path])
                let end = ContinuousClock.now + .seconds(30)
                while !FileManager.default.fileExists(atPath: path), ContinuousClock.now < end { usleep(500) }
                usleep(UInt32(delay) * 3000)
                #expect(try await rig.terminate("serve") == .code(0), "\(delay): \(rig.output("serve"))")
            }
        }

        @Test("setup refuses to keep points for a shorter time than a home may have to fill in")
        func retention() async throws {
            let database = try InfluxDatabase()
            let environment = ["INFLUX_URL": database.url, "INFLUX_API": "v1"]
            func setup(_ arguments: String...) async throws -> (exit: ChildProcess.Exit, output: String) {
                try await ChildProcess.run(
                    ChildProcess.binary("hearth-cloud"), ["setup"] + arguments, environment: environment)
            }
            let short = try await setup("--retention", "24h")
            #expect(short.exit != .code(0) && short.output.contains("JOURNAL_REACH"))
            #expect(try database.query("SHOW DATABASES").count <= 1, "nothing was made")
            #expect(try await setup("--retention", "24h", "--reach", "12h").exit == .code(0))
            let existing = try await setup()
            #expect(existing.exit != .code(0) && existing.output.contains("bucket raw exists"))
        }

        @Test(
            "what cannot work is said at the start",
            arguments: [
                ["serve", "--event-log", "rabbit"], ["serve", "--window", "0s"], ["serve", "--influx-api", "v3"],
                ["serve", "--mqtt-port", "0"], ["serve", "--http-port", "99999"], ["serve", "--influx-api", "v2"],
                ["save-raw", "--event-log", "journal", "--influx-api", "v1"], ["serve", "--journal-max-size", "1"],
            ])
        func settings(_ arguments: [String]) async throws {
            let directory = try TemporaryDirectory("cloud")
            let result = try await ChildProcess.run(
                ChildProcess.binary("hearth-cloud"), arguments,
                environment: ["JOURNAL_PATH": directory.file("events.sqlite"), "HTTP_PORT": "0"], within: .seconds(10))
            #expect(result.exit != .code(0))
            #expect(result.output.contains("Error: "), "\(result.output)")
        }
    }
}
