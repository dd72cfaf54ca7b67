extension Room {
    /// The room that a device's name suggests: the name itself, without what a room must not have.
    init?(suggestedBy name: String) {
        let bytes = name.utf8.map { byte in
            byte == UInt8(ascii: "/") ? UInt8(ascii: "-") : byte
        }.filter { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "#") }
        let trimmed = DecimalReading.trimmed(Substring(String(decoding: bytes, as: UTF8.self)))
        self.init(trimmed)
    }

    /// The room that a topic suggests, by the last of its levels that says more than that a temperature is meant:
    /// `home/office/temperature` is the office's, `node/sensor/kitchen_temperature/state` the kitchen's.
    init?(suggestedByTopic topic: String) {
        let levels = topic.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        let place = levels.indices.last { Self.telling(levels[$0]) != nil }
        var name = place.flatMap { Self.telling(levels[$0]) } ?? levels.last ?? ""
        // A channel's number tells no device without the level before it.
        let isNumber = name.utf8.count < 4 && name.utf8.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
        if let place, place > 0, isNumber { name = "\(levels[place - 1])-\(name)" }
        guard let room = Room(suggestedBy: name) else { return nil }
        self = room
    }

    /// The room that a sensor's own name suggests, where its device has several; nil when it says only that a temperature is meant.
    init?(suggestedBySensor name: String) {
        guard let room = Self.telling(name).flatMap({ Room(suggestedBy: $0) }) else { return nil }
        self = room
    }

    /// What every sensor's topic may have in it.
    private static let common: Set<String> = [  // Own names: ASCII words.
        "state", "status", "sensor", "sensors", "value", "val", "data", "json", "all", "events", "rpc", "event", "up",
        "uplink", "attr", "attributes", "info", "main", "properties", "climate", "thermostat", "blutrv", "ac", "actual",
        "current", "measured", "average", "room", "indoor", "inside", "ambient", "local", "air", "ext", "external",
        "result", "status10", "zone", "c", "f", "troom", "tr", "temperatures",
        // Z-Wave's class of sensors and its first endpoint.
        "49", "0", "endpoint_0", "sensor_multilevel",
    ]
    private static let measures = [
        "temperature", "temperatura", "temperatur", "température", "temp", "tmp",
    ]

    /// A level without its words about temperatures; nil when nothing is left.
    private static func telling(_ level: String) -> String? {
        // Shelly numbers its components, `temperature:100`; Homematic puts the channel first, `1:ACTUAL_TEMPERATURE`.
        let separators = [UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: " ")]
        let parts = level.utf8.split(whereSeparator: separators.contains).map { String(Substring($0)) }
        let measure = measures.first(where: level.lowercased().contains)
        let isNumbered = level.utf8.contains(UInt8(ascii: ":"))
        guard measure != nil || isNumbered else { return common.contains(level.lowercased()) ? nil : level }
        let left = parts.compactMap { without(measure, $0) }
        // A number alone tells a channel and no room.
        let isTold = left.contains { !$0.utf8.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 } }
        return isTold ? left.joined(separator: " ") : nil
    }

    /// One word of a level, without a measure that is run together with it: `LivingRoomTemp`, `roomtemperature`, `tempc`.
    private static func without(_ measure: String?, _ part: String) -> String? {
        let word = part.lowercased()
        func told(_ rest: Substring) -> String? {
            let bare = String(rest.drop { $0 == "-" }.reversed().drop { $0 == "-" }.reversed())
            let isCommon = bare.utf8.count < 3 || common.contains(bare.lowercased()) || bare.lowercased() == "curr"
            return isCommon ? nil : bare
        }
        if common.contains(word) || ["°c", "°f"].contains(word) { return nil }
        guard let measure, word.utf8.count == part.utf8.count else { return part }
        if word.hasSuffix(measure) { return told(part.dropLast(measure.count)) }
        return word.hasPrefix(measure) ? told(part.dropFirst(measure.count)) : part
    }
}
