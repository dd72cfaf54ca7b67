import Foundation
import Testing

@testable import Heating

/// The zone database of the system, which the gateway reads, against Foundation, which the cloud's services use.
@Suite struct TimeZoneRulesTests {
    static let directory = "/usr/share/zoneinfo/"

    static let files: [String] = {
        var names: [String] = []
        let all = FileManager.default.enumerator(atPath: directory)
        while let name = all?.nextObject() as? String { names.append(name) }
        return names
    }()

    static func rules(_ name: String) -> TimeZoneRules? {
        FileManager.default.contents(atPath: directory + name).flatMap { TimeZoneRules(file: Array($0)) }
    }

    @Test("exactly the names that Foundation knows", .enabled(if: !files.isEmpty, "needs tzdata"))
    func names() {
        let odd = [
            "", "/", "Europe", "Europe/", "Europe//Madrid", "../zoneinfo/UTC", "./UTC", "europe/madrid",
            "utc?",
        ]
        var known = 0
        for name in Self.files + odd {
            let isKnown = isZoneName(name) && Self.rules(name) != nil
            #expect(isKnown == (TimeZone(identifier: name) != nil), "\(name)")
            known += isKnown ? 1 : 0
        }
        #expect(known > 500)
        // Foundation makes zones of these without a database; a gateway has none for them.
        for name in ["GMT+1", "UTC+1"] { #expect(!isZoneName(name) || Self.rules(name) == nil) }
    }

    @Test(
        "the same offsets as Foundation's in every zone, from 1970 to 2100",
        .enabled(if: !files.isEmpty, "needs tzdata"))
    func offsets() throws {
        for name in Self.files.filter({ isZoneName($0) }) {
            guard let rules = Self.rules(name), let zone = TimeZone(identifier: name) else { continue }
            // Since tzdata 2024b these two are Lisbon and Athens, with another past.
            var instant: Int64 = ["WET", "EET"].contains(name) ? 852_076_800 : 0
            var wrong = 0
            while instant < 4_102_444_800 {
                let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
                if rules.offset(at: instant) != expected { wrong += 1 }
                instant += 86_400 * 11 + 3_600
            }
            #expect(wrong == 0, "\(name)")
        }
    }

    @Test("local times that came twice, once and never", .enabled(if: !files.isEmpty, "needs tzdata"))
    func meanings() throws {
        let madrid = try #require(Self.rules("Europe/Madrid"))
        func local(_ text: String) -> Int64 { (Timestamp(iso8601: text.utf8)?.nanoseconds ?? 0) / 1_000_000_000 }
        #expect(madrid.meaning(of: local("2026-10-25T01:59:59")) == .once(offset: 7200))
        #expect(madrid.meaning(of: local("2026-10-25T02:00:00")) == .twice(first: 7200, second: 3600))
        #expect(madrid.meaning(of: local("2026-10-25T02:59:59")) == .twice(first: 7200, second: 3600))
        #expect(madrid.meaning(of: local("2026-10-25T03:00:00")) == .once(offset: 3600))
        #expect(madrid.meaning(of: local("2026-03-29T02:30:00")) == .never(offset: 3600))
        #expect(madrid.meaning(of: local("2050-10-30T02:30:00")) == .twice(first: 7200, second: 3600))
        let lordHowe = try #require(Self.rules("Australia/Lord_Howe"))
        #expect(lordHowe.meaning(of: local("2026-04-05T01:45:00")) == .twice(first: 39_600, second: 37_800))
    }

    @Test func whatIsNoZoneIsRefused() throws {
        let file = FileManager.default.contents(atPath: Self.directory + "Europe/Madrid").map { Array($0) } ?? []
        for count in [0, 4, 43, 44, 100] { #expect(TimeZoneRules(file: Array(file.prefix(count))) == nil) }
        #expect(TimeZoneRules(file: Array("TZif2".utf8) + [UInt8](repeating: 0xFF, count: 100)) == nil)
        for bad in ["CET-1CEST,M3.5.0", "C", "CET-1CEST,M13.5.0,M1.1.0", "CET-1CEST,J0,J1", "CET-999"] {
            #expect(PosixRule(Array(bad.utf8)) == nil, "\(bad)")
        }
        for (text, seconds) in [("+01:00", 3600), ("-03:30", -12_600), ("+14:00", 50_400)] {
            #expect(zoneOffsetSeconds(text) == seconds)
        }
        for bad in ["+-1:00", "+1:000", "+15:00", "+14:01", "01:00", "+01:60", "+ 1:00", "+01:00 "] {
            #expect(zoneOffsetSeconds(bad) == nil, "\(bad)")
        }
    }
}

@Suite struct SameTimesTests {
    private static let start: Int64 = 1_792_886_400  // 2026-10-25T00:00:00Z

    private func madrid() throws -> TimeZoneRules {
        try #require(TimeZoneRulesTests.rules("Europe/Madrid"))
    }

    /// - Parameter arrival: seconds since 1970; far away unless given.
    private func reading(
        _ text: String, _ value: String = "20", topic: String = "r/temperature", arrival: Int64 = 1_000
    )
        -> SameTimes.Arrival
    {
        let parsed = Timestamp.parse(iso8601: text.utf8)
        return SameTimes.Arrival(
            topic: topic, written: parsed?.timestamp ?? Timestamp(nanoseconds: 0), isNaive: parsed?.isNaive ?? true,
            payload: Array("{\"timestamp\": \"\(text)\", \"value\": \(value)}".utf8),
            at: Timestamp(nanoseconds: arrival * 1_000_000_000))
    }

    private func text(_ second: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "2026-10-25T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
    }

    /// Where the point is, in nanoseconds, as the cloud works it out.
    private func point(_ reading: SameTimes.Arrival, _ marks: TimeMarks, _ zone: TimeZoneRules) -> Int64 {
        let offset = zone.meaning(of: reading.written.nanoseconds / 1_000_000_000).offset(
            isSecondPass: marks.isSecondPass)
        return reading.written.nanoseconds - Int64(offset) * 1_000_000_000 + Int64(marks.nth)
    }

    @Test(
        "a reading a second through the hour that comes twice: as many points, in order",
        arguments: [("21.5", false), ("21.5", true), ("x", false), ("x", true)])
    func october(_ value: String, isLive: Bool) throws {
        let zone = try madrid()
        var times = SameTimes(zone: zone)
        var points: [Int64] = []
        // 01:30 to 03:30 local time is three hours.
        for elapsed in 0..<10_800 {
            let local = 5400 + elapsed - (elapsed >= 5400 ? 3600 : 0)
            let instant = Self.start - 1800 + Int64(elapsed)
            let arrival = isLive ? instant + Int64(elapsed % 7) : 1_000
            let reading = reading(text(local), value == "x" ? "\(elapsed)" : value, arrival: arrival)
            let marks = times.marks(reading).marks
            #expect(marks.nth == 0)
            points.append(point(reading, marks, zone))
        }
        #expect(points == (0..<10_800).map { (Self.start - 1800 + Int64($0)) * 1_000_000_000 })
    }

    @Test("the arrival decides where it is near, whatever the order; sensors of ten and thirty minutes as well")
    func arrivalAndOrder() throws {
        let zone = try madrid()
        var silent = SameTimes(zone: zone)
        #expect(!silent.marks(reading("2026-10-25T02:05:00", arrival: Self.start + 300)).marks.isSecondPass)
        // Nothing for 85 minutes.
        #expect(silent.marks(reading("2026-10-25T02:30:00", arrival: Self.start + 5400)).marks.isSecondPass)
        for step in [10, 30] {
            var times = SameTimes(zone: zone)
            let minutes = Array(stride(from: 0, to: 60, by: step))
            let passes = (minutes + minutes).map { minute in
                times.marks(reading("2026-10-25T02:\(minute < 10 ? "0" : "")\(minute):00")).marks.isSecondPass
            }
            #expect(passes == minutes.map { _ in false } + minutes.map { _ in true })
        }
        // A little out of order is no second pass; nor is another room's.
        var times = SameTimes(zone: zone)
        for (time, topic) in [("02:50", "a"), ("02:49", "a"), ("02:10", "b"), ("02:51", "a")] {
            #expect(!times.marks(reading("2026-10-25T\(time):00", topic: topic)).marks.isSecondPass)
        }
    }

    @Test("a second, different reading of one time has the next place; the same bytes have the same one")
    func nth() {
        var times = SameTimes(zone: TimeZoneRules(offsetSeconds: 0))
        func nth(_ text: String, _ value: String, topic: String = "r/temperature") -> Int {
            times.marks(reading(text, value, topic: topic)).marks.nth
        }
        let time = "2026-11-23T10:00:00"
        let first = [nth(time, "1"), nth(time, "2"), nth(time, "3")]
        #expect(first == [0, 1, 2])
        let second = [nth(time, "2"), nth(time, "1"), nth(time, "3"), nth(time, "4")]
        #expect(second == [1, 0, 2, 3])
        #expect(nth(time, "9", topic: "s/temperature") == 0)
        // Another writing of the same instant; and an instant that a moved reading has taken.
        #expect(nth("2026-11-23T11:00:00+01:00", "5") == 4)
        #expect(nth("2026-11-23T10:00:00.000000002", "6") == 3)
        #expect(nth(time, "7") == 6)
    }

    @Test("where nobody wrote a time, equal readings that arrive together are as many, also after a restart")
    func untimed() {
        var times = SameTimes(zone: TimeZoneRules(offsetSeconds: 0))
        var reading = reading("2026-11-23T10:00:00Z", "20")
        reading.isTimed = false
        var marks: [TimeMarks] = []
        for _ in 0..<3 { marks.append(times.marks(reading).marks) }
        #expect(marks.map(\.nth) == [0, 1, 2])
        var after = SameTimes(zone: TimeZoneRules(offsetSeconds: 0))
        for mark in marks { after.remember(reading, mark) }
        #expect(after.marks(reading).marks.nth == 3)
    }

    @Test("the same after a restart, from the rows; and a clock that stands still costs no more than any other")
    func restart() throws {
        let zone = try madrid()
        var before = SameTimes(zone: zone, limit: 2000)
        var rows: [(SameTimes.Arrival, TimeMarks)] = []
        for number in 0..<3000 {
            let text = number < 1500 ? text(7200 + number % 600) : "1970-01-02T00:00:00"
            let reading = reading(text, "\(number)")
            rows.append((reading, before.marks(reading).marks))
        }
        #expect(Set(rows.map { point($0, $1, zone) }).count == 3000)
        var after = SameTimes(zone: zone, limit: 2000)
        for (reading, marks) in rows.suffix(2000) { after.remember(reading, marks) }
        for (reading, marks) in rows.suffix(1500) {
            let again = after.marks(reading)
            #expect(again.marks == marks && again.isKnown)
        }
        let next = reading("1970-01-02T00:00:00", "next")
        #expect(after.marks(next).marks == before.marks(next).marks)
    }
}
