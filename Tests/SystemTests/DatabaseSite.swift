import Foundation
import Heating
import TestSupport
import Testing

extension SystemTests.DatabaseTroubleTests {
    /// A cloud whose services can be asked.
    struct Site {
        let rig: CloudRig
        /// Of the service that has P1.
        let port: Int
        var saver: String { rig.engine == .journal ? "serve" : "save-raw" }

        init(_ engine: CloudRig.Engine, database: InfluxDatabase? = nil) async throws {
            rig = try await CloudRig(engine, homes: 0, database: database)
            port = try freePort()
            for service in rig.serviceNames {
                try rig.start(service, environment: service == saver ? ["HTTP_PORT": "\(port)"] : [:])
            }
            try await eventually(within: .seconds(30), "the ingestor listens") { [rig] in
                rig.broker.log.contains("+/+/temperature")
            }
        }

        init(_ rig: CloudRig, port: Int) {
            self.rig = rig
            self.port = port
        }

        init(_ rig: CloudRig) async throws {
            self.init(rig, port: try freePort())
            try rig.start("serve", environment: ["HTTP_PORT": "\(port)"])
            try await eventually(within: .seconds(30), "the ingestor listens") {
                rig.broker.log.contains("+/+/temperature")
            }
        }

        func publish(_ room: String, _ number: Int, _ value: String = "20.5") async throws {
            let at = Timestamp(
                nanoseconds: (Int64(Date().timeIntervalSince1970) - 3600 + Int64(number)) * 1_000_000_000)
            try await send("{\"timestamp\": \"\(at)\", \"value\": \(value)}", to: "home1/\(room)/temperature")
        }

        func send(_ payload: String, to topic: String) async throws {
            let result = try await ChildProcess.run(
                "/usr/bin/mosquitto_pub",
                ["-V", "5", "-p", "\(rig.broker.port)", "-q", "1", "-t", topic, "-m", payload])
            #expect(result.exit == .code(0))
        }

        func get(_ path: String) async throws -> (status: String, body: String) {
            let result = try await ChildProcess.run(
                "/usr/bin/curl", ["--silent", "--write-out", "\n%{http_code}", "http://127.0.0.1:\(port)\(path)"])
            let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
            return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
        }

        /// The sum of a metric's series that have `label`.
        func metric(_ name: String, _ label: String = "") async throws -> Double {
            try await get("/metrics").body.split(separator: "\n")
                .filter { $0.hasPrefix(name) && !$0.hasPrefix("#") && $0.contains(label) }
                .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
        }

        func count(_ measurement: String = "raw_temperature", _ database: String = "raw") throws -> Int {
            try rig.database.count(measurement, database: database)
        }

        func waitUntilReady() async throws {
            try await asked(within: .seconds(30), "ready: \(rig.output(saver).suffix(800))") {
                try await get("/readyz").status == "200"
            }
        }

        func deadLetters(_ arguments: String...) async throws -> String {
            let result = try await ChildProcess.run(
                ChildProcess.binary("hearth-cloud"), ["dead-letters"] + arguments,
                environment: rig.environment.merging(["HTTP_PORT": "\(port)"]) { $1 }, within: .seconds(30))
            #expect(result.exit == .code(0), "\(result.output)")
            return result.output
        }

        /// Unready with this in the body, an alarm, a line in the log, and nothing given up.
        func expectHeld(_ text: String) async throws {
            try await asked(within: .seconds(60), "readyz says \(text)") {
                let answer = try await get("/readyz")
                return answer.status == "503" && answer.body.contains(text)
            }
            try await asked(within: .seconds(30), "P1 is held") {
                try await metric("hearth_influx_alarm", "p1-raw-saver") == 1
            }
            #expect(try await metric("hearth_pipeline_dead_letters_total") == 0)
            try await eventually(within: .seconds(10), "the log says \(text)") { rig.output(saver).contains(text) }
        }
    }
}

/// As `eventually`, for what is asked of a running service.
func asked(within limit: Duration, _ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        if ContinuousClock.now >= deadline { throw TimedOut(description: "\(what): not within \(limit)") }
        try await Task.sleep(for: .milliseconds(100))
    }
}
