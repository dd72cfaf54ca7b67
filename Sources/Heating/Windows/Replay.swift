/// One room's past, run through a thermostat once more: what other settings would have done with the same readings.
///
/// The readings are taken as they were; that the room would have become warmer or cooler by other commands is not
/// simulated. A value type: readings and times go in, figures come out.
public struct Replay: Sendable {
    /// What came of it.
    public struct Figures: Equatable, Sendable {
        public var readings = 0
        public var starts = 0
        public var running = Duration.zero
        /// How much too cold it was, in degree minutes below the limit at which heating starts.
        public var degreeMinutesBelow = 0.0
        /// Time with a known temperature within the limits.
        public var within = Duration.zero
        public var total = Duration.zero

        public init() {}
    }

    public private(set) var figures = Figures()
    private var thermostat: Thermostat
    private var clock = ScheduleClock()
    private var isOn = false
    private var at: Instant

    /// - Parameter start: the first reading's arrival; the pump counts as stopped then.
    public init(settings: Thermostat.Settings, start: Instant) {
        thermostat = Thermostat(settings: settings, now: start)
        at = start
    }

    /// Takes the next reading.
    /// - Parameter localTime: what the clock on the wall showed at a time, for the schedule.
    public mutating func take(_ value: Double, now: Instant, localTime: (Instant) -> LocalTime?) {
        pass(until: now, localTime)
        figures.readings += 1
        follow(.reading(value), now: now)
    }

    /// Lets time pass: deadlines come due, the schedule goes on, a pump that is on runs.
    public mutating func pass(until end: Instant, _ localTime: (Instant) -> LocalTime?) {
        while at < end {
            // A minute at most, for the schedule's sake.
            var next = min(end, at + .seconds(60))
            if let due = thermostat.nextDeadline { next = min(next, max(due, at + .milliseconds(1))) }
            count(next - at)
            at = next
            if let time = localTime(at), !thermostat.settings.schedule.isEmpty {
                let preset = thermostat.settings.schedule.preset(at: clock.follow(time))
                if preset != thermostat.status.scheduled { follow(.scheduled(preset), now: at) }
            }
            if let due = thermostat.nextDeadline, due <= at { follow(.tick, now: at) }
        }
    }

    private mutating func count(_ length: Duration) {
        let status = thermostat.status
        figures.total += length
        if isOn { figures.running += length }
        guard let value = status.lastReading, !status.isStale else { return }
        let below = status.limits.onBelow - value
        if below > 0 {
            figures.degreeMinutesBelow += below * Double(length.wholeNanoseconds) / 6e10
        } else if value <= status.limits.offAbove {
            figures.within += length
        }
    }

    private mutating func follow(_ event: Thermostat.Event, now: Instant) {
        for case .command(let wanted, _, _) in thermostat.handle(event, now: now) where wanted != isOn {
            isOn = wanted
            if wanted { figures.starts += 1 }
        }
    }
}
