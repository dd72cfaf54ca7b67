import GatewayClient
import Heating

/// A device that hearthd found at the home broker.
struct OfferedDevice: Equatable {
    enum Standing: Equatable {
        case new, known
        case unclear(String)
    }

    var isSensor: Bool
    var name: String
    /// The room that it is for; nil when nobody has said.
    var room: String?
    /// A pump's rooms, as a person said.
    var rooms: [String] = []
    var kind: String
    var topic: String
    var celsius: Double?
    var standing: Standing
    /// The table without its room.
    var lines: [String]

    init(_ json: JSON) {
        isSensor = json["role"]?.string == "sensor"
        name = json["name"]?.string ?? ""
        room = json["room"]?.string
        kind = json["kind"]?.string ?? ""
        topic = json["topic"]?.string ?? ""
        celsius = json["celsius"]?.double
        standing =
            switch json["standing"]?.string {
            case "new"?: .new
            case "known"?: .known
            default: .unclear(json["why"]?.string ?? "")
            }
        lines = (json["lines"]?.array ?? []).compactMap(\.string)
    }

    /// Whether a file can have it: a sensor with a room, or a pump of which somebody said what it heats.
    var isWritable: Bool { standing == .new && (isSensor ? room != nil : !rooms.isEmpty) }

    /// The whole table, as a file has it.
    var table: [String] {
        if isSensor { return lines + ["room = \(quoted(room ?? ""))"] }
        return lines + ["rooms = [\(rooms.map(quoted).joined(separator: ", "))]"]
    }

    private func quoted(_ text: String) -> String { JSON.string(text).serialized() }
}

/// What a person says of devices: `NAME=ROOM`, `NAME=ROOM,ROOM`. The name is the device's, or its topic.
struct DeviceChoice: Equatable {
    var name: String
    /// Empty: leave it out.
    var rooms: [String]

    /// At the last `=`, for a topic may have one. Nil when there is none, or a room is none.
    init?(_ text: String) {
        guard let equals = text.utf8.lastIndex(of: UInt8(ascii: "=")) else { return nil }
        name = String(text[..<equals])
        let after = text.utf8[text.utf8.index(after: equals)...]
        rooms = after.split(separator: UInt8(ascii: ",")).map { String(Substring($0)) }
        guard !name.isEmpty, rooms.allSatisfy({ Room($0) != nil }) else { return nil }
    }

    func isAbout(_ device: OfferedDevice) -> Bool {
        ExactString(name) == ExactString(device.name) || ExactString(name) == ExactString(device.topic)
    }
}

/// The devices with what a person says of them.
/// - Returns: the choices that are about none, too.
func chosen(
    _ devices: [OfferedDevice], rooms: [DeviceChoice], pumps: [DeviceChoice]
) -> (devices: [OfferedDevice], unused: [DeviceChoice]) {
    let chosen = devices.map { device in
        var device = device
        let choices = device.isSensor ? rooms : pumps
        guard let choice = choices.last(where: { $0.isAbout(device) }) else { return device }
        if device.isSensor { device.room = choice.rooms.first } else { device.rooms = choice.rooms }
        return device
    }
    func isUnused(_ choice: DeviceChoice, isSensor: Bool) -> Bool {
        !devices.contains { $0.isSensor == isSensor && choice.isAbout($0) }
    }
    return (
        chosen,
        rooms.filter { isUnused($0, isSensor: true) } + pumps.filter { isUnused($0, isSensor: false) }
    )
}
