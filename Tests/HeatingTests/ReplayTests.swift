import Testing

@testable import Heating

@Suite("Other settings over the same past")
struct ReplayTests {
    private func run(_ settings: Thermostat.Settings, _ readings: [(second: Int64, value: Double)]) -> Replay.Figures {
        var replay = Replay(settings: settings, start: .zero)
        for (second, value) in readings { replay.take(value, now: .zero + .seconds(second)) { _ in nil } }
        return replay.figures
    }

    /// Ten hours in which a room swings between 17 and 27 °C once per hour.
    private var swings: [(second: Int64, value: Double)] {
        (0..<600).map { minute in
            let phase = Double(minute % 60) / 60
            return (Int64(minute * 60), phase < 0.5 ? 17 + 20 * phase : 37 - 20 * phase)
        }
    }

    @Test("starts, running time and cold are those of a calculation by hand")
    func byHand() {
        let figures = run(Thermostat.Settings(), swings)
        // Below 20 from minute 0 to 8 and from 52 on; above 25 from minute 25: on from 0 and then from 52 to 25.
        #expect(figures.starts == 11 && figures.readings == 600)
        #expect(figures.total == .seconds(599 * 60))
        let onMinutes = 25 + 9 * 33 + 7
        #expect(abs(figures.running / .seconds(60) - Double(onMinutes)) <= 2)
        let cold = swings.dropLast().map { max(0, 20 - $0.value) }.reduce(0, +)
        #expect(abs(figures.degreeMinutesBelow - cold) < 1e-6)
    }

    @Test("minimum times mean fewer starts, a lower limit less running")
    func different() {
        let now = run(Thermostat.Settings(), swings)
        var gentle = Thermostat.Settings()
        gentle.minOff = .seconds(7200)
        #expect(run(gentle, swings).starts < now.starts)
        var low = Thermostat.Settings()
        (low.onBelow, low.offAbove) = (18, 20)
        #expect(run(low, swings).running < now.running)
    }

    @Test("a silent sensor stops the pump after stale_after, not at the next reading")
    func silence() {
        let figures = run(Thermostat.Settings(), [(0, 18), (36_000, 18)])
        #expect(abs(figures.running / .seconds(1) - 900) <= 1 && figures.starts == 2)
    }

    @Test("a schedule is followed on the clock of the household")
    func schedule() throws {
        var settings = Thermostat.Settings()
        settings.schedule = try Schedule(["daily 00:00 comfort", "daily 12:00 frost"])
        var replay = Replay(settings: settings, start: .zero)
        for minute in 0..<(24 * 60) {
            let now = Instant.zero + .seconds(Int64(minute) * 60)
            replay.take(15, now: now) {
                LocalTime(weekday: 0, hour: Int($0.nanoseconds / 3_600_000_000_000) % 24, minute: 0)
            }
        }
        #expect(replay.figures.starts == 1)
        #expect(abs(replay.figures.running / .seconds(3600) - 12) < 0.1)
    }

    @Test("settings survive their way as JSON, and what is none is refused")
    func settingsAsJSON() throws {
        var settings = Thermostat.Settings()
        (settings.enabled, settings.authority, settings.onStale) = (false, .cloud, .hold)
        (settings.onBelow, settings.minOn, settings.maxChangePerMinute) = (18.25, .seconds(90), 1.5)
        settings.schedule = try Schedule(["mon-fri 06:30 comfort"])
        settings.presets[.eco] = .limits(onBelow: 16, offAbove: 17)
        #expect(Thermostat.Settings(json: try JSON.parse(settings.json.bytes)) == settings)
        #expect(Thermostat.Settings(json: ["enabled": true]) == nil)
        var broken = settings.json.object ?? .init()
        broken["on_below"] = JSON(90.0)
        #expect(Thermostat.Settings(json: .object(broken)) == nil)
    }
}
