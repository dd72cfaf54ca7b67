import ArgumentParser
import GatewayClient
import Heating

struct OverrideCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override",
        abstract: "Hold another temperature or preset, or switch a heat pump by hand, for a while; then it goes back.",
        discussion: """
            It ends by itself: after --for, at --until, or else after override_ttl of the configuration; a preset or a \
            temperature may also hold --until-changed. Frost protection, the upper limit and the compressor's minimum times \
            hold all the same. Off without an end is a setting: hearth mode ROOM off.
            """)

    @Argument(help: "The room, as 'hearth status' names it; with --all what is asked for.", completion: roomCompletion)
    var room: String

    @Argument(
        help: """
            on or off: the pump itself. frost, eco, comfort: that preset. A temperature such as 21.5, 21,5 or 70F. auto \
            ends either.
            """,
        completion: .list(["on", "off", "auto", "frost", "eco", "comfort"]))
    var pump: String?

    @Argument(help: .hidden)
    var rest: [String] = []

    @Flag(help: "Every room.")
    var all = false

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long: 90m, 2h, 1h30m, 1d.", valueName: "duration"),
        transform: durationArgument)
    var duration: Duration?

    @Option(help: ArgumentHelp("Until when: 2026-12-24, \"2026-12-24 18:00\", 18:00.", valueName: "time"))
    var until: String?

    @Flag(help: "Without an end: until somebody asks for something else.")
    var untilChanged = false

    @OptionGroup var options: GatewayOptions

    /// The room and what is asked for; with `--all` no room.
    private var words: (room: String?, wish: String?) { all ? (nil, room) : (room, pump) }

    func validate() throws {
        if all, let pump {
            throw ValidationError(
                "--all is for every room: leave the room out, hearth override --all \(printable(pump))")
        }
        if !rest.isEmpty, let pump {
            throw quotesMissing(in: [room, pump] + rest.dropLast(), command: "override", rest.last)
        }
        guard let text = words.wish else { throw ValidationError("Missing expected argument '<pump>'") }
        guard let wish = overrideWish(text) else { throw notAWish(text) }
        let ends = [duration != nil, until != nil, untilChanged].count { $0 }
        if wish == "auto", ends > 0 { throw ValidationError("'auto' has no end: leave --for and --until out") }
        if ends > 1 { throw ValidationError("--for, --until and --until-changed exclude each other") }
        if untilChanged, ["on", "off"].contains(wish) {
            throw ValidationError(
                "a pump that is switched by hand always has an end: use --for; off without one is: hearth mode ROOM off"
            )
        }
        if let until { _ = try secondsUntil(until, now: wallClock()) }
    }

    private func notAWish(_ text: String) -> ValidationError {
        let quotes = all ? "" : " A room's name with a space in it needs quotes: hearth override '\(printable(room)) "
        return ValidationError(
            "'\(printable(text))' must be on, off, auto, frost, eco, comfort or a temperature such as 21.5."
                + (all ? "" : "\(quotes)\(printable(text))' auto"))
    }

    func run() throws {
        let (place, text) = words
        let wish = text.flatMap(overrideWish) ?? ""
        let seconds = try until.map { try secondsUntil($0, now: wallClock()) } ?? duration?.components.seconds
        let reply = try options.withGateway(room: place ?? "") { (gateway) throws(VarlinkError) in
            try gateway.override(room: place, pump: wish, seconds: seconds, isUntilChanged: untilChanged)
        }
        try options.show(OverrideReply(reply), reply)
    }
}

struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Go back to the schedule: end what was asked for by hand, and off.",
        discussion: "The same as 'hearth override ROOM auto'.")

    @Argument(help: "The room, as 'hearth status' names it; or --all.", completion: roomCompletion)
    var room: String?

    @Flag(help: "Every room.")
    var all = false

    @OptionGroup var options: GatewayOptions

    func validate() throws { try needsOnePlace(room, all) }

    func run() throws {
        let reply = try options.withGateway(room: room ?? "") { (gateway) throws(VarlinkError) in
            try gateway.override(room: room, pump: "auto", seconds: nil)
        }
        try options.show(OverrideReply(reply), reply)
    }
}

struct ModeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mode",
        abstract: "Switch a room, or the house, off without an end, or back to automatic.",
        discussion: """
            A setting: it outlives restarts. In a room that is off no pump runs but for frost protection; what is asked for \
            there is kept for later.
            """)

    @Argument(help: "The room, as 'hearth status' names it; with --all off or auto.", completion: roomCompletion)
    var room: String

    @Argument(help: "off or auto.", completion: .list(["off", "auto"]))
    var mode: String?

    @Flag(help: "Every room.")
    var all = false

    @OptionGroup var options: GatewayOptions

    private var words: (room: String?, mode: String) { all ? (nil, room) : (room, mode ?? "") }

    func validate() throws {
        guard ["off", "auto"].contains(words.mode), !(all && mode != nil) else {
            throw ValidationError("write hearth mode ROOM off, hearth mode ROOM auto or hearth mode --all off")
        }
    }

    func run() throws {
        let (place, mode) = words
        let reply = try options.withGateway(room: place ?? "") { (gateway) throws(VarlinkError) in
            // Auto ends what was asked for as well: one meaning everywhere.
            if mode == "auto" { return try gateway.override(room: place, pump: "auto", seconds: nil) }
            return try gateway.set(room: place, [("mode", .string(mode))])
        }
        guard mode == "off" else { return try options.show(OverrideReply(reply), reply) }
        guard !options.json else { return try options.write(reply) }
        let name = place.map(printableName) ?? "every room"
        try Output.standard.write(
            lines: ["\(name): switched off until it is changed; frost protection stays"] + keptLines(reply))
    }
}

/// Exactly one of a room and `--all`.
func needsOnePlace(_ room: String?, _ all: Bool) throws {
    if (room == nil) != all { throw ValidationError("name a room, or --all for every room") }
}

/// What is wrong with keeping a setting, if anything.
func keptLines(_ reply: JSON) -> [String] {
    guard reply["kept"]?.bool == false else { return [] }
    return ["It counts, but a restart would not know it: \(printable(reply["problem"]?.string ?? "it is not on disk"))"]
}

extension GatewayOptions {
    /// Says what an override does and until when.
    fileprivate func show(_ override: OverrideReply, _ reply: JSON) throws {
        guard !json else { return try write(reply) }
        let now = wallClock()
        let end = override.secondsLeft.flatMap { now.later(by: $0) }.flatMap { ShownTime(now: now).minute($0) }
        try Output.standard.write(lines: wrapped(overrideText(override, end: end), width: Output.standard.size.columns))
    }
}
