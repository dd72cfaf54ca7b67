import ArgumentParser
import GatewayClient
import Heating

struct SettingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings",
        abstract: "Show or change what hearthd keeps above its configuration: targets, presets, schedules, names.",
        discussion: """
            hearth settings                                what counts, and who said so
            hearth settings office target 21,5             one number instead of limits
            hearth settings office presets.eco 17
            hearth settings office schedule "mon-fri 06:30 comfort" "daily 22:00 eco"
            hearth settings office name "Living room"
            hearth settings --all band 0.5                 for rooms that have none of their own
            hearth settings office target --reset          as the configuration says
            """)

    @Argument(help: "The room, as 'hearth status' names it; with --all the setting.", completion: roomCompletion)
    var room: String?

    @Argument(
        help: "mode, target, band, schedule, presets.frost, presets.eco, presets.comfort, name or order.",
        completion: .list([
            "mode", "target", "band", "schedule", "presets.frost", "presets.eco", "presets.comfort", "name", "order",
        ]))
    var key: String?

    @Argument(help: "Its value; a schedule's lines one after the other.")
    var values: [String] = []

    @Flag(help: "The house: what counts in rooms that have nothing of their own.")
    var all = false

    @Flag(help: "Take back what was set: this setting, or without one all of the room's.")
    var reset = false

    @OptionGroup var options: GatewayOptions

    /// The room, the setting and its value; with `--all` there is no room and all words move up.
    private var words: (room: String?, key: String?, values: [String]) {
        all ? (nil, room, [key].compactMap { $0 } + values) : (room, key, values)
    }

    func validate() throws {
        let (_, key, values) = words
        if reset {
            guard room != nil || all else { throw ValidationError("--reset needs a room, or --all") }
            if !values.isEmpty { throw ValidationError("--reset takes no value") }
        } else if key != nil, values.isEmpty {
            throw ValidationError("a value is missing; to take a setting back: --reset")
        }
    }

    func run() throws {
        let (place, key, values) = words
        let reply: JSON
        if reset {
            reply = try options.withGateway(room: place ?? "") { (gateway) throws(VarlinkError) in
                try gateway.reset(room: place, keys: key.map { [$0] })
            }
        } else if let key {
            let value = try settingValue(key, values)
            reply = try options.withGateway(room: place ?? "") { (gateway) throws(VarlinkError) in
                try gateway.set(room: place, [(key, value)])
            }
        } else {
            return try list(place)
        }
        guard !options.json else { return try options.write(reply) }
        let now = try options.withGateway { (gateway) throws(VarlinkError) in try gateway.settings() }
        let entries = SettingsList(now).entries(of: place).filter { key == nil || $0.key == key }
        let lines = entries.map { "\(place.map(printableName) ?? "house"): \($0.key) \($0.text), \($0.originText)" }
        try Output.standard.write(lines: lines + keptLines(reply))
    }

    private func list(_ place: String?) throws {
        let reply = try options.withGateway { (gateway) throws(VarlinkError) in try gateway.settings() }
        guard !options.json else { return try options.write(reply) }
        let settings = SettingsList(reply)
        if let place, !settings.rooms.contains(where: { $0.name.utf8.elementsEqual(place.utf8) }) {
            throw noSuchRoom(place, rooms: settings.rooms.map(\.name))
        }
        let output = Output.standard
        try output.write(
            lines: settings.lines(of: place, isHouseOnly: all, width: output.size.columns, style: output.style))
    }
}

/// A value as hearthd reads it.
func settingValue(_ key: String, _ values: [String]) throws -> JSON {
    let text = values.joined(separator: " ")
    switch key {
    case "schedule": return .array(values.map { .string($0) })
    case "name": return .string(text)
    case "mode": return .string(text.lowercased())
    case "order":
        guard let order = Int64(text) else {
            throw ValidationError("order must be a whole number, not '\(printable(text))'")
        }
        return JSON(order)
    default:
        guard let wish = overrideWish(text), let number = Double(wish.filter { !"CF".contains($0) }) else {
            throw ValidationError("\(printable(key)) must be a number such as 21.5, not '\(printable(text))'")
        }
        // With its unit as text: the daemon knows the house's.
        return wish.last.map { "CF".contains($0) } == true ? .string(wish) : JSON(number)
    }
}
