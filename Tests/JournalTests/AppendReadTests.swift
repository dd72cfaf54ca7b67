import Testing

@testable import Journal

@Suite struct AppendReadTests {
    let directory: TemporaryDirectory
    let journal: Journal

    init() throws {
        directory = try TemporaryDirectory()
        journal = try Journal(.init(path: directory.file("j.sqlite")), now: start)
    }

    @Test func rowsComeBackAsTheyWereInOrder() throws {
        let rows: [Journal.Record] = [
            .init(
                topic: "office/temperature", payload: Array("{}".utf8), attributes: [1, 2], packetID: 65_535,
                receivedAt: 1),
            .init(topic: "", payload: [], receivedAt: .min),
            .init(topic: "Küche 🔥/temperature", payload: [0, 255, 0], attributes: [], packetID: 0, receivedAt: .max),
            .init(
                topic: String(repeating: "x", count: 5000), payload: [UInt8](repeating: 7, count: 300_000),
                receivedAt: -1),
        ]
        #expect(try journal.append(rows, now: start) == 1...4)
        let expected = rows.enumerated().map { Journal.Record($1, sequence: Int64($0 + 1)) }
        #expect(try journal.all() == expected)
        #expect(try journal.recent(2) == Array(expected.suffix(2)))
        #expect(try journal.recent(0).isEmpty)
    }

    @Test func everyAppendIsStillThereAfterReopening() throws {
        for batch in 0..<20 { try journal.append(entries(batch * 10..<batch * 10 + 10), now: start) }
        let epoch = journal.epoch
        journal.close()
        let again = try Journal(.init(path: directory.file("j.sqlite")), now: start)
        #expect(try again.all().compactMap(\.number) == Array(0..<200))
        #expect(again.epoch == epoch)
        #expect(again.epoch.count == 32)
    }

    @Test func anEmptyAppendStoresNothing() throws {
        #expect(try journal.append([], now: start) == nil)
        #expect(journal.status.commits == 0)
        #expect(try journal.read(after: 0, rows: 10).records.isEmpty)
    }

    @Test func readingStopsAtTheRowLimit() throws {
        try journal.append(entries(0..<10), now: start)
        let batch = try journal.read(after: 3, rows: 4)
        #expect(batch.records.map(\.sequence) == [4, 5, 6, 7])
        #expect(batch.scannedThrough == 7)
        #expect(batch.epoch == journal.epoch)
        #expect(try journal.read(after: 0, rows: 0).scannedThrough == 0)
    }

    @Test func readingStopsAtTheByteLimitButGivesOneRow() throws {
        try journal.append(
            (0..<5).map { _ in .init(topic: "t", payload: [UInt8](repeating: 1, count: 99), receivedAt: 0) }, now: start
        )
        #expect(try journal.read(after: 0, rows: 10, bytes: 250).records.count == 2)
        #expect(try journal.read(after: 0, rows: 10, bytes: 0).records.count == 1)
        #expect(try journal.read(after: 0, rows: 10, bytes: .max).records.count == 5)
    }

    @Test func readingBeyondTheEndGivesNothingAndStaysThere() throws {
        try journal.append(entries(0..<3), now: start)
        #expect(try journal.read(after: 3, rows: 10).scannedThrough == 3)
        #expect(try journal.read(after: 1000, rows: 10).scannedThrough == 1000)
        #expect(try journal.read(after: -5, rows: 10).records.count == 3)
    }

    @Test func oneTopicIsReadPastTheOthers() throws {
        let topics = ["raw", "clean", "other"]
        try journal.append((0..<30).map { entry($0, topic: topics[$0 % 3]) }, now: start)
        let batch = try journal.read(after: 0, rows: 100, topics: ["clean"])
        #expect(batch.records.compactMap(\.number) == [1, 4, 7, 10, 13, 16, 19, 22, 25, 28])
        #expect(batch.scannedThrough == 30)
        #expect(try journal.read(after: 0, rows: 2, topics: ["other"]).scannedThrough == 6)
        let none = try journal.read(after: 0, rows: 2, topics: ["unknown"])
        #expect(none.records.isEmpty && none.scannedThrough == 30)
    }

    @Test func moreTopicsThanTheTableHoldsAreStoredAllTheSame() throws {
        let names = (0..<Topics.maximum + 50).map { "room\($0)/temperature" }
        for chunk in stride(from: 0, to: names.count, by: 200) {
            try journal.append(names[chunk..<min(chunk + 200, names.count)].map { entry(0, topic: $0) }, now: start)
        }
        journal.close()
        let again = try Journal(.init(path: directory.file("j.sqlite")), now: start)
        #expect(try again.all().map(\.topic) == names)
    }

    @Test func appendingAndAdvancingIsOneTransaction() throws {
        try journal.append(entries(0..<5), now: start)
        try journal.append([entry(5, topic: "clean")], advancing: [("cleaner", 5), ("mean", 3)], now: start)
        #expect(journal.status.commits == 2)
        #expect(try journal.cursor("cleaner") == 5)
        #expect(try journal.cursor("mean") == 3)
        #expect(try journal.append([], advancing: [("cleaner", 6), ("mean", 6)], now: start) == nil)
        #expect(try journal.cursor("cleaner") == 6)
        #expect(try journal.cursor("mean") == 6)
    }

    @Test func rejectedInputIsKeptAndCountedByReason() throws {
        let big = Journal.Rejected(
            topic: "a/temperature", payload: [UInt8](repeating: 65, count: 9000), reason: "oversized", receivedAt: 5)
        let bad = Journal.Rejected(topic: "b", payload: Array("nonsense".utf8), reason: "not_json", receivedAt: 6)
        #expect(try journal.append([entry(1)], settingAside: [big, bad, bad], now: start) == 1...1)
        #expect(journal.status.setAside == ["oversized": 1, "not_json": 2])
        let kept = try journal.setAside(limit: 10)
        #expect(kept.map(\.reason) == ["not_json", "not_json", "oversized"])
        #expect(kept[0] == bad)
        #expect(kept[2].payload.count == Journal.Rejected.keptBytes)
    }

    @Test func rejectedInputIsBoundedByRowsAndBytes() throws {
        for _ in 0..<5 {
            let flood = (0..<400).map {
                Journal.Rejected(topic: "t", payload: [1], reason: "flood", receivedAt: Int64($0))
            }
            try journal.append([], settingAside: flood, now: start)
        }
        #expect(try journal.setAside(limit: 5000).count == RejectedTable.maximumRows)
        for _ in 0..<10 {
            let large = (0..<60).map { _ in
                Journal.Rejected(
                    topic: "t", payload: [UInt8](repeating: 1, count: 4096), reason: "large", receivedAt: 0)
            }
            try journal.append([], settingAside: large, now: start)
        }
        let bytes = try journal.setAside(limit: 5000).reduce(0) { $0 + $1.payload.count }
        #expect(bytes <= RejectedTable.maximumBytes && bytes > RejectedTable.maximumBytes / 2)
        #expect(journal.status.setAside == ["flood": 2000, "large": 600])
        for reason in 0..<200 {
            try journal.append(
                [], settingAside: [.init(topic: "", payload: [], reason: "r\(reason)", receivedAt: 0)], now: start)
        }
        #expect(journal.status.setAside.count <= RejectedTable.maximumReasons + 1)
    }

    @Test func aBatchThatCanNeverFitIsRefusedForGood() throws {
        let huge = Journal.Record(topic: "t", payload: [UInt8](repeating: 0, count: 8 << 20), receivedAt: 0)
        let error = #expect(throws: JournalError.self) { try journal.append([huge], now: start) }
        #expect(error?.code == .tooLarge && error?.isTransient == false)
        #expect(try journal.append([entry(1)], now: start) == 1...1)
    }

    @Test func nothingWorksAfterClosingButStatus() throws {
        try journal.append(entries(0..<3), now: start)
        journal.close()
        journal.close()
        #expect(code { try journal.append([entry(1)], now: start) } == .closed)
        #expect(code { _ = try journal.read(after: 0, rows: 1) } == .closed)
        #expect(journal.status.newest == 3)
        #expect(directory.names == ["j.sqlite", "j.sqlite-wal"])
    }
}
