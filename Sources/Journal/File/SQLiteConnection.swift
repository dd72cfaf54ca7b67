import CSQLite

/// One SQLite connection: opened by `init`, closed by `deinit`, used by one thread at a time.
///
/// It never checkpoints by itself and leaves the write-ahead log behind when it closes.
final class SQLiteConnection {
    let handle: OpaquePointer
    let path: String
    /// Frames in the log after the last commit, told by SQLite's commit hook. A pointer, since C writes to it.
    private let frames: UnsafeMutablePointer<Int32>
    private var isDurable = true

    /// Opens or creates `path` and takes nothing more than that: no lock yet, no file format decided.
    init(path: String, vfs: String?) throws(JournalError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &opened, flags, vfs)
        guard code == SQLITE_OK, let opened else {
            let detail = opened.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
            sqlite3_close_v2(opened)
            throw JournalError(sqlite: code, detail: detail, doing: "opening", path: path)
        }
        handle = opened
        self.path = path
        frames = .allocate(capacity: 1)
        frames.initialize(to: 0)
        var keep: Int32 = 1
        _ = hearth_sqlite_no_checkpoint_on_close(handle)
        sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep)
        sqlite3_wal_autocheckpoint(handle, 0)  // uses the same hook, so it comes first
        sqlite3_wal_hook(handle, countFrames, frames)
    }

    deinit {
        sqlite3_close_v2(handle)
        frames.deallocate()
    }

    /// Frames that the next commit adds to, or 0 when it will start again at the beginning of the log.
    var logFrames: Int32 {
        get { frames.pointee }
        set { frames.pointee = newValue }
    }

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
    var changes: Int64 { sqlite3_changes64(handle) }

    func error(_ code: Int32, doing: String) -> JournalError {
        JournalError(sqlite: code, detail: String(cString: sqlite3_errmsg(handle)), doing: doing, path: path)
    }

    func execute(_ sql: String, doing: String) throws(JournalError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, doing: doing) }
    }

    /// The first column of the first row as text; nil when there is no row or it is NULL.
    func value(_ sql: String, doing: String) throws(JournalError) -> String? {
        let statement = try Statement(sql, on: self)
        defer { statement.reset() }
        return try statement.step(doing: doing) ? statement.text(0) : nil
    }

    /// Whether commits wait for the disk. Without it they are atomic and ordered, survive the end of the process, and
    /// become durable with the next commit that waits. https://www.sqlite.org/pragma.html#pragma_synchronous
    func setDurable(_ durable: Bool) throws(JournalError) {
        guard durable != isDurable else { return }
        try execute(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", doing: "configuring")
        isDurable = durable
    }

    /// Copies the log into the database as far as possible, on this connection only: with a second connection the
    /// WAL-reset bug of SQLite before 3.51.3 could lose commits (https://www.sqlite.org/wal.html section 11).
    /// - Returns: whether everything was copied, so that the next commit starts again at the log's beginning.
    func checkpoint() throws(JournalError) -> Bool {
        var inLog: Int32 = 0
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_PASSIVE, &inLog, &copied)
        guard code == SQLITE_OK else { throw error(code, doing: "checkpointing") }
        guard inLog == copied else { return false }
        logFrames = 0
        return true
    }

    /// Copies everything that is committed, the log's part included, into a new file. Durable on return.
    /// https://www.sqlite.org/c3ref/backup_finish.html
    func copy(to path: String, vfs: String?) throws(JournalError) {
        let copy = try SQLiteConnection(path: path, vfs: vfs)
        guard let backup = sqlite3_backup_init(copy.handle, "main", handle, "main") else {
            throw copy.error(sqlite3_errcode(copy.handle), doing: "copying to")
        }
        let step = sqlite3_backup_step(backup, -1)
        let code = sqlite3_backup_finish(backup)
        guard step == SQLITE_DONE, code == SQLITE_OK else {
            throw copy.error(step == SQLITE_DONE ? code : step, doing: "copying to")
        }
    }

    /// Allocates the database file up to `bytes`, rounded up to the chunk size.
    /// - Returns: false when the file system refuses.
    func preallocate(_ bytes: Int64) -> Bool {
        var bytes = bytes
        return sqlite3_file_control(handle, "main", SQLITE_FCNTL_SIZE_HINT, &bytes) == SQLITE_OK
    }

    func setChunk(_ bytes: Int) {
        var bytes = Int32(clamping: bytes)
        sqlite3_file_control(handle, "main", SQLITE_FCNTL_CHUNK_SIZE, &bytes)
    }
}

/// sqlite3_wal_hook: called inside COMMIT, on the committing thread.
private func countFrames(
    _ context: UnsafeMutableRawPointer?, _: OpaquePointer?, _: UnsafePointer<CChar>?, _ frames: Int32
) -> Int32 {
    context?.assumingMemoryBound(to: Int32.self).pointee = frames
    return SQLITE_OK
}
