import Foundation
import SimulationModel
import Testing

@testable import Journal

/// Rows that take several sequences, as the cloud's event log writes them.
@Suite struct SpanTests {
    let victim: Victim
    private var settings: Journal.Settings { victim.settings }

    init() throws { victim = try Victim() }

    /// Closes it with an empty log, so that what is damaged in the file is what is read.
    private func close(_ journal: Journal) throws {
        journal.close()
        try FileManager.default.removeItem(atPath: victim.path + "-wal")
    }

    private func flipABit(ofRow number: Int) throws {
        try victim.change { data in
            let place = data.range(of: Data("\"value\": \(number)}".utf8))!.lowerBound
            data[place + 3] ^= 0x04
        }
    }

    /// - Parameter bytes: from 4 kB on the file has them as they are, and a test finds the value in it.
    private func row(_ number: Int, span: Int, bytes: Int = 40) -> Journal.Record {
        let text = "{\"padding\": \"\(String(repeating: "x", count: bytes))\", \"value\": \(number)}"
        return Journal.Record(topic: "raw", payload: Array(text.utf8), receivedAt: start + Int64(number), span: span)
    }

    @Test func aRowTakesAsManySequencesAsItsSpan() throws {
        var journal = try Journal(settings, now: start)
        #expect(try journal.append([row(0, span: 3), row(1, span: 1), row(2, span: 10)], now: start) == 1...14)
        #expect(try journal.append([row(3, span: Journal.longestSpan)], now: start) == 15...65_550)
        journal.close()
        journal = try Journal(settings, now: start)
        let rows = try journal.all()
        #expect(rows.map(\.sequence) == [3, 4, 14, 65_550])
        #expect(rows.map(\.firstSequence) == [1, 4, 5, 15])
        #expect(journal.status.newest == 65_550 && journal.status.quarantined == 0)
    }

    @Test func aCursorStopsWithinARowAndTheRowStays() throws {
        var settings = settings
        settings.history = .zero
        var journal = try Journal(settings, now: start)
        try journal.append((0..<20).map { row($0, span: 10) }, now: start)
        try journal.advance("p1", through: 105)
        try journal.confirm([], cursor: "p1", now: start + hour)
        journal.close()
        journal = try Journal(settings, now: start)
        #expect(try journal.cursor("p1") == 105)
        #expect(journal.status.unconfirmedRows == 95)
        try journal.confirm([], cursor: "p1", now: start + 2 * hour)
        let kept = try journal.all(after: 105)
        #expect(kept.first?.firstSequence == 101 && kept.count == 10)
        #expect(journal.status.firstKept > 1 && journal.status.quarantined == 0)
    }

    @Test func aReadStopsBeforeARowThatIsTooMuchButGivesOne() throws {
        let journal = try Journal(settings, now: start)
        try journal.append([row(0, span: 4), row(1, span: 4), row(2, span: 20), row(3, span: 1)], now: start)
        #expect(try journal.read(after: 0, rows: 10).records.map(\.sequence) == [4, 8])
        #expect(try journal.read(after: 8, rows: 10).records.map(\.sequence) == [28])
        #expect(try journal.read(after: 6, rows: 2).records.map(\.sequence) == [8])
        #expect(try journal.read(after: 27, rows: 2).records.map(\.sequence) == [28])
    }

    @Test func aFlippedBitCostsOneRowWithAllItsSequences() throws {
        var journal = try Journal(settings, now: start)
        for number in 0..<60 { try journal.append([row(number, span: 100, bytes: 5000)], now: start) }
        try close(journal)
        try flipABit(ofRow: 23)
        journal = try Journal(settings, now: start)
        #expect(try journal.all().compactMap(\.number) == Array(0..<60).filter { $0 != 23 })
        #expect(try journal.all().compactMap(\.number) == Array(0..<60).filter { $0 != 23 })
        #expect(journal.status.quarantined == 100)
        #expect(victim.damagedFiles.isEmpty)
        #expect(try journal.append([row(60, span: 2)], now: start) == 6001...6002)
    }

    /// The tree names a row by its last sequence: what lies before that is not all missing.
    @Test func anUnreadablePageBeforeARowThatIsTooMuchCountsOnce() throws {
        var journal = try Journal(settings, now: start)
        for number in 0..<60 { try journal.append([row(number, span: 10, bytes: 500)], now: start) }
        try close(journal)
        let leaf = try victim.leaves()[2]
        try victim.change { $0[(leaf.page - 1) * victim.pageSize] = 0xff }
        journal = try Journal(settings, now: start)
        let batch = try journal.read(after: 0, rows: leaf.rows.lowerBound * 10 + 9)
        #expect(batch.records.count == leaf.rows.lowerBound)
        let rest = try journal.all(after: batch.scannedThrough)
        #expect(rest.compactMap(\.number) == Array(leaf.rows.upperBound..<60))
        #expect(journal.status.quarantined == Int64(leaf.rows.count * 10))
        #expect(victim.damagedFiles.isEmpty)
    }

    @Test func theNewestRowDamagedDoesNotMakeItsSequencesFree() throws {
        var journal = try Journal(settings, now: start)
        for number in 0..<10 { try journal.append([row(number, span: 50, bytes: 5000)], now: start) }
        try close(journal)
        try flipABit(ofRow: 9)
        journal = try Journal(settings, now: start)
        #expect(try journal.append([row(10, span: 1)], now: start) == 501...501)
    }

    @Test func aFileWhoseTreeIsLostGivesItsRowsBackWithTheirSequences() throws {
        var journal = try Journal(settings, now: start)
        for number in 0..<200 { try journal.append([row(number, span: 1 + number % 7, bytes: 900)], now: start) }
        let rows = try journal.all()
        try journal.advance("p1", through: 123)
        try close(journal)
        // The header: the file is no database any more.
        try victim.change { $0.replaceSubrange(0..<100, with: [UInt8](repeating: 0xff, count: 100)) }
        journal = try Journal(settings, now: start)
        #expect(try journal.all() == rows)
        #expect(try journal.cursor("p1") == 123)
        #expect(journal.status.quarantined == 0)
        #expect(!victim.damagedFiles.isEmpty)
    }

    /// Any byte of the file may be anything: what comes back is right, under its sequence, and in order.
    @Test func randomDamageNeverYieldsAWrongRow() throws {
        let seed = SeededGenerator.seed("spans: randomDamageNeverYieldsAWrongRow")
        var random = SeededGenerator(seed: seed)
        var settings = settings
        settings.reserveBytes = 0
        settings.logBytes = 64 << 10
        var journal = try Journal(settings, now: start)
        for number in 0..<150 {
            try journal.append([row(number, span: 1 + number % 50, bytes: number * 40)], now: start)
        }
        var expected: [Int64: Journal.Record] = [:]
        for record in try journal.all() { expected[record.sequence] = record }
        let newest = journal.status.newest
        journal.close()
        let clean = try Data(contentsOf: URL(fileURLWithPath: victim.path))
        for round in 0..<40 {
            let place: Comment = "seed \(seed) round \(round)"
            try victim.restore(clean, flippedBy: &random)
            do { journal = try Journal(settings, now: start) } catch {
                #expect(error.code == .newerSchema, place)
                continue
            }
            var rows = (try? journal.all()) ?? []
            // What counted as lost before the file was set aside may be found in it after all, and stays counted.
            let counted = rows.isEmpty ? journal.status.quarantined : 0
            if rows.isEmpty { rows = try journal.all() }
            #expect(rows.allSatisfy { $0 == expected[$0.sequence] }, place)
            #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.sequence < $1.firstSequence }, place)
            #expect(rows.count >= 150 - 8 * 6, place)
            let read = rows.reduce(0) { $0 + Int64($1.span) }
            #expect(journal.status.quarantined <= newest - read + counted, place)
            var next = try? journal.append([row(999, span: 5)], now: start)
            if next == nil { next = try journal.append([row(999, span: 5)], now: start) }
            #expect(try #require(next, place).lowerBound > rows.last?.sequence ?? 0, place)
            journal.close()
        }
    }
}
