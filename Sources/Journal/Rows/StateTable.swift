import Machine

/// Small named values in one table: epoch, floor, counters and cursors. Together they are one page, so that a
/// transaction that changes several of them writes one page. Each carries a checksum.
final class StateTable {
    private let write: Statement
    private let remove: Statement
    private let all: Statement

    init(on connection: SQLiteConnection) throws(JournalError) {
        write = try Statement("INSERT OR REPLACE INTO state VALUES (?1, ?2, ?3)", on: connection)
        remove = try Statement("DELETE FROM state WHERE name = ?1", on: connection)
        all = try Statement("SELECT name, value, crc FROM state", on: connection)
    }

    func set(_ name: String, _ value: String) throws(JournalError) {
        write.bind(1, name)
        write.bind(2, value)
        write.bind(3, Self.checksum(name, value))
        try write.run(doing: "writing \(name) to")
    }

    func set(_ name: String, _ value: Int64) throws(JournalError) { try set(name, String(value)) }

    func removeValue(_ name: String) throws(JournalError) {
        remove.bind(1, name)
        try remove.run(doing: "removing \(name) from")
    }

    /// Every value whose checksum is right, and the names of the others.
    func load() throws(JournalError) -> (values: [String: String], damaged: [String]) {
        var values: [String: String] = [:]  // Own names: see StateName.
        var damaged: [String] = []
        while try all.step(doing: "reading the state of") {
            let name = all.text(0) ?? ""
            let value = all.text(1) ?? ""
            if Self.checksum(name, value) == all.int(2) { values[name] = value } else { damaged.append(name) }
        }
        return (values, damaged)
    }

    static func checksum(_ name: String, _ value: String) -> Int64 {
        var checksum = CRC32C()
        checksum.update(name)
        checksum.update(UInt64(name.utf8.count))
        checksum.update(value)
        return checksum.stored
    }
}

/// Names in the state table.
enum StateName {
    static let epoch = "epoch"
    /// Rows up to this sequence were deleted on purpose.
    static let floor = "floor"
    /// Sequences go on above this even when the rows that had them are gone. Written when something else is, so that
    /// it costs nothing; the rows after it speak for themselves.
    static let newest = "newest"
    static let dropped = "dropped"
    static let quarantined = "quarantined"
    /// Sequences missing at or below this one are already in `quarantined`.
    static let countedThrough = "counted-through"
    /// Name of the file that rows are still being recovered from.
    static let salvage = "salvage"
    /// Bytes held back for a full disk.
    static let ballast = "ballast"
    static let cursorPrefix = "cursor/"
    /// What is confirmed above a cursor, `7-9,12-12`: rows that stay unconfirmed for long must not make all behind them
    /// come again after a restart.
    static let confirmedPrefix = "confirmed/"
    /// Second copies of the topics' names: without its name no row of a topic passes its checksum.
    static let topicPrefix = "topic/"
    static let rejectedPrefix = "rejected/"
}
