import CSQLite
import Glibc

/// An open journal file: the connection, its prepared statements, and what was read from it at the start.
///
/// Everything here ends with the connection; after an I/O error a new session reads it again from the file.
final class Session {
    let connection: SQLiteConnection
    let entries: EntryTable
    let state: StateTable
    let rejected: RejectedTable
    let layout: Layout
    let pageSize: Int
    let epoch: String

    private let begin: Statement
    private let commit: Statement
    private let rollback: Statement
    private let pageCount: Statement
    private let freeCount: Statement

    var newest: Int64 = 0
    /// The newest row that could be seen when the file was opened; `newest` is higher when some were lost.
    private(set) var newestRow: Int64 = 0
    /// What `newest` was when the file was opened.
    private(set) var newestAtOpening: Int64 = 0
    var firstKept: Int64 = 1
    var cursors: [String: Int64] = [:]  // Own names: readers.
    /// What was confirmed above the cursors when the file was opened.
    private(set) var confirmedAtOpening: [String: ConfirmedRanges] = [:]  // Own names: readers.
    var dropped: Int64 = 0
    var quarantined: Int64 = 0
    /// Missing sequences up to here are in `quarantined`.
    var countedThrough: Int64 = 0
    var rejectedCounts: [String: Int64] = [:]  // Own names: reasons.
    /// Names of state values that did not pass their checksum and were forgotten.
    let damagedState: [String]

    /// Pages of the database and how many of them are free, as of the last transaction.
    private(set) var pages: Int64 = 0
    private(set) var freePages: Int64 = 0
    /// Up to here the database file has blocks.
    var allocatedBytes: Int64 = 0
    /// Bytes that the ballast holds back for a full disk.
    var ballastBytes: Int64 = 0
    /// The damaged file that rows are still to be copied from, in the same directory.
    var salvage: String?
    /// A failure after a commit that nobody was told about, since the commit itself counts.
    var isBroken = false

    /// Takes over a connection whose file is a journal and configured.
    init(_ connection: SQLiteConnection, layout: Layout, fileBytes: Int64) throws(JournalError) {
        self.connection = connection
        self.layout = layout
        begin = try Statement("BEGIN IMMEDIATE", on: connection)
        commit = try Statement("COMMIT", on: connection)
        rollback = try Statement("ROLLBACK", on: connection)
        pageCount = try Statement("PRAGMA page_count", on: connection)
        freeCount = try Statement("PRAGMA freelist_count", on: connection)
        state = try StateTable(on: connection)
        entries = try EntryTable(on: connection, state: state)
        rejected = try RejectedTable(on: connection)
        pageSize = Int(try connection.value("PRAGMA page_size", doing: "opening") ?? "") ?? 4096
        allocatedBytes = fileBytes
        connection.setChunk(layout.chunkBytes)

        let (values, damaged) = try state.load()
        damagedState = damaged
        guard let epoch = values[StateName.epoch], let floor = values[StateName.floor].flatMap({ Int64($0) }),
            let stored = values[StateName.newest].flatMap({ Int64($0) })
        else {
            // Without them a sequence could be given out twice.
            throw JournalError(
                code: .corrupt,
                message: "\(connection.path) has lost its epoch. The file is set aside and a fresh one "
                    + "started; check the disk (dmesg, smartctl).")
        }
        self.epoch = epoch
        salvage = values[StateName.salvage]
        take(values)
        for name in damaged { try? state.removeValue(name) }
        try entries.loadTopics(copies: topicCopies(values))
        newestRow = max(floor, try lastSequence())
        newest = max(newestRow, stored)
        newestAtOpening = newest
        firstKept = floor + 1
        refreshSpace()
    }

    private func take(_ values: [String: String]) {
        func number(_ name: String) -> Int64 { values[name].flatMap { Int64($0) } ?? 0 }
        dropped = number(StateName.dropped)
        quarantined = number(StateName.quarantined)
        countedThrough = number(StateName.countedThrough)
        ballastBytes = number(StateName.ballast)
        for name in values.keys {
            if name.hasPrefix(StateName.cursorPrefix) {
                cursors[String(name.dropFirst(StateName.cursorPrefix.count))] = number(name)
            } else if name.hasPrefix(StateName.confirmedPrefix), let stored = values[name] {
                let cursor = String(name.dropFirst(StateName.confirmedPrefix.count))
                confirmedAtOpening[cursor] = ConfirmedRanges(stored: stored)
            } else if name.hasPrefix(StateName.rejectedPrefix) {
                rejectedCounts[String(name.dropFirst(StateName.rejectedPrefix.count))] = number(name)
            }
        }
    }

    private func topicCopies(_ values: [String: String]) -> [Int: String] {
        var copies: [Int: String] = [:]
        for (name, value) in values where name.hasPrefix(StateName.topicPrefix) {
            if let number = Int(name.dropFirst(StateName.topicPrefix.count)) { copies[number] = value }
        }
        return copies
    }

    /// The highest sequence that may have been given out, by looking at the end of the table only.
    ///
    /// The last rows may be damaged, their sequences included. Appends are dense, so the real last one is at most as
    /// many above the last good row as the damaged ones take.
    private func lastSequence() throws(JournalError) -> Int64 {
        var highest: Int64 = 0
        var rows = 0
        var damaged: Int64 = 0
        var good: Int64 = 0
        try entries.scanBackward { row in
            switch row {
            case .damaged(let sequence, let span, _):
                rows += 1
                damaged += Int64(span)
                highest = max(highest, sequence)
                return rows < 1000
            case .good(let record):
                good = record.sequence
                return false
            case .other(let sequence, _):
                good = sequence
                return false
            }
        }
        let last = max(highest, good + damaged)
        guard highest <= good + damaged + (1 << 32) else {
            throw JournalError(
                code: .corrupt,
                message: "\(connection.path) ends with an impossible sequence. The file is set aside and "
                    + "a fresh one started; check the disk (dmesg, smartctl).")
        }
        return last
    }

    /// Every cursor has passed this; without a cursor nothing is passed.
    var lowWatermark: Int64 { max(cursors.values.min() ?? 0, firstKept - 1) }

    var usedBytes: Int64 { max(0, (pages - freePages) * Int64(pageSize) - ballastBytes) }

    /// Runs `body` in a transaction; afterwards none is open, whatever happened.
    /// - Parameter durable: whether to return only when it has reached the disk.
    func transaction(durable: Bool, _ body: () throws(JournalError) -> Void) throws(JournalError) {
        try connection.setDurable(durable)
        try begin.run(doing: "writing to")
        do throws(JournalError) {
            try body()
            try commit.run(doing: "committing to")
        } catch {
            // SQLite has rolled back by itself after most failures, and then ROLLBACK would be an error.
            if connection.isInTransaction { try? rollback.run(doing: "rolling back") }
            isBroken = isBroken || connection.isInTransaction
            throw error
        }
        refreshSpace()
    }

    private func refreshSpace() {
        do throws(JournalError) {
            pages = try integer(pageCount)
            freePages = try integer(freeCount)
        } catch {
            isBroken = true
        }
    }

    private func integer(_ statement: Statement) throws(JournalError) -> Int64 {
        guard try statement.step(doing: "measuring") else { return 0 }
        defer { statement.reset() }
        return statement.int(0)
    }

    /// Which file the log is; nil until it is there.
    private var logFile: (device: dev_t, number: ino_t)?

    /// The same of the log, which SQLite does not watch.
    var logHasMoved: Bool {
        var information = stat()
        let isThere = stat(connection.path + "-wal", &information) == 0
        guard let known = logFile else {
            if isThere { logFile = (information.st_dev, information.st_ino) }
            return false
        }
        // A directory that cannot be read says nothing.
        guard isThere || errno == ENOENT else { return false }
        return !isThere || information.st_dev != known.device || information.st_ino != known.number
    }

    /// Whether the file was removed or replaced under its path: what is written then is lost with the process.
    var hasMoved: Bool {
        var moved: Int32 = 0
        sqlite3_file_control(connection.handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
        return moved != 0
    }
}
