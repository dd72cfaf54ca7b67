import Foundation
import Testing

@testable import Journal

/// Payloads as rows hold them, alone and in the file.
@Suite struct PackedTextTests {
    private func packed(_ text: [UInt8]) -> [UInt8]? {
        var packing = PackedText()
        return text.withUnsafeBytes { packing.pack($0) } ? packing.bytes : nil
    }

    private func unpacked(_ bytes: [UInt8]) -> [UInt8]? { bytes.withUnsafeBytes { PackedText.unpacked($0) } }

    @Test(arguments: [
        (#"{"timestamp": "2026-11-23T10:00:00.123456", "value": 20.000000100}"#, 25),
        (#"{"timestamp":"2026-11-23T10:00:00.123456Z","value":-5}"#, 21),
        (#"{"value": 21.5, "timestamp": "2026-11-23T10:00:00+01:00"}"#, 20),
        (#"{"status": "1"}"#, 4),
        (
            #"{"home":"home1","room":"office","timestamp":"2026-11-23T10:00:00.123456","value":21.53,"seq":123456}"#,
            42
        ),
    ]) func commonPayloadsAreAThirdAsLong(text: String, length: Int) throws {
        let bytes = try #require(packed(Array(text.utf8)))
        #expect(bytes.count == length)
        #expect(unpacked(bytes) == Array(text.utf8))
    }

    @Test(arguments: ["", "{}", "xyz", "no digits in here, and no phrase", String(repeating: "1", count: 5000)])
    func whatWouldNotBeShorterStaysAsItIs(text: String) {
        #expect(packed(Array(text.utf8)) == nil)
    }

    @Test func everyTextComesBackByteForByte() {
        var random = SeededRandom(seed: SeededRandom.seed("everyTextComesBackByteForByte"))
        let words = [
            #"{"timestamp": ""#, #"{"timestamp""#, #"", "value": "#, "}", "2026-11-23", "T", "1", "12", "\0", "\u{ff}",
            "é",
            #"{"home":""#, #"","room":""#, String(repeating: "7", count: 66), String(repeating: "x", count: 129),
        ]
        var packedCount = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...12, using: &random)).flatMap { _ in
                Array((words.randomElement(using: &random) ?? "").utf8)
            }
            guard let bytes = packed(text) else { continue }
            packedCount += 1
            #expect(bytes.count < text.count)
            #expect(unpacked(bytes) == text)
        }
        #expect(packedCount > 10_000)
    }

    @Test func anyBytesUnpackToSomethingBoundedOrNothing() {
        var random = SeededRandom(seed: SeededRandom.seed("anyBytesUnpackToSomethingBoundedOrNothing"))
        var refused = 0
        for _ in 0..<50_000 {
            let bytes = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            guard let text = unpacked(bytes) else {
                refused += 1
                continue
            }
            #expect(text.count <= 4096)
        }
        #expect(refused > 1_000)
    }

    @Test func rowsOfReadingsArePackedAndThoseOfOthersAreNot() throws {
        let directory = try TemporaryDirectory()
        let journal = try Journal(Journal.Settings(path: directory.file("j.sqlite")), now: start)
        let others: [[UInt8]] = [[], Array("words".utf8), [0xff, 0x00, 0xfe], Array(repeating: 0x80, count: 2000)]
        let all =
            entries(0..<20)
            + others.map { Journal.Entry(topic: "office/temperature", payload: $0, packetID: 7, receivedAt: start) }
        try journal.append(all, now: start)
        #expect(try journal.all().map(\.payload) == all.map(\.payload))
        journal.close()
        #expect(try types(directory.file("j.sqlite")) == ["blob:3", "null:1", "text:20"])
        let again = try Journal(Journal.Settings(path: directory.file("j.sqlite")), now: start)
        #expect(try again.all().map(\.payload) == all.map(\.payload))
        again.close()
    }

    /// The columns' types, counted by SQLite itself.
    private func types(_ path: String) throws -> [String] {
        let connection = try SQLiteConnection(path: path, vfs: nil)
        try Schema.lock(connection)
        let answer = try connection.value(
            """
            SELECT group_concat(line) FROM
                (SELECT typeof(payload) || ':' || count(*) AS line FROM entry GROUP BY typeof(payload) ORDER BY 1)
            """, doing: "asking")
        return (answer ?? "").split(separator: ",").map(String.init)
    }
}
