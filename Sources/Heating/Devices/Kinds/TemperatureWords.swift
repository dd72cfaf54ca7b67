/// Which names speak of a room's temperature: of members in a document, of levels of a topic, of devices. Words only, and none of
/// them decides about a room that somebody has written into the file.
extension JSONPath {
    /// Parts of a name that make of a temperature something else than a room's.
    private static let others = [
        "set", "target", "color", "colour", "device_temp", "cpu", "chip", "board", "calibration", "offset", "min",
        "max", "dew", "outlet", "inlet", "flow", "return", "outside", "outdoor", "tank", "dhw", "pipe", "deadzone",
        "leaving", "entering", "discharge", "suction", "exhaust", "refrig", "exch", "water", "buffer", "collector",
        "hyst", "delta", "threshold", "alarm", "compensat", "boiler", "overtemp", "core", "bed_temp", "nozzle",
        "chamber", "feels", "diff", "esp32_temp", "esp8266_temp",
    ]
    /// What thermostats call the temperatures they were told.
    private static let wishes = [
        "seltemp", "comfort", "eco", "away", "frost", "holiday", "window", "boost", "limit", "auto", "manual", "night",
        "daytemp", "day_temp", "party", "schedule", "standby", "protect", "desired", "soll", "input", "consign",
        "wunsch",
    ]
    /// Those that they measure, the surest first.
    private static let measuredIndoors = ["local", "room", "indoor", "inside", "ambient", "tempin"]
    private static let measured = ["curr", "actual", "measured"]

    /// What people and programs call what hangs in no room.
    private static let elsewhere: Set<String> = [  // Own names: ASCII words.
        "outdoor", "outdoors", "outside", "exterior", "flow", "return", "supply", "inlet", "outlet", "dhw", "hw",
        "tank", "buffer", "boiler", "exhaust", "discharge", "suction", "coil", "evaporator", "condenser", "compressor",
        "refrigerant", "exchanger", "collector", "pipe", "chip", "cpu", "gpu", "processor", "mcu", "core", "internal",
        "inverter", "bms", "charger", "wallbox", "printer", "nozzle", "hotend", "server", "nas", "disk", "hdd", "ssd",
        "nvme", "router", "freezer", "fridge", "refrigerator", "pool", "aquarium", "oven", "grill", "bbq", "smoker",
        "soil", "weather", "forecast", "car", "cars", "vehicle",
        // German, Spanish and Catalan, Dutch and French.
        "aussen", "vorlauf", "ruecklauf", "warmwasser", "brauchwasser", "impulsion", "retorno", "retorn", "acs",
        "caldera", "nevera", "congelador", "piscina", "deposito", "buiten", "aanvoer", "retour", "koelkast", "vriezer",
        "exterieur", "ballon", "piscine", "frigo", "congelateur",
    ]
    /// The same inside of longer words, and with letters that ASCII does not have.
    private static let elsewhereParts = [
        "außen", "aussentemp", "vorlauf", "rücklauf", "ruecklauf", "warmwasser", "brauchwasser", "pufferspeicher",
        "heizkessel", "kühlschrank", "kuehlschrank", "gefrier", "impulsió", "depósito", "dipòsit", "extérieur",
        "congélateur",
    ]
    /// Words of a setting, whatever it is a setting of.
    private static let settings: Set<String> = [  // Own names: ASCII words.
        "target", "setpoint", "selected", "desired", "summer", "frost", "nofrost", "eco", "comfort", "dew", "dewpoint",
        "consigna", "consigne", "soll", "sollwert",
    ]
    /// A boiler room and a pool house are rooms.
    private static let rooms: Set<String> = [  // Own names: ASCII words.
        "room", "house", "raum", "zimmer", "haus",
    ]

    // MARK: Names of numbers

    /// Whether a text, a path or a topic, speaks of a temperature that may be a room's.
    static func namesTemperature(_ text: String) -> Bool {
        let parts = text.lowercased().utf8.split { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }
            .map { String(Substring($0)) }
        guard let last = parts.last,
            parts.contains(where: { $0.contains("temp") || ["tmp", "troom", "tr"].contains($0) })
        else { return false }
        // Names are run together, `maxtemp`; a room is not called so because a part of its name is.
        return !contains(last, one: others) && !parts.dropLast().contains { words($0).contains(where: others.contains) }
    }

    /// Whether a topic with a number alone speaks of a temperature that may be a room's.
    static func isRoomTopic(_ topic: String) -> Bool {
        let levels = topic.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        guard namesTemperature(topic), let last = levels.last, !contains(last, one: wishes) else { return false }
        return !levels.contains(where: isElsewhere)
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

    static func isMeasuredIndoors(_ path: String) -> Bool { contains(path, one: measuredIndoors) }

    static func isMeasured(_ path: String) -> Bool { contains(lastName(path), one: measured) }

    static func speaksOfTemperature(_ path: String) -> Bool { path.lowercased().contains("temp") }

    /// `tempf`, `temperature_F`, and a weather station's `tempinf`, `temp1f`: beside it the same in °C.
    static func isFahrenheit(_ name: String) -> Bool {
        let word = name.lowercased()
        if ["tempf", "temperaturef", "_f", "fahrenheit"].contains(where: word.hasSuffix) { return true }
        guard word.hasPrefix("temp"), word.hasSuffix("f") else { return false }
        let middle = word.dropFirst(4).dropLast()
        return middle == "in" || middle.utf8.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
    }

    static func lastName(_ path: String) -> String {
        guard case .name(let name)? = JSONPath(path).steps.last else { return "" }
        return name.text
    }

    // MARK: Names of devices

    /// Whether a name for people says that it is another temperature than a room's.
    static func namesAnother(_ name: String) -> Bool {
        isElsewhere(name) || words(name.lowercased()).contains { settings.contains(bare($0)) }
    }

    private static func isElsewhere(_ name: String) -> Bool {
        let name = name.lowercased()
        let words = words(name)
        guard !words.contains(where: rooms.contains) else { return false }
        return words.contains { elsewhere.contains(bare($0)) } || contains(name, one: elsewhereParts)
    }

    /// `flowtemp` is one word of a flow's.
    private static func bare(_ word: String) -> String {
        ["temperature", "temperatur", "temp"].first { word.hasSuffix($0) }.map { String(word.dropLast($0.count)) }
            ?? word
    }

    private static func contains(_ name: String, one words: [String]) -> Bool {
        let name = name.lowercased()
        return words.contains { name.contains($0) }
    }

    /// What stands between anything else than letters.
    private static func words(_ part: String) -> [String] {
        part.utf8.split { $0 &- UInt8(ascii: "a") >= 26 }.map { String(decoding: $0, as: UTF8.self) }
    }
}
