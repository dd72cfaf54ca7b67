import ArgumentParser
import Dispatch
import Glibc
import Heating
import LogLines
import Logging
import Machine
import ServiceLifecycle
import UnixSignals

/// The program's two roles. The child needs none of what Swift's tasks bring along: it never makes their threads.
@main
enum Program {
    static func main() {
        if CommandLine.arguments.dropFirst().first == ForwardCommand.name { ForwardCommand.run() }
        Task.detached(priority: .medium) {
            await Hearthd.main()
            exit(0)
        }
        dispatchMain()
    }
}

/// `hearthd`: the gateway daemon.
struct Hearthd: AsyncParsableCommand {
    /// EX_CONFIG and EX_TEMPFAIL of sysexits.h.
    private static let configurationExit = ExitCode(78)
    private static let isHeldExit = ExitCode(75)

    static let configuration = CommandConfiguration(
        commandName: "hearthd",
        abstract: "Keeps a home's heating right and its readings safe, with or without the internet.",
        version: "hearthd \(Version.current)")

    @Option(name: .long, help: "The configuration file.", completion: .file(extensions: ["toml"]))
    var config = "/etc/hearth/hearthd.toml"

    @Flag(name: .long, help: "Print the effective configuration or every error in it, and exit (0 or 78).")
    var checkConfig = false

    @Option(name: .long, help: .hidden)
    var explainTopic: String?

    @Option(name: .long, help: .hidden)
    var explainPayload: String?

    mutating func run() async throws {
        let environment = Environment.current
        let source = ConfigurationSource(path: config, environment: environment)
        let configuration: Configuration
        do {
            configuration = try source.read()
        } catch {
            FileOutput.standardError("\(error)\n")
            throw Self.configurationExit
        }
        if checkConfig {
            FileOutput.standardOutput(try Self.effective(configuration))
            return
        }
        if let explainTopic {
            let payload = Array((explainPayload ?? "").utf8)
            let answer = DeviceExplanation(
                topic: explainTopic, payload: payload, configuration: configuration, arrival: Clock.wall)
            FileOutput.standardOutput(answer.text)
            throw answer.hasReading ? ExitCode.success : ExitCode.failure
        }
        let threshold = LogThreshold(Logger.Level(rawValue: configuration.logLevel) ?? .info)
        let logger = Self.logger(threshold)
        let lock: GatewayLock
        do throws(GatewayLock.Held) {
            // A service manager starts the next one while the last is still ending.
            let patience: Duration = environment["NOTIFY_SOCKET"] == nil ? .zero : .seconds(10)
            lock = try GatewayLock.take(for: configuration, within: patience)
        } catch {
            FileOutput.standardError("\(error)\n")
            throw Self.isHeldExit
        }
        defer { lock.release() }
        let gateway = Gateway(configuration: configuration, source: source, threshold: threshold, logger: logger)
        try await Self.serve(gateway, environment: environment, lock: lock)
    }

    private static func serve(_ gateway: Gateway, environment: [String: String], lock: GatewayLock) async throws {
        let (logger, notifier) = (gateway.logger, ServiceNotifier(environment: environment))
        let socket = ControlSocket(
            path: gateway.snapshot.configuration.controlSocket, gateway: gateway, logger: logger)
        // At the lower levels it prints every service with all that is in it, this process's environment too.
        var lifecycleLogger = logger
        lifecycleLogger.logLevel = max(logger.logLevel, .info)
        var services = ServiceGroupConfiguration(
            services: [
                .init(service: GatewayService(gateway: gateway, socket: socket, notifier: notifier)),
                .init(service: ReloadService(gateway: gateway, lock: lock, source: gateway.source, notifier: notifier)),
                .init(service: HeartbeatService(gateway: gateway, lock: lock, notifier: notifier)),
                .init(service: EndingService(gateway: gateway)),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: lifecycleLogger)
        services.maximumGracefulShutdownDuration = .seconds(5)
        try await ServiceGroup(configuration: services).run()
        // A lane stuck in a frozen disk cannot be joined. What it holds was never acknowledged, so leaving is safe.
        _exit(0)
    }

    /// The configuration with what is kept above it, and at its end what that is.
    private static func effective(_ configuration: Configuration) throws -> String {
        let findings = FindingBoard()
        let path = configuration.settingsFile
        let kept = SettingsFile(
            path: path, findings: findings, logger: Logger(label: "hearthd") { _ in SwiftLogNoOpLogHandler() }
        ).peek()
        switch kept {
        case .failure(let problem):
            FileOutput.standardError("\(problem)\n")
            return configuration.text
        case .success(let kept):
            let sum = kept.above(configuration)
            for finding in sum.findings { FileOutput.standardError("\(finding.text)\n") }
            guard !kept.isEmpty else { return configuration.text }
            let lines = kept.summary.map { "#   \($0)" }.joined(separator: "\n")
            return sum.configuration.text + "\n# Of this, from \(path), in °C (hearth settings):\n\(lines)\n"
        }
    }

    /// - Parameter quietUntil: below an error nothing is said until then.
    static func logger(_ threshold: LogThreshold, quietUntil: Instant? = nil) -> Logger {
        Logger(label: "hearthd") { LogLine(label: $0, threshold: threshold, quietUntil: quietUntil) }
    }
}
