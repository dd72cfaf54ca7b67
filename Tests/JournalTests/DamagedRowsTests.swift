import CSQLite
import Foundation
import SimulationModel
import Testing

@testable import Journal

/// Rows and pages that were damaged while nobody had the file open.
@Suite struct DamagedRowsTests {
    let victim: Victim
    private var path: String { victim.path }
    private var settings: Journal.Settings { victim.settings }
    private var pageSize: Int { victim.settings.pageSize }
    private var damagedFiles: [String] { victim.damagedFiles }

    init() throws { victim = try Victim() }

    // MARK: Rows

    @Test func aFlippedBitCostsOneRowAndIsCounted() throws {
        try victim.make(300)
        try victim.change { data in
            let place = data.range(of: victim.stored(123))!.lowerBound
            data[place + 3] ^= 0x04
        }
        let journal = try Journal(settings, now: start)
        let expected = Array(0..<300).filter { $0 != 123 }
        #expect(try journal.all().compactMap(\.number) == expected)
        #expect(try journal.all().compactMap(\.number) == expected)
        #expect(journal.status.quarantined == 1)
        #expect(try journal.setAside(limit: 5).map(\.reason) == ["damaged_row"])
        let epoch = journal.epoch
        journal.close()
        let again = try Journal(settings, now: start)
        #expect(again.status.quarantined == 1)
        #expect(again.epoch == epoch)
        #expect(try again.read(after: 123, rows: 1).records.first?.sequence == 125)
    }

    @Test(arguments: [1, 2]) func aDamagedTopicNameSendsNoRowToAnotherRoom(_ copies: Int) throws {
        try victim.make(50)
        try victim.change { data in
            for _ in 0..<copies {
                let place = data.range(of: Data("office/temperature".utf8))!.lowerBound
                data[place + 5] = UInt8(ascii: "x")
            }
        }
        let journal = try Journal(settings, now: start)
        // One of the two names is enough.
        #expect(
            try journal.all().map(\.topic) == [String](repeating: "office/temperature", count: copies == 1 ? 50 : 0))
        #expect(journal.status.quarantined == (copies == 1 ? 0 : 50))
        #expect(try journal.append([entry(50)], now: start) == 51...51)
        #expect(try journal.all(after: 50).map(\.topic) == ["office/temperature"])
    }

    @Test func theNewestRowDamagedDoesNotMakeItsSequenceFree() throws {
        try victim.make(300)
        try victim.change { data in
            let place = data.range(of: victim.stored(299))!.lowerBound
            data[place] ^= 0xff
        }
        var journal = try Journal(settings, now: start)
        #expect(try journal.recent(2).compactMap(\.number) == [297, 298])
        #expect(try journal.all().count == 299)
        journal.close()
        journal = try Journal(settings, now: start)
        #expect(try journal.append([entry(300)], now: start) == 301...301)
    }

    @Test func rowsThatVanishWithoutATraceAreCountedAndTheirSequencesNotUsedAgain() throws {
        try victim.make(600)
        let leaf = try #require(try victim.leaves().last).page
        // The number of cells of the page, https://www.sqlite.org/fileformat2.html section 1.6.
        try victim.change { $0[(leaf - 1) * pageSize + 4] -= 3 }
        let journal = try Journal(settings, now: start)
        #expect(try journal.all().count == 597)
        #expect(journal.status.quarantined == 3)
        #expect(try journal.append([entry(600)], now: start) == 601...601)
        #expect(try journal.all().count == 598)
        #expect(journal.status.quarantined == 3)
    }

    /// Any byte of the file may be anything: what comes back is right, in order, and nearly everything.
    @Test func randomDamageNeverYieldsAWrongRow() throws {
        let seed = SeededGenerator.seed("randomDamageNeverYieldsAWrongRow")
        var random = SeededGenerator(seed: seed)
        var settings = settings
        settings.reserveBytes = 0
        settings.logBytes = 64 << 10
        let rounds = ProcessInfo.processInfo.environment["HEARTH_DAMAGE_ROUNDS"].flatMap { Int($0) } ?? 60
        var journal = try Journal(settings, now: start)
        for batch in 0..<6 { try journal.append(entries(batch * 100..<batch * 100 + 100), now: start) }
        let epoch = journal.epoch
        journal.close()
        let clean = try Data(contentsOf: URL(fileURLWithPath: path))
        for round in 0..<rounds {
            let place: Comment = "seed \(seed) round \(round)"
            try victim.restore(clean, flippedBy: &random)
            do {
                journal = try Journal(settings, now: start)
            } catch {
                // A version number that a later program might have is respected.
                #expect(error.code == .newerSchema, place)
                continue
            }
            var rows = (try? journal.all()) ?? []
            if rows.isEmpty { rows = try journal.all() }
            for row in rows {
                #expect(row == Journal.Record(entry(Int(row.sequence) - 1), sequence: row.sequence), place)
            }
            #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.sequence < $1.sequence }, place)
            #expect(rows.count >= 600 - 8 * 12, place)
            // With the state lost, nobody knows where the rows began.
            let missing = Int64(600 - rows.count)
            let counted = journal.status.quarantined
            #expect(counted == missing || (counted < missing && journal.epoch != epoch), place)
            var next = try? journal.append([entry(999)], now: start)
            if next == nil { next = try journal.append([entry(999)], now: start) }
            let range = try #require(next, place)
            #expect(range.lowerBound > 600 || journal.epoch != epoch, place)
            var last = (try? journal.all(after: range.lowerBound - 1)) ?? []
            if last.isEmpty { last = try journal.all(after: range.lowerBound - 1) }
            #expect(last.map(\.sequence) == [range.lowerBound], place)
            journal.close()
        }
    }

    // MARK: Pages

    private func lose(_ page: Int, of data: inout Data) {
        data.replaceSubrange((page - 1) * pageSize..<page * pageSize, with: Data(repeating: 0, count: pageSize))
    }

    @Test func readingGetsPastALostPage() throws {
        try victim.make(2_000)
        let leaves = try victim.leaves()
        let lost = [5, 40, 41].map { leaves[$0] }.reduce(into: Set<Int>()) { $0.formUnion($1.rows) }
        try victim.change { data in for index in [5, 40, 41] { lose(leaves[index].page, of: &data) } }
        #expect(lost.count > 20)
        let journal = try Journal(settings, now: start)
        #expect(try journal.all().compactMap(\.number) == (0..<2_000).filter { !lost.contains($0) })
        #expect(journal.status.quarantined == Int64(lost.count))
        _ = try journal.all()
        #expect(journal.status.quarantined == Int64(lost.count))
        journal.close()
        #expect(try Journal(settings, now: start).status.quarantined == Int64(lost.count))
    }

    @Test func aLostPageInTheWayOfDeletingIsSurvivedWithAFreshFile() throws {
        var settings = settings
        settings.history = .zero
        try victim.make(2_000)
        let leaf = try victim.leaves()[3].page
        try victim.change { lose(leaf, of: &$0) }
        let journal = try Journal(settings, now: start)
        let epoch = journal.epoch
        let expected = try journal.all().filter { $0.sequence > 1_500 }
        for _ in 0..<3 { try? journal.confirm([1...1_500], cursor: "up", now: start + hour) }
        #expect(try journal.append([entry(2_000)], now: start + hour) == 2_001...2_001)
        #expect(try journal.all().filter { $0.sequence > 1_500 && $0.sequence <= 2_000 } == expected)
        if journal.epoch != epoch {
            #expect(damagedFiles.count >= 1)
            #expect(try journal.read(after: 0, rows: 1).epoch == journal.epoch)
        }
    }

    @Test func aLostInnerPageCostsNoRow() throws {
        try victim.make(9_000)
        let inner = try #require(
            Int(
                try victim.query(
                    "SELECT pageno FROM dbstat WHERE name = 'entry' AND path LIKE '/001/' AND pagetype = 'internal'")))
        try victim.change { lose(inner, of: &$0) }
        let journal = try Journal(settings, now: start)
        let epoch = journal.epoch
        #expect(code { _ = try journal.all() } == .corrupt)
        #expect(try journal.all().map(\.sequence) == Array(1...9_000))
        #expect(try journal.all().allSatisfy { $0 == Journal.Record(entry($0.number ?? -1), sequence: $0.sequence) })
        #expect(journal.epoch != epoch)
    }
}
