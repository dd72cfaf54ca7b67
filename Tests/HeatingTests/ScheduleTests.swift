import Testing

@testable import Heating

@Suite("A week's schedule: what counts when, and the clock's bad days")
struct ScheduleTests {
    private func time(_ day: Int, _ hour: Int, _ minute: Int = 0) throws -> LocalTime {
        try #require(LocalTime(weekday: day, hour: hour, minute: minute))
    }

    @Test("the last change at or before the time counts, over midnight and over the week's end too")
    func lastChange() throws {
        let schedule = try Schedule(["mon-fri 06:30 comfort", "mon-sun 22:00 eco", "sat,sun 08:00 comfort"])
        #expect(schedule.preset(at: try time(0, 6, 29)) == .eco)
        #expect(schedule.preset(at: try time(0, 6, 30)) == .comfort)
        #expect(schedule.preset(at: try time(0, 21, 59)) == .comfort)
        #expect(schedule.preset(at: try time(4, 22)) == .eco)
        #expect(schedule.preset(at: try time(5, 7)) == .eco)
        #expect(schedule.preset(at: try time(5, 8)) == .comfort)
        let once = try Schedule(["wed 12:00 frost"])
        #expect(once.preset(at: try time(0, 0)) == .frost)
        #expect(Schedule().preset(at: try time(0, 0)) == nil)
    }

    @Test("a later line names the exception to an earlier one")
    func exception() throws {
        let schedule = try Schedule(["daily 22:00 eco", "sat 22:00 comfort"])
        #expect(schedule.preset(at: try time(4, 23)) == .eco)
        #expect(schedule.preset(at: try time(5, 23)) == .comfort)
        #expect(schedule.preset(at: try time(6, 21)) == .comfort)
        #expect(schedule.preset(at: try time(6, 22)) == .eco)
    }

    @Test("days may run over the week's end")
    func overTheWeekend() throws {
        let schedule = try Schedule(["tue 00:00 eco", "sat-mon 09:00 comfort", "sat-mon 23:00 eco"])
        for day in [5, 6, 0] { #expect(schedule.preset(at: try time(day, 12)) == .comfort) }
        for day in [1, 2, 3, 4] { #expect(schedule.preset(at: try time(day, 12)) == .eco) }
    }

    @Test(
        "what is no change is refused, and says which part",
        arguments: [
            ("", "days, time and preset"), ("mon 06:30", "days, time and preset"), ("mon-fri 06:30 warm", "frost, eco"),
            ("mo 06:30 eco", "must be days"), ("mon- 06:30 eco", "must be days"),
            ("mon-tue-wed 06:30 eco", "must be days"),
            (", 06:30 eco", "must be days"), ("mon 6:30 eco", "00:00 to 23:59"), ("mon 24:00 eco", "00:00 to 23:59"),
            ("mon 23:60 eco", "00:00 to 23:59"), ("mon 2a:00 eco", "00:00 to 23:59"),
        ])
    func refused(line: String, problem: String) {
        #expect {
            _ = try Schedule(["daily 00:00 eco", line])
        } throws: { error in
            let errors = (error as? Schedule.SyntaxErrors)?.errors
            return errors?.count == 1 && errors?[0].line == line && errors?[0].problem.text.contains(problem) == true
        }
    }

    @Test("all wrong lines are named at once")
    func allWrongLines() {
        #expect {
            _ = try Schedule(["mo 06:30 eco", "daily 06:30 comfort", "daily 25:00 eco", "daily 06:00 warm"])
        } throws: { error in
            (error as? Schedule.SyntaxErrors)?.errors.map(\.line) == [
                "mo 06:30 eco", "daily 25:00 eco", "daily 06:00 warm",
            ]
        }
    }

    @Test("a line's parts, for who edits it, make the same week again")
    func entries() throws {
        let schedule = try Schedule(["sat-mon 06:30 comfort", "DAILY 22:00 eco"])
        #expect(schedule.entries[0].days == ["mon", "sat", "sun"] && schedule.entries[0].time == "06:30")
        let again = try Schedule(
            schedule.entries.map { "\($0.days.joined(separator: ",")) \($0.time) \($0.preset.rawValue)" })
        for minute in stride(from: 0, to: LocalTime.minutesPerWeek, by: 30) {
            let time = try #require(
                LocalTime(weekday: minute / 1440, hour: minute / 60 % 24, minute: minute % 60))
            #expect(again.preset(at: time) == schedule.preset(at: time))
        }
    }

    @Test("a change in the hour that summer time leaves out happens when that hour is over")
    func missingHour() throws {
        let schedule = try Schedule(["daily 02:30 comfort", "daily 22:00 eco"])
        #expect(schedule.preset(at: try time(6, 1, 59)) == .eco)
        #expect(schedule.preset(at: try time(6, 3, 0)) == .comfort)
    }

    @Test("the hour that comes twice when summer time ends undoes nothing")
    func doubledHour() throws {
        let schedule = try Schedule(["daily 02:30 eco", "daily 20:00 comfort"])
        var clock = ScheduleClock()
        var presets: [Preset?] = []
        let clockOnTheWall = (0..<60).map { (2, $0) } + (0..<60).map { (2, $0) } + (0..<10).map { (3, $0) }
        for (hour, minute) in clockOnTheWall {
            presets.append(schedule.preset(at: clock.follow(try time(6, hour, minute))))
        }
        let changes = zip(presets, presets.dropFirst()).count { $0 != $1 }
        #expect(changes == 1)
        #expect(presets.first == .comfort && presets.last == .eco)
    }

    @Test("a clock that was wrong by more than an hour is believed at once")
    func wrongClock() throws {
        var clock = ScheduleClock()
        _ = clock.follow(try time(2, 12))
        #expect(clock.follow(try time(2, 10)) == (try time(2, 10)))
        #expect(clock.follow(try time(6, 23)) == (try time(6, 23)))
        #expect(clock.follow(try time(0, 0, 5)) == (try time(0, 0, 5)), "over the week's end is forward")
        #expect(clock.follow(try time(6, 23, 50)) == (try time(0, 0, 5)), "and a quarter back is waited out")
    }

    @Test("the week begins on Monday, whatever the zone")
    func fromTimestamp() {
        // 2026-11-25 is a Wednesday.
        let noon = Timestamp(nanoseconds: 1_795_608_000_000_000_000)
        #expect(noon.description == "2026-11-25T12:00:00Z")
        #expect(LocalTime(noon, offset: .zero) == LocalTime(weekday: 2, hour: 12, minute: 0))
        #expect(LocalTime(noon, offset: .seconds(-13 * 3600)) == LocalTime(weekday: 1, hour: 23, minute: 0))
        #expect(LocalTime(Timestamp(nanoseconds: 0), offset: .zero) == LocalTime(weekday: 3, hour: 0, minute: 0))
        #expect(LocalTime(Timestamp(nanoseconds: -1), offset: .zero) == LocalTime(weekday: 2, hour: 23, minute: 59))
    }
}
