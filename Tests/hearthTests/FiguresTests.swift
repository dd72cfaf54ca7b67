import ArgumentParser
import GatewayClient
import Glibc
import Heating
import Testing

@testable import hearth

@Suite struct FiguresTests {
    @Test(arguments: [
        (0, "0 s"), (0.9, "0 s"), (-0.2, "0 s"), (1.9, "1 s"), (59.9, "59 s"), (60, "1 min"), (200, "3 min 20 s"),
        (3_600, "1 h"), (3_661, "1 h 1 min"), (7_384, "2 h 3 min"), (90_000, "1 d 1 h"), (86_400, "1 d"),
        (-3_600, "?"), (.infinity, "?"), (.nan, "?"), (1e300, "?"),
    ])
    func `durations`(seconds: Double, text: String) {
        #expect(durationText(seconds) == text)
    }

    @Test(arguments: [
        (0, "0 B"), (1_023, "1023 B"), (1_024, "1 KiB"), (1_258_291, "1.2 MiB"), (536_870_912, "512 MiB"),
        (25_125_558_681, "23.4 GiB"), (1_048_575, "1 MiB"), (Int64.max, "8 EiB"), (-1, "?"),
    ])
    func `sizes`(bytes: Int64, text: String) {
        #expect(sizeText(bytes) == text)
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1 000"), (41_233, "41 233"), (-1_234_567, "-1 234 567"),
        (Int64.max, "9 223 372 036 854 775 807"), (Int64.min, "-9 223 372 036 854 775 808"),
    ])
    func `counts are grouped`(count: Int64, text: String) {
        #expect(groupedText(count) == text)
    }

    @Test func `decimals agree with printf`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            // Sixteenths are exact in binary, so that only the rounding rule could differ; ties are left out.
            let sixteenths = Int.random(in: -80_000...80_000, using: &generator)
            guard sixteenths % 4 != 0 || sixteenths % 16 == 0 else { continue }
            let value = Double(sixteenths) / 16
            var buffer = [CChar](repeating: 0, count: 64)
            _ = withVaList([value]) { vsnprintf(&buffer, buffer.count, "%.1f", $0) }
            let written = buffer.prefix { $0 != 0 }.map(UInt8.init(truncatingIfNeeded:))
            let expected = String(decoding: written, as: UTF8.self)
            #expect(fixedText(value, digits: 1) == (expected == "-0.0" ? "0.0" : expected))
        }
        #expect(fixedText(19.96, digits: 1) == "20.0")
        #expect(fixedText(-0.04, digits: 1) == "0.0")
        #expect(fixedText(.nan, digits: 1) == "?")
    }

    @Test func `reasons come most frequent first`() {
        let counts = [("a", 1), ("b", 1_204), ("c", 1)].map { ReasonCount(reason: $0.0, count: $0.1) }
        #expect(reasonsText(counts) == "b 1 204, a 1, c 1")
    }
}

@Suite struct DurationArgumentTests {
    @Test(arguments: [
        ("45s", 45), ("90m", 5_400), ("90min", 5_400), ("2h", 7_200), ("2 h", 7_200), ("1h30m", 5_400),
        ("1d", 86_400), ("1d12h", 129_600), ("1H", 3_600), ("PT2H", 7_200), ("pt90m", 5_400), ("P1D", 86_400),
        ("2 hours", 7_200), ("366d", 31_622_400),
    ])
    func `lengths of time as people type them`(text: String, seconds: Int64) throws {
        #expect(try durationArgument(text) == .seconds(seconds))
    }

    @Test(arguments: [
        "", "2", "h", "2x", "30m1h", "1h1h", "-2h", "1.5h", "0s", "PT0S", "367d", "99999999999999999999h",
        "2h\u{1B}[2J",
        "٢h", "1h30", "999999999d", "P", "forever",
    ])
    func `others are refused with an explanation that is safe to print`(text: String) {
        let error = #expect(throws: ValidationError.self) { try durationArgument(text) }
        #expect(error.map { PrintableTests.isSafe($0.message) } == true)
    }
}

@Suite struct NearestTests {
    let commands = ["status", "watch", "journal", "doctor", "override", "why", "help"]

    @Test(arguments: [
        ("stats", "status"), ("staus", "status"), ("journel", "journal"), ("docter", "doctor"), ("wy", "why"),
        ("overide", "override"), ("wacth", "watch"), ("STATUS", "status"),
    ])
    func `a slip finds its command`(typed: String, meant: String) {
        #expect(nearest(to: typed, among: commands) == meant)
    }

    @Test(arguments: ["xyzzy", "frobnicate", "", "reboot"])
    func `something else finds none`(typed: String) {
        #expect(nearest(to: typed, among: commands) == nil)
    }

    @Test func `distances of known pairs`() {
        #expect(editDistance("kitten", "sitting") == 3)
        #expect(editDistance("ab", "ba") == 1)
        #expect(editDistance("", "abc") == 3)
        #expect(editDistance("same", "same") == 0)
    }
}

@Suite struct LocalTimeTests {
    @Test func `today has no date, another day has one, and nonsense stays`() throws {
        let now = try #require(Timestamp(iso8601: "2026-11-23T12:00:00Z".utf8))
        let times = ShownTime(now: now)
        // The oracle is the C library's own formatting in whatever zone the tests run.
        #expect(times.text(now) == strftime("%H:%M:%S", now))
        let earlier = Timestamp(nanoseconds: now.nanoseconds - 3 * 86_400 * 1_000_000_000)
        #expect(times.text(earlier) == strftime("%Y-%m-%d %H:%M:%S", earlier))
        #expect(times.text(iso8601: "yesterday") == "yesterday")
    }

    private func strftime(_ format: String, _ time: Timestamp) -> String {
        var seconds = time_t(time.nanoseconds / 1_000_000_000)
        var fields = tm()
        localtime_r(&seconds, &fields)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = Glibc.strftime(&buffer, buffer.count, format, &fields)
        return String(decoding: buffer[..<count].map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self)
    }
}
