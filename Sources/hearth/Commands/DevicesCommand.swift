import ArgumentParser
import Glibc

/// `hearth devices --test`: what the configuration's rules make of a message.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Say how the house's devices are understood.",
        discussion: """
            hearth devices --test tele/office/SENSOR '{"AM2301":{"Temperature":20.5},"TempUnit":"C"}'
            """)

    @Flag(name: .long, help: "Say what a rule makes of a message.")
    var test = false

    @Argument(help: "The message's topic.")
    var topic: String

    @Argument(help: "The message's payload.")
    var payload: String

    @Option(name: .long, help: "The configuration file.")
    var config = packagedConfiguration

    func validate() throws {
        guard test else { throw ValidationError("write --test before the topic and the payload") }
    }

    func run() throws {
        guard let program = installedProgram("hearthd") else {
            throw Problem("hearthd is not installed here", advice: "install hearthd", exitCode: EX_UNAVAILABLE)
        }
        let arguments = ["--config", config, "--explain-topic=\(topic)", "--explain-payload=\(payload)"]
        guard let result = try? ChildProcess(running: program, arguments) else {
            throw Problem("\(program) does not start", advice: "reinstall hearthd", exitCode: EX_UNAVAILABLE)
        }
        let lines = result.output.split(separator: "\n").map(String.init)
        switch result.exitCode {
        case 0: try Output.standard.write(lines: lines)
        case 1:
            try Output.standard.write(lines: lines)
            throw ExitCode.failure
        default:
            throw Problem(
                "\(config) is not valid: \(lines.first ?? "")", advice: "correct the file first", exitCode: EX_CONFIG)
        }
    }
}
