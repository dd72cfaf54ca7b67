import SimulationModel
import Testing

@testable import Heating

/// What the fast reader of the event log has to agree with: the same rules on top of ``JSON``.
private func reference(_ event: [UInt8]) -> LoggedReading? {
    guard let json = try? JSON.parse(event), let home = json["home"]?.string.flatMap({ HomeID($0) }),
        let room = json["room"]?.string.flatMap({ Room($0) }), let timestamp = json["timestamp"]?.string
    else { return nil }
    let valueText: String
    switch json["value"] {
    case .number(let text)?: valueText = text
    case .string(let text)?:
        guard case .number(let number)? = try? JSON.parse(text), number == text else { return nil }
        valueText = text
    default: return nil
    }
    let time: LoggedReading.Time
    let nth = json["nth"]?.int ?? 0
    let marks = TimeMarks(
        isSecondPass: json["fold"]?.int == 1, nth: (0...Int64(TimeMarks.nthLimit)).contains(nth) ? Int(nth) : 0)
    if let zone = json["zone"]?.string, zone != "UTC" {
        time = .zoned(text: timestamp, zone: zone, marks: marks)
    } else {
        time = Timestamp(iso8601: timestamp.utf8).map { .utc($0.moved(by: marks)) } ?? .unreadable
    }
    let value = Double(valueText).flatMap { $0.isFinite ? $0 : nil }
    return LoggedReading(
        home: home, room: room, time: time, value: value, sequence: json["seq"]?.int, epoch: json["epoch"]?.string)
}

@Suite("Readings in the event log")
struct LoggedReadingTests {
    private func read(_ text: String) -> LoggedReading? {
        var reader = LoggedReading.Reader()
        return reader.read(ArraySlice(text.utf8))
    }

    @Test("what the gateway knows about the time moves the reading, and nothing else does")
    func marks() {
        func time(_ more: String) -> LoggedReading.Time? {
            read(#"{"home":"h","room":"r","timestamp":"2026-11-23T10:00:00","value":1"# + more + "}")?.time
        }
        let plain = Timestamp(iso8601: "2026-11-23T10:00:00".utf8)!
        #expect(time("") == .utc(plain))
        #expect(time(#","seq":4,"epoch":"e","nth":3"#) == .utc(Timestamp(nanoseconds: plain.nanoseconds + 3)))
        #expect(
            time(#","zone":"Europe/Madrid","fold":1,"nth":2"#)
                == .zoned(
                    text: "2026-11-23T10:00:00", zone: "Europe/Madrid", marks: TimeMarks(isSecondPass: true, nth: 2)))
        for nonsense in [
            #","nth":-3"#, #","nth":1000000"#, #","nth":"3""#, #","nth":1.5"#, #","fold":1"#, #","nth":null"#,
        ] {
            #expect(time(nonsense) == .utc(plain), "\(nonsense)")
        }
    }

    @Test("what ingest writes is read in full")
    func full() {
        let text =
            #"{"home":"h","room":"küche","timestamp":"2026-11-23T10:00:00.5","value":20.50,"seq":7,"epoch":"e1"}"#
        let reading = read(text)
        #expect(reading == reference(Array(text.utf8)))
        #expect(reading?.value == 20.5 && reading?.sequence == 7 && reading?.epoch == "e1")
        #expect(reading?.time == Timestamp(iso8601: "2026-11-23T10:00:00.5".utf8).map { .utc($0) })
    }

    @Test("another epoch is not taken for the one before")
    func epochs() {
        var reader = LoggedReading.Reader()
        for epoch in ["a", "a", "b", "", "a", "ab"] {
            let text = #"{"home":"h","room":"r","timestamp":"x","value":1,"seq":1,"epoch":"\#(epoch)"}"#
            #expect(reader.read(ArraySlice(text.utf8))?.epoch == epoch)
        }
    }

    /// A place is known by all of its bytes, and what is kept for it is nobody else's.
    @Test("rooms that share a slot, and more rooms than are remembered, are never taken for one another")
    func places() {
        var reader = LoggedReading.Reader()
        var serials: [Int: String] = [:]
        var found = 0
        for round in 0..<3 {
            for number in 0..<30_000 {
                let (home, room) = ("home\(number % 1000)", "r\(number / 3)")
                let epoch = "e\(number % 7)\(round)"
                let text =
                    #"{"home":"\#(home)","room":"\#(room)","timestamp":"2026-11-23T10:00:00","#
                    + #""value":\#(number),"seq":\#(number + 1),"epoch":"\#(epoch)"}"#
                let reading = reader.read(ArraySlice(text.utf8))
                #expect(reading?.home.name == home && reading?.room.name == room && reading?.epoch == epoch)
                #expect(reading?.value == Double(number) && reading?.sequence == Int64(number + 1))
                guard let known = reader.known else { continue }
                let place = known.place
                #expect(Double(String(decoding: Array(text.utf8)[known.text], as: UTF8.self)) == Double(number))
                #expect((0..<131_072).contains(place.slot))
                if serials[place.serial] != nil { found += 1 }
                #expect(serials[place.serial, default: "\(home)/\(room)"] == "\(home)/\(room)")
                serials[place.serial] = "\(home)/\(room)"
            }
        }
        #expect(found > 10_000)
    }

    @Test("the home's name never runs into the room's")
    func names() {
        var reader = LoggedReading.Reader()
        for (home, room) in [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"), ("a b", "c"), ("ab", "c")] {
            let text = #"{"home":"\#(home)","room":"\#(room)","timestamp":"2026-11-23T10:00:00","value":1}"#
            #expect(reader.read(ArraySlice(text.utf8)) == reference(Array(text.utf8)))
        }
    }

    @Test(
        "a value in quotes must be a JSON number; hexadecimal, NaN and spaces are no reading",
        arguments: [
            (#""20.5""#, 20.5), (#""1e2""#, 100), (#""0x1F""#, nil), (#""nan""#, nil), (#""inf""#, nil),
            (#"" 1""#, nil),
            (#""""#, nil), (#""1_0""#, nil), (#""+1""#, nil), ("true", nil), ("null", nil), ("[1]", nil),
        ] as [(String, Double?)])
    func quoted(_ value: String, _ expected: Double?) {
        #expect(read(#"{"home":"h","room":"r","timestamp":"x","value":\#(value)}"#)?.value == expected)
    }

    @Test("a number that no double holds is a reading without a value")
    func huge() {
        let reading = read(#"{"home":"h","room":"r","timestamp":"x","value":1e999}"#)
        #expect(reading != nil && reading?.value == nil)
    }

    @Test("a key with an escape is passed over like any other, unless it spells a known one")
    func escapedKeys() {
        let rest = #""home":"h","room":"r","timestamp":"x","value":1}"#
        #expect(read(#"{"z\ne":"UTC",\#(rest)"#)?.value == 1)
        #expect(read(#"{"a\/b" : [1,{"c":2}] , \#(rest)"#)?.value == 1)
        #expect(read(#"{"h\u006fme":"other",\#(rest)"#) == nil)
    }

    @Test("reads exactly what the slow reader reads, whatever is cut, doubled, swapped or flipped")
    func sameAsReference() {
        let seed = seeds(1, "LoggedReading")[0]
        var random = SeededGenerator(seed: seed)
        let parts = [
            #""home":"h1""#, #""room":"office""#, #""timestamp":"2026-11-23T10:00:00.25""#, #""value":21.5"#,
            #""seq":3"#,
            #""epoch":"e""#, #""zone":"Europe/Berlin""#, #""zone":"UTC""#, #""value":"-0.125""#,
            #""other":{"a":[1,2]}"#,
            #""home":"$sys""#, #""room":"a/b""#, #""room":"a\u0041""#, #""timestamp":3"#, #""value":01"#, #""seq":1.0"#,
        ]
        var readings = 0
        for _ in 0..<10_000 {
            var chosen = parts.prefix(4).map { $0 }
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let part = parts[Int.random(in: 4..<parts.count, using: &random)]
                // Of unknown keys only the slow reader notices that one appears twice.
                if !chosen.contains(part) || !part.contains("other") { chosen.append(part) }
            }
            if Int.random(in: 0..<4, using: &random) == 0 { chosen.remove(at: Int.random(in: 0..<4, using: &random)) }
            // Half of them as ingest writes them.
            if Bool.random(using: &random) { chosen.shuffle(using: &random) }
            var bytes = Array("{\(chosen.joined(separator: [",", " , "].randomElement(using: &random) ?? ","))}".utf8)
            if Int.random(in: 0..<3, using: &random) == 0 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var reader = LoggedReading.Reader()
            let (fast, slow) = (reader.read(bytes[...]), reference(bytes))
            if fast != nil { readings += 1 }
            if let known = reader.known {
                #expect(Double(String(decoding: bytes[known.text], as: UTF8.self)) == slow?.value)
            }
            #expect(fast == slow, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(readings > 2000)
    }

    @Test("date-times one after the other are read as each alone is, whatever day the one before was of")
    func times() {
        let seed = seeds(1, "LoggedReading")[0]
        var random = SeededGenerator(seed: seed)
        let days = ["2026-11-23", "2026-11-24", "1970-01-01", "2026-02-29", "2262-04-11", "2262-04-10", "1969-12-31"]
        let times = [
            "T10:00:00", "T23:59:59", "T23:59:60", "T24:00:00", "T09:60:00", " 10:00:00", "T1a:00:00", "T10-00-00",
        ]
        let ends = [
            "", ".1", ".123456", ".123456789", ".1234567891", ".", ",5", "Z", ".5Z", "+01:00", "z", "ZZ", ".5 ",
        ]
        var reader = TimestampReader()
        var readable = 0
        for _ in 0..<50_000 {
            func one(_ texts: [String]) -> String { texts[Int.random(in: 0..<texts.count, using: &random)] }
            // Mostly what sensors write, so that the short way is gone most of the time.
            let isPlain = Int.random(in: 0..<4, using: &random) > 0
            let text =
                isPlain
                ? one(Array(days.prefix(3))) + times[0] + one(Array(ends.prefix(4)))
                : one(days) + one(times) + one(ends)
            var bytes = Array("<\(text)>".utf8)
            if Int.random(in: 0..<8, using: &random) == 0 {
                bytes[Int.random(in: 1..<bytes.count - 1, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let range = 1..<bytes.count - 1
            let found = bytes.withUnsafeBufferPointer { reader.timestamp($0, in: range) }
            if found != nil { readable += 1 }
            #expect(found == Timestamp(iso8601: bytes[range]), "seed \(seed): \(text)")
        }
        #expect(readable > 20_000)
    }

    @Test("numbers are read as Swift reads them, bit by bit")
    func numbers() {
        let seed = seeds(1, "LoggedReading")[0]
        var random = SeededGenerator(seed: seed)
        func digits(_ count: Int) -> String {
            (0..<count).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined()
        }
        for round in 0..<100_000 {
            let whole = String(random.next() >> UInt64.random(in: 0...63, using: &random))
            var text = (round % 2 == 0 ? "-" : "") + whole
            if round % 3 != 0 { text += "." + digits(Int.random(in: 1...20, using: &random)) }
            if round % 5 == 0 {
                text = digits(Int.random(in: 1...9, using: &random))
                text = "\(Int(text) ?? 0)." + digits(Int.random(in: 1...17, using: &random))
            }
            if round % 7 == 0 { text += "e\(Int.random(in: -330...320, using: &random))" }
            let expected = Double(text).flatMap { $0.isFinite ? $0 : nil }
            let got = Array(text.utf8).withBytes { $0.double(0..<$0.count) }
            #expect(got?.bitPattern == expected?.bitPattern, "seed \(seed): \(text)")
        }
        let corners = [
            "0", "-0", "-0.0", "100", "100.0", "9007199254740992", "9007199254740993", "0.1", "5e-324",
            "0.000000000000000001", "999999999999999999", "18014398509481985", "18014398509481987",
            "1801439850948198.5", "0.999999999999999999", "9.00719925474099299", "4503599627370497.5",
            "4503599627370496.5", "144115188075855877", "288230376151711752",
        ]
        for text in corners {
            let got = Array(text.utf8).withBytes { $0.double(0..<$0.count) }
            #expect(got?.bitPattern == Double(text)?.bitPattern, "\(text)")
        }
    }
}
