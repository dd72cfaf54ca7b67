import GatewayClient
import Heating

/// The reply of `io.hearth.Gateway.GetSettings`, as lines.
struct SettingsList {
    struct Entry {
        var key: String
        var text: String
        var origin: String

        var originText: String {
            switch origin {
            case "kept": "set"
            case "house": "set for the house"
            case "file": "from the configuration"
            default: "default"
            }
        }
    }

    let house: [Entry]
    let rooms: [(name: String, entries: [Entry])]

    init(_ json: JSON) {
        let unit = json["temperatureUnit"]?.string.flatMap(TemperatureUnit.init(rawValue:)) ?? .celsius
        func entries(_ json: JSON?) -> [Entry] {
            (json?.array ?? []).map { entry in
                let key = entry["key"]?.string ?? "?"
                return Entry(
                    key: key, text: valueText(key, entry["value"] ?? .null, unit),
                    origin: entry["origin"]?.string ?? "")
            }
        }
        house = entries(json["house"])
        rooms = (json["rooms"]?.array ?? []).map { ($0["room"]?.string ?? "?", entries($0["settings"])) }
    }

    func entries(of room: String?) -> [Entry] {
        guard let room else { return house }
        return rooms.first { $0.name.utf8.elementsEqual(room.utf8) }?.entries ?? []
    }

    func lines(of room: String?, isHouseOnly: Bool, width: Int, style: Style) -> [String] {
        var table = Table([
            .init(title: "ROOM", widest: 20), .init(title: "SETTING"), .init(title: "FROM", widest: 22),
            .init(title: "VALUE"),
        ])
        var places = room == nil ? [(name: "(house)", entries: house)] : []
        if !isHouseOnly {
            places += rooms.filter { place in room.map { $0.utf8.elementsEqual(place.name.utf8) } ?? true }
        }
        table.rows = places.flatMap { place in
            place.entries.map { entry in
                [
                    .init(name: place.name, .bold), .init(entry.key),
                    .init(entry.originText, entry.origin == "kept" ? .cyan : .plain), .init(entry.text),
                ]
            }
        }
        return table.lines(width: width, style: style)
    }
}

private func valueText(_ key: String, _ value: JSON, _ unit: TemperatureUnit) -> String {
    if let low = value["onBelow"]?.double, let high = value["offAbove"]?.double {
        return "\(fixedText(low, digits: 1)) to \(temperatureText(high, unit))"
    }
    switch key {
    case "target", "presets.frost", "presets.eco", "presets.comfort": return temperatureText(value.double, unit)
    case "band": return temperatureText(value.double, unit)
    case "schedule":
        let lines = (value.array ?? []).map { entry in
            let days = (entry["days"]?.array ?? []).compactMap(\.string).joined(separator: ",")
            return "\(days) \(entry["time"]?.string ?? "?") \(entry["preset"]?.string ?? "?")"
        }
        return lines.isEmpty ? "none" : lines.joined(separator: "; ")
    default: return value.string ?? count(value).map { "\($0)" } ?? "-"
    }
}
