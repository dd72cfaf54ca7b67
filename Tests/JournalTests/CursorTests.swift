import SimulationModel
import Testing

@testable import Journal

@Suite struct CursorTests {
    let directory: TemporaryDirectory
    let settings: Journal.Settings
    let journal: Journal

    init() throws {
        directory = try TemporaryDirectory()
        settings = .init(path: directory.file("j.sqlite"))
        journal = try Journal(settings, now: start)
    }

    @Test func aCursorMovesForwardOnlyAndNotBeyondTheNewestRow() throws {
        try journal.append(entries(0..<10), now: start)
        #expect(try journal.cursor("p1") == 0)
        try journal.advance("p1", through: 4)
        try journal.advance("p1", through: 2)
        #expect(try journal.cursor("p1") == 4)
        try journal.advance("p1", through: 1_000)
        #expect(try journal.cursor("p1") == 10)
    }

    @Test func advancingIsDurableWithoutClosing() throws {
        try journal.append(entries(0..<10), now: start)
        try journal.advance("p1", through: 7)
        // A child process copies, since closing a descriptor of the file in here would drop the journal's lock.
        try run("cp", directory.file("j.sqlite"), directory.file("copy"))
        try run("cp", directory.file("j.sqlite-wal"), directory.file("copy-wal"))
        let copy = try Journal(.init(path: directory.file("copy")), now: start)
        #expect(try copy.cursor("p1") == 7)
        #expect(try copy.all().count == 10)
    }

    /// A process in a crash loop would otherwise send ever more again after each start.
    @Test func aProcessThatDiesWithinTheSecondKeepsMostOfItsConfirmations() throws {
        try journal.append(entries(0..<2_000), now: start)
        for row in stride(from: Int64(1), through: 1_000, by: 10) {
            try journal.confirm([row...(row + 9)], cursor: "up", now: start)
        }
        try run("cp", directory.file("j.sqlite"), directory.file("copy"))
        try run("cp", directory.file("j.sqlite-wal"), directory.file("copy-wal"))
        let copy = try Journal(.init(path: directory.file("copy")), now: start)
        #expect(try copy.cursor("up") > 1_000 - 256 - 10)
        #expect(try copy.cursor("up") <= 1_000)
    }

    @Test func theLowWatermarkIsTheSlowestCursor() throws {
        try journal.append(entries(0..<10), now: start)
        #expect(journal.status.lowWatermark == 0)
        try journal.advance("fast", through: 9)
        #expect(journal.status.lowWatermark == 9)
        try journal.advance("slow", through: 3)
        #expect(journal.status.lowWatermark == 3)
        #expect(journal.status.unconfirmedRows == 7)
        try journal.removeCursor("slow")
        #expect(journal.status.lowWatermark == 9)
        #expect(try journal.cursor("slow") == 0)
    }

    @Test func theOldestUnconfirmedRowIsKnown() throws {
        #expect(journal.status.oldestUnconfirmedAt == nil)
        for number in 0..<5 { try journal.append([entry(number, at: start + Int64(number))], now: start) }
        #expect(journal.status.oldestUnconfirmedAt == start)
        try journal.confirm([1...3], cursor: "up", now: start)
        #expect(journal.status.oldestUnconfirmedAt == start + 3)
        try journal.confirm([4...5], cursor: "up", now: start)
        #expect(journal.status.oldestUnconfirmedAt == nil)
        try journal.append([entry(9, at: start + 9)], now: start)
        #expect(journal.status.oldestUnconfirmedAt == start + 9)
        journal.close()
        let again = try Journal(settings, now: start)
        #expect(again.status.oldestUnconfirmedAt == start + 9)
    }

    @Test func confirmedRangesBeyondWhatExistsOrBelowZeroAreIgnored() throws {
        try journal.append(entries(0..<10), now: start)
        try journal.confirm([-50...0, 11...20, 8...Int64.max], cursor: "up", now: start)
        #expect(try journal.cursor("up") == 0)
        try journal.append(entries(10..<30), now: start)
        try journal.confirm([Int64.min...7], cursor: "up", now: start)
        #expect(try journal.cursor("up") == 10)
    }

    @Test func confirmationsSurviveClosing() throws {
        try journal.append(entries(0..<10), now: start)
        try journal.confirm([1...4], cursor: "up", now: start)
        try journal.confirm([5...6], cursor: "up", now: start)
        try journal.confirm([9...9], cursor: "up", now: start)
        journal.close()
        let again = try Journal(settings, now: start)
        #expect(try again.cursor("up") == 6)
        try again.confirm([7...8], cursor: "up", now: start)
        #expect(try again.cursor("up") == 9, "what was confirmed above the cursor is not forgotten")
    }

    /// The cursor is the longest prefix of the set of confirmed sequences, whatever the order, overlap and repetition.
    @Test func confirmingInAnyOrderEqualsASet() throws {
        let seed = SeededGenerator.seed("confirmingInAnyOrderEqualsASet")
        var random = SeededGenerator(seed: seed)
        for round in 0..<8 {
            let cursor = "up\(round)"
            var confirmed: Set<Int64> = []
            var expected = try journal.cursor(cursor)
            for _ in 0..<150 {
                if Int.random(in: 0..<4, using: &random) == 0 {
                    let count = Int.random(in: 1...20, using: &random)
                    try journal.append(entries(0..<count), now: start)
                }
                let newest = journal.status.newest
                var ranges: [ClosedRange<Int64>] = []
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    let low = Int64.random(in: max(-3, expected - 10)...newest + 3, using: &random)
                    ranges.append(low...low + Int64.random(in: 0...12, using: &random))
                }
                try journal.confirm(ranges, cursor: cursor, now: start)
                for range in ranges { confirmed.formUnion(range.filter { $0 >= 1 && $0 <= newest }) }
                while confirmed.contains(expected + 1) { expected += 1 }
                #expect(try journal.cursor(cursor) == expected, "seed \(seed)")
            }
        }
    }

    @Test func rangesStaySortedDisjointAndBounded() {
        let seed = SeededGenerator.seed("rangesStaySortedDisjointAndBounded")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var ranges = ConfirmedRanges()
            var model: Set<Int64> = []
            for _ in 0..<40 {
                let low = Int64.random(in: 1...100, using: &random)
                let range = low...low + Int64.random(in: 0...8, using: &random)
                ranges.insert(range)
                model.formUnion(range)
            }
            #expect(Set(ranges.ranges.flatMap { Array($0) }) == model, "seed \(seed)")
            for (left, right) in zip(ranges.ranges, ranges.ranges.dropFirst()) {
                #expect(left.upperBound + 1 < right.lowerBound, "seed \(seed)")
            }
        }
        var scattered = ConfirmedRanges()
        for index in 0..<Int64(ConfirmedRanges.maximum + 100) { scattered.insert(index * 2 + 2...index * 2 + 2) }
        #expect(scattered.ranges.count == ConfirmedRanges.maximum)
        #expect(scattered.ranges.first == 2...2)
    }

    /// Everything at once against arrays in memory, with restarts in between.
    @Test func theJournalEqualsAModelInMemory() throws {
        let seed = SeededGenerator.seed("theJournalEqualsAModelInMemory")
        var random = SeededGenerator(seed: seed)
        var journal = self.journal
        var rows: [Journal.Record] = []
        var cursors: [String: Int64] = [:]
        for step in 0..<400 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let batch = (0..<Int.random(in: 1...30, using: &random)).map {
                    entry(step * 100 + $0, topic: "room\(Int.random(in: 0..<4, using: &random))/temperature")
                }
                let range = try journal.append(batch, now: start)
                rows += batch.enumerated().map { .init($1, sequence: Int64(rows.count + $0 + 1)) }
                #expect(range?.upperBound == Int64(rows.count))
            case 4..<7:
                let after = Int64.random(in: 0...Int64(rows.count), using: &random)
                let limit = Int.random(in: 1...50, using: &random)
                let topic = Bool.random(using: &random) ? nil : "room1/temperature"
                let expected = rows.filter { $0.sequence > after && (topic == nil || $0.topic == topic) }.prefix(limit)
                #expect(
                    try journal.read(after: after, rows: limit, topics: topic.map { [$0] }).records == Array(expected),
                    "seed \(seed)"
                )
            case 7:
                let name = "c\(Int.random(in: 0..<3, using: &random))"
                let through = Int64.random(in: 0...Int64(rows.count) + 5, using: &random)
                try journal.advance(name, through: through)
                cursors[name] = max(cursors[name] ?? 0, min(through, Int64(rows.count)))
            case 8:
                #expect(try journal.recent(7) == Array(rows.suffix(7)), "seed \(seed)")
                #expect(journal.status.lowWatermark == cursors.values.min() ?? 0)
            default:
                journal.close()
                journal = try Journal(settings, now: start)
            }
            for (name, through) in cursors { #expect(try journal.cursor(name) == through, "seed \(seed)") }
        }
    }
}
