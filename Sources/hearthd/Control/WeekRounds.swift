import Heating
import Machine

/// What the rooms' weeks say, looked at once a minute. While nobody knows what time it is, as on a box without a battery
/// before it has seen the network, no schedule counts and the rooms have their own limits.
struct WeekRounds {
    private static let minute = Duration.seconds(60)

    private var clock = ScheduleClock()
    /// When they are looked at again; nil: at once.
    private(set) var next: Instant?

    /// Rooms or settings changed: they are looked at again at once.
    mutating func changed() { next = nil }

    /// - Parameters:
    ///   - time: what the clock on the wall shows; nil while that is not known.
    ///   - untilNextMinute: on the same clock.
    /// - Returns: which thermostats are to be told another preset.
    mutating func due(
        _ thermostats: @autoclosure () -> [Room: Thermostat], now: Instant,
        time: () -> LocalTime? = { Clock.localTime }, untilNextMinute: () -> Duration = { Clock.untilNextMinute }
    ) -> [(room: Room, preset: Preset?)] {
        guard next.map({ $0 <= now }) ?? true else { return [] }
        let scheduled = thermostats().filter {
            !$0.value.settings.schedule.isEmpty || $0.value.status.scheduled != nil
        }
        next = scheduled.isEmpty ? now + Self.minute * 60 : now + min(Self.minute, untilNextMinute())
        guard !scheduled.isEmpty else { return [] }
        let counts = time().map { clock.follow($0) }
        return scheduled.compactMap { room, thermostat in
            let preset = counts.flatMap { thermostat.settings.schedule.preset(at: $0) }
            return preset == thermostat.status.scheduled ? nil : (room, preset)
        }
    }
}
