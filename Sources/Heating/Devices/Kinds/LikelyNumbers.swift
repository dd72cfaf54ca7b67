/// Where in a message the temperature may be, for who has to be told a path.
extension JSONPath {
    /// A number in a document.
    private struct Number {
        var path: String
        var value: Double
        /// It stands beside the mode and the fan of an air conditioner.
        var isThermostats: Bool

        /// Beside its fan and its mode a plain temperature is the one that it was told.
        var isWish: Bool { isThermostats && ["temp", "temperature"].contains(JSONPath.lastName(path).lowercased()) }
    }

    /// Where in a JSON document numbers are, those that look most like a room's temperature first; at most six. The empty path for
    /// a payload that is one.
    public static func numbers(in payload: some Collection<UInt8>) -> [String] { ranked(payload).map(\.path) }

    /// The number in a document that looks most like a room's temperature; one in °F where there is none in °C.
    static func roomTemperature(in payload: some Collection<UInt8>) -> String? {
        let possible = ranked(payload).filter { !$0.isWish }.map(\.path)
        if let path = possible.first(where: { isRoomTemperature($0) }) { return path }
        let inFahrenheit = possible.filter { isRoomTemperature($0, inFahrenheit: true) }
        return inFahrenheit.first(where: isMeasuredIndoors) ?? inFahrenheit.first
    }

    /// No device writes a number in more bytes.
    private static let numberLimit = 64

    private static func ranked(
        _ payload: some Collection<UInt8>
    ) -> [(path: String, likeness: Likeness, isWish: Bool)] {
        let bytes = trimmed(payload)
        guard let json = try? JSON.parse(bytes, limit: Reading.payloadLimit) else {
            // Any text that a rule would read as a number alone.
            let isNumber =
                bytes.count <= numberLimit && (try? DecimalReading(String(decoding: bytes, as: UTF8.self))) != nil
            return isNumber ? [("", .possible, false)] : []
        }
        var found: [Number] = []
        collect(json, [], isThermostats: false, &found)
        let ranked = found.map { (path: $0.path, likeness: likeness($0), isWish: $0.isWish) }
        let ordered = Likeness.allCases.flatMap { likeness in ranked.filter { $0.likeness == likeness } }
        return Array(ordered.prefix(6))
    }

    /// Without a byte order mark and NULs around it, as rules read it.
    private static func trimmed(_ payload: some Collection<UInt8>) -> [UInt8] {
        var bytes = Array(payload)[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        while bytes.last == 0 { bytes = bytes.dropLast() }
        return Array(bytes)
    }

    private static func collect(
        _ json: JSON, _ path: [String], isThermostats: Bool, _ found: inout [Number]
    ) {
        // No document of a sensor has more.
        guard found.count < 64 else { return }
        switch json {
        case .object(let object):
            let keys = object.members.map { $0.key.lowercased() }
            let isThermostats = keys.contains { $0.hasSuffix("mode") } && keys.contains(where: airflow.contains)
            for member in object.members {
                collect(member.value, path + [member.key], isThermostats: isThermostats, &found)
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                collect(element, path + ["\(index)"], isThermostats: false, &found)
            }
        case .number(let text), .string(let text):
            if let reading = try? DecimalReading(text) {
                found.append(Number(path: written(path), value: reading.value, isThermostats: isThermostats))
            }
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
        /// Its name says that it was measured, and in a room.
        case measuredIndoors
        /// Its name says that it was measured.
        case measured
        case temperature
        /// What a thermostat was told, a pipe's, °F beside °C.
        case otherTemperature
        case possible
        /// A time since 1970, a serial number, a signal strength.
        case impossible
    }

    private static func likeness(_ number: Number) -> Likeness {
        let (path, value) = (number.path, number.value)
        let name = lastName(path)
        guard possible.contains(value), !facts.contains(name.lowercased()) else { return .impossible }
        if isRoomTemperature(path), !number.isWish, plausible.contains(value) {
            if isMeasuredIndoors(path) { return .measuredIndoors }
            return isMeasured(path) ? .measured : .temperature
        }
        if speaksOfTemperature(path) { return .otherTemperature }
        return plausible.contains(value) || ["value", "v", "val", "state"].contains(name) ? .possible : .impossible
    }

    static let plausible = -40.0...60.0
    /// In °F too.
    private static let possible = -60.0...150.0

    /// Members of sensors' documents that are never a temperature.
    private static let facts: Set<String> = [  // Own names: ASCII words.
        "id", "nodeid", "mac", "time", "timestamp", "ts", "gwts", "unixtime", "uptime", "lastupdate", "rssi",
        "linkquality", "lqi", "snr", "battery", "bat", "batt", "volt", "voltage", "humidity", "hum", "rh", "pos",
        "position", "port", "f_port", "fport", "endpoint", "version",
    ]
    /// What only a thermostat has beside its mode.
    private static let airflow: Set<String> = [  // Own names: ASCII words.
        "fan", "fanspeed", "fan_speed", "fan_mode", "fanmode", "fanrpm", "vane", "swing", "swingv", "swing_mode",
    ]

    static func written(_ names: [String]) -> String {
        names.map { name in
            name == "*" ? "\\*" : name.replacing("\\", with: "\\\\").replacing(".", with: "\\.")
        }.joined(separator: ".")
    }
}
