import Heating
import Testing

@testable import hearth_cloud

@Suite("P3: the cloud's own decisions")
struct ActuatorTests {
    private static let wall = Timestamp(nanoseconds: 1_795_428_000_000_000_000)

    private func event(_ value: Double, room: String = "office", home: String = "home1") -> ArraySlice<UInt8> {
        ArraySlice(
            "{\"home\":\"\(home)\",\"room\":\"\(room)\",\"timestamp\":\"2033-01-01T00:00:00\",\"value\":\(value)}".utf8)
    }

    private func actuator() -> Actuator {
        var settings = Thermostat.Settings()
        settings.onStale = .hold
        return Actuator(settings: settings, maximumAge: .seconds(60))
    }

    @Test("decides on change and repeats, with the thermostat's own rule")
    func decides() {
        var actuator = actuator()
        func take(_ value: Double, _ second: Double) -> Bool? {
            actuator.take(event(value), appendedAt: Self.wall.nanoseconds, wall: Self.wall, now: .seconds(second))?
                .decision.isOn
        }
        #expect(
            take(22, 1) == nil && take(19, 2) == true && take(19, 3) == nil && take(22, 4) == nil
                && take(26, 5) == false)
        #expect(actuator.tick(now: .seconds(30)).isEmpty)
        #expect(actuator.tick(now: .seconds(65)).map(\.decision.isOn) == [false])
    }

    @Test("what lay in the log for too long moves no pump, whatever the sensor's clock says")
    func old() {
        var actuator = actuator()
        let appended = Self.wall.nanoseconds - 61_000_000_000
        #expect(actuator.take(event(10), appendedAt: appended, wall: Self.wall, now: .seconds(1)) == nil)
        #expect(actuator.skipped == ["old": 1] && actuator.roomCount == 0)
        #expect(actuator.take([1, 2], appendedAt: 0, wall: Self.wall, now: .seconds(1)) == nil)
        #expect(actuator.take(nil, appendedAt: 0, wall: Self.wall, now: .seconds(1)) == nil)
        #expect(actuator.skipped["unusable"] == 1)
    }

    @Test("a room that fell silent is not commanded any more, and forgotten")
    func silent() {
        var actuator = actuator()
        #expect(actuator.take(event(10), appendedAt: 0, wall: Self.wall, now: .seconds(0)) != nil)
        for second in stride(from: 60.0, through: 840, by: 60) {
            #expect(actuator.tick(now: .seconds(second)).count == 1)
        }
        #expect(actuator.tick(now: .seconds(1000)).isEmpty && actuator.roomCount == 0)
    }

    @Test("while commands wait, only the newest of each room is kept, and rooms keep their turn")
    func newest() throws {
        var pending = PendingDecisions()
        let places = try ["a", "b", "c"].map {
            Actuator.Place(home: try #require(HomeID("h")), room: try #require(Room($0)))
        }
        for round in 0..<100 {
            for place in places {
                pending.put(.init(isOn: round % 2 == 0, reason: "\(round)", at: .seconds(Double(round))), for: place)
            }
        }
        #expect(pending.count == 3 && pending.replaced == 297)
        #expect(pending.takeFirst()?.place == places[0])
        pending.put(.init(isOn: true, reason: "new", at: .seconds(100)), for: places[0])
        #expect(pending.takeFirst()?.decision.reason == "99" && pending.takeFirst()?.place == places[2])
        #expect(pending.takeFirst()?.decision.reason == "new" && pending.takeFirst() == nil && pending.count == 0)
    }
}
