import Foundation
import TestSupport

/// `hearthd` between two real brokers, with both wires observed and breakable.
final class Rig {
    let directory: TemporaryDirectory
    let home: Mosquitto
    let cloud: Mosquitto
    /// Between hearthd and the home broker: what left here acknowledged is acknowledged.
    let homeWire: WireProxy
    let cloudWire: WireProxy
    let configurationFile: String
    private(set) var hearthd: ChildProcess?
    /// When hearthd was last started.
    private(set) var startedAt = ContinuousClock.now

    /// - Parameters:
    ///   - confirm: `broker` or `ingestor`.
    ///   - configuration: more lines of `hearthd.toml`; sections other than local, cloud, uplink, journal, control.
    ///   - journal: lines of its section; `path` is added unless given.
    ///   - homeBroker: the home broker's configuration; `cloudBroker`: the cloud broker's.
    ///   - givenDirectory: where its files go, for tests that have put some there.
    init(
        confirm: String = "broker", configuration: String = "", journal: String = "", journalDirectory: String? = nil,
        homeBroker: String = Mosquitto.fast, cloudBroker: String = Mosquitto.fast,
        in givenDirectory: TemporaryDirectory? = nil
    ) async throws {
        directory = try givenDirectory ?? TemporaryDirectory("rig")
        home = try await Mosquitto.started(homeBroker)
        cloud = try await Mosquitto.started(cloudBroker)
        homeWire = try WireProxy(upstream: home.port)
        cloudWire = try WireProxy(upstream: cloud.port)
        configurationFile = try directory.write(
            """
            home = "home1"
            [local]
            port = \(homeWire.port)
            [cloud]
            port = \(cloudWire.port)
            [uplink]
            confirm = "\(confirm)"
            [control]
            socket = "\(directory.file("control.sock"))"
            [journal]
            path = "\(journalDirectory ?? directory.path)/journal.sqlite"
            \(journal)
            \(configuration)
            """, to: "hearthd.toml")
    }

    var socket: String { directory.file("control.sock") }

    func start(environment: [String: String] = [:]) throws {
        startedAt = .now
        hearthd = try ChildProcess("hearthd", ["--config", configurationFile], environment: environment)
    }

    func rewrite(_ change: (String) -> String) throws {
        try directory.write(change(try String(contentsOfFile: configurationFile, encoding: .utf8)), to: "hearthd.toml")
    }

    /// Starts and waits until the record lane's subscription stands: from then on nothing that is sent is missed.
    func startAndSubscribe(environment: [String: String] = [:]) async throws {
        try start(environment: environment)
        try await eventually("hearthd records") { self.hearthd?.output.contains("recording") ?? false }
        try await status { $0["links"].array?.count == 3 }
    }

    func kill() {
        hearthd?.kill()
        hearthd = nil
    }

    func stop() async throws {
        guard let hearthd else { return }
        let exit = try await hearthd.terminate(within: .seconds(6))
        guard exit == .code(0) else { throw Failure("hearthd ended with \(exit): \(hearthd.output)") }
        self.hearthd = nil
    }

    /// Waits until `hearth status --json` shows what is wanted.
    @discardableResult
    func status(within limit: Duration = .seconds(15), _ wanted: (JSONValue) -> Bool = { _ in true }) async throws
        -> JSONValue
    {
        try await value(within: limit, "the wanted status") {
            guard let status = try? currentStatus(), wanted(status) else { return nil }
            return status
        }
    }

    func currentStatus() throws -> JSONValue {
        try JSONValue(Varlink.call("io.hearth.Gateway.Status", socket: socket))
    }

    /// Readings and commands whose PUBACK left for the home broker, and how many.
    var acknowledgedRecords: Int {
        homeWire.acknowledged.count { $0.topic.hasSuffix("/temperature") || $0.topic.hasSuffix("/heatpump") }
    }

    /// What the home side acknowledged on the wire, as `topic payload`.
    var acknowledged: Set<String> {
        Set(homeWire.acknowledged.map { "\($0.topic) \(String(decoding: $0.payload, as: UTF8.self))" })
    }
}

/// A subscriber that is not ours: `mosquitto_sub`, everything it gets in a file.
final class Recorder {
    struct Arrival: Equatable {
        var topic: String
        var payload: String
        /// `name:value` user properties.
        var properties: String
    }

    private let process: ChildProcess

    /// - Parameters:
    ///   - user: its name, for brokers with an ACL.
    ///   - version: of MQTT, for brokers that do not speak 5.
    init(port: Int, topic: String = "#", user: String? = nil, version: String = "5") async throws {
        process = try ChildProcess(
            // Its debug lines are buffered in a file otherwise, and they say when the subscription stands.
            "/usr/bin/stdbuf",
            [
                "-oL", "/usr/bin/mosquitto_sub", "-p", "\(port)", "-V", version, "-q", "1", "-t", topic, "-F",
                "=>%t\t%x\t%P", "-d",
            ] + (user.map { ["-u", $0] } ?? []))
        try await eventually("mosquitto_sub has subscribed") { process.output.contains("Subscribed (mid") }
    }

    /// Everything so far, in order of arrival.
    var arrivals: [Arrival] {
        // The last line may still be on its way.
        process.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { line in
            guard line.hasPrefix("=>") else { return nil }
            let parts = line.dropFirst(2).split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count >= 2 else { return nil }
            return Arrival(
                topic: String(parts[0]), payload: Self.text(hex: parts[1]),
                properties: parts.count > 2 ? String(parts[2]) : "")
        }
    }

    func stop() { process.kill() }

    private static func text(hex: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = hex
        while rest.count >= 2 {
            bytes.append(UInt8(rest.prefix(2), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// One publication through `mosquitto_pub`.
func publish(_ payload: String, to topic: String, port: Int, qos: Int = 1, options: [String] = []) async throws {
    let result = try await ChildProcess.run(
        "/usr/bin/mosquitto_pub",
        ["-p", "\(port)", "-V", "5", "-q", "\(qos)", "-t", topic, "-m", payload] + options)
    guard result.exit == .code(0) else { throw Failure("mosquitto_pub: \(result.output)") }
}
