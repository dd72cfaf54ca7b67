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
        let first = weeks.due(
            [room: thermostat], now: Self.start, time: { morning }, untilNextMinute: { .seconds(20) })
        #expect(first.map(\.preset) == [.comfort])
        _ = thermostat.handle(.scheduled(.comfort), now: Self.start)
        #expect(weeks.next == Self.start + .seconds(20))
        var asked = 0
        let early = weeks.due([room: thermostat], now: Self.start + .seconds(19)) {
            asked += 1
            return morning
        }
        #expect(early.isEmpty && asked == 0, "nobody looks at the clock before the minute is over")
        let same = weeks.due([room: thermostat], now: Self.start + .seconds(20), time: { morning })
        #expect(same.isEmpty)
    }

    @Test("while nobody knows what time it is no week counts")
    func unknown() throws {
        let room = try #require(Room("office"))
        var thermostat = try Self.thermostat(["mon-sun 00:00 eco"])
        _ = thermostat.handle(.scheduled(.eco), now: Self.start)
        var weeks = WeekRounds()
        let told = weeks.due([room: thermostat], now: Self.start, time: { nil })
        #expect(told.count == 1 && told.first?.preset == nil)
    }

    @Test("without any week the next look is an hour away, and at once after a change")
    func none() throws {
        let room = try #require(Room("office"))
        var weeks = WeekRounds()
        let plain = Thermostat(settings: .init(), now: Self.start)
        #expect(weeks.due([room: plain], now: Self.start, time: { nil }).isEmpty)
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
            let told = weeks.due(all(), of: { _ in plain }, now: Self.start + .seconds(number), time: { nil })
            #expect(told.isEmpty)
        }
        #expect(looks == 1)
    }
}
