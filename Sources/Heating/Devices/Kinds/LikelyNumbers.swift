/// Where in a message the temperature may be, for who has to be told a path.
extension JSONPath {
    /// Where in a JSON document numbers are, those that look most like a room's temperature first; at most six.
    public static func numbers(in payload: some Collection<UInt8>) -> [String] {
        guard let json = try? JSON.parse(payload, limit: Reading.payloadLimit) else { return [] }
        var found: [(path: String, value: Double)] = []
        collect(json, [], &found)
        let ranked = found.map { (rank: rank($0.path, $0.value), path: $0.path) }
        return Array((0...3).flatMap { rank in ranked.filter { $0.rank == rank }.map(\.path) }.prefix(6))
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

    /// 0 a room's temperature, 1 another temperature, 2 what can be one by its size, 3 what cannot: a time since 1970, a serial
    /// number.
    private static func rank(_ path: String, _ value: Double) -> Int {
        guard plausible.contains(value) else { return 3 }
        let name = lastName(path)
        if endsInTemperature(path), !isWanted(name), !isFahrenheit(name) { return 0 }
        return path.lowercased().contains("temp") ? 1 : 2
    }

    static let plausible = -40.0...60.0

    /// Words that make of a temperature something else than a room's.
    private static let others = [
        "set", "target", "color", "colour", "device_temp", "cpu", "chip", "board", "calibration", "offset", "min",
        "max", "dew", "outlet", "inlet", "flow", "return", "outside", "outdoor", "tank", "dhw", "pipe",
    ]
    /// What thermostats call the temperatures they were told.
    private static let wishes = ["seltemp", "comfort", "eco", "away", "frost", "holiday", "window", "boost", "limit"]

    static func namesTemperature(_ text: String) -> Bool {
        let words = text.lowercased()
        func has(_ word: String) -> Bool { words.contains(word) }
        return has("temp") && !others.contains(where: has)
    }

    /// Whether the last name of a path is a temperature's: `AM2301.Temperature`, `tC`, `temperature.value`.
    static func endsInTemperature(_ path: String) -> Bool {
        let last = lastName(path)
        return ["tC", "t", "T"].contains(last) || namesTemperature(last)
            || last == "value" && namesTemperature(path)
    }

    private static func lastName(_ path: String) -> String {
        path.utf8.split(separator: UInt8(ascii: ".")).last.map { String(Substring($0)) } ?? ""
    }

    private static func isWanted(_ name: String) -> Bool {
        let words = name.lowercased()
        return wishes.contains { words.contains($0) }
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
