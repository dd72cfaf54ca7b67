import ArgumentParser
import GatewayClient
import Glibc
import Heating
import Machine

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check socket, configuration, brokers, clock, disk and permissions; say what to do.",
        discussion: "Exits with 1 when a check found an error, also when hearthd cannot be reached.")

    @Option(help: ArgumentHelp("The configuration to check.", valueName: "file"))
    var config: String?

    @OptionGroup var options: GatewayOptions

    func run() throws {
        let checks = daemonChecks() + [configurationCheck(named: config)].compactMap { $0 }
        let output = Output.standard
        if options.json {
            try options.write(["checks": .array(checks.map(\.json))])
        } else {
            let (width, style) = (output.size.columns, output.style)
            try output.write(lines: checkLines(checks, width: width, style: style) + ["", checkSummary(checks)])
        }
        if checks.contains(where: { $0.state == .error }) { throw ExitCode(EXIT_FAILURE) }
    }

    /// The control socket, then whatever the daemon finds in itself and around it.
    private func daemonChecks() -> [DoctorCheck] {
        let name = "control socket"
        do {
            let gateway = try ControlClient(socket: options.socket)
            let status = Status(try gateway.status())
            let found = (try gateway.doctor()["checks"]?.array ?? []).map(DoctorCheck.init)
            return [DoctorCheck(name, .ok, "\(options.socket) answers"), versionCheck(status)] + found
        } catch {
            return [DoctorCheck(name, .error, error.explanation, advice: error.advice ?? "")]
        }
    }

    private func versionCheck(_ status: Status) -> DoctorCheck {
        let daemon = status.version ?? "unknown"
        guard daemon != Version.current else { return DoctorCheck("version", .ok, "hearthd and hearth are \(daemon)") }
        return DoctorCheck(
            "version", .warning, "hearthd is \(daemon), hearth is \(Version.current)",
            advice: "install the same version of both, then: sudo systemctl restart hearthd")
    }
}
