import Heating

/// The body of a request for an override, of a room or with `"all": true` of every room.
struct OverrideWish: Equatable {
    /// nil for every room.
    var room: String?
    /// As the control socket takes it: on, off, auto, a preset's name or a temperature. What temperatures a house may ask
    /// for is hearthd's to say.
    var pump: String
    var seconds: Int64?
    var isUntilChanged = false

    static let expected =
        "room (or all), pump (on, off, auto, frost, eco, comfort or a temperature) and seconds (a whole number, or null) "
        + "or untilChanged are expected"

    init?(_ body: [UInt8]) {
        guard let json = try? JSON.parse(body), let place = Place(json), let pump = Self.pump(json["pump"]) else {
            return nil
        }
        room = place.room
        self.pump = pump
        isUntilChanged = json["untilChanged"]?.bool ?? false
        switch json["seconds"] {
        case nil, .null?: break
        case let value?:
            guard let number = value.int, number > 0, pump != "auto", !isUntilChanged else { return nil }
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

/// The body of a request to change settings of a room, or with `"all": true` of the house. What they may be is hearthd's to
/// say.
struct SettingsWish: Equatable {
    /// nil for the house.
    var room: String?
    var settings: [Member]

    struct Member: Equatable {
        var key: String
        /// null takes back what was set.
        var value: JSON
    }

    init?(_ body: [UInt8]) {
        guard let json = try? JSON.parse(body), let place = Place(json),
            let members = json["settings"]?.object?.members, !members.isEmpty
        else { return nil }
        room = place.room
        settings = members.map { Member(key: $0.key, value: $0.value) }
    }
}

/// `"room": NAME` or `"all": true`, never both and never neither.
private struct Place {
    var room: String?

    init?(_ json: JSON) {
        let isAll = json["all"]?.bool ?? false
        if let name = json["room"]?.string {
            guard !isAll, !name.isEmpty else { return nil }
            room = name
        } else if !isAll {
            return nil
        }
    }
}
