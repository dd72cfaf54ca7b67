import SimulationModel
import Testing

@testable import Influx

@Suite struct LineProtocolTests {
    private func line(_ point: Point) throws -> String {
        var bytes: [UInt8] = []
        try LineProtocol.append(point, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func point(
        _ measurement: String = "m", tags: [(String, String)] = [],
        fields: [(String, FieldValue)] = [("f", .integer(1))],
        time: Int64 = 0
    ) -> Point {
        Point(measurement: measurement, tags: tags, fields: fields, time: time)
    }

    @Test func encodesTheContractsMeasurements() throws {
        #expect(
            try line(
                Point(
                    measurement: "raw_temperature", tags: [("home", "home1"), ("room", "office")],
                    fields: [("value", .float(10.77887475165167))], time: 1_795_428_000_123_456_000))
                == "raw_temperature,home=home1,room=office value=10.77887475165167 1795428000123456000\n")
        #expect(
            try line(
                Point(
                    measurement: "heatpump_state", tags: [("room", "office"), ("home", "home1")],
                    fields: [("on", .boolean(true)), ("reason", .string("19.4 is below 20.0"))], time: 1))
                == "heatpump_state,home=home1,room=office on=true,reason=\"19.4 is below 20.0\" 1\n")
        #expect(
            try line(
                Point(
                    measurement: "home_avg_temperature", tags: [("home", "h")],
                    fields: [("avg_temp", .float(21)), ("rooms", .integer(5))], time: -1))
                == "home_avg_temperature,home=h avg_temp=21.0,rooms=5i -1\n")
    }

    @Test(arguments: [
        ("a b", "a\\ b f=1i 0\n"), ("a,b", "a\\,b f=1i 0\n"), ("a=b", "a=b f=1i 0\n"), ("a\"b", "a\"b f=1i 0\n"),
        ("a\\b", "a\\b f=1i 0\n"), ("a\tb", "a\tb f=1i 0\n"), ("хата", "хата f=1i 0\n"),
    ])
    func escapesMeasurements(_ measurement: String, _ expected: String) throws {
        #expect(try line(point(measurement)) == expected)
    }

    @Test(arguments: [
        ("k", "v w", "m,k=v\\ w f=1i 0\n"), ("k", "v,w", "m,k=v\\,w f=1i 0\n"), ("k", "v=w", "m,k=v\\=w f=1i 0\n"),
        ("k", "v\"w", "m,k=v\"w f=1i 0\n"), ("a b", "v", "m,a\\ b=v f=1i 0\n"), ("a,b", "v", "m,a\\,b=v f=1i 0\n"),
        ("a=b", "v", "m,a\\=b=v f=1i 0\n"), ("k", "\\v", "m,k=\\v f=1i 0\n"), ("k", "🔥", "m,k=🔥 f=1i 0\n"),
    ])
    func escapesTags(_ key: String, _ value: String, _ expected: String) throws {
        #expect(try line(point(tags: [(key, value)])) == expected)
    }

    @Test(arguments: [
        ("", "f=\"\""), ("a\"b", "f=\"a\\\"b\""), ("a\\", "f=\"a\\\\\""), ("a\nb", "f=\"a\nb\""),
        ("a,b=c d", "f=\"a,b=c d\""), ("\\\"", "f=\"\\\\\\\"\""),
    ])
    func quotesStringFields(_ text: String, _ expected: String) throws {
        #expect(try line(point(fields: [("f", .string(text))])) == "m \(expected) 0\n")
    }

    @Test func escapesFieldKeys() throws {
        #expect(try line(point(fields: [("a b,c=d", .boolean(false))])) == "m a\\ b\\,c\\=d=false 0\n")
    }

    @Test func leavesOutATagWithoutAValue() throws {
        #expect(try line(point(tags: [("a", ""), ("b", "x")])) == "m,b=x f=1i 0\n")
    }

    @Test func sortsTagsByBytes() throws {
        let sorted = try line(point(tags: [("b", "1"), ("a", "2"), ("Z", "3"), ("é", "4"), ("aa", "5")]))
        #expect(sorted == "m,Z=3,a=2,aa=5,b=1,é=4 f=1i 0\n")
    }

    @Test(arguments: [
        (0.0, "0.0"), (-0.0, "-0.0"), (100, "100.0"), (0.1, "0.1"), (.leastNonzeroMagnitude, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (1e16, "1e+16"), (-1.5e-7, "-1.5e-07"),
    ])
    func writesTheShortestFloat(_ value: Double, _ expected: String) throws {
        #expect(try line(point(fields: [("f", .float(value))])) == "m f=\(expected) 0\n")
    }

    @Test(arguments: [Int64.min, -1, 0, 9, 10, .max])
    func writesIntegersAndTimesInFull(_ number: Int64) throws {
        #expect(try line(point(fields: [("f", .integer(number))], time: number)) == "m f=\(number)i \(number)\n")
    }

    @Test func refusesWhatTheFormatCannotCarry() {
        typealias Refusal = LineProtocol.EncodingError
        func refusal(_ point: Point) -> Refusal? {
            var bytes = Array("before\n".utf8)
            do {
                try LineProtocol.append(point, to: &bytes)
                return nil
            } catch {
                #expect(bytes == Array("before\n".utf8))
                return error
            }
        }
        #expect(refusal(point("")) == .emptyMeasurement)
        #expect(refusal(point("#m")) == .measurementStartsWith("#"))
        #expect(refusal(point("\0m")) == .measurementStartsWith("\0"))
        #expect(refusal(point("\tm")) == .measurementStartsWith("\t"))
        #expect(refusal(point("a\nb")) == .unrepresentable("a\nb"))
        #expect(refusal(point("a\r\nb")) == .unrepresentable("a\r\nb"))
        #expect(refusal(point("a\\")) == .unrepresentable("a\\"))
        #expect(refusal(point("a\\,b")) == .unrepresentable("a\\,b"))
        #expect(refusal(point("a\\=b")) == .unrepresentable("a\\=b"))
        #expect(refusal(point("a\\\"b")) == .unrepresentable("a\\\"b"))
        #expect(refusal(point(tags: [("k", "v\\ w")])) == .unrepresentable("v\\ w"))
        #expect(refusal(point(tags: [("k", "v\\")])) == .unrepresentable("v\\"))
        #expect(refusal(point(tags: [("k", "v\n")])) == .unrepresentable("v\n"))
        #expect(refusal(point(tags: [("k\\", "v")])) == .unrepresentable("k\\"))
        #expect(refusal(point(tags: [("", "v")])) == .emptyKey)
        #expect(refusal(point(tags: [("time", "v")])) == .reservedKey("time"))
        #expect(refusal(point(tags: [("_field", "v")])) == .reservedKey("_field"))
        #expect(refusal(point(tags: [("k", "1"), ("j", "2"), ("k", "3")])) == .duplicateKey("k"))
        #expect(refusal(point(fields: [])) == .noFields)
        #expect(refusal(point(fields: [("", .integer(1))])) == .emptyKey)
        #expect(refusal(point(fields: [("time", .integer(1))])) == .reservedKey("time"))
        #expect(refusal(point(fields: [("f\n", .integer(1))])) == .unrepresentable("f\n"))
        #expect(refusal(point(fields: [("f\"", .integer(1))])) == .unrepresentable("f\""))
        #expect(refusal(point(fields: [("f", .integer(1)), ("f", .integer(2))])) == .duplicateKey("f"))
        for value in [Double.nan, .infinity, -.infinity, .signalingNaN] {
            #expect(refusal(point(fields: [("f", .float(value))])) == .notFinite(field: "f"))
        }
    }

    /// Keys that `String` calls equal although their bytes differ are two keys to the server.
    @Test func keepsKeysApartThatOnlyLookEqual() throws {
        let encoded = try line(point(tags: [("e\u{301}", "1"), ("\u{e9}", "2")]))
        #expect(encoded == "m,e\u{301}=1,\u{e9}=2 f=1i 0\n")
    }

    @Test func everyPointReadsBackOrIsRefused() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for _ in 0..<20_000 {
            let point = Point.arbitrary(using: &random)
            var bytes: [UInt8] = []
            do {
                try LineProtocol.append(point, to: &bytes)
            } catch {
                refused += 1
                continue
            }
            let parsed = try LineParser.parse(bytes)
            try #require(parsed == [point.parsed], "seed \(seed): \(point)")
            try #require(parsed[0].tagKeys == parsed[0].tagKeys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        }
        #expect(refused > 0 && refused < 15_000, "seed \(seed): \(refused) refused")
    }
}

// MARK: - Arbitrary points

extension Point {
    static func arbitrary(using random: inout SeededGenerator) -> Point {
        func text(_ lengths: ClosedRange<Int>) -> String {
            let alphabet = Array("ab ,=\\\"'\t#é☃🔥\u{1}\u{7f}z\\ ,")
            let letters = (0..<Int.random(in: lengths, using: &random)).map { _ in
                Int.random(in: 0..<200, using: &random) == 0 ? "\n" : alphabet.randomElement(using: &random) ?? "a"
            }
            return String(letters)
        }
        func value() -> FieldValue {
            switch Int.random(in: 0..<5, using: &random) {
            case 0: .integer(Int64(bitPattern: random.next()))
            case 1: .boolean(Bool.random(using: &random))
            case 2: .string(text(0...8))
            case 3: .float(Double(Int.random(in: -5000...5000, using: &random)) / 100)
            default: .float(Double(bitPattern: random.next()))
            }
        }
        func keys(_ counts: ClosedRange<Int>) -> Set<String> {
            Set((0..<Int.random(in: counts, using: &random)).map { _ in text(1...4) })
        }
        let tags = keys(0...3).map { ($0, text(0...6)) }
        let fields = keys(1...3).map {
            ($0.filter { $0 != "\"" || Int.random(in: 0..<20, using: &random) == 0 }, value())
        }
        return Point(
            measurement: text(1...6), tags: tags, fields: fields, time: Int64(bitPattern: random.next()) / 2)
    }

    /// What a correct reader makes of this point's line.
    var parsed: ParsedPoint {
        let kept = tags.filter { !$0.1.isEmpty }
        return ParsedPoint(
            measurement: measurement, tags: Dictionary(kept) { $1 },
            tagKeys: kept.map(\.0).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) },
            fields: Dictionary(
                fields.map { key, value in
                    switch value {
                    case .float(let number): (key, ParsedValue.float(number.bitPattern))
                    case .integer(let number): (key, .integer(number))
                    case .boolean(let flag): (key, .boolean(flag))
                    case .string(let text): (key, .string(text))
                    }
                }
            ) { $1 }, time: time)
    }
}
