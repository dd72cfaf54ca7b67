import ArgumentParser
import GatewayClient
import Heating

struct OverrideCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override",
        abstract: "Switch a room's heat pump by hand for a while, or hold another temperature; then it goes back.",
        discussion: """
            The override ends by itself: after --for, or else after override_ttl of the configuration. Frost \
            protection and the compressor's minimum times hold all the same.
            """)

    @Argument(help: "The room, as 'hearth status' names it.")
    var room: String

    @Argument(
        help: """
            on or off: the pump itself. frost, eco, comfort: that preset's limits. A temperature such as 21.5: limits \
            around it. auto ends either.
            """,
        completion: .list(["on", "off", "auto", "frost", "eco", "comfort"]))
    var pump: String

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long: 90m, 2h, 1h30m, 1d.", valueName: "duration"),
        transform: durationArgument)
    var duration: Duration?

    @OptionGroup var options: GatewayOptions

    func validate() throws {
        guard ["on", "off", "auto"].contains(pump) || Preset(rawValue: pump) != nil || Double(pump) != nil else {
            throw ValidationError("'\(pump)' must be on, off, auto, frost, eco, comfort or a temperature")
        }
        if pump == "auto", duration != nil {
            throw ValidationError("'auto' lasts until the next override: leave --for out")
        }
    }

    func run() throws {
        let reply = try options.withGateway(room: room) { (gateway) throws(VarlinkError) in
            try gateway.override(room: room, pump: pump, seconds: duration?.components.seconds)
        }
        guard !options.json else { return try options.write(reply) }
        let override = OverrideReply(reply)
        let now = wallClock()
        let end = override.secondsLeft.flatMap { Int64(exactly: $0.rounded()) }.flatMap { seconds in
            let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            let (end, overflowed) = now.nanoseconds.addingReportingOverflow(nanoseconds)
            return overflow || overflowed ? nil : LocalTime(now: now).text(Timestamp(nanoseconds: end))
        }
        try Output.standard.write(lines: wrapped(overrideText(override, end: end), width: Output.standard.size.columns))
    }
}
