import Heating
import Testing

@testable import hearthd

@Suite("The rooms' weeks")
struct WeekRoundsTests {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    private static func thermostat(_ week: [String]) throws -> Thermostat {
        var settings = Thermostat.Settings()
        settings.schedule = try Schedule(week)
        return Thermostat(settings: settings, now: start)
    }

    @Test("a room is told what its week says once, and not between two minutes")
    func told() throws {
        let room = try #require(Room("office"))
        var thermostat = try Self.thermostat(["mon-sun 06:00 comfort", "mon-sun 22:00 eco"])
        var weeks = WeekRounds()
        let morning = try #require(LocalTime(weekday: 0, hour: 7, minute: 0))
        #expect(weeks.isDue(now: Self.start), "at once")
        let first = weeks.due(
            [room: thermostat], now: Self.start, time: morning, untilNextMinute: .seconds(20))
        #expect(first.map(\.preset) == [.comfort])
        _ = thermostat.handle(.scheduled(.comfort), now: Self.start)
        #expect(weeks.next == Self.start + .seconds(20))
        #expect(!weeks.isDue(now: Self.start + .seconds(19)), "nobody need look at the clock before the minute is over")
        let evening = LocalTime(weekday: 0, hour: 22, minute: 0)
        let early = weeks.due(
            [room: thermostat], now: Self.start + .seconds(19), time: evening, untilNextMinute: .seconds(1))
        #expect(early.isEmpty && weeks.next == Self.start + .seconds(20))
        #expect(weeks.isDue(now: Self.start + .seconds(20)))
        let same = weeks.due(
            [room: thermostat], now: Self.start + .seconds(20), time: morning, untilNextMinute: .seconds(60))
        #expect(same.isEmpty)
    }

    @Test("while nobody knows what time it is no week counts")
    func unknown() throws {
        let room = try #require(Room("office"))
        var thermostat = try Self.thermostat(["mon-sun 00:00 eco"])
        _ = thermostat.handle(.scheduled(.eco), now: Self.start)
        var weeks = WeekRounds()
        let told = weeks.due([room: thermostat], now: Self.start, time: nil, untilNextMinute: .seconds(9))
        #expect(told.count == 1 && told.first?.preset == nil)
    }

    @Test("without any week the next look is an hour away, and at once after a change")
    func none() throws {
        let room = try #require(Room("office"))
        var weeks = WeekRounds()
        let plain = Thermostat(settings: .init(), now: Self.start)
        #expect(weeks.due([room: plain], now: Self.start, time: nil, untilNextMinute: .seconds(9)).isEmpty)
        #expect(weeks.next == Self.start + .seconds(3600))
        weeks.changed()
        #expect(weeks.next == nil)
    }

    @Test("a room that comes is looked at alone, not all of them for each made-up name")
    func newcomers() throws {
        var (weeks, looks) = (WeekRounds(), 0)
        let plain = Thermostat(settings: .init(), now: Self.start)
        func all() -> [Room: Thermostat] {
            looks += 1
            return [:]
        }
        for number in 0..<100 {
            weeks.came(try #require(Room("made-up-\(number)")))
            let now = Self.start + .seconds(number)
            #expect(weeks.isDue(now: now))
            let told = weeks.due(all(), of: { _ in plain }, now: now, time: nil, untilNextMinute: .seconds(9))
            #expect(told.isEmpty && !weeks.isDue(now: now))
        }
        #expect(looks == 1)
    }
}
