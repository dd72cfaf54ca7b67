import CSQLite
import Foundation
import Testing

@testable import Journal

/// Files that are no journal any more, or never were one.
@Suite struct DamagedFileTests {
    let victim: Victim
    private var directory: TemporaryDirectory { victim.directory }
    private var path: String { victim.path }
    private var settings: Journal.Settings { victim.settings }
    private var pageSize: Int { victim.settings.pageSize }
    private var damagedFiles: [String] { victim.damagedFiles }

    init() throws { victim = try Victim() }

    @Test(arguments: [1, 2]) func withoutItsFirstPagesEveryRowIsStillRecovered(_ pages: Int) throws {
        var journal = try Journal(settings, now: start)
        let large = Journal.Record(
            topic: String(repeating: "long/", count: 100), payload: [UInt8](repeating: 9, count: 50_000),
            attributes: [1, 2, 3],
            receivedAt: -5)
        try journal.append(entries(0..<2_000) + [large], now: start)
        try journal.advance("up", through: 700)
        let rows = try journal.all()
        journal.close()
        try FileManager.default.removeItem(atPath: path + "-wal")
        try victim.change { data in
            data.replaceSubrange(
                0..<pages * pageSize, with: Data((0..<pages * pageSize).map { _ in UInt8.random(in: 0...255) }))
        }
        journal = try Journal(settings, now: start)
        #expect(try journal.all() == rows)
        #expect(try journal.cursor("up") == 700)
        #expect(journal.status.alarms.contains { $0.contains("2001 rows were recovered") })
        #expect(try journal.append([entry(1)], now: start) == 2_002...2_002)
    }

    @Test func recoveredRowsAreInOrderThoughTheirPagesAreNot() throws {
        var settings = settings
        settings.history = .zero
        var journal = try Journal(settings, now: start)
        // Pages of deleted rows are used again, the last freed first; and deleted rows must stay deleted.
        try journal.append(entries(0..<1_500, at: 0), now: start)
        try journal.confirm([1...1_500], cursor: "up", now: start)
        let kept = journal.status.firstKept - 1
        #expect(kept > 500)
        try journal.append(entries(1_500..<3_000, at: 0), now: start)
        journal.close()
        try FileManager.default.removeItem(atPath: path + "-wal")
        try victim.change { $0.replaceSubrange(0..<100, with: Data(repeating: 0, count: 100)) }
        journal = try Journal(settings, now: start)
        #expect(try journal.all().compactMap(\.number).elementsEqual(Int(kept)..<3_000))
        #expect(journal.status.quarantined == 0)
    }

    @Test func rowsThatAreOnlyInTheLogAreRecoveredToo() throws {
        var journal = try Journal(settings, now: start)
        try journal.append(entries(0..<300), now: start)
        // Copied while in use: the rows were never checkpointed.
        try run("cp", path, directory.file("copy"))
        try run("cp", path + "-wal", directory.file("copy-wal"))
        try victim.change(directory.file("copy")) { $0.replaceSubrange(0..<100, with: Data(repeating: 0, count: 100)) }
        journal = try Journal(.init(path: directory.file("copy")), now: start)
        #expect(try journal.all().compactMap(\.number) == Array(0..<300))
    }

    /// What a crash in the middle leaves: the old file under its new name, and a fresh one with no or the first rows,
    /// perhaps not under its name yet.
    @Test(arguments: [0, 400], ["", ".fresh"]) func anInterruptedRecoveryGoesOnAtTheNextStart(
        _ rows: Int, _ suffix: String
    ) throws {
        let aside = "j.sqlite.damaged-2026-11-23T09-00-00Z"
        var journal = try Journal(settings, now: start)
        try journal.append(entries(0..<1_000), now: start)
        journal.close()
        for part in ["", "-wal"] {
            try FileManager.default.moveItem(atPath: path + part, toPath: directory.file(aside + part))
        }
        journal = try Journal(settings, now: start)
        if rows > 0 { try journal.append(entries(0..<rows), now: start) }
        journal.close()
        try mark(salvaging: aside)
        if suffix != "", rows == 0 {
            try FileManager.default.removeItem(atPath: path + "-wal")
            try FileManager.default.moveItem(atPath: path, toPath: path + suffix)
        }
        journal = try Journal(settings, now: start)
        #expect(try journal.all().compactMap(\.number) == Array(0..<1_000))
        journal.close()
        #expect(try Journal(settings, now: start).status.alarms.isEmpty)
        #expect(directory.names == ["j.sqlite", "j.sqlite-wal", aside, aside + "-wal"])
    }

    private func mark(salvaging name: String) throws {
        let connection = try SQLiteConnection(path: path, vfs: nil)
        try Schema.lock(connection)
        try StateTable(on: connection).set(StateName.salvage, name)
        _ = try connection.checkpoint()
    }

    @Test func aForeignFileIsSetAsideWithItsDate() throws {
        try Data("#!/bin/sh\necho hello, this is no database at all\n".utf8).write(to: URL(fileURLWithPath: path))
        let journal = try Journal(settings, now: start)
        #expect(damagedFiles == ["j.sqlite.damaged-2026-11-23T10-00-00Z"])
        #expect(journal.status.alarms.count == 1)
        #expect(journal.status.alarms[0].contains("damaged-2026-11-23T10-00-00Z"))
        #expect(try journal.append([entry(1)], now: start) == 1...1)
    }

    @Test func aDatabaseOfAnotherProgramIsSetAsideUnchanged() throws {
        try victim.execute("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x')")
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let journal = try Journal(settings, now: start)
        #expect(damagedFiles.first.map { try? Data(contentsOf: URL(fileURLWithPath: directory.file($0))) } == before)
        #expect(journal.status.alarms.contains { $0.contains("another program") })
    }

    @Test func anEmptyFileBecomesAJournal() throws {
        try Data().write(to: URL(fileURLWithPath: path))
        let journal = try Journal(settings, now: start)
        #expect(try journal.append([entry(1)], now: start) == 1...1)
        #expect(damagedFiles.isEmpty && journal.status.alarms.isEmpty)
    }

    @Test func aLogWithoutItsDatabaseIsKept() throws {
        let journal = try Journal(settings, now: start)
        try journal.append(entries(0..<10), now: start)
        journal.close()
        try victim.change { $0 = Data() }
        let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
        let again = try Journal(settings, now: start)
        #expect(again.epoch != journal.epoch)
        #expect(damagedFiles.count == 2)
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory.file(damagedFiles[1]))) == log)
    }

    @Test func aTruncatedFileGivesWhatIsLeftUnderANewEpoch() throws {
        try victim.make(3_000)
        try victim.change { $0 = $0.prefix($0.count * 39 / 40 / pageSize * pageSize) }
        let journal = try Journal(settings, now: start)
        let rows = try journal.all()
        #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.sequence < $1.sequence })
        for row in rows { #expect(row == Journal.Record(entry(row.number ?? -1), sequence: row.sequence)) }
        #expect(rows.count > 1_000)
        let next = try #require(try journal.append([entry(1)], now: start))
        #expect(next.lowerBound > rows.last?.sequence ?? 0)
    }

    @Test func salvagedRowsKeepSequencesCursorsAndOrder() throws {
        var journal = try Journal(settings, now: start)
        try journal.append(entries(0..<1_000), now: start)
        try journal.advance("up", through: 400)
        journal.close()
        let epoch = journal.epoch
        // A state table without its epoch: the rows are good, the file is not.
        try victim.execute("UPDATE state SET value = 'x' WHERE name = 'epoch'")
        journal = try Journal(settings, now: start)
        #expect(journal.epoch != epoch && journal.epoch.count == 32)
        #expect(try journal.all().map(\.sequence) == Array(1...1_000))
        #expect(try journal.cursor("up") == 400)
        #expect(try journal.append([entry(1)], now: start) == 1_001...1_001)
        #expect(damagedFiles.count == 2)
        #expect(journal.status.alarms.contains { $0.contains("1000 rows were recovered") })
        journal.close()
        let again = try Journal(settings, now: start)
        #expect(again.status.alarms.isEmpty)
        #expect(try again.all().count == 1_001)
    }

    @Test func aDamagedCursorIsForgottenAndRowsAreSentAgain() throws {
        var journal = try Journal(settings, now: start)
        try journal.append(entries(0..<10), now: start)
        try journal.advance("up", through: 5)
        journal.close()
        try victim.execute("UPDATE state SET value = '9' WHERE name = 'cursor/up'")
        journal = try Journal(settings, now: start)
        #expect(try journal.cursor("up") == 0)
        #expect(journal.status.alarms.contains { $0.contains("cursor/up") })
        #expect(try journal.all().count == 10)
    }

    /// 2 and 3 were written before the first release.
    @Test(arguments: [2, 3, Schema.version + 1]) func anotherSchemaIsLeftAlone(_ version: Int64) throws {
        let journal = try Journal(settings, now: start)
        try journal.append(entries(0..<10), now: start)
        journal.close()
        try victim.execute("PRAGMA user_version=\(version)")
        let before = [path, path + "-wal"].map { try? Data(contentsOf: URL(fileURLWithPath: $0)) }
        let error = #expect(throws: JournalError.self) { _ = try Journal(settings, now: start) }
        #expect(error?.code == .newerSchema && error?.isTransient == false)
        #expect(error?.message.contains("Upgrade the program, let the version that wrote") == true)
        #expect([path, path + "-wal"].map { try? Data(contentsOf: URL(fileURLWithPath: $0)) } == before)
        #expect(directory.names == ["j.sqlite", "j.sqlite-wal"])
    }

    @Test func aRecoveredFileCanBeDamagedAgain() throws {
        var journal = try Journal(settings, now: start)
        try journal.append(entries(0..<500), now: start)
        try journal.advance("up", through: 100)
        for round in 1...3 {
            journal.close()
            try victim.change { $0.replaceSubrange(0..<16, with: Data(repeating: 0x55, count: 16)) }
            journal = try Journal(settings, now: start + Int64(round) * second)
            #expect(try journal.all().compactMap(\.number) == Array(0..<500))
            #expect(try journal.cursor("up") == 100)
        }
        #expect(try journal.append([entry(1)], now: start) == 501...501)
        #expect(journal.status.quarantined == 0)
    }

    @Test func aFileThatIsStillInItsLogIsNotTakenForANewOne() throws {
        var settings = settings
        // Filling the reserve would move everything into the file.
        settings.reserveBytes = 0
        let journal = try Journal(settings, now: start)
        let epoch = journal.epoch
        try journal.append(entries(0..<50), now: start)
        try journal.append(entries(50..<100), now: start)
        // As a kill leaves it: the rows are in the log. Its first page is hit.
        let files = try [path, path + "-wal"].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        journal.close()
        try files[0].write(to: URL(fileURLWithPath: path))
        try files[1].write(to: URL(fileURLWithPath: path + "-wal"))
        try victim.change(path + "-wal") { $0[900] ^= 1 }
        let again = try Journal(settings, now: start)
        #expect(again.epoch == epoch)
        #expect(try again.all().compactMap(\.number) == Array(0..<100))
    }

    @Test func aHeaderThatMakesPagesShorterCostsNoRows() throws {
        try victim.make(300)
        try victim.change { $0[20] ^= 0x20 }
        let journal = try Journal(settings, now: start)
        #expect(try journal.all().compactMap(\.number) == Array(0..<300))
        #expect(damagedFiles.count == 1 && journal.status.quarantined == 0)
    }
}
