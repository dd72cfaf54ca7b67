import ArgumentParser
import Glibc
import Heating
import MQTT

/// `hearth-sim observe`
struct ObserveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "observe",
        abstract: "What arrives at a broker, as lines that can be compared.",
        discussion: """
            Without --home it listens at a home broker, with --home at a cloud broker for that home, where frames \
            are taken apart. The session outlives a restart of a broker that keeps its state.
            """)

    @Option(help: "The broker.") var host = "127.0.0.1"
    @Option(help: "Its port.") var port = 1883
    @Option(help: "The home to watch at a cloud broker.") var home: String?
    @Option(help: "Write one line per reading or command: topic, tab, payload.") var report: String?
    @Flag(help: "Do not print a line per second.") var quiet = false

    func validate() throws {
        guard (1...65_535).contains(port) else { throw ValidationError("--port must be 1 to 65535") }
        _ = try broker()
    }

    func run() throws {
        let broker = try broker()
        let file = try report.map { try ReportFile(path: $0) }
        StopSignal.prepare()
        let shared = SharedObservation()
        var settings = ConnectionSettings(host: host, port: port, clientID: clientID("observe"))
        settings.sessionExpiry = 3_600
        let connection = Connection(settings, name: "observe") {
            ObserveSession(broker: broker, report: file, shared: shared)
        }
        try connection.start()
        while !StopSignal.wait(seconds: 1) {
            if !quiet { tell(shared.line) }
        }
        connection.stop(within: 2_000_000_000)
        tell(shared.line)
    }

    private func broker() throws -> ObservedBroker {
        guard let home else { return .home }
        guard let id = HomeID(home) else { throw ValidationError("--home must be one topic level without / + #") }
        return .cloud(id)
    }
}
