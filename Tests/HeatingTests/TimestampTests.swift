import Foundation
import SimulationModel
import Testing

@testable import Heating

@Suite struct TimestampTests {
    private func nanoseconds(_ text: String, offset: Int = 0) -> Int64? {
        Timestamp(iso8601: text.utf8, naiveOffsetSeconds: offset)?.nanoseconds
    }

    @Test func readsTheFormsOfISO8601() {
        let base: Int64 = 1_795_428_000 * 1_000_000_000  // date -u -d 2026-11-23T10:00:00Z +%s
        #expect(nanoseconds("2026-11-23T10:00:00") == base)
        #expect(nanoseconds("2026-11-23 10:00:00") == base)
        #expect(nanoseconds("2026-11-23t10:00:00z") == base)
        #expect(nanoseconds("2026-11-23T10:00:00.5") == base + 500_000_000)
        #expect(nanoseconds("2026-11-23T10:00:00,5") == base + 500_000_000)
        #expect(nanoseconds("2026-11-23T10:00:00.123456789") == base + 123_456_789)
        #expect(nanoseconds("2026-11-23T10:00:00.1234567899999") == base + 123_456_789)
        #expect(nanoseconds("2026-11-23T10:00:00.000000001Z") == base + 1)
        #expect(nanoseconds("2026-11-23T11:00:00+01:00") == base)
        #expect(nanoseconds("2026-11-23T11:00:00+0100") == base)
        #expect(nanoseconds("2026-11-23T11:00:00+01") == base)
        #expect(nanoseconds("2026-11-23T04:30:00-05:30") == base)
        #expect(nanoseconds("2026-11-23T10:00:00-00:00") == base)
        #expect(nanoseconds("2026-11-23T10:00:00", offset: -3600) == base + 3_600_000_000_000)
    }

    /// What Java, Go, Ruby, chrono, JavaScript's Temporal and Python print; all of them mean the same instant.
    @Test(arguments: [
        "2026-11-23T10:00", "2026-11-23 10:00", "2026-11-23T10:00Z", "2026-11-23T11:00+01:00[Europe/Berlin]",
        "2026-11-23T10:00Z[UTC]", "2026-11-23T11:00:00+01:00[Europe/Berlin][u-ca=gregory]", "2026-11-23 11:00:00 +0100",
        "2026-11-23 10:00:00 UTC", "2026-11-23 10:00:00.000 UTC", "2026-11-23 10:00:00 +0000 UTC m=+0.012345",
        "2026-11-23 11:00:00 +0100 CET", "2026-11-23 07:00:00 -0300 -03", "2026-11-23 11:00:00 +01:00",
        "2026-11-23 10:00:00 Z", "2026-11-23T10:00:30+00:00:30", "2026-11-23t10:00:00,000z",
        "2026-11-23T09:00:00\u{2212}01:00", "2026-11-23 11:00+01",
    ])
    func readsWhatLibrariesPrint(text: String) {
        let expected: Int64 = 1_795_428_000 * 1_000_000_000
        #expect(nanoseconds(text) == expected)
    }

    @Test func aLeapSecondWithoutAZoneIsTheSameQuestionInEveryZone() {
        #expect(nanoseconds("2017-01-01T00:59:60") != nil && nanoseconds("2016-12-31T23:59:60") != nil)
        #expect(nanoseconds("2016-12-31T23:59:60", offset: 3600) != nil && nanoseconds("2016-12-31T23:58:60") == nil)
        #expect(Timestamp(nanoseconds: 1_800_000_000_000).isInRangeInEveryZone == false)
    }

    @Test(arguments: [
        "2026-11-23T10:00:00[Europe/Berlin]", "2026-11-23 10:00:00 CET", "2026-11-23T10:00:00Z[",
        "2026-11-23T10:00:00Z[]",
        "2026-11-23T10:00:00+01:00 ", "2026-11-23T10:00:00 m=+1", "2026-11-23T10:00:00+01:00:", "2026-11-23T10:",
        "", "2026-11-23", "2026-11-23T", "2026-11-23T10:00:0", "2026-11-23T10:00:00.",
        "2026-11-23T10:00:00.Z", "2026-11-23T10:00:00 ", " 2026-11-23T10:00:00", "2026-11-23T10:00:00ZZ",
        "2026-11-23T10:00:00+1", "2026-11-23T10:00:00+01:", "2026-11-23T10:00:00+01:6", "2026-11-23T10:00:00+24:00",
        "2026-11-23T10:00:00+01:60", "2026-11-23T10:00:00+", "2026-13-01T00:00:00", "2026-00-01T00:00:00",
        "2026-01-00T00:00:00", "2026-01-32T00:00:00", "2026-04-31T00:00:00", "2026-02-29T00:00:00",
        "2100-02-29T00:00:00", "2026-11-23T24:00:00", "2026-11-23T25:00:00", "2026-11-23T10:60:00",
        "2026-11-23T10:00:61", "2026-11-23T10:00:60", "20261123T100000", "2026-327T10:00:00", "2026-W48-1T10:00:00",
        "26-11-23T10:00:00", "+2026-11-23T10:00:00", "2026/11/23T10:00:00", "2026-11-23T-1:00:00",
        "２０２６-11-23T10:00:00", "2026-11-23T10:00:00\0",
    ])
    func refusesWhatIsNoDateTime(text: String) {
        #expect(nanoseconds(text) == nil)
    }

    @Test func knowsLeapYears() {
        #expect(nanoseconds("2024-02-29T00:00:00") != nil)
        #expect(nanoseconds("2000-02-29T00:00:00") != nil)
        #expect(
            Timestamp(iso8601: "2024-02-28T23:59:59.999999999".utf8).map { $0.nanoseconds + 1 }
                == nanoseconds("2024-02-29T00:00:00"))
    }

    @Test func aLeapSecondIsTheFollowingSecond() {
        #expect(nanoseconds("2016-12-31T23:59:60Z") == nanoseconds("2017-01-01T00:00:00Z"))
        #expect(nanoseconds("2016-12-31T23:59:60.5Z") == nanoseconds("2017-01-01T00:00:00.5Z"))
        #expect(nanoseconds("2017-01-01T00:59:60+01:00") == nanoseconds("2017-01-01T00:00:00Z"))
        #expect(nanoseconds("2016-12-31T23:59:60+01:00") == nil)
    }

    @Test func holdsTheRangeOfInt64NanosecondsFrom1970() {
        #expect(nanoseconds("1970-01-01T00:00:00") == 0)
        #expect(nanoseconds("1969-12-31T23:59:59") == nil)
        #expect(nanoseconds("1970-01-01T00:30:00+01:00") == nil)
        #expect(nanoseconds("1970-01-01T00:30:00", offset: 3600) == nil)
        #expect(nanoseconds("1969-12-31T23:30:00-01:00") == Int64(1_800_000_000_000))
        let last = Int64.max - 1
        #expect(nanoseconds("2262-04-11T23:47:16.854775806Z") == last)
        #expect(nanoseconds("2262-04-11T23:47:16.854775807Z") == nil, "InfluxDB refuses it")
        #expect(nanoseconds("2262-04-11T23:47:16.854775808Z") == nil)
        #expect(nanoseconds("2262-04-11T23:47:17Z") == nil)
        #expect(nanoseconds("9999-12-31T23:59:59Z") == nil)
        #expect(nanoseconds("0000-01-01T00:00:00Z") == nil)
        #expect(nanoseconds("2026-11-23T10:00:00", offset: .min) == nil)
        #expect(nanoseconds("2026-11-23T10:00:00", offset: .max) == nil)
    }

    @Test func writesTheShortestFraction() {
        #expect(Timestamp(nanoseconds: 0).description == "1970-01-01T00:00:00Z")
        #expect(Timestamp(nanoseconds: 1_500_000_000).description == "1970-01-01T00:00:01.5Z")
        #expect(Timestamp(nanoseconds: 1).description == "1970-01-01T00:00:00.000000001Z")
        #expect(Timestamp(nanoseconds: -1).description == "1969-12-31T23:59:59.999999999Z")
        #expect(Timestamp(nanoseconds: .max).description == "2262-04-11T23:47:16.854775807Z")
        #expect(Timestamp(nanoseconds: .min).description == "1677-09-21T00:12:43.145224192Z")
    }

    /// The C library's `timegm` and `gmtime_r` are the oracle.
    @Test func agreesWithTheCLibraryBothWays() throws {
        for seed in seeds(20_000, "agreesWithTheCLibrary") {
            var random = SeededGenerator(seed: seed)
            let seconds = Int.random(in: 0..<9_223_372_036, using: &random)
            var time = time_t(seconds)
            var parts = tm()
            gmtime_r(&time, &parts)
            var text = [CChar](repeating: 0, count: 64)
            strftime(&text, 64, "%Y-%m-%dT%H:%M:%S", &parts)
            let written = String(decoding: text.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
            try check(nanoseconds(written) == Int64(seconds) * 1_000_000_000, seed, "read \(written)")
            let described = Timestamp(nanoseconds: Int64(seconds) * 1_000_000_000).description
            try check(described == written + "Z", seed, "\(written) described as \(described)")
        }
    }

    @Test func readsBackWhatItWrites() throws {
        for seed in seeds(20_000, "readsBackWhatItWrites") {
            var random = SeededGenerator(seed: seed)
            let timestamp = Timestamp(nanoseconds: Int64.random(in: 0...Int64.max, using: &random))
            let read = Timestamp(iso8601: timestamp.description.utf8)
            try check(read == timestamp, seed, "\(timestamp) became \(read.map(\.description) ?? "nil")")
        }
    }

    @Test func instantsSaturateInsteadOfOverflowing() {
        #expect(Instant.zero + .seconds(1) == Instant(nanoseconds: 1_000_000_000))
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(Instant.zero + .seconds(Int64.max) == .distantFuture)
        #expect(Instant(nanoseconds: .min) - .seconds(1) == Instant(nanoseconds: .min))
        #expect(Instant(nanoseconds: 5) - Instant(nanoseconds: 7) == .nanoseconds(-2))
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
        #expect(Duration.milliseconds(-1).wholeNanoseconds == -1_000_000)
    }
}
