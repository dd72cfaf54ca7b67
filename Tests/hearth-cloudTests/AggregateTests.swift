import EventLog
import Heating
import Influx
import SimulationModel
import Testing

@testable import hearth_cloud

@Suite("P4: the mean of a home")
struct AggregateTests {
    /// Small limits, so that windows close often.
    static let settings = HomeWindows.Settings(
        window: .seconds(60), openReadings: 30, openWindows: 3, jump: .seconds(100_000))
    static let position = TopicPartition(topic: names.clean, partition: 0)

    private final class Clock: @unchecked Sendable {
        // Read and set by one test's thread.
        var now = Instant.seconds(1000)
    }

    private func process(_ events: [Event], settings: HomeWindows.Settings = HomeWindows.Settings()) -> [String:
        String]
    {
        let clock = Clock()
        var stage = Aggregate(names, settings: settings) { clock.now }
        var table = stage.process(events).table
        clock.now = .seconds(2000)
        table.merge(stage.idle().table) { $1 }
        return table
    }

    @Test("every room counts once, however often its sensor speaks, and any number of rooms is welcome")
    func rooms() throws {
        var events: [Event] = []
        for second in 0..<50 {
            events.append(stored(room: "office", at: Int64(second) * 1_000_000_000, value: "10", offset: Int64(second)))
        }
        for room in 1..<300 {
            events.append(stored(room: "room\(room)", at: Int64(room) * 1000, value: "20", offset: Int64(100 + room)))
        }
        let table = process(events)
        #expect(table.count == 1)
        let fields = try #require(table["home_avg_temperature,home=home1 0"])
        let expected = (10.0 + 299 * 20) / 300
        #expect(fields == "avg_temp=\(expected),min_temp=10.0,max_temp=20.0,rooms=300i")
    }

    @Test("duplicates in the log change no result; a later value of the same reading stands, as in the database")
    func duplicates() {
        let once = [
            stored(room: "a", at: 1_000_000_000, value: "10", offset: 0),
            stored(room: "b", at: 2_000_000_000, value: "20", offset: 1),
        ]
        let again = once + (0..<5).map { stored(room: "a", at: 1_000_000_000, value: "10", offset: 2 + $0) }
        let isSame = process(once) == process(again)
        #expect(isSame)
        let corrected = once + [stored(room: "a", at: 1_000_000_000, value: "14", offset: 9)]
        #expect(process(corrected).values.contains { $0.contains("avg_temp=17.0") })
    }

    @Test("thirty windows late, as a message sent again half a minute later is with a clock sixty times too fast")
    func late() {
        let minute: Int64 = 60_000_000_000
        var events: [Event] = []
        for window in 0..<200 {
            for room in 0..<5 where (window, room) != (100, 3) {
                events.append(
                    stored(
                        room: "room\(room)", at: Int64(window) * minute + Int64(room), value: "\(room)",
                        offset: Int64(events.count)))
            }
            if window == 130 {
                events.append(stored(room: "room3", at: 100 * minute + 3, value: "3", offset: Int64(events.count)))
            }
        }
        let table = process(events)
        #expect(table.count == 200)
        #expect(table.values.allSatisfy { $0.contains("rooms=5i") && $0.contains("=2.0") })
    }

    @Test("a reading for a window that is no longer known is dropped rather than written over the full mean")
    func tooLate() {
        let minute: Int64 = 60_000_000_000
        var events = (0..<100).map {
            stored(at: Int64($0) * minute, value: "20", offset: Int64($0), sequence: Int64($0) + 10, epoch: "e")
        }
        let before = process(events, settings: Self.settings)
        events.append(
            stored(room: "kitchen", at: 60 * minute + 5, value: "5", offset: 100, sequence: 3, epoch: "e"))
        let isSame = process(events, settings: Self.settings) == before
        #expect(isSame)
    }

    @Test("one home's outage makes nobody's readings late")
    func watermarks() {
        let minute: Int64 = 60_000_000_000
        var events = (0..<500).map { stored(at: Int64($0) * minute, value: "20", offset: Int64($0)) }
        events += (0..<20).map {
            stored(home: "home2", at: Int64($0) * minute, value: "7", offset: Int64(500 + $0))
        }
        #expect(process(events, settings: Self.settings).filter { $0.key.contains("home2") }.count == 20)
    }

    @Test("a clock that jumps back starts new windows", arguments: [true, false])
    func jump(hasSequences: Bool) {
        let minute: Int64 = 60_000_000_000
        let times = (0..<100).map { 10_000 + $0 } + (0..<20).map { 500 + $0 }
        let events = times.enumerated().map { index, time in
            stored(
                at: Int64(time) * minute, value: "20", offset: Int64(index),
                sequence: hasSequences ? Int64(index) + 1 : nil, epoch: hasSequences ? "e" : nil)
        }
        #expect(process(events, settings: Self.settings).count == 120)
    }

    @Test("what is no reading is counted and holds nothing up")
    func unusable() {
        let clock = Clock()
        var stage = Aggregate(names, settings: Self.settings) { clock.now }
        let bytes: [ArraySlice<UInt8>?] = [
            nil, [], [0xFF], ArraySlice("{}".utf8),
            ArraySlice(#"{"home":"a/b","room":"r","timestamp":"2026-01-01","value":1}"#.utf8),
        ]
        let events = bytes.enumerated().map {
            Event(topic: names.clean, value: $1, offset: Int64($0))
        }
        let output = stage.process(events)
        #expect(output.dropped == ["unusable": 4])
        #expect(output.commit[Self.position] == 5)
    }

    @Test("the commit follows the log, with homes whose windows overlap all the time, and so does the memory")
    func commits() throws {
        let clock = Clock()
        var stage = Aggregate(names, settings: Self.settings) { clock.now }
        var offset: Int64 = 0
        var commit: Int64 = 0
        for round in 0..<2000 {
            // Each home is a little behind the one before it: somewhere a window is always half full.
            let events = (0..<10).map { home -> Event in
                offset += 1
                let at = Int64(round) * 10_000_000_000 + Int64(home) * 6_000_000_000
                return stored(home: "home\(home)", at: at, value: "20", offset: offset)
            }
            clock.now = .seconds(1000 + Double(round))
            commit = try #require(stage.process(events).commit[Self.position])
        }
        #expect(offset - commit < 10 * (30 + 4 * 6), "committed through \(commit) of \(offset)")
    }

    @Test("restarts anywhere, with readings lost, repeated and late: the same points as without", arguments: 0..<60)
    func restarts(_ round: Int) {
        let seed = givenSeed ?? UInt64(round)
        var random = SeededGenerator(seed: seed)
        let log = Self.log(&random)
        let expected = Self.run(log, &random, restarts: 0)
        let restarted = Self.run(log, &random, restarts: 0.04)
        let wrong = Set(expected.keys).union(restarted.keys).filter { expected[$0] != restarted[$0] }
        #expect(wrong.isEmpty, "HEARTH_SEED=\(seed): \(wrong.sorted().prefix(3))")
    }

    /// A few homes; some with sequences; some readings come late, some twice.
    private static func log(_ random: inout SeededGenerator) -> [Event] {
        struct Home {
            var name: String
            var hasSequences: Bool
            var time: Int64
            var sequence: Int64 = 0
            var held: [(reading: (Int64, String, Int64), until: Int)] = []
            var sent: [(Int64, String, Int64)] = []
        }
        var homes = (0..<Int.random(in: 1...4, using: &random)).map {
            Home(
                name: "home\($0)", hasSequences: Bool.random(using: &random),
                time: Int64.random(in: 0...1_000_000, using: &random) * 1_000_000)
        }
        var events: [Event] = []
        func emit(_ home: Home, _ reading: (time: Int64, room: String, sequence: Int64)) {
            events.append(
                stored(
                    home: home.name, room: reading.room, at: reading.time, value: "\(reading.time % 9973)",
                    offset: Int64(events.count + 7), sequence: home.hasSequences ? reading.sequence : nil,
                    epoch: home.hasSequences ? "e" : nil))
        }
        for step in 0..<1500 {
            let index = Int.random(in: 0..<homes.count, using: &random)
            homes[index].time += Int64.random(in: 0...20_000, using: &random) * 1_000_000
            homes[index].sequence += 1
            let reading = (
                homes[index].time, "room\(Int.random(in: 0..<3, using: &random))", homes[index].sequence
            )
            if Double.random(in: 0..<1, using: &random) < 0.05 {
                homes[index].held.append((reading, step + Int.random(in: 1...200, using: &random)))
            } else {
                emit(homes[index], reading)
                homes[index].sent.append(reading)
            }
            if Double.random(in: 0..<1, using: &random) < 0.1,
                let old = homes[index].sent.suffix(40).randomElement(using: &random)
            {
                emit(homes[index], old)
            }
            for due in homes[index].held.filter({ $0.until <= step }) { emit(homes[index], due.reading) }
            homes[index].held.removeAll { $0.until <= step }
        }
        return events
    }

    /// Reads the log in batches, perhaps dying after the points and before the commit; returns what the database has.
    private static func run(_ log: [Event], _ random: inout SeededGenerator, restarts: Double) -> [String: String] {
        let clock = Clock()
        var database: [String: String] = [:]
        var commit: Int64 = 0
        var reached: Int64 = 0
        var stage = Aggregate(names, settings: settings) { clock.now }
        stage.assigned([position: 0])
        var next = 0
        while next < log.count {
            let size = Int.random(in: 1...60, using: &random)
            let output = stage.process(Array(log[next..<min(log.count, next + size)]))
            next += size
            clock.now = clock.now + .nanoseconds(Int64.random(in: 0...3_000_000_000, using: &random))
            let dies = Double.random(in: 0..<1, using: &random) < restarts
            if dies, Bool.random(using: &random) {
                // Before the points.
            } else {
                database.merge(output.table) { $1 }
                if !dies || Bool.random(using: &random) {
                    commit = max(commit, output.commit[position] ?? 0)
                    reached = output.reached[position] ?? reached
                }
            }
            guard dies else { continue }
            stage = Aggregate(names, settings: settings) { clock.now }
            stage.assigned([position: reached])
            next = log.firstIndex { $0.offset >= commit } ?? log.count
        }
        clock.now = clock.now + .seconds(60)
        database.merge(stage.idle().table) { $1 }
        return database
    }
}
