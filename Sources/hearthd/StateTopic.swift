import Heating
import MQTT

/// The retained state under `hearth/` on the home broker: for people, home automation, and for Control itself, which
/// finds its last decisions there after a restart.
///
/// `hearth/rooms/<room>` holds one room; `hearth/gateway/status` is `online` or, by last will, `offline`.
enum StateTopic {
    static let prefix = "hearth/"
    static let filter = "hearth/rooms/+"
    static let gateway = "hearth/gateway/status"
    private static let rooms = "hearth/rooms/"

    static func online(_ isOnline: Bool) -> Publication {
        Publication(topic: gateway, payload: Array((isOnline ? "online" : "offline").utf8), qos: 1, retain: true)
    }

    static func state(of room: Room, _ status: Thermostat.Status) -> Publication {
        var members: [(key: String, value: JSON)] = [
            ("room", .string(room.name)),
            ("pump", .string(status.isOn.map { $0 ? "on" : "off" } ?? "unknown")),
            ("demand", JSON(status.demand) { .bool($0) }),
            ("reason", .string(status.reason.description)),
            ("stale", .bool(status.isStale)),
            ("time", .string(Clock.wall.description)),
        ]
        if let temperature = status.lastReading { members.append(("temperature", .number("\(temperature)"))) }
        if let override = status.override {
            let pump = override.isOn ? "on" : "off"
            members.append(("override", ["pump": .string(pump), "source": .string(override.source.rawValue)]))
        }
        return Publication(
            topic: rooms + room.name, payload: JSON.object(.init(members)).bytes, qos: 1, retain: true)
    }

    /// The decision in a retained state message; nil for anything that is not one.
    static func decision(topic: String, payload: [UInt8]) -> (room: Room, isOn: Bool, demand: Bool?)? {
        guard topic.hasPrefix(rooms), let room = Room(topic.dropFirst(rooms.count)),
            let state = try? JSON.parse(payload), let pump = state["pump"]?.string
        else { return nil }
        switch pump {
        case "on": return (room, true, state["demand"]?.bool)
        case "off": return (room, false, state["demand"]?.bool)
        default: return nil
        }
    }
}

extension Thermostat.Status {
    /// Whether people would see the same state; the temperature alone is not worth a retained message.
    func showsTheSame(as other: Thermostat.Status) -> Bool {
        isOn == other.isOn && demand == other.demand && isStale == other.isStale && override == other.override
    }
}
