import Machine
import Synchronization

/// A durable, ordered, bounded log with named cursors, in one SQLite file.
///
/// Rows get ascending sequences that are never used twice within an ``epoch``. Readers keep their place with named
/// cursors; a row that every cursor has passed is history, kept for ``Settings/history`` and deleted from the head.
///
/// Every call is synchronous, may block on the disk, and may come from any thread; only ``status`` and ``epoch`` never
/// touch the disk. There is one connection, which holds the file's lock for as long as it is open: other programs,
/// the `sqlite3` shell among them, get "database is locked". Nothing else in the process may open the file.
public final class Journal: Sendable {
    private let store: Mutex<Store>
    private let snapshot = Mutex(JournalStatus())

    /// Opens the journal, or creates it. The time this takes does not depend on the number of rows.
    ///
    /// A file that is damaged or not a journal is renamed to `<path>.damaged-<date>`, readable rows are copied from it,
    /// and an alarm says so.
    /// - Parameter now: wall time in nanoseconds since 1970.
    /// - Throws: `.newerSchema`, `.locked`, `.permission`, `.settings`, `.io`, `.full`; the file is left alone then.
    public init(_ settings: Settings, now: Int64) throws(JournalError) {
        let store = try Store(settings, now: now)
        let status = store.status()
        self.store = Mutex(store)
        snapshot.withLock { $0 = status }
    }

    /// Names the file's life: 32 hexadecimal digits made with the file. It changes when a damaged file is replaced,
    /// also while the journal is in use; sequences from another epoch mean nothing.
    public var epoch: String { snapshot.withLock { $0.epoch } }

    /// What the journal was doing when its last operation ended. Never waits for the disk.
    public var status: JournalStatus { snapshot.withLock { $0 } }

    /// Appends rows, keeps rejected input for people, and moves cursors: all of it or nothing, in one transaction.
    ///
    /// Durable on return, except that moves alone do not wait for the disk: a power cut may undo the last ones, all of
    /// one call together, and their rows are read again. A killed process undoes nothing.
    /// - Parameters:
    ///   - advancing: cursors that move in the same transaction, as in ``advance(_:through:)``.
    ///   - now: wall time in nanoseconds since 1970.
    /// - Returns: the sequences of the rows, in the order of `entries`, as many for each as its span; nil when there were
    ///   none.
    /// - Throws: `.full`, `.limit` and `.tooLarge`: nothing was stored. `.io`: the batch may or may not be stored, and
    ///   the next call opens the file again. `.corrupt`: not stored, and the next call starts a fresh file.
    @discardableResult
    public func append(
        _ entries: [Record], settingAside rejected: [Rejected] = [],
        advancing: [CursorMove] = [], now: Int64
    ) throws(JournalError) -> ClosedRange<Int64>? {
        guard !entries.isEmpty || !rejected.isEmpty || !advancing.isEmpty else { return nil }
        return try run { store throws(JournalError) in
            try store.append(entries, settingAside: rejected, advancing: advancing, now: now)
        }
    }

    /// Reads rows above `after` in order.
    ///
    /// Damaged rows are moved out of the way and counted, never returned.
    /// - Parameters:
    ///   - rows: at most so many sequences' worth, but always one row. The first row may begin at or below `after`, when
    ///     it takes several sequences.
    ///   - bytes: at most so many bytes of topic, payload and attributes, but always one row.
    ///   - topics: only these; rows of others are passed over. nil for all.
    /// - Throws: `.io`, `.closed`, and what opening throws.
    public func read(
        after: Int64, rows: Int, bytes: Int = .max, topics: [String]? = nil
    ) throws(JournalError) -> Batch {
        try run { store throws(JournalError) in try store.read(after: after, rows: rows, bytes: bytes, topics: topics) }
    }

    /// The newest rows, oldest first: what a broker may deliver again after a restart.
    public func recent(_ count: Int) throws(JournalError) -> [Record] {
        try run { store throws(JournalError) in try store.recent(count) }
    }

    /// Where a cursor is; 0 when it does not exist.
    public func cursor(_ name: String) throws(JournalError) -> Int64 {
        try run { store throws(JournalError) in try store.cursor(name) }
    }

    /// Ranges above a cursor that were noted as confirmed; the lowest 256 also after a restart.
    public func confirmedAbove(_ cursor: String) throws(JournalError) -> [ClosedRange<Int64>] {
        try run { store throws(JournalError) in try store.confirmedAbove(cursor) }
    }

    /// Moves a cursor forward, at most to the newest row, and creates it when it does not exist; durable on return.
    /// A cursor never moves backwards.
    public func advance(_ name: String, through: Int64) throws(JournalError) {
        try run { store throws(JournalError) in try store.advance(name, through: through) }
    }

    /// Forgets a cursor, so that it no longer keeps rows from being deleted.
    public func removeCursor(_ name: String) throws(JournalError) {
        try run { store throws(JournalError) in try store.removeCursor(name) }
    }

    /// Notes ranges as confirmed, in any order, repeatedly and overlapping; the cursor moves over the part without a
    /// gap. Deletes history that is older than ``Settings/history``, a bounded amount per call.
    ///
    /// The cursor is written at most once a second, with the next append if there is one: after a crash the last
    /// confirmations may be missing, and their rows are sent again.
    /// - Parameter now: wall time in nanoseconds since 1970.
    public func confirm(
        _ ranges: [ClosedRange<Int64>], cursor: String, now: Int64
    ) throws(JournalError) {
        try run { store throws(JournalError) in try store.confirm(ranges, cursor: cursor, now: now) }
    }

    /// The newest rejected input, newest first. At most 1000 rows and 1 MiB are kept.
    public func setAside(limit: Int) throws(JournalError) -> [Rejected] {
        try run { store throws(JournalError) in try store.rejected(limit: limit) }
    }

    /// Writes the cursors, copies the log into the database and closes. Afterwards every call throws `.closed`.
    public func close() {
        store.withLock { store in
            store.close()
            publish(store)
        }
    }

    private func run<Result: Sendable>(
        _ body: (Store) throws(JournalError) -> Result
    ) throws(JournalError) -> Result {
        try store.withLock { store throws(JournalError) in
            let started = Clock.bootNanoseconds
            snapshot.withLock { $0.busySince = started }
            defer { publish(store) }
            return try body(store)
        }
    }

    private func publish(_ store: Store) {
        let status = store.status()
        snapshot.withLock { $0 = status }
    }
}
