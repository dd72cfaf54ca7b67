import CSQLite

/// Why the journal could not do what was asked, with what the operator should do next.
public struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// The disk is full and the reserve is used up. Nothing was stored; works again by itself.
        case full
        /// `maxBytes` is reached and `whenFull` is `stopAccepting`. Nothing was stored.
        case limit
        /// One batch is larger than the journal can ever take. Nothing was stored.
        case tooLarge = "too_large"
        /// The disk failed. The batch may or may not be stored; the next call opens the file again.
        case io
        /// The file is damaged. The next call sets it aside and starts a fresh one.
        case corrupt
        /// Written by a newer program; left alone.
        case newerSchema = "newer_schema"
        /// Another process has the file open.
        case locked
        /// No permission to read or write the file.
        case permission
        /// The settings cannot work, or SQLite did not accept them.
        case settings
        /// The journal was closed.
        case closed
    }

    public var code: Code
    /// One sentence on what happened and one on what to do.
    public var message: String
    /// SQLite's extended result code; 0 when SQLite was not asked.
    public var sqliteCode: Int32 = 0

    /// Whether the same call may succeed later without anybody changing the program or its settings.
    public var isTransient: Bool {
        switch code {
        case .full, .limit, .io, .corrupt, .locked, .permission: true
        case .tooLarge, .newerSchema, .settings, .closed: false
        }
    }

    public var description: String { message }
}

extension JournalError {
    /// A result code of SQLite in the operator's words. https://www.sqlite.org/rescode.html
    init(sqlite code: Int32, detail: String, doing: String, path: String) {
        let what = "\(doing) \(path): \(detail)"
        sqliteCode = code
        switch code & 0xff {
        case SQLITE_FULL:
            self.code = .full
            message = "\(what). Free space on that disk; recording resumes by itself."
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT:
            self.code = .corrupt
            message = "\(what). The file is set aside and a fresh one started; check the disk (dmesg, smartctl)."
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL:
            self.code = .locked
            message = "\(what). Another process has the journal open; find it with `fuser \(path)` and stop it."
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH:
            self.code = .permission
            message =
                "\(what). Check that the directory exists and that this user may write the file and its directory."
        case SQLITE_ERROR, SQLITE_MISMATCH, SQLITE_CONSTRAINT:
            // A table that is missing, or a sequence that exists twice: not the file this program made.
            self.code = .corrupt
            message = "\(what). The file does not hold what it should; it is set aside and a fresh one started."
        case SQLITE_TOOBIG:
            self.code = .tooLarge
            message = "\(what). Lower the size of payloads or of batches."
        case SQLITE_NOMEM:
            self.code = .io
            message =
                "\(what). See what else takes the memory (free -h, journalctl -k); the journal is opened again by itself."
        default:
            self.code = .io
            message = "\(what). Check the disk (dmesg, smartctl); the journal is opened again by itself."
        }
    }
}
