import ArgumentParser
import Glibc
import HTTP
import HomePage
import LogLines
import Logging
import Machine
import ServiceLifecycle
import UnixSignals

/// `hearth-web`: the home box's page and `/metrics`. A client of hearthd's control socket and nothing else: whatever
/// happens to it, the heating does not notice.
@main
struct HearthWeb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearth-web",
        abstract: "The page of the heating gateway on this box, and its metrics for Prometheus.",
        discussion: """
            Beyond this machine it listens only with --password-file: the user is 'hearth', and the password, which \
            is all there is in the file, travels unencrypted without --tls-certificate and --tls-key or a TLS proxy \
            in front.
            """,
        version: "hearth-web \(Version.current)")

    @Option(help: ArgumentHelp("Where to listen: an address and a port.", valueName: "address:port"))
    var listen = "127.0.0.1:8088"

    @Option(help: ArgumentHelp("hearthd's control socket; also from HEARTH_SOCKET.", valueName: "path"))
    var socket = environmentVariable("HEARTH_SOCKET") ?? "/run/hearth/hearthd.sock"

    @Option(help: ArgumentHelp("Ask for the password in this file (HTTP Basic, user 'hearth').", valueName: "file"))
    var passwordFile: String?

    @Option(help: ArgumentHelp("Serve with HTTPS: the certificate and its chain, PEM.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key, PEM without a passphrase.", valueName: "file"))
    var tlsKey: String?

    @Option(help: "trace, debug, info, notice, warning or error.")
    var logLevel = Logger.Level.info

    func run() async throws {
        let logger = logger()
        let settings: WebSettings
        let certificate: PageCertificate?
        do throws(SettingsError) {
            settings = try WebSettings(listen: listen, passwordFile: passwordFile)
            certificate = try PageCertificate(asGiven: tlsCertificate, tlsKey)
        } catch {
            FileOutput.error("hearth-web: \(error.description)\n")
            throw ExitCode(EX_CONFIG)
        }
        if settings.isPasswordSent, certificate == nil {
            logger.warning(
                "the password travels unencrypted; use --tls-certificate or a TLS proxy if the network is not yours")
        }
        let board = StatusBoard()
        let site = Site(settings: settings, socket: socket, board: board, logger: logger)
        var services = ServiceGroupConfiguration(
            services: [
                WebService(
                    settings: settings, certificate: certificate, site: site, socket: socket, board: board,
                    logger: logger)
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        services.maximumGracefulShutdownDuration = .seconds(4)
        do {
            try await ServiceGroup(configuration: services).run()
        } catch {
            FileOutput.error("hearth-web: cannot listen on \(settings.address): \(error)\n")
            throw ExitCode(EXIT_FAILURE)
        }
        Glibc.exit(EXIT_SUCCESS)  // A thread may still sit in a call to the daemon.
    }

    private func logger() -> Logger {
        var logger = Logger(label: "hearth-web") { LogLine(label: $0) }
        logger.logLevel = logLevel
        return logger
    }
}

/// Serves until the process is told to stop.
private struct WebService: Service {
    let settings: WebSettings
    /// nil: HTTP without TLS.
    let certificate: PageCertificate?
    let site: Site
    let socket: String
    let board: StatusBoard
    let logger: Logger

    func run() async throws {
        StatusFollower(socket: socket, board: board, logger: logger).start()
        var server = HTTPServer(host: settings.address.host, port: settings.address.port) { await site.answer($0) }
        if let certificate { server.prepare = { channel in try certificate.secure(channel) } }
        try await cancelWhenGracefulShutdown { [server] in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await watchCertificate() }
                try await server.run(onListening: sayThatItListens)
                tasks.cancelAll()
            }
        }
    }

    @Sendable private func sayThatItListens(port: Int) {
        let scheme = certificate == nil ? "http" : "https"
        logger.notice(
            "listening", metadata: ["address": "\(settings.address.host)", "port": "\(port)", "scheme": "\(scheme)"])
    }

    /// Takes a renewed certificate within ten seconds, and says each day that one ends soon. Until the task is cancelled.
    private func watchCertificate() async {
        guard let certificate else { return }
        var said: Int?
        repeat {
            do throws(SettingsError) {
                if try certificate.renew() { logger.notice("the page's certificate was renewed") }
            } catch {
                logger.warning("\(error.description); the certificate read before is used on")
            }
            let days = certificate.days(at: Clock.wallNanoseconds)
            if days != said, let words = PageCertificate.words(daysLeft: days, file: certificate.certificateFile) {
                logger.warning("\(words)")
            }
            said = days
        } while (try? await Task.sleep(for: .seconds(10))) != nil
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

func environmentVariable(_ name: String) -> String? {
    guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { return nil }
    return value
}

/// Words for a person who started the program by hand.
private enum FileOutput {
    static func error(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
