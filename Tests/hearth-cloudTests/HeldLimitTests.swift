import EventLog
import Foundation
import Heating
import Influx
import Logging
import TestSupport
import Testing

@testable import hearth_cloud

@Suite("What is set aside has bounds, and no home takes another's place", .timeLimit(.minutes(1)))
struct HeldLimitTests {
    private let topics = LogTopics()

    private func withLog<Result>(_ body: (JournalLog) throws -> Result) throws -> Result {
        let directory = try TemporaryDirectory("held")
        let log = try JournalLog(path: directory.file("log.sqlite"))
        defer { log.close() }
        return try body(log)
    }

    private func withLog<Result>(_ body: (JournalLog) async throws -> Result) async throws -> Result {
        let directory = try TemporaryDirectory("held")
        let log = try JournalLog(path: directory.file("log.sqlite"))
        defer { log.close() }
        return try await body(log)
    }

    private func wait(_ what: String, within seconds: Double = 20, _ condition: () throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while try !condition() {
            guard ContinuousClock.now < end else {
                Issue.record("not within \(seconds) s: \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func reading(_ number: Int) -> Event {
        let second = number < 10 ? "0\(number)" : "\(number)"
        let text =
            #"{"home":"h","room":"r","timestamp":"2026-11-23T10:00:\#(second)","value":20.5,"seq":\#(number + 1),"#
            + #""epoch":"e"}"#
        return Event(topic: topics.raw, key: "h", value: Array(text.utf8))
    }

    @Test(
        "beyond the limit a pipeline stands still and the log keeps what comes; mended, each reading is one point",
        .enabled(if: InfluxDatabase.executable != nil))
    func standsStill() async throws {
        let database = try InfluxDatabase()
        defer { database.stop() }
        _ = try database.query("CREATE DATABASE raw")
        try database.write("raw_temperature,home=h,room=r value=21i 1795428100000000000", database: "raw")
        try await withLog { log in
            let writer = try InfluxWriter(InfluxSettings(url: database.url, target: .v1(database: "raw")))
            defer { writer.stop() }
            let topics = topics
            let runner = PipelineRunner(
                name: "p1", group: "g", instance: nil, heldLimit: 4, log: log, writer: writer, names: topics,
                logger: Logger(label: "test"), makeStage: { SaveRaw(topics) })
            runner.start()
            defer { runner.stop() }
            for number in 0..<12 {
                try log.append([reading(number)])
                if number < 4 { try await wait("\(number) is held") { runner.held.count == number + 1 } }
            }
            // As long as a batch would take several times over.
            try await Task.sleep(for: .seconds(1))
            #expect(runner.held.count == 4, "no more are set aside")
            #expect(runner.held.alarm?.contains("the pipeline stands still") == true)
            #expect(try DeadLetterBox.open(in: log, topic: topics.deadLetter).count == 4)
            _ = try database.query("DROP MEASUREMENT raw_temperature", database: "raw")
            try await wait("twelve points", within: 40) {
                try database.count("raw_temperature", database: "raw") == 12
            }
            try await wait("nothing waits") { runner.held.alarm == nil }
        }
    }

    private func letter(_ reason: String, home: String = "h", bytes: Int = 100, number: Int = 0) -> DeadLetter {
        DeadLetter(
            key: home, source: "raw_sensor_data[0]@\(number)", reason: "p1: \(reason)",
            bytes: Array(repeating: UInt8(ascii: "x"), count: bytes), pipeline: "p1", isWhole: true)
    }

    @Test("however many dead letters there are, no more than a part of them is in memory")
    func parts() throws {
        try withLog { log in
            let letters = (0..<2500).map { letter("unparsable", number: $0).event(topic: topics.deadLetter) }
            try log.append(letters)
            let first = try DeadLetterBox.open(in: log, topic: topics.deadLetter) { $0.letter.source.hasSuffix("@7") }
            try log.append(DeadLetterBox.notes(of: first, action: "dropped", topic: topics.deadLetter))
            var sizes: [Int] = []
            var sources: Set<String> = []
            try DeadLetterBox.parts(of: 1000, in: log, topic: topics.deadLetter) { part in
                sizes.append(part.count)
                for item in part { sources.insert(item.letter.source) }
                // Written while it is read, and about what is open: nothing is passed over or met twice.
                try log.append(DeadLetterBox.notes(of: part, action: "written", topic: topics.deadLetter))
            }
            #expect(sizes == [1000, 1000, 499] && sources.count == 2499)
            #expect(try DeadLetterBox.open(in: log, topic: topics.deadLetter).isEmpty)
            struct Stop: Error {}
            try log.append(letters)
            #expect(throws: Stop.self) {
                try DeadLetterBox.parts(of: 10, in: log, topic: topics.deadLetter) { _ in throw Stop() }
            }
        }
    }

    @Test("the desk lists the newest, drops and replays whatever their number")
    func desk() throws {
        try withLog { log in
            try log.append((0..<3000).map { letter("unparsable", number: $0).event(topic: topics.deadLetter) })
            let desk = DeadLetterDesk(log: log, topics: topics)
            var request = DeadLetterDesk.Request()
            request.limit = 2
            let list = try desk.answer(request)
            #expect(list.contains("@2998 ") && list.contains("@2999 ") && !list.contains("@2997 "))
            #expect(list.hasSuffix("3000 dead letters, the newest 2 shown\n"))
            request.action = .replay
            #expect(try desk.answer(request) == "3000 replayed, 0 not\n")
            var again = 0
            try log.scan(topics.raw) { _ in again += 1 }
            #expect(again == 3000)
            try log.append((0..<5).map { letter("unparsable", number: $0).event(topic: topics.deadLetter) })
            request.action = .drop
            #expect(try desk.answer(request) == "5 dropped\n")
            request.action = .list
            #expect(try desk.answer(request) == "0 dead letters\n")
        }
    }

    @Test("readings in a zone that nobody knows wait up to a share of each home; the others' place is theirs")
    func zones() {
        let piece = 1024
        var zones = UnknownZones(homeBytes: 20 * piece, allBytes: 100 * piece)
        func offer(_ home: String) -> Bool {
            let text = #"{"home":"\#(home)","room":"r","timestamp":"2026-11-23T11:00:00","value":1,"zone":"Moon/Base"}"#
            let bytes = Array(text.utf8) + Array(repeating: UInt8(ascii: " "), count: piece - text.utf8.count)
            let one = DeadLetter(
                key: home, source: "raw_sensor_data[0]@5", reason: "p1: \(UnusableEvent.unknownZone)", bytes: bytes,
                pipeline: "p1", isWhole: true)
            guard zones.hasRoom(for: one, beside: UnknownZones()) else { return false }
            zones.note(one)
            return true
        }
        #expect((0..<1000).count { _ in offer("flood") } == 20)
        #expect(offer("quiet"))
        for number in 0..<10 { for _ in 0..<200 { _ = offer("home\(number)") } }
        #expect(!offer("another"), "all of them together have a bound")
        #expect(zones.count == 100)
    }

    @Test("what a home has set aside beyond its share is counted; the others' letters are kept")
    func share() {
        let share = LetterShare(pipeline: "p1", logger: Logger(label: "test"))
        // One letter many times: without optimising, the hash of each would take longer than all else.
        let flood = Array(repeating: letter("beyond_retention", home: "flood", bytes: 4096), count: 5000)
        let kept = share.taking(flood, now: .seconds(100))
        #expect((3000..<4500).contains(kept.count), "\(kept.count)")
        #expect(share.taking([letter("beyond_retention", home: "quiet")], now: .seconds(100)).count == 1)
        #expect(share.taking(Array(flood[..<100]), now: .seconds(101)).count < 5)
        let later = share.taking(Array(flood[..<600]), now: .seconds(100 + 3600)).count
        #expect(later > 400, "an hour gives some of it back")
    }
}
