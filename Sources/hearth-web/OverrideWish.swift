import Heating

/// The body of a request for an override.
struct OverrideWish: Equatable {
    var room: String
    /// As the control socket takes it: on, off, auto, a preset's name or a temperature. What temperatures a house may ask
    /// for is hearthd's to say.
    var pump: String
    var seconds: Int64?

    init?(_ body: [UInt8]) {
        guard let json = try? JSON.parse(body), let room = json["room"]?.string, !room.isEmpty,
            let pump = Self.pump(json["pump"])
        else { return nil }
        self.room = room
        self.pump = pump
        switch json["seconds"] {
        case nil, .null?: break
        case let value?:
            guard let number = value.int, number > 0, pump != "auto" else { return nil }
            seconds = number
        }
    }
    private static func pump(_ json: JSON?) -> String? {
        if let number = json?.double { return JSON(number).serialized() }
        guard let text = json?.string else { return nil }
        if ["on", "off", "auto"].contains(text) || Preset(rawValue: text) != nil { return text }
        // A number in JSON's grammar, which is what hearthd reads.
        return (try? JSON.parse(text.utf8))?.double == nil ? nil : text
    }
}
