import Heating

/// What the rooms' weeks say, looked at once a minute. While nobody knows what time it is, as on a box without a battery
/// before it has seen the network, no schedule counts and the rooms have their own limits.
struct WeekRounds {
    private static let minute = Duration.seconds(60)

    private var clock = ScheduleClock()
    /// When they are looked at again; nil: at once.
    private(set) var next: Instant?
    /// Came since they were looked at.
    private var newcomers: [Room] = []

    /// A room came: it alone is looked at, for a flood of made-up names must not cost a look at every room each.
    mutating func came(_ room: Room) { newcomers.append(room) }

    /// Rooms or settings changed: they are looked at again at once.
    mutating func changed() { next = nil }

    /// Whether a look is due: only then does anybody need the clock on the wall.
    func isDue(now: Instant) -> Bool { areAllDue(now) || !newcomers.isEmpty }

    private func areAllDue(_ now: Instant) -> Bool { next.map { $0 <= now } ?? true }

    /// - Parameters:
    ///   - thermostats: of all rooms; `thermostat`: of one.
    ///   - time: what the clock on the wall shows; nil while that is not known.
    ///   - untilNextMinute: on the same clock.
    /// - Returns: which thermostats are to be told another preset; none before ``isDue(now:)``.
    mutating func due(
        _ thermostats: @autoclosure () -> [Room: Thermostat], of thermostat: (Room) -> Thermostat? = { _ in nil },
        now: Instant, time: @autoclosure () -> LocalTime?, untilNextMinute: @autoclosure () -> Duration
    ) -> [(room: Room, preset: Preset?)] {
        guard isDue(now: now) else { return [] }
        let isForAll = areAllDue(now)
        let looked =
            isForAll ? thermostats() : newcomers.reduce(into: [:]) { looked, room in looked[room] = thermostat(room) }
        newcomers = []
        let scheduled = looked.filter {
            !$0.value.settings.schedule.isEmpty || $0.value.status.scheduled != nil
        }
        let then = now + (scheduled.isEmpty ? Self.minute * 60 : min(Self.minute, untilNextMinute()))
        next = isForAll ? then : min(next ?? then, then)
        guard !scheduled.isEmpty else { return [] }
        let counts = time().map { clock.follow($0) }
        return scheduled.compactMap { room, thermostat in
            let preset = counts.flatMap { thermostat.settings.schedule.preset(at: $0) }
            return preset == thermostat.status.scheduled ? nil : (room, preset)
        }
    }
}
