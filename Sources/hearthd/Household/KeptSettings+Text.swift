import Heating

/// The kept settings as the text of their file.
extension KeptSettings {
    /// - Throws: what is wrong with the text; nothing of it counts then.
    init(text: String, file: String) throws(ConfigurationError) {
        var reader = ConfigurationReader(text: text, file: file, environment: [:])
        guard reader.problems.isEmpty else { throw ConfigurationError(problems: reader.problems) }
        house = reader.entry(["house"])
        rooms = [:]
        for name in reader.tableNames(["rooms"]) {
            guard let room = Room(name) else {
                reader.report(["rooms", name], "is not a room: a room is one topic level, without /, + and #")
                continue
            }
            self[room] = reader.entry(["rooms", name])
        }
        reader.reportUnknownKeys()
        guard reader.problems.isEmpty else { throw ConfigurationError(problems: reader.problems) }
    }

    var text: String {
        var lines = [
            "# Kept by hearthd: what was set by hearth settings, on the page or in Home Assistant. It counts above the",
            "# configuration. Temperatures are in °C. Change it with: hearth settings",
        ]
        if !house.isEmpty { lines += ["", "[house]"] + house.lines }
        for (room, entry) in rooms.sorted(by: { $0.key < $1.key }) {
            lines += ["", "[rooms.\(quoted(room.name))]"] + entry.lines
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One line for each setting, as `--check-config` shows them.
    var summary: [String] {
        let entries = [("house", house)] + rooms.sorted { $0.key < $1.key }.map { (quoted($0.key.name), $0.value) }
        return entries.flatMap { name, entry in entry.lines.map { "\(name): \($0)" } }
    }
}

extension KeptSettings.Entry {
    fileprivate var lines: [String] {
        var lines: [String] = []
        if let mode { lines.append("mode = \(quoted(mode.rawValue))") }
        if let target { lines.append("target = \(target)") }
        if let band { lines.append("band = \(band)") }
        if let schedule { lines.append("schedule = [\(schedule.lines.map(quoted).joined(separator: ", "))]") }
        for (preset, target) in presets.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            lines.append("presets.\(preset.rawValue) = \(target)")
        }
        if let name { lines.append("name = \(quoted(name))") }
        if let order { lines.append("order = \(order)") }
        return lines
    }
}

extension ConfigurationReader {
    fileprivate mutating func entry(_ path: [String]) -> KeptSettings.Entry {
        var entry = KeptSettings.Entry()
        entry.mode = oneOf(path + ["mode"], Thermostat.Mode.self)
        entry.target = temperature(path + ["target"])
        entry.band = number(path + ["band"], in: 0...100)
        entry.schedule = schedule(path + ["schedule"])
        for preset in Preset.allCases {
            entry.presets[preset] = temperature(path + ["presets", preset.rawValue])
        }
        entry.name = string(path + ["name"])
        entry.order = integer(path + ["order"], in: 0...9999)
        return entry
    }
}

/// A TOML basic string; JSON's escapes are a subset of TOML's, which wants U+007F escaped as well.
private func quoted(_ text: String) -> String {
    JSON.string(text).serialized().split(separator: "\u{7f}", omittingEmptySubsequences: false)
        .joined(separator: "\\u007f")
}
