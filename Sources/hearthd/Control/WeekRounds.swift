import Heating
import Machine

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

    /// - Parameters:
    ///   - thermostat: of one room.
    ///   - time: what the clock on the wall shows; nil while that is not known.
    ///   - untilNextMinute: on the same clock.
    /// - Returns: which thermostats are to be told another preset.
    mutating func due(
        _ thermostats: @autoclosure () -> [Room: Thermostat], of thermostat: (Room) -> Thermostat? = { _ in nil },
        now: Instant,
        time: () -> LocalTime? = { Clock.localTime }, untilNextMinute: () -> Duration = { Clock.untilNextMinute }
    ) -> [(room: Room, preset: Preset?)] {
        let isDue = next.map { $0 <= now } ?? true
        guard isDue || !newcomers.isEmpty else { return [] }
        let looked =
            isDue ? thermostats() : newcomers.reduce(into: [:]) { looked, room in looked[room] = thermostat(room) }
        newcomers = []
        let scheduled = looked.filter {
            !$0.value.settings.schedule.isEmpty || $0.value.status.scheduled != nil
        }
        let then = scheduled.isEmpty ? now + Self.minute * 60 : now + min(Self.minute, untilNextMinute())
        next = isDue ? then : min(next ?? then, then)
        guard !scheduled.isEmpty else { return [] }
        let counts = time().map { clock.follow($0) }
        return scheduled.compactMap { room, thermostat in
            let preset = counts.flatMap { thermostat.settings.schedule.preset(at: $0) }
            return preset == thermostat.status.scheduled ? nil : (room, preset)
        }
    }
}
