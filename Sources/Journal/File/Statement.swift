import CSQLite

/// One prepared statement: prepared by `init`, finalized by `deinit`. Keeps its connection, which therefore closes last.
final class Statement {
    private let handle: OpaquePointer
    private let connection: SQLiteConnection

    init(_ sql: String, on connection: SQLiteConnection) throws(JournalError) {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(connection.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw connection.error(code, doing: "preparing \(sql) on") }
        handle = prepared
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    // A failing bind is SQLITE_NOMEM, SQLITE_TOOBIG or a mistake in the index; step then works on the old value, which
    // the row's checksum covers.
    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }
    func bindNull(_ index: Int32) { sqlite3_bind_null(handle, index) }

    /// Binds without copying: `bytes` must stay valid until the statement was stepped and reset. Empty is NULL.
    func bind(_ index: Int32, unowned bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return bindNull(index) }
        sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), nil)
    }

    /// Binds a copy of `text`.
    func bind(_ index: Int32, _ text: String) {
        // SQLITE_TRANSIENT is a macro with a cast that Swift does not import.
        let transient = unsafeBitCast(OpaquePointer(bitPattern: -1), to: sqlite3_destructor_type.self)
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // An empty string must not become NULL.
                let start = characters.baseAddress.map { UnsafePointer($0) }
                _ = sqlite3_bind_text64(
                    handle, index, start ?? emptyText, UInt64(characters.count), transient, UInt8(SQLITE_UTF8))
            }
        }
    }

    /// - Returns: whether there is a row. Resets the statement when there is none and when it fails.
    func step(doing: String) throws(JournalError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else {
            let error = connection.error(code, doing: doing)
            sqlite3_reset(handle)
            throw error
        }
        sqlite3_reset(handle)
        return false
    }

    /// Steps a statement that returns no row.
    func run(doing: String) throws(JournalError) {
        if try step(doing: doing) { sqlite3_reset(handle) }
    }

    func reset() { sqlite3_reset(handle) }

    func int(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func isInteger(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_INTEGER }

    func text(_ column: Int32) -> String? {
        isNull(column) ? nil : String(decoding: bytes(column), as: UTF8.self)
    }

    /// Valid until the next step or reset.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
    }
}

/// What an empty string is bound from. Never freed.
nonisolated(unsafe) private let emptyText: UnsafePointer<CChar> = {
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    text.initialize(to: 0)
    return UnsafePointer(text)
}()
