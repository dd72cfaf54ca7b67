import CSQLite
import FaultyDisk
import Foundation
import Machine
import SimulationModel
import Synchronization
import Testing

@testable import Journal

/// Disks that fail, hang and fill up, made by a VFS in between.
@Suite struct DiskFailureTests {
    let directory: TemporaryDirectory
    let disk: FaultyDisk
    let settings: Journal.Settings
    let journal: Journal

    init() throws {
        directory = try TemporaryDirectory()
        disk = FaultyDisk(directory: directory.path)
        var settings = Journal.Settings(path: directory.file("j.sqlite"))
        settings.vfs = FaultyDisk.vfs
        self.settings = settings
        journal = try Journal(settings, now: start)
        try journal.append(entries(0..<100), now: start)
    }

    @Test func afterAFailedFsyncTheFileIsOpenedAgainAndNothingAcknowledgedIsMissing() throws {
        disk.on { $0.operation == .sync ? SQLITE_IOERR | (4 << 8) : nil }
        let error = #expect(throws: JournalError.self) { try journal.append(entries(100..<110), now: start) }
        #expect(error?.code == .io && error?.isTransient == true)
        #expect(error?.message.contains("Check the disk") == true)
        #expect(journal.status.lastError != nil)
        disk.on(nil)
        let next = try #require(try journal.append(entries(200..<205), now: start))
        // The failed batch may be there or not, but whole, and its sequences belong to nobody else.
        let numbers = try journal.all().compactMap(\.number)
        #expect(numbers == Array(0..<100) + Array(200..<205) || numbers == Array(0..<110) + Array(200..<205))
        #expect(next.upperBound == Int64(numbers.count))
        #expect(journal.status.lastError == nil)
        #expect(journal.status.alarms.isEmpty)
    }

    @Test func aFailedWriteLeavesNoTransactionOpen() throws {
        for failing in 1...12 {
            let calls = Counter()
            disk.on { call in
                guard case .write = call.operation else { return nil }
                calls.add(1)
                return calls.value == failing ? SQLITE_IOERR | (3 << 8) : nil
            }
            _ = try? journal.append(entries(0..<50), now: start)
            disk.on(nil)
            let first = try #require(try journal.append([entry(7)], now: start))
            #expect(first.lowerBound == first.upperBound)
            #expect(try journal.recent(1).first?.sequence == first.upperBound)
        }
        let sequences = try journal.all().map(\.sequence)
        #expect(sequences == Array(1...Int64(sequences.count)))
    }

    @Test func confirmationsOutliveAnIOErrorThoughTheyWereNotWritten() throws {
        try journal.confirm([1...10], cursor: "up", now: start)
        try journal.confirm([11...20, 31...40], cursor: "up", now: start)
        disk.on { $0.operation == .sync ? SQLITE_IOERR | (4 << 8) : nil }
        #expect(code { try journal.append(entries(0..<1), now: start) } == .io)
        disk.on(nil)
        #expect(try journal.cursor("up") == 20)
        try journal.confirm([21...30], cursor: "up", now: start)
        #expect(try journal.cursor("up") == 40)
    }

    @Test func aFullDiskStoresNothingAndIsOverByItself() throws {
        disk.on { call in
            if case .write = call.operation { SQLITE_FULL } else { nil }
        }
        for _ in 0..<3 {
            let error = #expect(throws: JournalError.self) { try journal.append(entries(100..<200), now: start) }
            #expect(error?.code == .full && error?.isTransient == true)
        }
        #expect(journal.status.alarms.contains { $0.contains("full") })
        #expect(try journal.all().count == 100)
        disk.on(nil)
        #expect(try journal.append(entries(100..<200), now: start) == 101...200)
        #expect(journal.status.alarms.isEmpty)
        #expect(try journal.all().compactMap(\.number) == Array(0..<200))
    }

    @Test func aTransactionThatFailsMovesNoCursorEither() throws {
        disk.on { call in
            if case .write = call.operation { SQLITE_FULL } else { nil }
        }
        #expect(
            code { try journal.append([entry(1, topic: "new")], advancing: [("p", 50)], now: start) }
                == .full)
        disk.on(nil)
        #expect(try journal.cursor("p") == 0)
        #expect(
            try journal.append([entry(1, topic: "new")], advancing: [("p", 50)], now: start) == 101...101
        )
        #expect(try journal.read(after: 0, rows: 10, topics: ["new"]).records.count == 1)
        journal.close()
        // The topic's number must not have stayed in memory only.
        #expect(try Journal(settings, now: start).read(after: 100, rows: 10, topics: ["new"]).records.count == 1)
    }

    @Test func statusAnswersWhileAnAppendHangsInFsync() throws {
        let gate = DispatchSemaphore(value: 0)
        let hanging = Mutex(false)
        disk.on { call in
            guard call.operation == .sync else { return nil }
            hanging.withLock { $0 = true }
            gate.wait()
            return nil
        }
        let done = DispatchSemaphore(value: 0)
        let journal = self.journal
        Thread.detachNewThread {
            _ = try? journal.append(entries(100..<110), now: start)
            done.signal()
        }
        #expect(eventually { hanging.withLock { $0 } })
        let before = Clock.bootNanoseconds
        let status = journal.status
        #expect(status.newest == 100)
        #expect(status.busySince.map { $0 <= before } == true)
        #expect(journal.epoch.count == 32)
        #expect(Clock.bootNanoseconds - before < second)
        disk.on(nil)
        for _ in 0..<10 { gate.signal() }
        #expect(done.wait(timeout: .now() + 20) == .success)
        #expect(journal.status.newest == 110)
        #expect(journal.status.busySince == nil)
    }

    @Test func aBadSectorIsPassedAfterASecondTry() throws {
        try journal.append(entries(100..<6_000), now: start)
        journal.close()
        // Without the log every page comes from the database.
        try FileManager.default.removeItem(atPath: settings.path + "-wal")
        let again = try Journal(settings, now: start)
        let reads = Mutex<[Int64]>([])
        disk.on { call in
            guard call.operation == .read, !call.path.hasSuffix("-wal") else { return nil }
            return reads.withLock { reads in
                if reads.count < 150 { reads.append(call.offset) }
                return reads.count == 150 && reads[149] == call.offset ? SQLITE_IOERR | (1 << 8) : nil
            }
        }
        var position: Int64 = 0
        var failures = 0
        var numbers: [Int] = []
        while position < 6_000, failures < 10 {
            do {
                let batch = try again.read(after: position, rows: 100)
                numbers += batch.records.compactMap(\.number)
                position = batch.scannedThrough
            } catch {
                #expect(error.code == .io)
                failures += 1
            }
        }
        #expect(position == 6_000)
        #expect(failures <= 3)
        #expect(numbers.count > 5_800 && numbers.count < 6_000)
        #expect(again.status.quarantined == Int64(6_000 - numbers.count))
    }

    /// Every write and sync of a run is recorded; images are built as a power cut would leave them: all that was synced,
    /// and any part of what was not, torn at 512 bytes. Each has to open with every acknowledged row.
    @Test func everyCrashImageHoldsWhatWasAcknowledged() throws {
        let seed = SeededGenerator.seed("everyCrashImageHoldsWhatWasAcknowledged")
        var random = SeededGenerator(seed: seed)
        var small = settings
        small.path = directory.file("small")
        small.maxBytes = 1 << 20
        small.history = .zero
        let journal = try Journal(small, now: start)
        try run("cp", small.path, directory.file("base"))
        try run("cp", small.path + "-wal", directory.file("base-wal"))

        let log = Mutex<[Recorded]>([])
        disk.on { call in
            let isLog = call.path.hasSuffix("-wal")
            log.withLock { log in
                switch call.operation {
                case .write(let bytes): log.append(.write(isLog: isLog, offset: Int(call.offset), bytes))
                case .truncate: log.append(.truncate(isLog: isLog, size: Int(call.offset)))
                case .sync: log.append(.sync(isLog: isLog))
                case .read: break
                }
            }
            return nil
        }
        for batch in 0..<120 {
            let range = try #require(try journal.append(entries(batch * 40..<batch * 40 + 40), now: start))
            log.withLock { $0.append(.acknowledged(range.upperBound)) }
            if batch % 10 == 9 { try journal.confirm([1...range.upperBound - 200], cursor: "up", now: start + hour) }
        }
        disk.on(nil)
        let records = log.withLock { $0 }
        let base = (
            try Data(contentsOf: URL(fileURLWithPath: directory.file("base"))),
            try Data(contentsOf: URL(fileURLWithPath: directory.file("base-wal")))
        )
        for image in 0..<50 {
            let cut = Int.random(in: 0...records.count, using: &random)
            let crash = CrashImage(base.0, base.1, records[..<cut], using: &random)
            let path = directory.file("image-\(image)")
            try crash.database.write(to: URL(fileURLWithPath: path))
            try crash.log.write(to: URL(fileURLWithPath: path + "-wal"))
            let opened = try Journal(.init(path: path, maxBytes: 1 << 20), now: start)
            #expect(opened.status.alarms.isEmpty, "seed \(seed) image \(image)")
            #expect(opened.status.newest >= crash.acknowledged, "seed \(seed) image \(image)")
            let rows = try opened.all(rows: 1000)
            #expect(rows.allSatisfy { $0.number == Int($0.sequence) - 1 }, "seed \(seed) image \(image)")
            #expect(
                rows.map(\.sequence) == Array(opened.status.firstKept..<opened.status.newest + 1),
                "seed \(seed) image \(image)")
            #expect(opened.status.dropped == 0 && opened.status.quarantined == 0)
            opened.close()
            #expect(try integrity(of: path) == "ok", "seed \(seed) image \(image)")
            for suffix in ["", "-wal"] { try FileManager.default.removeItem(atPath: path + suffix) }
        }
    }
}

private enum Recorded: Sendable {
    case write(isLog: Bool, offset: Int, [UInt8])
    case truncate(isLog: Bool, size: Int)
    case sync(isLog: Bool)
    case acknowledged(Int64)
}

/// What a power cut leaves of two files.
private struct CrashImage {
    var database: Data
    var log: Data
    var acknowledged: Int64 = 0

    init(_ database: Data, _ log: Data, _ records: ArraySlice<Recorded>, using random: inout SeededGenerator) {
        self.database = database
        self.log = log
        // A write is certain once its file was synced after it.
        var certain: (database: Int, log: Int) = (records.startIndex, records.startIndex)
        for (index, record) in zip(records.indices, records) {
            if case .sync(let isLog) = record {
                if isLog { certain.log = index } else { certain.database = index }
            }
        }
        for (index, record) in zip(records.indices, records) {
            switch record {
            case .write(let isLog, let offset, let bytes):
                if index < (isLog ? certain.log : certain.database) {
                    write(isLog, offset, bytes[...])
                } else if Bool.random(using: &random) {
                    let end = Int.random(in: 0...bytes.count / 512, using: &random) * 512
                    write(isLog, offset, bytes[..<(Bool.random(using: &random) ? bytes.count : min(end, bytes.count))])
                }
            case .truncate(let isLog, let size):
                if index < (isLog ? certain.log : certain.database) { truncate(isLog, size) }
            case .sync: break
            case .acknowledged(let sequence): acknowledged = sequence
            }
        }
    }

    private mutating func write(_ isLog: Bool, _ offset: Int, _ bytes: ArraySlice<UInt8>) {
        func apply(_ data: inout Data) {
            if data.count < offset + bytes.count { data.append(Data(count: offset + bytes.count - data.count)) }
            data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        if isLog { apply(&log) } else { apply(&database) }
    }

    private mutating func truncate(_ isLog: Bool, _ size: Int) {
        // The VFS rounds the database up to its chunk; a longer file is what the disk then has.
        if isLog, log.count > size { log = log.prefix(size) }
    }
}
