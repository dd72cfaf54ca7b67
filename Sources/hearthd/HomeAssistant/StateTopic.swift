import Heating
import MQTT
import Machine

/// The retained state under `hearth/` on the home broker: for people, home automation, and for Control itself, which
/// finds its last decisions there after a restart.
///
/// `hearth/rooms/<room>` holds one room; `hearth/gateway/status` is `online` or, by last will, `offline`.
enum StateTopic {
    static let prefix = "hearth/"
    static let filter = "hearth/rooms/+"
    static let gateway = "hearth/gateway/status"
    private static let rooms = "hearth/rooms/"

    static func topic(of room: Room) -> String { rooms + room.name }

    static func online(_ isOnline: Bool) -> Publication {
        Publication(topic: gateway, payload: Array((isOnline ? "online" : "offline").utf8), qos: 1, retain: true)
    }

    /// The room whose state the topic holds.
    static func room(of topic: String) -> Room? {
        topic.hasPrefix(rooms) ? Room(topic.dropFirst(rooms.count)) : nil
    }

    /// Takes a room's state from the broker.
    static func cleared(_ room: Room) -> Publication {
        Publication(topic: topic(of: room), payload: [], qos: 1, retain: true)
    }

    /// One room, as JSON. `until`, `since` and `heard` are on the wall's clock, for people and for this program after a
    /// restart; the two that look back are left out while that clock has evidently not been set.
    static func state(of room: Room, _ status: Thermostat.Status, heardAt: Instant? = nil, now: Instant) -> Publication
    {
        // Read once: what has just begun must not seem to lie ahead of the message's own time.
        let wall = Clock.wall
        let middle = (status.limits.onBelow + status.limits.offAbove) / 2
        var members: [(key: String, value: JSON)] = [
            ("room", .string(room.name)),
            ("pump", .string(status.isOn.map { $0 ? "on" : "off" } ?? "unknown")),
            ("demand", JSON(status.demand) { .bool($0) }),
            ("reason", .string(status.reason.description)),
            ("stale", .bool(status.isStale)),
            ("time", .string(wall.description)),
            ("mode", .string(status.override.map { $0.isOn ? "heat" : "off" } ?? "auto")),
            ("action", .string(status.isOn == true ? "heating" : "idle")),
            ("target", JSON(middle)),
            ("preset", JSON(status.preset) { .string($0.rawValue) }),
            ("temperature", JSON(status.lastReading) { JSON($0) }),
            ("problem", .string(status.isStale || status.pumpProblem != nil ? "ON" : "OFF")),
        ]
        if Clock.isCredible(wall) {
            func text(_ instant: Instant) -> JSON {
                let passed = max(0, (now - instant).wholeNanoseconds)
                return .string(Timestamp(nanoseconds: max(0, wall.nanoseconds - passed)).description)
            }
            if let since = status.pumpSince { members.append(("since", text(since))) }
            if let heardAt { members.append(("heard", text(heardAt))) }
        }
        if let override = status.override {
            let pump = override.isOn ? "on" : "off"
            members.append(("override", ["pump": .string(pump)] + end(override.source, override.until, now)))
        }
        if let hold = status.hold {
            members.append(("hold", ["target": .string(hold.target.description)] + end(hold.source, hold.until, now)))
        }
        return Publication(
            topic: topic(of: room), payload: JSON.object(.init(members)).bytes, qos: 1, retain: true)
    }

    private static func end(_ source: Thermostat.Source, _ until: Instant, _ now: Instant) -> JSON {
        let wall = Timestamp(nanoseconds: Clock.wallNanoseconds + max(0, (until - now).wholeNanoseconds))
        return ["source": .string(source.rawValue), "until": .string(wall.description)]
    }

    /// What this program had decided before a restart.
    struct Decision {
        var room: Room
        var isOn: Bool
        var demand: Bool?
        var reason: String
        /// How long the pump has been told so; nil when no clock can say it.
        var lasting: Duration?
        /// When that was found.
        var foundAt = Clock.now
        /// When the pump was told so, on the wall's clock.
        var since: Timestamp?
        /// How long the room had been silent; nil when no clock can say it.
        var silence: Duration?
        /// What people or the cloud had asked for, with what is left of it, in the order in which it is to be asked again.
        var wishes: [ControlMailbox.Wish]
    }

    /// The decision in a retained state message; nil for anything that is not one.
    /// - Parameter now: what the wall's clock shows, set or not.
    static func decision(topic: String, payload: [UInt8], now: Timestamp) -> Decision? {
        guard let room = room(of: topic), let state = try? JSON.parse(payload), let pump = state["pump"]?.string,
            pump == "on" || pump == "off"
        else { return nil }
        let written = time("time", in: state)
        // A clock that stands before the message was written says nothing about how much time has passed.
        let isCredible = written.map { Clock.isCredible($0) && $0 <= now } ?? false
        func passed(_ key: String) -> Duration? {
            guard isCredible, let written, let start = time(key, in: state), Clock.isCredible(start), start <= written
            else { return nil }
            return .nanoseconds(now.nanoseconds - start.nanoseconds)
        }
        return Decision(
            room: room, isOn: pump == "on", demand: state["demand"]?.bool, reason: state["reason"]?.string ?? "",
            lasting: passed("since"), since: time("since", in: state), silence: passed("heard"),
            wishes: wishes(in: state, written: written, now: now))
    }

    private static func time(_ key: String, in state: JSON) -> Timestamp? {
        state[key]?.string.flatMap { Timestamp(iso8601: $0.utf8) }
    }

    /// The override first: a hold after one that is off is kept beside it, as it was.
    private static func wishes(in state: JSON, written: Timestamp?, now: Timestamp) -> [ControlMailbox.Wish] {
        guard let written else { return [] }
        return [("override", "pump"), ("hold", "target")].compactMap { key, name in
            guard let entry = state[key], let what = entry[name]?.string.flatMap(ControlMailbox.Wish.What.init),
                let source = entry["source"]?.string.flatMap(Thermostat.Source.init(rawValue:)),
                let until = time("until", in: entry)
            else { return nil }
            let left = until.nanoseconds - max(now.nanoseconds, written.nanoseconds)
            return left > 0 ? ControlMailbox.Wish(what: what, duration: .nanoseconds(left), source: source) : nil
        }
    }
}

extension JSON {
    /// Two objects in one; of keys in both the right one's value counts.
    fileprivate static func + (left: JSON, right: JSON) -> JSON {
        guard case .object(var members) = left, case .object(let more) = right else { return left }
        for member in more.members { members[member.key] = member.value }
        return .object(members)
    }
}

extension Thermostat.Status {
    /// Whether people would see the same state; the temperature alone is not worth a retained message.
    func showsTheSame(as other: Thermostat.Status) -> Bool {
        isOn == other.isOn && demand == other.demand && isStale == other.isStale && override == other.override
            && hold == other.hold && preset == other.preset && limits == other.limits
            && (pumpProblem == nil) == (other.pumpProblem == nil)
    }
}
