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

    /// One room, as JSON; temperatures in the unit of the house. `until`, `since` and `heard` are on the wall's clock, for
    /// people and for this program after a restart; the two that look back are left out while that clock has evidently not
    /// been set.
    ///
    /// - Parameter wall: what the wall's clock shows `now`. One for all: what has just begun must not seem to lie ahead of the
    ///   message's own time.
    static func state(
        of room: Room, _ status: Thermostat.Status, _ unit: TemperatureUnit = .celsius, heardAt: Instant? = nil,
        now: Instant, wall: Timestamp
    ) -> Publication {
        func text(at instant: Instant) -> JSON {
            .string(Timestamp(nanoseconds: max(0, wall.nanoseconds + (instant - now).wholeNanoseconds)).description)
        }
        func end(_ source: Thermostat.Source, _ until: Instant?) -> JSON {
            // Without `until`: until it is changed.
            guard let until else { return ["source": .string(source.rawValue)] }
            return ["source": .string(source.rawValue), "until": text(at: max(until, now))]
        }
        var members: [(key: String, value: JSON)] = [
            ("room", .string(room.name)),
            ("pump", .string(status.isOn.map { $0 ? "on" : "off" } ?? "unknown")),
            ("demand", JSON(status.demand) { .bool($0) }),
            ("reason", .string(status.reason.text(in: unit))),
            ("stale", .bool(status.isStale)),
            ("time", .string(wall.description)),
            ("unit", .string(unit.rawValue)),
        ]
        members += shown(status, unit)
        members.append(("until", JSON(status.end) { text(at: $0) }))
        let waits: JSON? = status.waiting.flatMap { waiting in
            status.waitingUntil.map { ["for": .string(waiting.isOn ? "on" : "off"), "until": text(at: $0)] }
        }
        members.append(("waits", waits ?? .null))
        if Clock.isCredible(wall) {
            if let since = status.pumpSince { members.append(("since", text(at: min(since, now)))) }
            if let heardAt { members.append(("heard", text(at: min(heardAt, now)))) }
        }
        if let override = status.override {
            let pump = override.isOn ? "on" : "off"
            members.append(("override", ["pump": .string(pump)] + end(override.source, override.until)))
        }
        if let hold = status.hold {
            // In °C whatever the unit: this program reads it after a restart.
            members.append(("hold", ["target": .string(hold.target.description)] + end(hold.source, hold.until)))
        }
        return Publication(
            topic: topic(of: room), payload: JSON.object(.init(members)).bytes, qos: 1, retain: true)
    }

    /// What Home Assistant's entities show; see ``RoomDescription``.
    private static func shown(_ status: Thermostat.Status, _ unit: TemperatureUnit) -> [(key: String, value: JSON)] {
        func number(_ celsius: Double) -> JSON { .number(unit.text(celsius)) }
        let isOff = status.mode == .off || status.override?.isOn == false
        let target = status.target ?? (status.limits.onBelow + status.limits.offAbove) / 2
        let alarm = status.pumpProblem?.text(in: unit) ?? (status.isStale ? status.reason.text(in: unit) : nil)
        return [
            ("mode", .string(isOff ? "off" : status.hold == nil ? "auto" : "heat")),
            ("action", .string(status.isOn == true ? "heating" : isOff ? "off" : "idle")),
            ("target", number(target)),
            ("preset", .string(status.preset?.rawValue ?? "none")),
            ("temperature", JSON(status.lastReading) { number($0) }),
            ("problem", .string(alarm == nil ? "OFF" : "ON")),
            ("alarm", JSON(alarm) { .string($0) }),
            ("forced", .string(status.override?.isOn == true ? "ON" : "OFF")),
            ("asked", .string(status.asked(in: unit))),
        ]
    }

    /// What this program had decided before a restart.
    struct Decision {
        var room: Room
        /// nil: none yet. The room and what people had asked of it are known all the same.
        var isOn: Bool?
        var demand: Bool?
        var reason: String
        /// How long the pump has been told so; nil when no clock can say it.
        var lasting: Duration?
        /// When that was found.
        var foundAt: Instant
        /// When the pump was told so, on the wall's clock.
        var since: Timestamp?
        /// How long the room had been silent; nil when no clock can say it.
        var silence: Duration?
        /// What people or the cloud had asked for, with what is left of it, in the order in which it is to be asked again.
        var wishes: [ControlMailbox.Wish]
    }

    /// The decision in a retained state message; nil for anything that is not one.
    /// - Parameter wall: what the wall's clock shows `now`, set or not.
    static func decision(topic: String, payload: [UInt8], now: Instant, wall: Timestamp) -> Decision? {
        guard let room = room(of: topic), let state = try? JSON.parse(payload), let pump = state["pump"]?.string,
            ["on", "off", "unknown"].contains(pump)
        else { return nil }
        let written = time("time", in: state)
        // A clock that stands before the message was written says nothing about how much time has passed.
        let isCredible = written.map { Clock.isCredible($0) && $0 <= wall } ?? false
        func passed(_ key: String) -> Duration? {
            guard isCredible, let written, let start = time(key, in: state), Clock.isCredible(start), start <= written
            else { return nil }
            return .nanoseconds(wall.nanoseconds - start.nanoseconds)
        }
        return Decision(
            room: room, isOn: pump == "unknown" ? nil : pump == "on", demand: state["demand"]?.bool,
            reason: state["reason"]?.string ?? "",
            lasting: passed("since"), foundAt: now, since: time("since", in: state), silence: passed("heard"),
            wishes: wishes(in: state, written: written, wall: wall))
    }

    private static func time(_ key: String, in state: JSON) -> Timestamp? {
        state[key]?.string.flatMap { Timestamp(iso8601: $0.utf8) }
    }

    /// The hold first: an override that is on leaves it for later, and it would end the override.
    private static func wishes(in state: JSON, written: Timestamp?, wall: Timestamp) -> [ControlMailbox.Wish] {
        guard let written else { return [] }
        return [("hold", "target"), ("override", "pump")].compactMap { key, name in
            guard let entry = state[key],
                let what = entry[name]?.string.flatMap({ ControlMailbox.Wish.What($0, in: .celsius) }),
                let source = entry["source"]?.string.flatMap(Thermostat.Source.init(rawValue:))
            else { return nil }
            if case .hold = what, entry["until"] == nil {
                return ControlMailbox.Wish(what: what, end: .untilChanged, source: source)
            }
            guard let until = time("until", in: entry) else { return nil }
            let left = until.nanoseconds - max(wall.nanoseconds, written.nanoseconds)
            return left > 0 ? ControlMailbox.Wish(what: what, end: .after(.nanoseconds(left)), source: source) : nil
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
    /// When what somebody asked for ends; nil: nobody asked, or until it is changed.
    var end: Instant? { override.map(\.until) ?? hold?.until }

    /// What somebody asked for, in words.
    func asked(in unit: TemperatureUnit) -> String {
        if let override { return "switched \(override.isOn ? "on" : "off") \(override.source.words)" }
        if mode == .off { return "switched off until it is changed" }
        return program?.text(in: unit) ?? "automatic"
    }

    /// Whether people would see the same state; the temperature alone is not worth a retained message.
    func showsTheSame(as other: Thermostat.Status) -> Bool {
        isOn == other.isOn && demand == other.demand && isStale == other.isStale && override == other.override
            && mode == other.mode && hold == other.hold && program == other.program && limits == other.limits
            && target == other.target && waiting == other.waiting && (pumpProblem == nil) == (other.pumpProblem == nil)
    }
}
