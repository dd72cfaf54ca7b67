import Foundation
import SimulationModel
import Testing

@testable import Heating

/// The same payload, as Foundation reads it.
private struct Decoded: Decodable {
    let value: Double?

    enum CodingKeys: CodingKey { case value }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let number = try? container.decode(Double.self, forKey: .value) {
            value = number
        } else {
            value = strtod(try container.decode(String.self, forKey: .value), nil)
        }
    }
}

@Suite struct ReadingTests {
    private func error(_ payload: [UInt8]) -> PayloadError? {
        do throws(PayloadError) {
            _ = try Reading(payload: payload)
            return nil
        } catch { return error }
    }

    private func error(_ payload: String) -> PayloadError? { error(bytes(payload)) }

    private func reading(_ timestamp: String, _ value: String) throws -> Reading {
        try Reading(payload: bytes("{\"timestamp\": \"\(timestamp)\", \"value\": \(value)}"))
    }

    @Test func readsWhatTheSensorWrites() throws {
        let reading = try reading("2026-11-23T10:00:00.123456", "10.77887475165167")
        #expect(reading.time.text == "2026-11-23T10:00:00.123456")
        #expect(reading.time.timestamp.description == "2026-11-23T10:00:00.123456Z")
        #expect(reading.time.isNaive)
        #expect(reading.valueText == "10.77887475165167")
        #expect(reading.value == 10.77887475165167)
    }

    @Test func readsIntegersAndTheOutlierExactly() throws {
        for text in ["100", "100.0", "1e2", "1.0E+2", "\"100\"", "\"100.0\""] {
            let reading = try reading("2026-11-23T10:00:00", text)
            #expect(reading.value == 100.0)
            #expect(reading.valueText == text.filter { $0 != "\"" })
        }
    }

    @Test func appliesTheAssumedOffsetToNaiveTimestampsOnly() throws {
        func time(_ text: String) throws -> (String, Bool) {
            let payload = bytes("{\"timestamp\": \"\(text)\", \"value\": 1}")
            let reading = try Reading(payload: payload, naiveOffsetSeconds: 3600)
            return (reading.time.timestamp.description, reading.time.isNaive)
        }
        #expect(try time("2026-11-23T10:00:00") == ("2026-11-23T09:00:00Z", true))
        #expect(try time("2026-11-23T10:00:00Z") == ("2026-11-23T10:00:00Z", false))
        #expect(try time("2026-11-23T10:00:00+05:30") == ("2026-11-23T04:30:00Z", false))
    }

    @Test func ignoresOtherKeysOrderAndWhitespace() throws {
        let text =
            "\r\n\t {\"unit\":{\"a\":[1,{}, [] ,null,true,false,\"x\\\"\"]},\"value\" : -0.5e-3 , "
            + "\"timestamp\":\"2026-11-23 10:00:00Z\" , \"µ\": \"°C\"}\n"
        let reading = try Reading(payload: bytes(text))
        #expect(reading.value == -0.0005)
        #expect(reading.valueText == "-0.5e-3")
    }

    @Test func resolvesEscapesInKeysTimestampsAndNumericStrings() throws {
        let text = #"{"\u0074imestamp": "\u0032026-11-23T10\u003a00:00", "v\u0061lue": "\u0032\u0031.5"}"#
        let reading = try Reading(payload: bytes(text))
        #expect(reading.time.text == "2026-11-23T10:00:00")
        #expect(reading.time.timestamp.description == "2026-11-23T10:00:00Z")
        #expect(reading.valueText == "21.5")
        #expect(reading.value == 21.5)
    }

    @Test func refusesADuplicateKeyHoweverItIsSpelt() {
        let time = #""timestamp": "2026-11-23T10:00:00""#
        #expect(error("{\(time), \"value\": 1, \"value\": 2}") == .duplicateKey)
        #expect(error(#"{\#(time), "value": 1, "v\u0061lue": 2}"#) == .duplicateKey)
        #expect(error("{\(time), \(time), \"value\": 2}") == .duplicateKey)
    }

    @Test(arguments: [
        ("", PayloadError.notJSON), ("{", .notJSON), ("nonsense", .notJSON), ("{}}", .notJSON), ("{} {}", .notJSON),
        ("[]", .notAnObject), ("21.5", .notAnObject), ("null", .notAnObject), ("\"x\"", .notAnObject),
        ("{}", .missingTimestamp), (#"{"value": 1}"#, .missingTimestamp),
        (#"{"timestamp": "2026-11-23T10:00:00"}"#, .missingValue),
        (#"{"timestamp": 1, "value": 1}"#, .badTimestamp), (#"{"timestamp": null, "value": 1}"#, .badTimestamp),
        (#"{"timestamp": "yesterday", "value": 1}"#, .badTimestamp),
        (#"{"timestamp": "2026-11-23T10:00:00", "value": 1},"#, .notJSON),
        (#"{"timestamp": "2026-11-23T10:00:00", "value": 1,}"#, .notJSON),
        (#"{'timestamp': "2026-11-23T10:00:00", "value": 1}"#, .notJSON),
        ("{\"timestamp\": \"2026-11-23T10:00:00\", \"value\": 1}\0", .notJSON),
        ("\u{FEFF}{\"timestamp\": \"2026-11-23T10:00:00\", \"value\": 1}", .notJSON),
        (#"{"timestamp": "\ud800", "value": 1}"#, .notJSON), (#"{"x": "\q"}"#, .notJSON),
        ("{\"x\": \"a\nb\"}", .notJSON),
    ])
    func namesWhatIsWrong(payload: String, expected: PayloadError) {
        #expect(error(payload) == expected)
    }

    @Test(arguments: [
        ("NaN", PayloadError.notFinite), ("Infinity", .notFinite), ("-Infinity", .notFinite), ("1e999", .notFinite),
        ("-1e999", .notFinite), ("\"NaN\"", .notFinite), ("\"-inf\"", .notFinite), ("\"Infinity\"", .notFinite),
        ("\"1e999\"", .notFinite), ("true", .badValue), ("null", .badValue), ("[1]", .badValue), ("{}", .badValue),
        ("\"\"", .badValue), ("\" 1\"", .badValue), ("\"1 \"", .badValue), ("\"0x1p4\"", .badValue),
        ("\"1,5\"", .badValue), ("\"+1\"", .badValue), ("\"warm\"", .badValue), ("\"1_0\"", .badValue),
        ("01", .notJSON), ("1.", .notJSON), (".5", .notJSON), ("+1", .notJSON), ("0x10", .notJSON), ("1e", .notJSON),
        ("-", .notJSON), ("nan", .notJSON), ("inf", .notJSON), ("--1", .notJSON), ("1 2", .notJSON),
    ])
    func refusesWhatIsNoFiniteNumber(value: String, expected: PayloadError) {
        #expect(error("{\"timestamp\": \"2026-11-23T10:00:00\", \"value\": \(value)}") == expected)
    }

    @Test func refusesInvalidUTF8Anywhere() {
        let good = bytes(#"{"timestamp": "2026-11-23T10:00:00", "value": 1, "note": "xxxx"}"#)
        #expect(error(good) == nil)
        for sequence: [UInt8] in [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xE2],
        ] {
            var bad = good
            bad.replaceSubrange(60..<(60 + sequence.count), with: sequence)
            #expect(error(bad) == .invalidUTF8)
        }
    }

    @Test func refusesOversizedPayloadsUnread() {
        #expect(error([UInt8](repeating: 0x20, count: Reading.payloadLimit + 1)) == .oversized)
        #expect(error([UInt8](repeating: 0x20, count: Reading.payloadLimit)) == .notJSON)
        let digits = String(repeating: "1", count: 60_000)
        #expect(error("{\"timestamp\": \"2026-11-23T10:00:00\", \"value\": 0.\(digits)}") == .badValue)
    }

    @Test func refusesNestingThatWouldExhaustTheStack() {
        let deep = String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000)
        #expect(error("{\"x\": \(deep)}") == .notJSON)
        #expect(error(deep) == .notJSON)
    }

    @Test func everyErrorHasItsOwnLabel() {
        #expect(Set(PayloadError.allCases.map(\.rawValue)).count == PayloadError.allCases.count)
        for label in PayloadError.allCases.map(\.rawValue) {
            #expect(label.allSatisfy { $0.isLowercase || $0 == "_" || $0 == "8" })
        }
    }

    /// The C library's `strtod` is the oracle for correct rounding.
    @Test func valuesAreCorrectlyRounded() throws {
        for seed in seeds(20_000, "valuesAreCorrectlyRounded") {
            var random = SeededGenerator(seed: seed)
            let digits = Int.random(in: 1...25, using: &random)
            var text = random.chance(1, in: 4) ? "-" : ""
            text += String(Int.random(in: 0...999, using: &random)) + "."
            for _ in 0..<digits { text += String(Int.random(in: 0...9, using: &random)) }
            if random.chance(1, in: 4) { text += "e\(Int.random(in: -330...300, using: &random))" }
            let reading = try reading("2026-11-23T10:00:00", text)
            try check(reading.value.bitPattern == strtod(text, nil).bitPattern, seed, "\(text) became \(reading.value)")
            try check(reading.valueText == text, seed, "\(text) was kept as \(reading.valueText)")
        }
    }

    /// Random damage to a good payload: never a trap, and a number only where Foundation also finds it.
    @Test func damagedPayloadsNeverBecomeAWrongNumber() throws {
        let good = bytes(
            #"{"timestamp": "2026-11-23T10:00:00.123456", "value": 10.77887475165167, "x": [1, "\u00e9"]}"#)
        for seed in seeds(20_000, "damagedPayloads") {
            var random = SeededGenerator(seed: seed)
            var payload = good
            for _ in 0..<Int.random(in: 1...4, using: &random) where !payload.isEmpty {
                let place = Int.random(in: 0..<payload.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: payload[place] = UInt8.random(in: 0...255, using: &random)
                case 1: payload.remove(at: place)
                case 2: payload.insert(random.pick(bytes("\"\\{}[],:0123456789eE+-. u")), at: place)
                default: payload.removeLast(min(place, payload.count - 1))
                }
            }
            guard let reading = try? Reading(payload: payload) else { continue }
            let expected = try JSONDecoder().decode(Decoded.self, from: Data(payload)).value
            try check(
                expected == reading.value, seed, "\(String(decoding: payload, as: UTF8.self)) -> \(reading.value)")
        }
    }

    @Test func spanAndCollectionAgree() throws {
        let payload = bytes(#"{"timestamp": "2026-11-23T10:00:00", "value": 1.5}"#)
        let fromSpan = try Reading(payload: payload.span)
        #expect(try Reading(payload: payload) == fromSpan)
        #expect(try Reading(payload: AnyCollection(payload)) == fromSpan)
        #expect(try Reading(payload: ([0, 0] + payload)[2...]) == fromSpan)
    }
}
