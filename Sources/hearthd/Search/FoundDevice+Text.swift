import Heating

/// What was found, for the control socket: everything that a file needs but the room, which a person may choose otherwise.
extension FoundDevice {
    var json: JSON {
        let (standing, why): (String, JSON) =
            switch standing {
            case .new: ("new", nil)
            case .known: ("known", nil)
            case .unclear(let why): ("unclear", .string(why))
            }
        return [
            "role": isSensor ? "sensor" : "pump", "name": .string(name), "room": JSON(room) { .string($0.name) },
            "kind": .string(kind), "topic": .string(topic), "standing": .string(standing), "why": why,
            "celsius": JSON(said?.celsius) { JSON($0) }, "lines": .array(lines.map { .string($0) }),
        ]
    }

    /// The table's lines, without `room` or `rooms`.
    var lines: [String] {
        let kindLine = "kind = \(JSON.string(kind).serialized())"
        switch table {
        case .sensor(let table): return ["[[sensors]]", kindLine] + Devices().keys(of: table)
        case .pump(let table):
            let name = "name = \(JSON.string(table.name ?? name).serialized())"
            return ["[[pumps]]", name, kindLine] + Devices().keys(of: table)
        }
    }
}
