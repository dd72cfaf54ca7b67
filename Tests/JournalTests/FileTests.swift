import CSQLite
import FaultyDisk
import Foundation
import Testing

@testable import Journal

/// What is on the disk, and who may touch it.
@Suite struct FileTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("j.sqlite")
    }

    @Test(.enabled(if: (try? run("sqlite3", "--version").status) == 0, "needs the sqlite3 shell"))
    func anOutsideShellFindsTheFileLocked() throws {
        let journal = try Journal(.init(path: path), now: start)
        try journal.append(entries(0..<10), now: start)
        let answer = try run("sqlite3", path, "SELECT count(*) FROM entry")
        #expect(answer.status != 0)
        #expect(answer.output.contains("database is locked"))
        journal.close()
        #expect(try run("sqlite3", path, "SELECT count(*) FROM entry").output == "10\n")
    }

    @Test func aSecondJournalOnTheFileIsRefusedAndTheFirstGoesOn() throws {
        let journal = try Journal(.init(path: path), now: start)
        #expect(code { _ = try Journal(.init(path: path), now: start) } == .locked)
        #expect(try journal.append([entry(1)], now: start) == 1...1)
        #expect(directory.names == ["j.sqlite", "j.sqlite-wal"])
    }

    @Test func thereIsOneDescriptorAndNoSharedMemoryFile() throws {
        let journal = try Journal(.init(path: path), now: start)
        for batch in 0..<100 { try journal.append(entries(batch * 50..<batch * 50 + 50), now: start) }
        _ = try journal.all()
        try journal.confirm([1...5000], cursor: "up", now: start)
        let targets = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        #expect(targets.filter { $0 == path }.count == 1)
        #expect(targets.filter { $0 == path + "-wal" }.count == 1)
        #expect(directory.names == ["j.sqlite", "j.sqlite-wal"])
        #expect(journal.status.lastError == nil)
    }

    @Test func theLogIsGrownOnceAndKeptWhenClosed() throws {
        let journal = try Journal(.init(path: path), now: start)
        #expect(try FileSystem.size(path + "-wal") == 4 << 20)
        for batch in 0..<300 { try journal.append(entries(batch * 100..<batch * 100 + 100), now: start) }
        #expect(try FileSystem.size(path + "-wal") == 4 << 20)
        journal.close()
        #expect(try FileSystem.size(path + "-wal") == 4 << 20)
        let again = try Journal(.init(path: path), now: start)
        #expect(try again.append([entry(1)], now: start) == 30_001...30_001)
        #expect(try FileSystem.size(path + "-wal") == 4 << 20)
    }

    @Test func theFileSaysWhatItIsAndHowItMustBeOpen() throws {
        let journal = try Journal(.init(path: path, pageSize: 4096), now: start)
        journal.close()
        let connection = try SQLiteConnection(path: path, vfs: nil)
        for (pragma, value) in [
            ("application_id", "1213355080"), ("user_version", "\(Schema.version)"), ("page_size", "4096"),
            ("journal_mode", "wal"),
            ("auto_vacuum", "0"),
        ] {
            #expect(try connection.value("PRAGMA \(pragma)", doing: "reading") == value)
        }
    }

    /// Counted in bytes read through SQLite, which no slow machine can distort.
    @Test func openingReadsTheSameForALargeBacklogAsForASmallOne() throws {
        let disk = FaultyDisk(directory: directory.path)
        func bytesToOpen(rows: Int) throws -> (database: Int, log: Int) {
            var settings = Journal.Settings(path: directory.file("rows-\(rows)"))
            settings.vfs = FaultyDisk.vfs
            let journal = try Journal(settings, now: start)
            for batch in stride(from: 0, to: rows, by: 1000) {
                try journal.append(entries(batch..<batch + 1000), now: start)
            }
            try journal.advance("up", through: Int64(rows) / 2)
            journal.close()
            let database = Counter()
            let log = Counter()
            disk.on { call in
                if call.operation == .read { (call.path.hasSuffix("-wal") ? log : database).add(call.bytes) }
                return nil
            }
            let again = try Journal(settings, now: start)
            disk.on(nil)
            #expect(again.status.newest == Int64(rows))
            return (database.value, log.value)
        }
        let small = try bytesToOpen(rows: 2_000)
        let large = try bytesToOpen(rows: 60_000)
        #expect(large.database <= small.database + 8 << 10, "\(small) and \(large) bytes")
        // The log is read from its beginning to the last commit since it was last begun, whatever the backlog is.
        #expect(max(small.log, large.log) <= 3 << 20)
    }

    @Test(.enabled(if: geteuid() != 0 || (try? run("setpriv", "--version").status) == 0, "needs a second user"))
    func aMissingDirectoryIsAPermissionMatterAndNothingIsMade() throws {
        let error = #expect(throws: JournalError.self) {
            _ = try Journal(.init(path: directory.file("missing/j.sqlite")), now: start)
        }
        #expect(error?.code == .permission)
        #expect(error?.message.contains("Check that the directory exists") == true)
        #expect(directory.names.isEmpty)
    }

    @Test(.enabled(if: LoopDisk.isPossible, "needs root and loop devices"))
    func aReadOnlyFileSystemIsAPermissionMatter() throws {
        let disk = try LoopDisk(megabytes: 32)
        let settings = Journal.Settings(path: disk.path + "/j.sqlite")
        let journal = try Journal(settings, now: start)
        try journal.append(entries(0..<10), now: start)
        journal.close()
        try run("mount", "-o", "remount,ro", disk.path)
        #expect(code { _ = try Journal(settings, now: start) } == .permission)
        try run("mount", "-o", "remount,rw", disk.path)
        let again = try Journal(settings, now: start)
        #expect(try again.all().count == 10)
        again.close()
    }
}

/// A number that several threads add to.
final class Counter: @unchecked Sendable {
    // Every access holds the lock.
    private let lock = NSLock()
    private var sum = 0

    func add(_ count: Int) { lock.withLock { sum += count } }
    var value: Int { lock.withLock { sum } }
}
