/// One pump and the rooms it heats, each with or without a valve of its own: the pump runs while one of them calls, the
/// shortest run and rest are the pump's, and it never runs against valves that are all closed.
public struct PumpGroup: Equatable, Sendable {
    public struct Decision: Equatable, Sendable {
        public var isOn: Bool
        /// Of the rooms that have a valve.
        public var open: Set<Room>
        /// Until when the pump stays as it is although the rooms ask for the other.
        public var heldUntil: Instant?

        /// In which order: valves open before the pump starts, and close after it has stopped.
        public func steps(after before: Decision?) -> [Step] {
            let opened = open.subtracting(before?.open ?? []).sorted().map { Step.valve($0, isOpen: true) }
            let closed = (before?.open ?? []).subtracting(open).sorted().map { Step.valve($0, isOpen: false) }
            let pump = before?.isOn == isOn ? [] : [Step.pump(isOn: isOn)]
            return opened + pump + closed
        }
    }

    public enum Step: Equatable, Sendable {
        case valve(Room, isOpen: Bool)
        case pump(isOn: Bool)
    }

    public let rooms: [Room]
    public let valves: Set<Room>
    public var minOn: Duration
    public var minOff: Duration
    private var calls: [Room: Bool] = [:]
    private var isOn: Bool
    private var changedAt: Instant
    /// Whose valves stay open while the pump must go on running.
    private var lastCallers: Set<Room> = []

    /// - Parameter now: a pump whose history is not known counts as just stopped.
    public init(rooms: [Room], valves: Set<Room> = [], minOn: Duration, minOff: Duration, now: Instant) {
        (self.rooms, self.valves, self.minOn, self.minOff) = (rooms, valves, minOn, minOff)
        (isOn, changedAt) = (false, now)
    }

    /// A pump that is known to have run, or rested, since then.
    public mutating func restore(isOn: Bool, since: Instant) {
        (self.isOn, changedAt) = (isOn, since)
    }

    /// A room's thermostat wants heat, or none; nil: it does not know and nothing is asked for it.
    public mutating func set(_ room: Room, calls isCalling: Bool?) {
        guard rooms.contains(room) else { return }
        calls[room] = isCalling
    }

    /// - Parameter frost: rooms that must be heated whatever the shortest rest says.
    public mutating func decide(frost: Set<Room> = [], now: Instant) -> Decision {
        let callers = Set(rooms.filter { calls[$0] == true || frost.contains($0) })
        let wanted = !callers.isEmpty
        let shortest = isOn ? minOn : minOff
        let held = wanted != isOn && now - changedAt < shortest && frost.isDisjoint(with: callers)
        if wanted != isOn, !held { (isOn, changedAt) = (wanted, now) }
        if wanted { lastCallers = callers }
        // While it must run on, the water needs a way: through the rooms that called last, or through all.
        var open = wanted ? callers.intersection(valves) : []
        if isOn, !wanted {
            open = lastCallers.intersection(valves)
            if open.isEmpty, !valves.isEmpty, valves.count == rooms.count { open = valves }
        }
        return Decision(isOn: isOn, open: open, heldUntil: held ? changedAt + shortest : nil)
    }
}
