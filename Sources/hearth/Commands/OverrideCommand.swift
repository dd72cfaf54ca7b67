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

    @Argument(help: "The room, as 'hearth status' names it.", completion: roomCompletion)
    var room: String

    @Argument(
        help: """
            on or off: the pump itself. frost, eco, comfort: that preset's limits. A temperature such as 21.5: limits \
            around it. auto ends either.
            """,
        completion: .list(["on", "off", "auto", "frost", "eco", "comfort"]))
    var pump: String

    @Argument(help: .hidden)
    var rest: [String] = []

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long: 90m, 2h, 1h30m, 1d.", valueName: "duration"),
        transform: durationArgument)
    var duration: Duration?

    @OptionGroup var options: GatewayOptions

    func validate() throws {
        guard rest.isEmpty else {
            throw quotesMissing(in: [room, pump] + rest.dropLast(), command: "override", rest.last)
        }
        guard let wish = overrideWish(pump) else {
            throw ValidationError(
                "'\(printable(pump))' must be on, off, auto, frost, eco, comfort or a temperature such as 21.5. "
                    + "A room's name with a space in it needs quotes: hearth override '\(printable(room)) \(printable(pump))' auto"
            )
        }
        if wish == "auto", duration != nil {
            throw ValidationError("'auto' lasts until the next override: leave --for out")
        }
    }

    func run() throws {
        let reply = try options.withGateway(room: room) { (gateway) throws(VarlinkError) in
            do throws(VarlinkError) {
                return try gateway.override(
                    room: room, pump: overrideWish(pump) ?? pump, seconds: duration?.components.seconds)
            } catch  where error.refusalName == "InvalidParameter" && overrideWish(pump).flatMap(Double.init) != nil {
                throw .refusal(
                    name: "TemperatureOutOfRange",
                    parameters: ["message": .string("\(pump) is beyond what can be asked for: -20 to 50 °C")])
            }
        }
        guard !options.json else { return try options.write(reply) }
        let override = OverrideReply(reply)
        let now = wallClock()
        let end = override.secondsLeft.flatMap { now.later(by: $0) }.flatMap { ShownTime(now: now).minute($0) }
        try Output.standard.write(lines: wrapped(overrideText(override, end: end), width: Output.standard.size.columns))
    }
}
