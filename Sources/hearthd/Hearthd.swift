import ArgumentParser
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// `hearthd`: the gateway daemon.
@main
struct Hearthd: AsyncParsableCommand {
    /// EX_CONFIG of sysexits.h.
    private static let configurationExit = ExitCode(78)

    static let configuration = CommandConfiguration(
        commandName: "hearthd",
        abstract: "Keeps a home's heating right and its readings safe, with or without the internet.",
        version: "hearthd \(Version.current)")

    @Option(name: .long, help: "The configuration file.", completion: .file(extensions: ["toml"]))
    var config = "/etc/hearth/hearthd.toml"

    @Flag(name: .long, help: "Print the effective configuration or every error in it, and exit (0 or 78).")
    var checkConfig = false

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
            FileOutput.standardOutput(configuration.text)
            return
        }
        var logger = Self.logger(environment: environment)
        logger.logLevel = Logger.Level(rawValue: configuration.logLevel) ?? .info
        try await Self.serve(configuration, from: source, environment: environment, logger: logger)
    }

    private static func serve(
        _ configuration: Configuration, from source: ConfigurationSource, environment: [String: String], logger: Logger
    ) async throws {
        let notifier = ServiceNotifier(environment: environment)
        let gateway = Gateway(configuration: configuration, logger: logger)
        let socket = ControlSocket(path: configuration.controlSocket, gateway: gateway, logger: logger)
        var services = ServiceGroupConfiguration(
            services: [
                .init(service: GatewayService(gateway: gateway, socket: socket, notifier: notifier)),
                .init(service: ReloadService(gateway: gateway, source: source, notifier: notifier)),
                .init(service: HeartbeatService(gateway: gateway, notifier: notifier)),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger)
        services.maximumGracefulShutdownDuration = .seconds(5)
        try await ServiceGroup(configuration: services).run()
        // A lane stuck in a frozen disk cannot be joined. What it holds was never acknowledged, so leaving is safe.
        _exit(0)
    }

    private static func logger(environment: [String: String]) -> Logger {
        // systemd.exec(5): JOURNAL_STREAM is set when standard error is the journal.
        let isJournald = environment["JOURNAL_STREAM"] != nil
        return Logger(label: "hearthd") { JournaldLogHandler(label: $0, isJournald: isJournald) }
    }
}
