import CSQLite
import FaultyDisk
import Foundation
import Testing

@testable import Journal

/// A journal with an earlier layout, opened by a program that knows a later one.
@Suite struct MigrationTests {
    let directory: TemporaryDirectory
    let disk: FaultyDisk
    /// As the earlier program has it.
    let earlier: Journal.Settings
    /// As the later one has it, with two steps: every row is written anew, then a column is added.
    let later: Journal.Settings

    init() throws {
        directory = try TemporaryDirectory()
        disk = FaultyDisk(directory: directory.path)
        var settings = Journal.Settings(path: directory.file("j.sqlite"))
        settings.vfs = FaultyDisk.vfs
        earlier = settings
        settings.migrations = Migrations(
            steps: Migrations.released.steps + [
                """
                CREATE TABLE moved (sequence INTEGER PRIMARY KEY, topic, received INTEGER, packet INTEGER, crc INTEGER,
                    attributes BLOB, payload BLOB);
                INSERT INTO moved SELECT sequence, topic, received, packet, crc, attributes, payload FROM entry;
                DROP TABLE entry;
                ALTER TABLE moved RENAME TO entry
                """,
                "ALTER TABLE entry ADD COLUMN note TEXT; CREATE TABLE later (id INTEGER PRIMARY KEY)",
            ])
        later = settings
    }

    /// A closed journal of the earlier program, with rows 0..<count of which the first ten are confirmed.
    private func make(_ count: Int) throws -> (epoch: String, records: [Journal.Record]) {
        let journal = try Journal(earlier, now: start)
        for batch in stride(from: 0, to: count, by: 100) {
            try journal.append(entries(batch..<min(batch + 100, count)), now: start)
        }
        try journal.advance("up", through: 10)
        defer { journal.close() }
        return (journal.epoch, try journal.all())
    }

    /// What SQLite itself says about the file, without the journal's code.
    private func layout() throws -> (version: String, columns: String, integrity: String) {
        let connection = try SQLiteConnection(path: earlier.path, vfs: nil)
        try Schema.lock(connection)
        return (
            try connection.value("PRAGMA user_version", doing: "asking") ?? "",
            try connection.value("SELECT group_concat(name) FROM pragma_table_info('entry')", doing: "asking") ?? "",
            try connection.value("PRAGMA integrity_check", doing: "asking") ?? ""
        )
    }

    /// The layout after the later program's steps.
    private static let newest = "\(Migrations.released.version + 2)"

    private static let newColumns = "sequence,topic,received,packet,crc,attributes,payload,note"

    @Test func theReleasedStepsLeadToTheVersionThatNewFilesHave() {
        #expect(Migrations.released.version == Schema.version)
    }

    @Test func everyStepRunsOnceAndRowsCursorsAndEpochStay() throws {
        let before = try make(1000)
        let journal = try Journal(later, now: start)
        #expect(journal.epoch == before.epoch)
        #expect(try journal.all() == before.records)
        #expect(try journal.cursor("up") == 10)
        #expect(try journal.append([entry(1000)], now: start) == 1001...1001)
        journal.close()
        #expect(try layout() == (Self.newest, Self.newColumns, "ok"))
        // Run again, the first step would take the column away.
        let again = try Journal(later, now: start)
        #expect(try again.all().count == before.records.count + 1)
        again.close()
        #expect(try layout() == (Self.newest, Self.newColumns, "ok"))
        #expect(directory.names == ["j.sqlite", "j.sqlite-wal"])
    }

    @Test func theEarlierProgramRefusesTheResultAndLeavesItAlone() throws {
        _ = try make(100)
        try Journal(later, now: start).close()
        let before = try Data(contentsOf: URL(fileURLWithPath: earlier.path))
        let error = #expect(throws: JournalError.self) { _ = try Journal(earlier, now: start) }
        #expect(error?.code == .newerSchema)
        #expect(error?.message.contains("schema \(Self.newest), this one knows \(Migrations.released.version)") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: earlier.path)) == before)
    }

    /// From one call on nothing reaches the files any more, as after kill -9: once for each write, sync and truncation
    /// of the whole migration. What the files have then is opened by the later program again.
    @Test(arguments: [false, true]) func killedAnywhereNothingIsLost(withHalfAWrite torn: Bool) throws {
        let before = try make(300)
        let files = ["", "-wal"].map { earlier.path + $0 }
        let contents = try files.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        var versions: Set<String> = []
        var last = 0
        for death in 1... {
            for (file, data) in zip(files, contents) { try data.write(to: URL(fileURLWithPath: file)) }
            let calls = Counter()
            disk.on { call in
                if call.operation == .read { return nil }
                calls.add(1)
                guard calls.value >= death else { return nil }
                if torn, calls.value == death, case .write(let bytes) = call.operation {
                    Self.writeHalf(bytes, to: call.path, at: call.offset)
                }
                return SQLITE_IOERR | (3 << 8)
            }
            let survivor = try? Journal(later, now: start)
            disk.on(nil)
            let wasKilled = calls.value >= death
            // Nothing of it may write when the process is dead: closed without the disk's help.
            disk.on { $0.operation == .read ? nil : SQLITE_IOERR | (3 << 8) }
            survivor?.close()
            disk.on(nil)
            if survivor == nil { versions.insert(try layout().version) }

            let journal = try Journal(later, now: start)
            #expect(journal.epoch == before.epoch, "killed at call \(death)")
            #expect(try journal.all() == before.records, "killed at call \(death)")
            #expect(try journal.cursor("up") == 10)
            journal.close()
            #expect(try layout() == (Self.newest, Self.newColumns, "ok"), "killed at call \(death)")
            #expect(directory.names == ["j.sqlite", "j.sqlite-wal"], "killed at call \(death)")
            if !wasKilled { break }
            last = death
        }
        // The deaths have to have been before, between and after the steps.
        #expect(
            versions.isSuperset(of: ["\(Schema.version)", "\(Schema.version + 1)"]),
            "only \(versions) in \(last) deaths")
        #expect(last > 50)
    }

    @Test func aFullDiskLeavesTheEarlierLayoutAndIsTriedAgain() throws {
        let before = try make(300)
        disk.on { call in
            if case .write = call.operation { return SQLITE_FULL }
            return nil
        }
        #expect(code { _ = try Journal(later, now: start) } == .full)
        disk.on(nil)
        #expect(try layout().version == "\(Schema.version)")
        let journal = try Journal(later, now: start)
        #expect(try journal.all() == before.records)
        journal.close()
    }

    private static func writeHalf(_ bytes: [UInt8], to path: String, at offset: Int64) {
        let descriptor = open(path, O_WRONLY)
        guard descriptor >= 0 else { return }
        pwrite(descriptor, bytes, bytes.count / 2, off_t(offset))
        close(descriptor)
    }
}
