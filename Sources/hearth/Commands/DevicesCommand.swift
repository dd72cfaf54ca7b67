import ArgumentParser
import GatewayClient
import Glibc
import Heating

/// `hearth devices`: what is at the home broker, and how the configuration's rules understand it.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Find sensors and pumps at the home broker, and say how they are understood.",
        discussion: """
            hearth devices                                  what is there, with the table to paste
            hearth devices --write --room 0x00158d=office   into devices.d, after asking
            hearth devices --write --pump plug=office,hall  and a heat pump
            hearth devices --test tele/office/SENSOR '{"AM2301":{"Temperature":20.5},"TempUnit":"C"}'
            """)

    @Flag(help: "Write what is new into devices.d, after asking. Files that are there stay as they are.")
    var write = false

    @Flag(help: "Do not ask.")
    var yes = false

    @Option(
        name: .customLong("for"), help: ArgumentHelp("How long to look; 15s.", valueName: "duration"),
        transform: durationArgument)
    var duration: Duration?

    @Option(
        help: ArgumentHelp(
            "Whose room a sensor is in; its name or topic, and nothing behind = to leave it out. May be repeated.",
            valueName: "name=room"))
    var room: [String] = []

    @Option(
        help: ArgumentHelp(
            "Which switch is a heat pump, and what it heats. May be repeated.", valueName: "name=room,room"))
    var pump: [String] = []

    @Option(help: ArgumentHelp("With --write: only what is for this room. May be repeated.", valueName: "room"))
    var only: [String] = []

    @Option(help: ArgumentHelp("Where to write; by itself where hearthd reads.", valueName: "path"))
    var directory: String?

    @Flag(help: "Say what a rule makes of a message.")
    var test = false

    @Argument(help: "With --test: the message's topic.")
    var topic: String?

    @Argument(help: "With --test: the message's payload.")
    var payload: String?

    @Option(help: "With --test: the configuration file.")
    var config = packagedConfiguration

    @OptionGroup var options: GatewayOptions

    func validate() throws {
        if test {
            guard topic != nil, payload != nil else { throw ValidationError("--test needs a topic and a payload") }
        } else if topic != nil {
            throw ValidationError("write --test before the topic and the payload")
        }
        if let wrong = (room + pump).first(where: { DeviceChoice($0) == nil }) {
            throw ValidationError("'\(printable(wrong))' must be NAME=ROOM; a room is one level, without /, + and #")
        }
        if let seconds = duration?.components.seconds, !(1...600).contains(seconds) {
            throw ValidationError("--for must be between 1s and 10m")
        }
        if write, !yes, options.json { throw ValidationError("--json asks nothing: write --yes too") }
    }

    func run() throws {
        if test { return try explain() }
        let look = DeviceLook(
            options: options, seconds: duration?.components.seconds ?? 15, rooms: room.compactMap(DeviceChoice.init),
            pumps: pump.compactMap(DeviceChoice.init), only: only)
        let answer = try look.ask()
        if options.json {
            guard write else { return try options.write(answer.json) }
        } else {
            try show(answer)
        }
        if write { try look.write(answer, in: directory, isConfirmed: yes) }
    }

    private func show(_ answer: DeviceLook.Answer) throws {
        let output = Output.standard
        if !answer.problem.isEmpty { try Output.error.write(lines: ["hearth: \(printable(answer.problem))"]) }
        guard !answer.devices.isEmpty else {
            return try output.write(lines: [
                "Nothing that looks like a temperature was seen on \(answer.json["topics"]?.int ?? 0) topics.",
                "A sensor may sleep for an hour: look longer with --for 10m, or press its button meanwhile.",
            ])
        }
        try output.write(lines: Array(deviceList(answer.devices, style: output.style).drop(while: \.isEmpty)))
        let count = WrittenDevices.files(for: answer.devices).count
        if count > 0, !write {
            try output.write(lines: ["", "To have it in \(printable(answer.directory)): hearth devices --write"])
        }
    }

    private func explain() throws {
        guard let program = installedProgram("hearthd") else {
            throw Problem("hearthd is not installed here", advice: "install hearthd", exitCode: EX_UNAVAILABLE)
        }
        // With the sign, for a payload may begin with a minus; without, for it may be empty.
        func option(_ name: String, _ value: String) -> [String] {
            value.isEmpty ? ["--\(name)", ""] : ["--\(name)=\(value)"]
        }
        let arguments =
            ["--config", config] + option("explain-topic", topic ?? "") + option("explain-payload", payload ?? "")
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
