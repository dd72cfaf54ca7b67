import Heating

/// What a room's heat pump or valve says of itself, where it is not the black box.
package struct DeviceStatus: Equatable, Sendable {
    package var name: String
    /// Nil where it says nothing about that, here and below.
    package var isAvailable: Bool?
    package var isOn: Bool?
    /// Whether it has confirmed its last command.
    package var isConfirmed: Bool?
    package var watts: Double?

    package init(_ json: JSON) {
        name = json["name"]?.string ?? "?"
        isAvailable = json["available"]?.bool
        isOn = json["says"]?.string.map { $0 == "on" }
        isConfirmed = json["confirmed"]?.bool
        watts = json["watts"]?.double
    }

    /// In the page's words; empty where it says nothing.
    /// - Parameter words: for on and off.
    package func text(_ words: (on: String, off: String)) -> String {
        var parts: [String] = []
        if isAvailable == false {
            parts.append("not reachable")
        } else if isConfirmed == false {
            parts.append("has not confirmed yet")
        } else if let isOn {
            parts.append(isOn ? words.on : words.off)
        }
        if let watts, abs(watts) < 1e9 { parts.append("\(Int64(watts.rounded())) W") }
        return parts.joined(separator: ", ")
    }
}

/// The last reading of what is no temperature of the room: recorded, not obeyed.
package struct MeasureStatus: Equatable, Sendable {
    package var room: String
    package var measure: String
    package var value: Double?
    /// Empty where it is not known.
    package var unit: String
    package var ageSeconds: Double?

    package init(_ json: JSON) {
        room = json["room"]?.string ?? "?"
        measure = json["measure"]?.string ?? "?"
        value = json["value"]?.double
        unit = json["unit"]?.string ?? ""
        ageSeconds = json["ageSeconds"]?.double
    }
}
