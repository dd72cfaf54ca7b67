import Foundation
import Heating
import TestSupport

/// The whole chain: homes with their own brokers and gateways, a cloud broker, `hearth-cloud` on one of its engines,
/// and a real InfluxDB. Everything but the homes' brokers and the test's Kafka may be killed.
final class CloudRig {
    enum Engine: String, CaseIterable { case journal, kafka }

    final class Home {
        let name: String
        let broker: Mosquitto
        /// What left here acknowledged must arrive.
        let wire: WireProxy
        private let configuration: String
        let directory: TemporaryDirectory
        private(set) var hearthd: ChildProcess?

        /// - Parameter more: further sections of its configuration.
        init(_ name: String, cloudPort: Int, more: String = "", zone: String? = nil) async throws {
            self.name = name
            directory = try TemporaryDirectory(name)
            broker = try await Mosquitto.started(Mosquitto.fast)
            wire = try WireProxy(upstream: broker.port)
            configuration = try directory.write(
                """
                home = "\(name)"
                \(zone.map { "sensor_time_zone = \"\($0)\"" } ?? "")
                [local]
                port = \(wire.port)
                [cloud]
                port = \(cloudPort)
                [uplink]
                confirm = "ingestor"
                [control]
                socket = "\(directory.file("control.sock"))"
                [journal]
                path = "\(directory.file("journal.sqlite"))"
                \(more)
                """, to: "hearthd.toml")
        }

        func start() throws { hearthd = try ChildProcess("hearthd", ["--config", configuration]) }
        func kill() { hearthd?.kill() }
        var output: String { hearthd?.output ?? "" }

        func status() throws -> JSONValue {
            try JSONValue(Varlink.call("io.hearth.Gateway.Status", socket: directory.file("control.sock")))
        }

        /// What `hearth audit` says.
        func audit() async throws -> (isClean: Bool, answer: JSON) {
            let result = try await ChildProcess.run(
                ChildProcess.binary("hearth"),
                ["audit", "--since", "1h", "--json", "--socket", directory.file("control.sock")])
            return (result.exit == .code(0), try JSON.parse(result.output.utf8))
        }

        /// Readings acknowledged on the wire, `room timestamp` → value.
        var acknowledged: [String: Double] {
            var readings: [String: Double] = [:]
            for delivery in wire.acknowledged where delivery.topic.hasSuffix("/temperature") {
                guard let reading = try? Reading(payload: delivery.payload),
                    let time = Timestamp(iso8601: reading.time.text.utf8), let value = Double(reading.valueText)
                else { continue }
                readings["\(delivery.topic.dropLast("/temperature".count)) \(time.nanoseconds)"] = value
            }
            return readings
        }
    }

    let engine: Engine
    let directory: TemporaryDirectory
    let broker: Mosquitto
    let database: InfluxDatabase
    let kafka: MockCluster?
    private(set) var homes: [Home] = []
    let environment: [String: String]
    private var services: [String: ChildProcess] = [:]

    /// - Parameters:
    ///   - homes: how many gateways; none for tests that publish to the cloud broker themselves.
    ///   - given: a database of the test's own.
    ///   - sets: false when the databases are there and no homes are wanted.
    init(_ engine: Engine, homes count: Int, database given: InfluxDatabase? = nil, sets: Bool = true) async throws {
        self.engine = engine
        directory = try TemporaryDirectory("cloud")
        broker = try await Mosquitto.started(Mosquitto.fast)
        database = try given ?? InfluxDatabase()
        kafka = engine == .kafka ? try MockCluster(brokers: 1) : nil
        environment = [
            "MQTT_PORT": "\(broker.port)", "EVENT_LOG": engine.rawValue,
            "JOURNAL_PATH": directory.file("events.sqlite"),
            "KAFKA_HOST": kafka?.bootstrap ?? "", "KAFKA_SESSION_TIMEOUT": "6", "INFLUX_URL": database.url,
            "INFLUX_API": "v1", "HTTP_PORT": "0",
        ]
        for topic in [
            "raw_sensor_data", "clean-data", "heatpump_state", "raw_sensor_data.dead-letter", "raw_sensor_data.held",
        ] {
            try kafka?.command("topic \(topic) 4 1")
        }
        guard sets else { return }
        // The mock makes topics by command; setup is for the databases.
        let setup = try await ChildProcess.run(
            ChildProcess.binary("hearth-cloud"), ["setup"],
            environment: environment.merging(["EVENT_LOG": "journal"]) { $1 })
        guard setup.exit == .code(0) else { throw Failure("setup: \(setup.output)") }
        for number in 0..<count { homes.append(try await Home("home\(number + 1)", cloudPort: broker.port)) }
    }

    var serviceNames: [String] {
        engine == .journal ? ["serve"] : ["ingest", "save-raw", "clean", "aggregate"]
    }
    var ingestName: String { engine == .journal ? "serve" : "ingest" }

    func start(_ service: String, environment more: [String: String] = [:]) throws {
        services[service] = try ChildProcess(
            "hearth-cloud", [service], environment: environment.merging(more) { $1 })
    }

    func residentBytes(_ service: String) -> Int { services[service]?.residentBytes ?? 0 }

    func kill(_ service: String) { services[service]?.kill() }

    func terminate(_ service: String) async throws -> ChildProcess.Exit? {
        try await services[service]?.terminate(within: .seconds(12))
    }

    func startAll() throws {
        for service in serviceNames { try start(service) }
        for home in homes { try home.start() }
    }

    func output(_ service: String) -> String { services[service]?.output ?? "" }

    // MARK: What the database has

    /// Points of a measurement by home, `room time` → value (without room for a home's mean: ` time`).
    func points(_ measurement: String, field: String = "value", in name: String) throws -> [String: [String: Double]] {
        let answer = try database.answer(
            "SELECT \"\(field)\" FROM \"\(measurement)\" GROUP BY home, room", database: name)
        var points: [String: [String: Double]] = [:]
        for series in answer["results"]?[0]?["series"]?.array ?? [] {
            guard let home = series["tags"]?["home"]?.string else { continue }
            let room = series["tags"]?["room"]?.string ?? ""
            for row in series["values"]?.array ?? [] {
                guard let time = row[0]?.int, case .number(let text)? = row[1], let value = Double(text) else {
                    continue
                }
                points[home, default: [:]]["\(room) \(time)"] = value
            }
        }
        return points
    }

    /// The mean of the rooms' means per minute, written down once more and without any of the product's code.
    static func reference(_ clean: [String: Double]) -> [String: Double] {
        var rooms: [Int64: [String: [(time: Int64, value: Double)]]] = [:]
        for (key, value) in clean {
            let parts = key.split(separator: " ")
            guard parts.count == 2, let time = Int64(parts[1]) else { continue }
            rooms[time / 60_000_000_000 * 60_000_000_000, default: [:]][String(parts[0]), default: []].append(
                (time, value))
        }
        var means: [String: Double] = [:]
        for (start, window) in rooms {
            var sum = 0.0
            for room in window.keys.sorted() {
                let values = (window[room] ?? []).sorted { $0.time < $1.time }.map(\.value)
                sum += values.reduce(0, +) / Double(values.count)
            }
            means[" \(start)"] = sum / Double(window.count)
        }
        return means
    }
}
