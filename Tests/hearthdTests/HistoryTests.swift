import Heating
import Testing

@testable import hearthd

@Suite struct HistoryTests {
    /// Some moment, at the beginning of a five-minute step.
    private let start: Int64 = 1_790_000_000_000_000_000 / 300_000_000_000 * 300_000_000_000
    private let second: Int64 = 1_000_000_000
    private let office = Room("office")!

    private func room(_ history: History, _ span: History.Span, now: Int64) throws -> JSON {
        try #require(history.json(span, now: now, isComplete: true)["rooms"]?[0])
    }

    @Test func `a step is the mean of its readings, and a step without any is null`() throws {
        var history = History()
        history.temperature(20, in: office, at: start)
        history.temperature(21, in: office, at: start + 9 * second)
        history.temperature(30, in: office, at: start + 20 * second)
        let room = try room(history, .hour, now: start + 20 * second)
        #expect(room["temperature"]?.array?.suffix(4) == [nil, 20.5, nil, 30.0])
        #expect(room["temperature"]?.array?.count == 360 && room["pump"]?.array?.allSatisfy(\.isNull) == true)
    }

    @Test func `the lowest and the highest of a step are readings, whatever their mean is`() throws {
        var history = History()
        for (second, value) in [(0, 24.3), (1, 15.8), (2, 22.0), (11, 20.0)] {
            history.temperature(value, in: office, at: start + Int64(second) * self.second)
        }
        let now = start + 11 * second
        let hour = try room(history, .hour, now: now), day = try room(history, .day, now: now)
        #expect(
            hour["low"]?.array?.suffix(3) == [nil, 15.8, 20.0] && hour["high"]?.array?.suffix(3) == [nil, 24.3, 20.0])
        #expect(day["low"]?.array?.suffix(2) == [nil, 15.8] && day["high"]?.array?.suffix(2) == [nil, 24.3])
        #expect(day["temperature"]?.array?.last == 20.53)
    }

    @Test func `since when there are readings is said to the second, not to the step`() throws {
        var history = History()
        let first = start + 247 * second
        history.temperature(20, in: office, at: first)
        history.temperature(21, in: office, at: first + 500 * second)
        let now = first + 500 * second
        for span in History.Span.allCases {
            #expect(try room(history, span, now: now)["since"]?.double == Double(first / second))
        }
        // After a gap of a whole hour the hour begins anew, the day does not.
        let later = now + 2 * 3_600 * second
        history.temperature(22, in: office, at: later)
        #expect(try room(history, .hour, now: later)["since"]?.double == Double(later / second))
        #expect(try room(history, .day, now: later)["since"]?.double == Double(first / second))
        // Switched, but never measured.
        history.pump(true, in: Room("attic")!, at: later)
        let attic = history.json(.hour, now: later + 10 * second, isComplete: true)["rooms"]?.array?.first
        #expect(attic?["room"]?.string == "attic" && attic?["since"]?.isNull == true)
    }

    @Test func `the pump's share of a step counts from command to command, and up to now`() throws {
        var history = History()
        history.pump(true, in: office, at: start + 5 * second)
        history.pump(true, in: office, at: start + 12 * second)
        history.pump(false, in: office, at: start + 14 * second)
        let room = try room(history, .hour, now: start + 30 * second)
        #expect(room["pump"]?.array?.suffix(4) == [1.0, 0.4, 0.0, nil])
    }

    @Test func `a day has the same in steps of five minutes`() throws {
        var history = History()
        history.pump(true, in: office, at: start)
        history.temperature(19, in: office, at: start + 299 * second)
        let json = history.json(.day, now: start + 600 * second, isComplete: false)
        #expect(json["step"]?.double == 300 && json["count"]?.int == 288 && json["isComplete"]?.bool == false)
        #expect(json["start"]?.double == Double(start / second + 600 - 287 * 300))
        let room = try #require(json["rooms"]?[0])
        #expect(room["temperature"]?.array?.suffix(3) == [19.0, nil, nil])
        #expect(room["pump"]?.array?.suffix(3) == [1.0, 1.0, nil])
    }

    @Test func `what is measured outdoors is a curve of its own beside the rooms, and null where nothing is`() throws {
        var history = History()
        history.temperature(20, in: office, at: start)
        #expect(history.json(.hour, now: start, isComplete: true)["outdoor"]?.isNull == true)
        let (pump, garden) = (try #require(Room("pump")), try #require(Room("garden")))
        let outside = try #require(Measure("outside_temperature")), outdoor = try #require(Measure("outdoor"))
        history.temperature(4, of: outside, in: pump, at: start)
        history.temperature(7, of: outside, in: pump, at: start + 2 * second)
        var json = history.json(.hour, now: start, isComplete: true)
        #expect(json["rooms"]?.array?.compactMap { $0["room"]?.string } == ["office"])
        #expect(json["outdoor"]?["room"]?.string == "pump")
        #expect(json["outdoor"]?["measure"]?.string == "outside_temperature")
        #expect(["temperature", "low", "high"].map { json["outdoor"]?[$0]?.array?.last } == [5.5, 4.0, 7.0])
        // One that somebody named so comes before the heat pump's own.
        history.temperature(3, of: outdoor, in: garden, at: start)
        json = history.json(.day, now: start, isComplete: true)
        #expect(json["outdoor"]?["room"]?.string == "garden" && json["outdoor"]?["temperature"]?.array?.last == 3.0)
    }

    @Test func `sensors outdoors are bounded, and keep no room out`() throws {
        var history = History()
        let outdoor = try #require(Measure("outdoor"))
        for index in 0...CurveSource.outdoorLimit {
            // The names in reverse, so that the last would be drawn.
            let room = try #require(Room("sensor\(9 - index)"))
            history.temperature(5, of: outdoor, in: room, at: start)
        }
        history.temperature(20, in: office, at: start)
        let json = history.json(.hour, now: start, isComplete: true)
        #expect(json["outdoor"]?["room"]?.string == "sensor2" && json["rooms"]?.array?.count == 1)
    }

    @Test func `what is older than the span is gone, and a room with nothing left is not listed`() {
        var history = History()
        history.temperature(20, in: office, at: start)
        let later = start + 3_700 * second
        #expect(history.json(.hour, now: later, isComplete: true)["rooms"] == [])
        #expect(history.json(.day, now: later, isComplete: true)["rooms"]?.array?.count == 1)
    }

    @Test func `a clock that was set back, far, begins anew instead of waiting for the old time to come again`() throws
    {
        var history = History()
        history.temperature(20, in: office, at: start + 30 * 86_400 * second)
        history.temperature(21, in: office, at: start)
        #expect(try room(history, .hour, now: start)["temperature"]?.array?.last == 21.0)
    }

    @Test func `a box that wakes up in 1970, without a clock of its own, has a history of that too`() throws {
        var history = History()
        history.temperature(20, in: office, at: start)
        history.pump(true, in: office, at: start)
        for time in [61 * second, 71 * second, 301 * second] {
            history.temperature(21, in: office, at: time)
            history.pump(false, in: office, at: time)
            #expect(try room(history, .hour, now: time)["temperature"]?.array?.last == 21.0)
        }
        #expect(try room(history, .day, now: 301 * second)["temperature"]?.array?.last == 21.0)
        history.temperature(22, in: office, at: -start)
        history.temperature(23, in: office, at: 0)
        history.temperature(24, in: office, at: start + 60 * second)
        #expect(try room(history, .hour, now: start + 60 * second)["temperature"]?.array?.last == 24.0)
    }

    @Test func `an outage lasts from the first look without the link to the first with it`() {
        var history = History()
        history.link("cloud", isUp: true, at: start)
        history.link("cloud", isUp: false, at: start + second)
        history.link("cloud", isUp: false, at: start + 2 * second)
        #expect(history.outages == [.init(link: "cloud", start: start + second, end: nil)])
        history.link("cloud", isUp: true, at: start + 9 * second)
        #expect(history.outages == [.init(link: "cloud", start: start + second, end: start + 9 * second)])
        history.link("cloud", isUp: true, at: start + History.length + 10 * second)
        #expect(history.outages.isEmpty)
    }

    @Test func `rooms and outages are bounded`() {
        var history = History()
        for index in 0..<(History.roomLimit + 10) {
            history.temperature(20, in: Room("room\(index)")!, at: start)
            history.link("cloud", isUp: false, at: start + Int64(index) * 20 * second)
            history.link("cloud", isUp: true, at: start + Int64(index) * 20 * second + 10 * second)
        }
        #expect(history.json(.day, now: start, isComplete: true)["rooms"]?.array?.count == History.roomLimit)
        #expect(history.outages.count == History.outageLimit)
    }
}
