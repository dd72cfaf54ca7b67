/// Where in a message the temperature may be, for who has to be told a path.
extension JSONPath {
    /// Where in a JSON document numbers are, those that look most like a room's temperature first; at most six.
    public static func numbers(in payload: some Collection<UInt8>) -> [String] {
        guard let json = try? JSON.parse(payload, limit: Reading.payloadLimit) else { return [] }
        var found: [(path: String, value: Double)] = []
        collect(json, [], &found)
        let ranked = found.map { (likeness: likeness($0.path, $0.value), path: $0.path) }
        let ordered = Likeness.allCases.flatMap { likeness in ranked.filter { $0.likeness == likeness }.map(\.path) }
        return Array(ordered.prefix(6))
    }

    private static func collect(_ json: JSON, _ path: [String], _ found: inout [(path: String, value: Double)]) {
        // No document of a sensor has more.
        guard found.count < 64 else { return }
        switch json {
        case .object(let object): for member in object.members { collect(member.value, path + [member.key], &found) }
        case .array(let elements):
            for (index, element) in elements.enumerated() { collect(element, path + ["\(index)"], &found) }
        case .number(let text), .string(let text):
            if let reading = try? DecimalReading(text) { found.append((written(path), reading.value)) }
        case .null, .bool: break
        }
    }

    /// The unit in which a document says that the number at a path is, as `unit` of a table has it; nil for °C and where it says
    /// nothing. 58 °F taken for °C keeps a house cold.
    public static func unit(of path: String, in payload: some Collection<UInt8>) -> String? {
        if isFahrenheit(lastName(path)) { return DeviceUnit.fahrenheit.rawValue }
        guard let json = try? JSON.parse(payload, limit: Reading.payloadLimit) else { return nil }
        var units: [(path: [String], unit: DeviceUnit)] = []
        collectUnits(json, [], &units)
        // The nearest counts: the one that has most of the way in common.
        let steps = path.utf8.split(separator: UInt8(ascii: "."))
        func common(_ other: [String]) -> Int { zip(steps, other).prefix { $0.elementsEqual($1.utf8) }.count }
        let nearest = units.enumerated().max {
            (common($0.element.path), -$0.offset) < (common($1.element.path), -$1.offset)
        }
        guard let found = nearest?.element, found.unit != .celsius else { return nil }
        return "@" + written(found.path)
    }

    /// The same of a number alone, by the last level of its topic.
    static func unit(ofTopic topic: String) -> String? {
        let last = topic.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
        return isFahrenheit(last) ? DeviceUnit.fahrenheit.rawValue : nil
    }

    private static func collectUnits(
        _ json: JSON, _ path: [String], _ found: inout [(path: [String], unit: DeviceUnit)]
    ) {
        guard found.count < 64 else { return }
        switch json {
        case .object(let object):
            for member in object.members {
                if member.key.lowercased().contains("unit"),
                    let unit = member.value.string.flatMap(DeviceUnit.init(spelled:))
                {
                    found.append((path + [member.key], unit))
                }
                collectUnits(member.value, path + [member.key], &found)
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() { collectUnits(element, path + ["\(index)"], &found) }
        case .number, .string, .null, .bool: break
        }
    }

    /// How much a number looks like a room's temperature, most first.
    private enum Likeness: CaseIterable {
        /// Its name says that it was measured, and there.
        case measured
        case temperature
        /// What a thermostat was told, a pipe's, °F beside °C.
        case otherTemperature
        case possible
        /// A time since 1970, a serial number, a signal strength.
        case impossible
    }

    private static func likeness(_ path: String, _ value: Double) -> Likeness {
        let name = lastName(path)
        guard possible.contains(value), !facts.contains(name.lowercased()) else { return .impossible }
        if isRoomTemperature(path), plausible.contains(value) {
            return contains(name, one: measured) ? .measured : .temperature
        }
        if speaksOfTemperature(path) { return .otherTemperature }
        return plausible.contains(value) || ["value", "v", "val", "state"].contains(name) ? .possible : .impossible
    }

    static let plausible = -40.0...60.0
    /// In °F too.
    private static let possible = -60.0...150.0

    /// Words that make of a temperature something else than a room's.
    private static let others = [
        "set", "target", "color", "colour", "device_temp", "cpu", "chip", "board", "calibration", "offset", "min",
        "max", "dew", "outlet", "inlet", "flow", "return", "outside", "outdoor", "tank", "dhw", "pipe", "deadzone",
        "leaving", "entering", "discharge", "suction", "exhaust", "refrig", "exch", "water", "buffer", "collector",
        "hyst", "delta", "threshold", "alarm", "compensat",
    ]
    /// What thermostats call the temperatures they were told.
    private static let wishes = [
        "seltemp", "comfort", "eco", "away", "frost", "holiday", "window", "boost", "limit", "auto", "manual", "night",
        "daytemp", "day_temp", "party", "schedule", "standby", "protect", "desired", "soll", "input",
    ]
    /// And those that they measure.
    private static let measured = [
        "local", "curr", "room", "indoor", "inside", "ambient", "actual", "measured",
    ]
    /// What people and programs call what hangs in no room.
    private static let elsewhere: Set<String> = [  // Own names: ASCII words.
        "outdoor", "outside", "exterior", "flow", "return", "supply", "inlet", "outlet", "dhw", "tank", "buffer",
        "boiler",
        "target", "setpoint", "selected", "desired", "summer", "frost", "nofrost", "eco", "comfort", "dew", "dewpoint",
        "exhaust", "discharge", "suction", "coil", "evaporator", "condenser", "compressor", "refrigerant", "exchanger",
        "collector", "pipe", "chip", "cpu", "processor", "freezer", "fridge",
    ]
    /// Members of sensors' documents that are never a temperature.
    private static let facts: Set<String> = [  // Own names: ASCII words.
        "id", "nodeid", "mac", "time", "timestamp", "ts", "gwts", "unixtime", "uptime", "lastupdate", "rssi",
        "linkquality", "lqi", "snr", "battery", "bat", "batt", "volt", "voltage", "humidity", "hum", "rh", "pos",
        "position", "port", "f_port", "fport", "endpoint", "version",
    ]

    /// Whether a text, a path or a topic, speaks of a temperature that may be a room's.
    static func namesTemperature(_ text: String) -> Bool {
        let parts = text.lowercased().utf8.split { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }
            .map { String(Substring($0)) }
        guard let last = parts.last, parts.contains(where: { $0.contains("temp") || $0 == "tmp" }) else { return false }
        // Names are run together, `maxtemp`; a room is not called so because a part of its name is.
        return !contains(last, one: others) && !parts.dropLast().contains { words($0).contains(where: others.contains) }
    }

    /// Whether the last name of a path is a temperature's: `AM2301.Temperature`, `tC`, `temperature.value`.
    static func endsInTemperature(_ path: String) -> Bool {
        let last = lastName(path)
        return ["tC", "t", "T", "current_C"].contains(last) || namesTemperature(last)
            || ["value", "val", "v", "c", "celsius", "current", "actual"].contains(last.lowercased())
                && namesTemperature(path)
    }

    /// Whether it is a temperature's and may be a room's own: none that a thermostat was told.
    /// - Parameter inFahrenheit: asks for one whose name says °F; else for one whose name does not.
    static func isRoomTemperature(_ path: String, inFahrenheit: Bool = false) -> Bool {
        let name = lastName(path)
        return endsInTemperature(path) && !contains(name, one: wishes) && isFahrenheit(name) == inFahrenheit
    }

    static func speaksOfTemperature(_ path: String) -> Bool { path.lowercased().contains("temp") }

    /// Whether a name for people says that it is another temperature than a room's.
    static func namesAnother(_ name: String) -> Bool {
        words(name.lowercased()).contains { word in
            let bare = ["temperature", "temp"].first { word.hasSuffix($0) }.map { String(word.dropLast($0.count)) }
            return elsewhere.contains(bare ?? word)
        }
    }

    private static func lastName(_ path: String) -> String {
        guard case .name(let name)? = JSONPath(path).steps.last else { return "" }
        return name.text
    }

    private static func contains(_ name: String, one words: [String]) -> Bool {
        let name = name.lowercased()
        return words.contains { name.contains($0) }
    }

    /// What stands between anything else than letters.
    private static func words(_ part: String) -> [String] {
        part.utf8.split { $0 &- UInt8(ascii: "a") >= 26 }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// `tempf`, `temperature_F`: beside it the same in °C.
    private static func isFahrenheit(_ name: String) -> Bool {
        let words = name.lowercased()
        return ["tempf", "temperaturef", "_f", "fahrenheit"].contains { words.hasSuffix($0) }
    }

    static func written(_ names: [String]) -> String {
        names.map { name in
            name == "*" ? "\\*" : name.replacing("\\", with: "\\\\").replacing(".", with: "\\.")
        }.joined(separator: ".")
    }
}
