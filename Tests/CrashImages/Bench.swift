import CSQLite
import Foundation
import Journal
import struct SimulationModel.SeededGenerator

/// Puts two files in place, opens them as the daemon would, and judges what it finds.
final class Bench {
    private let path: String
    private let epoch: String
    private(set) var lost: Int64 = 0

    init(path: String, epoch: String) {
        self.path = path
        self.epoch = epoch
    }

    /// Every acknowledged row that had not been deleted is there with its bytes, and nothing that was never appended.
    func openAfterCut(_ files: [[UInt8]], acknowledged: Int64, deleted: Int64, isThorough: Bool) throws {
        let (journal, rows) = try open(files)
        defer { journal.close() }
        try check(journal.epoch == epoch, "another epoch: the file was set aside")
        let status = journal.status
        try check(
            status.quarantined == 0 && status.dropped == 0, "\(status.quarantined) rows quarantined: \(status.alarms)")
        var expected = max(deleted + 1, rows.first?.firstSequence ?? acknowledged + 1)
        try check(
            rows.first.map { $0.firstSequence <= deleted + 1 } ?? (deleted >= acknowledged),
            "begins at \(rows.first?.firstSequence ?? 0), deleted through \(deleted)")
        for row in rows where row.sequence >= expected {
            try check(row.firstSequence <= expected, "\(expected) is missing before \(row.firstSequence)")
            expected = row.sequence + 1
        }
        try check(expected > acknowledged, "ends at \(expected - 1), acknowledged \(acknowledged)")
        let last = rows.last?.sequence ?? 0
        let next = try journal.append([Recording.entry(1)], now: Recording.start)
        try check((next?.lowerBound ?? 0) > max(last, acknowledged), "\(next ?? 0...0) given out again after \(last)")
        if isThorough {
            journal.close()
            try check(try integrity() == "ok", "integrity_check: \(try integrity())")
        }
    }

    /// What the rows of a page take at most.
    private static let sequencesOfPage = 80

    /// Nothing wrong comes out, and what is missing was counted.
    func openAfterFlip(_ files: [[UInt8]], acknowledged: Int64, deleted: Int64) throws {
        let (journal, rows) = try open(files)
        defer { journal.close() }
        let found = Set(rows.flatMap { $0.firstSequence...$0.sequence })
        var missing: Int64 = 0
        for sequence in deleted + 1..<acknowledged + 1 where !found.contains(sequence) { missing += 1 }
        let status = journal.status
        // How many rows an unreadable page of the log had, nobody can say; then there is an alarm instead.
        let isTold = status.alarms.contains { $0.contains("log is damaged") } && missing <= Self.sequencesOfPage
        try check(
            missing <= status.quarantined + status.dropped || isTold,
            "\(missing) rows missing, \(status.quarantined) counted, alarms \(status.alarms)")
        lost += missing
    }

    /// A byte of the database, or of the part of the log that was there before the last two batches: a wrong bit in
    /// those cannot be told from a torn write of the last.
    func place(in files: [[UInt8]], file: Int, before: [UInt8], random: inout SeededGenerator) -> Int? {
        guard file == 1 else { return files[0].isEmpty ? nil : Int.random(in: 0..<files[0].count, using: &random) }
        let shared = zip(files[1], before).prefix { $0 == $1 }.count
        return shared < 1024 ? nil : Int.random(in: 0..<shared, using: &random)
    }

    private func open(_ files: [[UInt8]]) throws -> (Journal, [Journal.Record]) {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        for name in try FileManager.default.contentsOfDirectory(atPath: directory)
        where name.hasPrefix("journal.sqlite") {
            try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
        }
        try Data(files[0]).write(to: URL(fileURLWithPath: path))
        try Data(files[1]).write(to: URL(fileURLWithPath: path + "-wal"))
        var settings = Recording.settings(path)
        settings.vfs = nil
        let journal = try Journal(settings, now: Recording.start)
        var rows: [Journal.Record] = []
        var after: Int64 = 0
        var setAside = false
        while true {
            let batch: Journal.Batch
            do throws(JournalError) {
                batch = try journal.read(after: after, rows: 1000)
            } catch {
                // A flipped pointer hides rows; the file is set aside then, once, and the next call reads its rows.
                guard error.code == .corrupt, !setAside else { throw error }
                (setAside, rows, after) = (true, [], 0)
                continue
            }
            if batch.records.isEmpty, batch.scannedThrough == after { break }
            rows += batch.records
            after = batch.scannedThrough
        }
        for row in rows {
            let entry = Recording.entry(row.firstSequence)
            try check(
                row.payload == entry.payload && row.topic == entry.topic && row.attributes == entry.attributes
                    && row.span == entry.span,
                "row \(row.sequence) is not what was appended: \(row.topic) \(String(decoding: row.payload, as: UTF8.self))"
            )
        }
        return (journal, rows)
    }

    private func integrity() throws -> String {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK else { return "cannot be opened" }
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard sqlite3_prepare_v2(handle, "PRAGMA integrity_check", -1, &statement, nil) == SQLITE_OK,
            sqlite3_step(statement) == SQLITE_ROW, let text = sqlite3_column_text(statement, 0)
        else { return "cannot be asked" }
        return String(cString: text)
    }

    private func check(_ condition: Bool, _ sentence: @autoclosure () throws -> String) throws {
        if !condition { throw CrashImages.Broken(description: try sentence()) }
    }
}
