import Heating

/// P3's decisions: the home's own thermostat, run in the cloud on `clean-data`. A value for one thread.
///
/// Only what is new counts: readings that lay in the log for longer than ``maximumAge`` are history and move no pump.
/// The event's own time says nothing here, because sensors' clocks run ahead; the log's does.
struct Actuator {
    /// Rooms of all homes together; further ones are not decided for, and counted.
    static let roomLimit = 100_000

    struct Place: Hashable {
        var home: HomeID
        var room: Room
    }

    struct Decision: Equatable {
        var isOn: Bool
        var reason: String
        /// Boot time of the decision.
        var at: Instant
    }

    let settings: Thermostat.Settings
    let maximumAge: Duration
    private var rooms: [Place: Thermostat] = [:]
    private var reader = LoggedReading.Reader()
    /// Events that made no decision, by reason.
    private(set) var skipped: [String: Int] = [:]  // Own names: reasons.

    init(settings: Thermostat.Settings, maximumAge: Duration) {
        self.settings = settings
        self.maximumAge = maximumAge
    }

    var roomCount: Int { rooms.count }

    /// Takes one event of `clean-data`.
    /// - Parameter appendedAt: when the log took it, wall nanoseconds; 0 if the log does not say, which counts as now.
    mutating func take(
        _ value: ArraySlice<UInt8>?, appendedAt: Int64, wall: Timestamp, now: Instant
    ) -> (place: Place, decision: Decision)? {
        guard let value else { return nil }
        guard appendedAt == 0 || wall.nanoseconds - appendedAt <= maximumAge.wholeNanoseconds else {
            skipped["old", default: 0] += 1
            return nil
        }
        guard let reading = reader.read(value), let temperature = reading.value else {
            skipped["unusable", default: 0] += 1
            return nil
        }
        let place = Place(home: reading.home, room: reading.room)
        guard rooms[place] != nil || rooms.count < Self.roomLimit else {
            skipped["too_many_rooms", default: 0] += 1
            return nil
        }
        let decision = Self.handle(
            .reading(temperature), &rooms[place, default: Thermostat(settings: settings, now: now)], now)
        return decision.map { (place, $0) }
    }

    /// What is due by time alone: repetitions, so that a home has a fresh command while there are fresh readings. A
    /// room that has fallen silent gets none, and its home decides for itself when the last command ends.
    mutating func tick(now: Instant) -> [(place: Place, decision: Decision)] {
        let due = rooms.filter { $0.value.nextDeadline.map { $0 <= now } ?? false }.map(\.key)
        var decisions: [(place: Place, decision: Decision)] = []
        for place in due {
            guard var thermostat = rooms[place] else { continue }
            let decision = Self.handle(.tick, &thermostat, now)
            // Forgotten with its state: it begins anew with its next reading, as after a restart.
            rooms[place] = thermostat.status.isStale ? nil : thermostat
            if let decision, !thermostat.status.isStale { decisions.append((place, decision)) }
        }
        return decisions
    }

    private static func handle(_ event: Thermostat.Event, _ thermostat: inout Thermostat, _ now: Instant) -> Decision? {
        guard case .command(let isOn, let reason, _)? = thermostat.handle(event, now: now).first else { return nil }
        return Decision(isOn: isOn, reason: reason.description, at: now)
    }
}

/// Decisions that wait for the broker: per room the newest only, in the order in which rooms began to wait. So a slow
/// way to the homes makes commands late, never stale, and needs no more memory than there are rooms.
struct PendingDecisions {
    private var newest: [Actuator.Place: Actuator.Decision] = [:]
    private var order: [Actuator.Place] = []
    private var head = 0
    /// Decisions that a newer one has replaced before they were sent.
    private(set) var replaced = 0

    var count: Int { newest.count }

    mutating func put(_ decision: Actuator.Decision, for place: Actuator.Place) {
        if newest.updateValue(decision, forKey: place) == nil { order.append(place) } else { replaced += 1 }
    }

    mutating func takeFirst() -> (place: Actuator.Place, decision: Actuator.Decision)? {
        guard head < order.count else { return nil }
        let place = order[head]
        head += 1
        if head > 1024, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        return newest.removeValue(forKey: place).map { (place, $0) }
    }
}
