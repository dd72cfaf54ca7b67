import GatewayClient
import Heating
import Testing

@testable import hearth

@Suite struct PrintableTests {
    /// What must never reach a terminal from outside: controls, bidirectional and zero-width marks, separators.
    /// Listed here by code point, not by property, so that the list does not share the code's classification.
    static let dangerous: [ClosedRange<UInt32>] = [
        0x00...0x1F, 0x7F...0x9F, 0xAD...0xAD, 0x61C...0x61C, 0x180E...0x180E, 0x200B...0x200F, 0x2028...0x202E,
        0x2060...0x206F, 0xFEFF...0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F, 0xE000...0xE00F, 0x3164...0x3164,
    ]

    static func isSafe(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in !dangerous.contains { $0.contains(scalar.value) } }
    }

    @Test func `every dangerous character is escaped, in text and in JSON`() throws {
        for value in Self.dangerous.joined() {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let name = "a\(scalar)b"
            #expect(Self.isSafe(printable(name)), "U+\(String(value, radix: 16))")
            #expect(printable(name) != name)
            let document = printableJSON(JSON.string(name).serialized())
            #expect(Self.isSafe(document), "U+\(String(value, radix: 16))")
            #expect(try JSON.parse(document).string == name)
        }
    }

    @Test(arguments: ["office", "Küche", "Büro 2", "子供部屋", "спальня", "غرفة", "1°", "🛏 bedroom", "a/b"])
    func `names of people's rooms stay as they are`(name: String) {
        #expect(printable(name) == name)
        #expect(printableName(name) == name)
    }

    @Test func `a name that looks like an escape differs from one that is escaped`() {
        #expect(printable("a\u{1B}b") == "a\\u{1B}b")
        #expect(printable("a\\u{1B}b") == "a\\\\u{1B}b")
    }

    @Test func `spaces that cannot be seen are shown in names`() {
        #expect(printableName(" a  b ") == "\\u{20}a\\u{20} b\\u{20}")
        #expect(printableName(" ") == "\\u{20}")
        #expect(printableName("a b") == "a b")
        #expect(printable("a\u{A0}b") == "a\\u{A0}b")
    }

    @Test func `columns follow the width of characters`() {
        #expect(columnCount("office") == 6)
        #expect(columnCount("子供") == 4)
        #expect(columnCount("e\u{301}") == 1)
        #expect(columnCount("🛏") == 1 || columnCount("🛏") == 2)
        #expect(columnCount("🔥") == 2)
    }

    @Test func `wrapping breaks at spaces, cuts long words and never exceeds the width`() {
        #expect(wrapped("the pump is on", width: 8) == ["the pump", "is on"])
        #expect(wrapped("abcdefghij kl", width: 4) == ["abcd", "efgh", "ij", "kl"])
        #expect(wrapped("", width: 10) == [""])
        #expect(wrapped("子供部屋", width: 5) == ["子供", "部屋"])
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let letters = (0..<Int.random(in: 0...60, using: &generator)).map { _ in "ab 子🔥 ".randomElement() ?? "a" }
            let (text, width) = (String(letters), Int.random(in: 2...20, using: &generator))
            let lines = wrapped(text, width: width)
            #expect(lines.allSatisfy { columnCount($0) <= width }, "\(text) at \(width)")
            #expect(lines.joined().filter { $0 != " " } == text.filter { $0 != " " })
        }
    }

    @Test func `a hostile room is text in every screen and log`() throws {
        let quoted = JSON.string(hostileName).serialized()
        let name = quoted.dropFirst().dropLast()
        // Every text of a status and of a journal, not only the rooms' names.
        var text = troubledStatus.replacing("bedroom", with: name).replacing("uplink\"", with: name + "\"")
        text = text.replacing("25.3 is above", with: name).replacing("connection refused", with: name)
        text = text.replacing("journal-damaged", with: name).replacing("check the card's", with: name)
        text = text.replacing("not_json", with: name).replacing("home1", with: name).replacing("0.1.0", with: name)
        text = text.replacing("on_bellow", with: name).replacing("\"cli\"", with: "\"\(name)\"")
        let status = try status(text)
        #expect(status.rooms[0].name == hostileName)
        for style in [Style.plain, .coloured] {
            var lines = StatusText(status: status, width: 80, style: style).lines()
            lines += JournalText(
                report: JournalReport(try parsed(journalReply.replacing("office/temperature", with: name))),
                status: status, width: 80, style: style
            ).lines()
            lines += checkLines(
                [DoctorCheck(hostileName, .error, hostileName, advice: hostileName)], width: 80, style: style)
            lines += whyLines(
                room: status.rooms[0],
                decisions: [Decision(["time": .string(hostileName), "reason": .string(hostileName)])],
                width: 80, style: style, clock: { $0 })
            lines.append(
                overrideText(OverrideReply(["room": .string(hostileName), "pump": .string(hostileName)]), end: nil))
            lines += noSuchRoom(hostileName, rooms: [hostileName]).lines
            var log = WatchLog()
            lines += log.lines(for: status, at: "T")
            // Our own colours are the only escape sequences.
            let withoutColours = lines.map { $0.replacing(/\u{1B}\[[0-9]+m/, with: "") }
            for line in withoutColours { #expect(Self.isSafe(line), "\(printable(line))") }
            #expect(withoutColours.contains { $0.contains("\\u{202E}") })
        }
    }
}
