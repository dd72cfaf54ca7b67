import Heating
import MQTT
import Testing

@testable import hearthd

@Suite("A room's retained state")
struct StateTopicTests {
    private static let wall = Timestamp(nanoseconds: 1_795_953_600_000_000_000)  // 2026-11-29T12:00:00Z

    private static func decision(_ state: Publication, _ wall: Timestamp) -> StateTopic.Decision? {
        StateTopic.decision(topic: state.topic, payload: state.payload, now: .zero, wall: wall)
    }

    @Test("a rest that has just begun is known after a restart, however soon its state was written")
    func restJustBegun() throws {
        let room = try #require(Room("office"))
        let now = Instant(nanoseconds: 7_000_000_001)
        var thermostat = Thermostat(now: now)
        _ = thermostat.handle(.reading(26), now: now)
        let state = StateTopic.state(of: room, thermostat.status, heardAt: now, now: now, wall: Self.wall)
        let json = try JSON.parse(state.payload)
        #expect(json["since"]?.string == "2026-11-29T12:00:00Z" && json["since"] == json["time"])
        let found = Self.decision(state, Timestamp(nanoseconds: Self.wall.nanoseconds + 5_000_000_000))
        #expect(found?.lasting == .seconds(5) && found?.silence == .seconds(5))
    }

    @Test("while the wall's clock was never set, a state says nothing of the past")
    func unsetClock() throws {
        let room = try #require(Room("office"))
        var thermostat = Thermostat(now: .zero)
        _ = thermostat.handle(.reading(26), now: .zero)
        let wall = Timestamp(nanoseconds: 60_000_000_000)
        let state = StateTopic.state(of: room, thermostat.status, heardAt: .zero, now: .zero, wall: wall)
        let json = try JSON.parse(state.payload)
        #expect(json["since"] == nil && json["heard"] == nil && json["time"]?.string == "1970-01-01T00:01:00Z")
        let found = try #require(Self.decision(state, Self.wall))
        #expect(found.lasting == nil && found.silence == nil && found.isOn == false)
    }

    @Test("a room whose pump was never told anything is known after a restart, with what was asked of it")
    func restoredUndecided() throws {
        let room = try #require(Room("office"))
        var thermostat = Thermostat(now: .zero)
        _ = thermostat.handle(.reading(22), now: .zero)
        _ = thermostat.handle(.hold(.temperature(22), for: .untilChanged, source: .cli), now: .zero)
        #expect(thermostat.status.isOn == nil)
        let state = StateTopic.state(of: room, thermostat.status, now: .zero, wall: Self.wall)
        let found = try #require(Self.decision(state, Self.wall))
        #expect(found.isOn == nil && found.wishes.map(\.what) == [.hold(.temperature(22))])
    }

    @Test("what is left of an override after a restart, also when the clock has lost itself")
    func restored() throws {
        let room = try #require(Room("office"))
        var thermostat = Thermostat(now: .zero)
        _ = thermostat.handle(.override(on: true, for: .seconds(3600), source: .page), now: .zero)
        let state = StateTopic.state(of: room, thermostat.status, now: .zero, wall: Self.wall)
        func wish(_ offset: Int64) -> ControlMailbox.Wish? {
            Self.decision(state, Timestamp(nanoseconds: Self.wall.nanoseconds + offset))?.wishes.first
        }
        #expect(wish(600_000_000_000)?.duration == .seconds(3000))
        #expect(wish(600_000_000_000)?.what == .pump(isOn: true) && wish(0)?.source == .page)
        #expect(wish(3_700_000_000_000) == nil, "it has ended meanwhile")
        // A box that woke up in 1970: as much as there was when it was written.
        #expect(wish(-Self.wall.nanoseconds + 1)?.duration == .seconds(3600))
    }

    @Test("a hold without an end and one under a forced run are found after a restart as they were")
    func restoredHolds() throws {
        let room = try #require(Room("office"))
        var thermostat = Thermostat(now: .zero)
        _ = thermostat.handle(.hold(.temperature(21.5), for: .untilChanged, source: .homeAssistant), now: .zero)
        _ = thermostat.handle(.override(on: true, for: .seconds(600), source: .page), now: .zero)
        let state = StateTopic.state(of: room, thermostat.status, .fahrenheit, now: .zero, wall: Self.wall)
        let json = try JSON.parse(state.payload)
        #expect(json["target"]?.double == 70.7 && json["unit"]?.string == "F" && json["forced"]?.string == "ON")
        #expect(json["asked"]?.string == "switched on from the page" && json["until"]?.string != nil)
        let found = try #require(Self.decision(state, Self.wall))
        var next = Thermostat(now: .zero)
        for wish in found.wishes {
            switch wish.what {
            case .pump(let isOn):
                _ = next.handle(.override(on: isOn, for: wish.duration, source: wish.source), now: .zero)
            case .hold(let target): _ = next.handle(.hold(target, for: wish.end, source: wish.source), now: .zero)
            default: Issue.record("\(wish)")
            }
        }
        #expect(next.status.hold == thermostat.status.hold && next.status.override?.isOn == true)
    }

    @Test("the card says off, the target or the schedule, and never heat for a pump that is forced")
    func modes() throws {
        let room = try #require(Room("office"))
        var thermostat = Thermostat(now: .zero)
        func mode() throws -> String? {
            try JSON.parse(StateTopic.state(of: room, thermostat.status, now: .zero, wall: Self.wall).payload)["mode"]?
                .string
        }
        #expect(try mode() == "auto")
        _ = thermostat.handle(.override(on: true, for: nil, source: .cli), now: .zero)
        #expect(try mode() == "auto")
        _ = thermostat.handle(.hold(.temperature(21), for: nil, source: .cli), now: .zero)
        #expect(try mode() == "heat")
        _ = thermostat.handle(.override(on: false, for: nil, source: .cli), now: .zero)
        #expect(try mode() == "off")
        _ = thermostat.handle(.clearOverride(source: .cli), now: .zero)
        var settings = thermostat.settings
        settings.mode = .off
        _ = thermostat.handle(.settings(settings), now: .zero)
        #expect(try mode() == "off")
    }
}
