import Heating

/// What people have set above the configuration, for the house and for rooms. A value; temperatures in °C.
struct KeptSettings: Equatable, Sendable {
    /// More rooms than this are nobody's house.
    static let roomLimit = ControlMailbox.roomLimit

    struct Entry: Equatable, Sendable {
        var mode: Thermostat.Mode?
        var target: Double?
        var band: Double?
        var schedule: Schedule?
        var presets: [Preset: Double] = [:]
        var name: String?
        var order: Int?

        var isEmpty: Bool { self == Entry() }

        /// Which of the settings are here.
        var keys: [SettingKey] { SettingKey.allCases.filter(has) }

        func has(_ key: SettingKey) -> Bool {
            switch key {
            case .mode: mode != nil
            case .target: target != nil
            case .band: band != nil
            case .schedule: schedule != nil
            case .frost, .eco, .comfort: key.preset.map { presets[$0] != nil } ?? false
            case .name: name != nil
            case .order: order != nil
            }
        }

        mutating func reset(_ key: SettingKey) {
            switch key {
            case .mode: mode = nil
            case .target: target = nil
            case .band: band = nil
            case .schedule: schedule = nil
            case .frost, .eco, .comfort: if let preset = key.preset { presets[preset] = nil }
            case .name: name = nil
            case .order: order = nil
            }
        }

        /// These settings above others, but for those of `keys`.
        func above(_ settings: Thermostat.Settings, except keys: Set<SettingKey> = []) -> Thermostat.Settings {
            var result = settings
            if let mode, !keys.contains(.mode) { result.mode = mode }
            if let target, !keys.contains(.target) { result.target = target }
            if let band, !keys.contains(.band) { result.band = band }
            if let schedule, !keys.contains(.schedule) { result.schedule = schedule }
            for key in [SettingKey.frost, .eco, .comfort] where !keys.contains(key) {
                if let preset = key.preset, let target = presets[preset] { result.presets[preset] = .target(target) }
            }
            return result
        }
    }

    var house = Entry()
    var rooms: [Room: Entry] = [:]

    var isEmpty: Bool { house.isEmpty && rooms.isEmpty }

    subscript(room: Room?) -> Entry {
        get { room.map { rooms[$0] ?? Entry() } ?? house }
        set {
            guard let room else { return house = newValue }
            rooms[room] = newValue.isEmpty ? nil : newValue
        }
    }

    // MARK: The sum

    /// The configuration with these settings above it. What does not fit the file any more is left out and told.
    func above(_ file: Configuration) -> (configuration: Configuration, findings: [Finding]) {
        var result = file
        var findings: [Finding] = []
        result.thermostat = fitting(house, above: file.thermostat, except: [], nil, file, &findings)
        for (room, settings) in file.rooms {
            let written = file.written.rooms[room] ?? []
            result.rooms[room] = fitting(house, above: settings, except: written, nil, in: room, file, &findings)
        }
        for (room, entry) in rooms {
            if let name = entry.name { result.names[room] = name }
            if let order = entry.order { result.order[room] = order }
            if let settings = result.rooms[room] {
                result.rooms[room] = fitting(entry, above: settings, except: [], room, in: room, file, &findings)
            } else {
                let settings = fitting(entry, above: result.thermostat, except: [], room, file, &findings)
                if settings != result.thermostat { result.unlisted[room] = settings }
            }
        }
        return (result, findings)
    }

    private func fitting(
        _ entry: Entry, above settings: Thermostat.Settings, except written: Set<SettingKey>, _ room: Room?,
        in base: Room? = nil, _ file: Configuration, _ findings: inout [Finding]
    ) -> Thermostat.Settings {
        let sum = file.protected(entry.above(settings, except: written), of: base)
        guard let problem = sum.problems(in: file.temperatureUnit).first else { return sum }
        findings.append(
            Finding(
                name: Finding.settingsDoNotFit, severity: .heating, subject: room?.name ?? "", room: room,
                text: .finding(
                    room == nil ? .houseDoesNotFit : .doesNotFit,
                    ["room": .text(room?.displayName ?? ""), "problem": .sentence(problem)]),
                advice: .finding(.setAnew)))
        return settings
    }

    // MARK: Changes

    /// Why a change makes no sense, for who asked.
    struct Refusal: Error, Equatable {
        var sentence: Sentence

        init(_ sentence: Sentence) { self.sentence = sentence }

        init(_ sentence: RefusalSentence, _ values: KeyValuePairs<String, Sentence.Value> = [:]) {
            self.sentence = .refusal(sentence, values)
        }
    }

    /// The settings after a change.
    /// - Parameter room: nil for the house.
    /// - Throws: ``Refusal``, and nothing has changed.
    func changed(
        _ room: Room?, _ changes: [(key: String, value: JSON)], above file: Configuration
    ) throws(Refusal) -> KeptSettings {
        var result = self
        for (name, value) in changes {
            guard let key = SettingKey(rawValue: name), room != nil || !key.isOfRoomsOnly else {
                throw Self.noSetting(name, SettingKey.allCases.filter { room != nil || !$0.isOfRoomsOnly })
            }
            if value.isNull {
                result[room].reset(key)
            } else {
                try result[room].set(key, value, file.temperatureUnit)
            }
        }
        if room == nil, let mode = result.house.mode, changes.contains(where: { $0.key == SettingKey.mode.rawValue }) {
            result.follow(mode, file)
        }
        guard result.rooms.count <= Self.roomLimit else { throw Refusal(.tooManyRooms) }
        try result.check(room, above: file)
        return result
    }

    private static func noSetting(_ name: String, _ keys: [SettingKey]) -> Refusal {
        let names = keys.map(\.rawValue), known = Sentence.Value.text(names.joined(separator: ", "))
        guard let near = nearest(name, among: names) else {
            return Refusal(.noSetting, ["name": .text(name), "names": known])
        }
        return Refusal(.noSettingButNear, ["name": .text(name), "near": .text(near), "names": known])
    }

    /// The whole house is in this mode: also rooms that had one of their own.
    private mutating func follow(_ mode: Thermostat.Mode, _ file: Configuration) {
        for room in rooms.keys { self[room].reset(.mode) }
        for (room, written) in file.written.rooms where written.contains(.mode) { self[room].mode = mode }
    }

    private func check(_ room: Room?, above file: Configuration) throws(Refusal) {
        let unit = file.temperatureUnit
        let bases = room.map { [$0] } ?? Array(file.rooms.keys)
        if room == nil, let problem = house.above(file.thermostat).problems(in: unit).first {
            throw Refusal(problem)
        }
        for base in bases {
            let settings = file.rooms[base] ?? file.thermostat
            let written = file.rooms[base] == nil ? [] : file.written.rooms[base] ?? []
            let sum = self[base].above(house.above(settings, except: written))
            guard let problem = sum.problems(in: unit).first else { continue }
            guard room == nil else { throw Refusal(problem) }
            throw Refusal(.inRoom, ["room": .text(base.displayName), "problem": .sentence(problem)])
        }
    }
}

extension KeptSettings.Entry {
    private static let longestName = 60
    private static let longestWeek = 200

    /// Takes one value, temperatures in the unit of the house.
    fileprivate mutating func set(
        _ key: SettingKey, _ value: JSON, _ unit: TemperatureUnit
    ) throws(KeptSettings.Refusal) {
        switch key {
        case .mode:
            guard let mode = value.string.flatMap(Thermostat.Mode.init(rawValue:)) else {
                throw .init(.mode)
            }
            self.mode = mode
        case .target: target = try temperature(key, value, unit)
        case .band: band = unit.celsius(difference: try number(key, value))
        case .schedule: schedule = try Self.schedule(value)
        case .frost, .eco, .comfort:
            let target = try temperature(key, value, unit)
            if let preset = key.preset { presets[preset] = target }
        case .name:
            guard let text = value.string, (1...Self.longestName).contains(text.count),
                escapingControls(text) == text, text.contains(where: { !$0.isWhitespace })
            else { throw .init(.name, ["count": .count(Self.longestName)]) }
            name = text
        case .order:
            guard let order = value.int, (0...9999).contains(order) else {
                throw .init(.order)
            }
            self.order = Int(order)
        }
    }

    /// A number in the unit of the house, or a text with its unit.
    private func temperature(
        _ key: SettingKey, _ value: JSON, _ unit: TemperatureUnit
    ) throws(KeptSettings.Refusal) -> Double {
        if let text = value.string, let celsius = unit.celsius(text: text) { return celsius }
        return unit.celsius(try number(key, value))
    }

    private func number(_ key: SettingKey, _ value: JSON) throws(KeptSettings.Refusal) -> Double {
        guard let number = value.double, number.isFinite else {
            throw .init(.number, ["setting": SettingName.value(key.rawValue)])
        }
        return number
    }

    /// Lines of text, or entries `{"days": ["mon"], "time": "06:30", "preset": "comfort"}`.
    private static func schedule(_ value: JSON) throws(KeptSettings.Refusal) -> Schedule {
        guard let items = value.array, items.count <= longestWeek else {
            throw .init(.weekIsNoList, ["count": .count(longestWeek)])
        }
        var lines: [String] = []
        for item in items {
            if let line = item.string {
                lines.append(line)
            } else if let days = item["days"]?.array?.compactMap(\.string), !days.isEmpty,
                let time = item["time"]?.string, let preset = item["preset"]?.string
            {
                lines.append("\(days.joined(separator: ",")) \(time) \(preset)")
            } else {
                throw .init(.weekEntry)
            }
        }
        do throws(Schedule.SyntaxErrors) {
            return try Schedule(lines)
        } catch {
            throw .init(.week, ["problem": .sentence(error.sentence)])
        }
    }
}

extension Finding {
    static let settingsDoNotFit = "settings-do-not-fit"
}
