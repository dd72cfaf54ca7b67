import FaultyDisk
import Foundation
import Journal
import Synchronization

/// What a journal did to its two files, in order, and which rows were acknowledged when.
struct Recording {
    enum File: Int, CaseIterable { case database, log }
    enum Step {
        case write(File, offset: Int, bytes: [UInt8])
        case truncate(File, size: Int)
        case sync(File)
        /// Rows up to here were acknowledged, and up to here they may have been deleted.
        case acknowledged(through: Int64, deletedThrough: Int64)
    }

    /// The files when the recording began, all of it durable.
    var initial: [[UInt8]] = [[], []]
    var steps: [Step] = []
    var epoch = ""

    static let start: Int64 = 1_795_428_000_000_000_000

    /// The one row that begins with a sequence; every fourth takes several.
    static func entry(_ first: Int64) -> Journal.Record {
        let topic = ["office/temperature", "bath/temperature", "office/heatpump"][Int(first % 3)]
        let padding = String(repeating: "x", count: first % 97 == 0 ? 2_000 : Int(first % 13))
        return Journal.Record(
            topic: topic, payload: Array("{\"value\": \(first), \"padding\": \"\(padding)\"}".utf8),
            attributes: first % 5 == 0 ? [1, 2, 3] : [], packetID: UInt16(truncatingIfNeeded: first),
            receivedAt: start + first, span: first % 4 == 0 ? 2 + Int(first % 7) : 1)
    }

    static func settings(_ path: String) -> Journal.Settings {
        // A small log, so that it is checkpointed and begun anew many times.
        var settings = Journal.Settings(
            path: path, maxBytes: 4 << 20, history: .zero, pageSize: 1024, reserveBytes: 0, logBytes: 64 << 10)
        settings.vfs = FaultyDisk.vfs
        return settings
    }

    /// Appends batches of many sizes, confirms behind them, and sets a bad message aside now and then.
    static func make(directory: String, commits: Int, random: inout some RandomNumberGenerator) throws -> Recording {
        let disk = FaultyDisk(directory: directory)
        let path = directory + "/journal.sqlite"
        let journal = try Journal(settings(path), now: start)
        defer { journal.close() }
        var recording = Recording()
        recording.epoch = journal.epoch
        recording.initial = try [path, path + "-wal"].map { try [UInt8](Data(contentsOf: URL(fileURLWithPath: $0))) }
        let steps = Mutex<[Step]>([])
        disk.on { call in
            let file: File = call.path.hasSuffix("-wal") ? .log : .database
            switch call.operation {
            case .write(let bytes): steps.withLock { $0.append(.write(file, offset: Int(call.offset), bytes: bytes)) }
            case .truncate: steps.withLock { $0.append(.truncate(file, size: Int(call.offset))) }
            case .sync: steps.withLock { $0.append(.sync(file)) }
            case .read: break
            }
            return nil
        }
        var next: Int64 = 1
        for _ in 0..<commits {
            var entries: [Journal.Record] = []
            for _ in 0..<([1, 1, 2, 5, 20, 60].randomElement(using: &random) ?? 1) {
                let entry = entry(next)
                entries.append(entry)
                next += Int64(entry.span)
            }
            let rejected =
                Int.random(in: 0..<12, using: &random) == 0
                ? [Journal.Rejected(topic: "t", payload: [1, 2], reason: "bad", receivedAt: start)] : []
            let range = try journal.append(entries, settingAside: rejected, now: start)
            if Int.random(in: 0..<4, using: &random) == 0, next > 300 {
                try journal.confirm(
                    [1...(next - Int64.random(in: 100...300, using: &random))], cursor: "up", now: start)
            }
            let kept = journal.status.firstKept
            steps.withLock {
                $0.append(.acknowledged(through: range?.upperBound ?? next - 1, deletedThrough: kept - 1))
            }
        }
        disk.on(nil)
        recording.steps = steps.withLock { $0 }
        return recording
    }
}
