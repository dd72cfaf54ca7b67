import SimulationModel
import Testing

@testable import Heating

@Suite struct CommandTests {
    private func error(_ payload: String) -> PayloadError? {
        do throws(PayloadError) {
            _ = try HeatPumpCommand(payload: bytes(payload))
            return nil
        } catch { return error }
    }

    @Test func writesTheStatusAsAStringByteForByte() {
        #expect(HeatPumpCommand(isOn: true).payload == bytes(#"{"status": "1"}"#))
        #expect(HeatPumpCommand(isOn: false).payload == bytes(#"{"status": "0"}"#))
        #expect(
            HeatPumpCommand(isOn: true, duration: .seconds(7200)).payload == bytes(#"{"status": "1", "for": "PT2H"}"#))
    }

    @Test func readsStringsAndNumbers() throws {
        for text in [#"{"status": "1"}"#, #"{"status":1}"#, #" {"x":[],"status":"1","for":null} "#] {
            #expect(try HeatPumpCommand(payload: bytes(text)) == HeatPumpCommand(isOn: true))
        }
        #expect(try HeatPumpCommand(payload: bytes(#"{"status": 0}"#)) == HeatPumpCommand(isOn: false))
        let timed = try HeatPumpCommand(payload: bytes(#"{"status": "1", "for": "PT90M"}"#))
        #expect(timed.duration == .seconds(5400))
        #expect(try HeatPumpCommand(payload: timed.payload) == timed)
    }

    @Test(arguments: [
        ("", PayloadError.notJSON), ("1", .notAnObject), ("{}", .missingStatus), (#"{"status": "2"}"#, .badStatus),
        (#"{"status": true}"#, .badStatus), (#"{"status": 1.0}"#, .badStatus), (#"{"status": "on"}"#, .badStatus),
        (#"{"status": null}"#, .badStatus), (#"{"status": "1", "status": "0"}"#, .duplicateKey),
        (#"{"status": "1", "for": 60}"#, .badDuration), (#"{"status": "1", "for": "2h"}"#, .badDuration),
        (#"{"status": "1", "for": "PT0S"}"#, .badDuration), (#"{"status": "1", "for": "-PT1H"}"#, .badDuration),
        (#"{"status": "1", "for": "P1Y"}"#, .badDuration), (#"{"status": "1", "for": "P999999D"}"#, .badDuration),
    ])
    func namesWhatIsWrong(payload: String, expected: PayloadError) {
        #expect(error(payload) == expected)
        #expect(error(String(repeating: " ", count: 5000)) == .oversized)
    }

    @Test func readsISODurationsOfFixedLength() {
        let expected: [(String, Duration)] = [
            ("PT2H", .seconds(7200)), ("PT90M", .seconds(5400)), ("P1D", .seconds(86_400)),
            ("P2W", .seconds(1_209_600)),
            ("P1DT12H", .seconds(129_600)), ("PT1H30M15S", .seconds(5415)), ("PT0.5S", .milliseconds(500)),
            ("PT0,25H", .seconds(900)), ("PT0S", .zero), ("PT000000001S", .seconds(1)),
        ]
        for (text, duration) in expected { #expect(Duration(iso8601: text) == duration, "\(text)") }
        for text in [
            "", "P", "PT", "P1", "PT1", "1H", "PTH", "P1H", "PT1D", "PT1M1H", "PT1H1H", "P1M", "P1Y", "-PT1H", "PT-1H",
            "PT1.H", "PT.5H", "PT1.5H1M", "P1DT", "pt1h", "PT1H ", "PT9999999999S", "PT1.0000000001S", "P1D1H", "PTT1H",
        ] {
            #expect(Duration(iso8601: text) == nil, "\(text)")
        }
    }

    @Test func durationsReadBackAndAreSpoken() throws {
        for seed in seeds(5000, "durationsReadBack") {
            var random = SeededGenerator(seed: seed)
            let whole = random.chance(1, in: 2)
            let nanoseconds = Int64.random(in: 0...(400 * 86_400 * 1_000_000_000), using: &random)
            let duration = Duration.nanoseconds(whole ? nanoseconds / 1_000_000_000 * 1_000_000_000 : nanoseconds)
            try check(Duration(iso8601: duration.iso8601) == duration, seed, duration.iso8601)
        }
        #expect(Duration.seconds(7500).spoken == "2 h 5 min")
        #expect(Duration.seconds(900).spoken == "15 min")
        #expect(Duration.seconds(45).spoken == "45 s")
        #expect(Duration.seconds(86_400).spoken == "1 d")
        #expect(Duration.milliseconds(300).spoken == "300 ms")
        #expect(Duration.zero.spoken == "0 ms")
        #expect(Duration.seconds(3601).spoken == "1 h")
    }
}

@Suite struct BackoffTests {
    @Test func delaysStayBetweenBaseAndCap() throws {
        for seed in seeds(500, "delaysStayBetween") {
            var random = SeededGenerator(seed: seed)
            var backoff = Backoff()
            var previous = Duration.seconds(1)
            for _ in 0..<50 {
                let delay = backoff.next(using: &random)
                try check(delay >= .seconds(1) && delay <= .seconds(60), seed, "\(delay)")
                try check(delay <= previous * 3, seed, "\(delay) after \(previous)")
                previous = delay
            }
        }
    }

    @Test func spreadsAThousandHomesOverTheMinute() {
        var random = SeededGenerator(seed: 7)
        let delays = (0..<1000).map { _ in
            var backoff = Backoff()
            for _ in 0..<12 { _ = backoff.next(using: &random) }
            return backoff.next(using: &random)
        }
        let busiestSecond = Dictionary(grouping: delays) { $0.components.seconds }.values.map(\.count).max() ?? 0
        // Delays at the cap collect in one second by design; nothing else may.
        #expect(delays.filter { $0 < .seconds(60) }.count > 300)
        #expect(busiestSecond < 700)
    }

    @Test func onlyAStableConnectionStartsOver() {
        var random = SeededGenerator(seed: 1)
        var backoff = Backoff()
        for _ in 0..<40 { _ = backoff.next(using: &random) }
        let tired = backoff
        backoff.connectionLasted(.seconds(59))
        #expect(backoff == tired)
        backoff.connectionLasted(.seconds(60))
        #expect(backoff == Backoff())
        #expect(backoff.next(using: &random) <= .seconds(3))
    }
}
