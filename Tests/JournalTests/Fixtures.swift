import Foundation
import Machine
import SimulationModel
import Testing

@testable import Journal

/// A directory that is gone when the test is.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        path = "\(parent)/journal-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

extension SeededGenerator {
    /// A fresh seed, or the one in HEARTH_SEED to repeat a failure; printed.
    static func seed(_ test: String) -> UInt64 {
        let seed =
            ProcessInfo.processInfo.environment["HEARTH_SEED"].flatMap { UInt64($0) }
            ?? UInt64.random(in: 1...UInt64.max)
        print("\(test): HEARTH_SEED=\(seed)")
        return seed
    }
}

let second: Int64 = 1_000_000_000
let hour: Int64 = 3_600 * second
/// 2026-11-23T10:00:00Z
let start: Int64 = 1_795_428_000 * second

func entry(_ number: Int, topic: String = "office/temperature", at time: Int64 = start) -> Journal.Record {
    Journal.Record(
        topic: topic, payload: Array("{\"timestamp\": \"2026-11-23T10:00:00.123456\", \"value\": \(number)}".utf8),
        packetID: UInt16(truncatingIfNeeded: number), receivedAt: time)
}

func entries(_ numbers: Range<Int>, at time: Int64 = start) -> [Journal.Record] { numbers.map { entry($0, at: time) } }

extension Journal.Record {
    init(_ entry: Journal.Record, sequence: Int64) {
        self = entry
        self.sequence = sequence
    }

    /// The number that ``entry(_:topic:at:)`` was made with.
    var number: Int? {
        let text = String(decoding: payload, as: UTF8.self)
        guard let range = text.range(of: "\"value\": ") else { return nil }
        return Int(text[range.upperBound...].dropLast())
    }
}

extension Journal {
    /// Everything above `after`, read in small batches.
    func all(after: Int64 = 0, rows: Int = 100, topic: String? = nil) throws -> [Record] {
        var position = after
        var records: [Record] = []
        while true {
            let batch = try read(after: position, rows: rows, bytes: 1 << 20, topics: topic.map { [$0] })
            records += batch.records
            if batch.scannedThrough <= position { return records }
            position = batch.scannedThrough
        }
    }
}

/// The code of the JournalError that `body` throws.
func code(_ body: () throws -> Void) -> JournalError.Code? {
    do { try body() } catch let error as JournalError { return error.code } catch { return nil }
    return nil
}

/// Runs a program to its end. Returns status, and both outputs together.
@discardableResult
func run(_ arguments: String...) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// What `sqlite3`'s own check says about a closed file; the answer comes from SQLite, not from the journal.
func integrity(of path: String) throws -> String {
    let connection = try SQLiteConnection(path: path, vfs: nil)
    try Schema.lock(connection)
    return try connection.value("PRAGMA integrity_check", doing: "checking") ?? ""
}

/// Waits for a condition. Returns whether it came true in time.
func eventually(within seconds: Double = 10, _ condition: () -> Bool) -> Bool {
    let deadline = Clock.bootNanoseconds + Int64(seconds * 1e9)
    while Clock.bootNanoseconds < deadline {
        if condition() { return true }
        usleep(1_000)
    }
    return condition()
}

/// A small ext4 file system in a file, on a loop device.
final class LoopDisk {
    private let directory: TemporaryDirectory
    private let image: String
    let path: String

    static let isPossible: Bool = {
        guard geteuid() == 0, let disk = try? LoopDisk(megabytes: 8) else { return false }
        return (try? disk.unmount()) != nil
    }()

    init(megabytes: Int) throws {
        directory = try TemporaryDirectory()
        image = directory.file("image")
        path = directory.file("mount")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try check(run("truncate", "-s", "\(megabytes)M", image))
        // No blocks for root only: the tests run as root, and a full disk has to be full for them.
        try check(run("mkfs.ext4", "-q", "-m", "0", image))
        try mount()
    }

    deinit { _ = try? run("umount", "-l", path) }

    func mount() throws { try check(run("mount", "-o", "loop", image, path)) }
    func unmount() throws { try check(run("umount", path)) }

    /// Stops the file system as a power cut would: what is not on the device is gone.
    func cut() {
        let descriptor = open(path, O_RDONLY)
        var withoutFlushingTheLog: UInt32 = 2
        // FS_IOC_GOINGDOWN, linux/fs.h: _IOR('X', 125, __u32)
        _ = ioctl(descriptor, 0x8004_587d, &withoutFlushingTheLog)
        close(descriptor)
    }

    /// Fills every byte with one other file.
    func fill(leaving bytes: Int = 0) throws {
        let descriptor = open(path + "/other", O_CREAT | O_WRONLY, 0o600)
        defer { close(descriptor) }
        var space = statvfs()
        statvfs(path, &space)
        let wanted = Int(space.f_bavail) * Int(space.f_frsize) - bytes
        _ = posix_fallocate(descriptor, 0, max(wanted, 1))
        var size = lseek(descriptor, 0, SEEK_END)
        for block in [1 << 20, 4096, 1] where bytes == 0 {
            while posix_fallocate(descriptor, size, off_t(block)) == 0 { size += off_t(block) }
        }
        fsync(descriptor)
    }

    func free() { unlink(path + "/other") }

    private func check(_ result: (status: Int32, output: String)) throws {
        struct Failed: Error { let output: String }
        guard result.status == 0 else { throw Failed(output: result.output) }
    }
}
