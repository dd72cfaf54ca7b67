import ArgumentParser
import GatewayClient
import Glibc
import Machine

/// The person's tool of Hearth: asks hearthd over its control socket and writes the answer for people, or as JSON.
@main
struct Hearth: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearth",
        abstract: "See and steer the heating gateway of this home.",
        discussion: """
            Exit codes: 0 fine, 1 a problem was found, 64 wrong usage, 69 hearthd cannot be reached.
            """,
        version: Version.current,
        subcommands: [
            StatusCommand.self, WatchCommand.self, JournalCommand.self, DoctorCommand.self, OverrideCommand.self,
            ModeCommand.self, ResumeCommand.self, SettingsCommand.self, ForgetCommand.self, WhyCommand.self,
            ReplayCommand.self, AuditCommand.self, DevicesCommand.self,
        ])

    static func main() {
        let arguments = protectingNegativeNumbers(Array(CommandLine.arguments.dropFirst()))
        if let problem = unknownCommand(in: arguments) { fail(problem) }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch let problem as Problem {
            fail(problem)
        } catch {
            exit(withError: error)
        }
    }

    /// A first argument that is no command, which ArgumentParser would only call unexpected. After `help` too.
    static func unknownCommand(in arguments: [String]) -> Problem? {
        if arguments.first == "help" { return unknownCommand(in: Array(arguments.dropFirst())) }
        let names = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        guard let first = arguments.first, !first.hasPrefix("-"), !names.contains(first) else { return nil }
        let hint = nearest(to: first, among: names).map { "; did you mean 'hearth \($0)'?" } ?? ""
        return Problem(
            "there is no command '\(printable(first))'\(hint)",
            advice: "choose from \(names.joined(separator: ", "))", exitCode: EX_USAGE)
    }

    private static func fail(_ problem: Problem) -> Never {
        try? Output.error.write(lines: problem.lines)
        Glibc.exit(problem.exitCode)
    }
}
