import CSQLite
import Machine

/// Opening, creating and setting aside the file.
enum JournalFile {
    /// Opens the journal at `settings.path`, or creates it.
    ///
    /// - Throws: `.corrupt` when the file cannot be used and has to be set aside; every other code leaves it alone.
    static func open(_ settings: Journal.Settings, layout: Layout) throws(JournalError) -> Session {
        let path = settings.path
        if try !isTaken(path), try FileSystem.size(path + freshSuffix) != nil {
            // A crash between the names of `replace`.
            try FileSystem.rename(path + freshSuffix, to: path)
        }
        let size = try FileSystem.size(path) ?? 0
        if size == 0, let logSize = try FileSystem.size(path + "-wal"), logSize > 0 {
            // SQLite would delete the log of an empty database, and with it the rows it holds.
            throw JournalError(
                code: .corrupt,
                message: "\(path) is empty or missing but its log is not. Both are set aside and a fresh "
                    + "file started; check the disk (dmesg, smartctl).")
        }
        if let reserved = FileSystem.byte(at: reservedOffset, of: path), reserved != 0 {
            // SQLite would take every page for shorter than it is, and rows that reach beyond for damaged.
            throw damagedHeader(of: path)
        }
        try FileSystem.syncLog(path + "-wal", rewriting: false)
        let connection = try SQLiteConnection(path: path, vfs: settings.vfs)
        guard sqlite3_db_readonly(connection.handle, "main") == 0 else {
            throw JournalError(
                code: .permission,
                message: "\(path) is read-only. Make it writable for this user, or the file system "
                    + "read-write again (dmesg says why it changed).")
        }
        try Schema.lock(connection)
        let kind = try Schema.identify(connection, known: settings.migrations.version)
        guard sqlite3_db_readonly(connection.handle, "main") == 0 else {
            // It became so by being read: the header asks for a later SQLite, which never wrote to it.
            throw damagedHeader(of: path)
        }
        switch kind {
        case .newer(let version):
            throw JournalError(
                code: .newerSchema,
                message: "\(path) was written by another version of this program (schema \(version), this one "
                    + "knows \(settings.migrations.version)). Upgrade the program, let the version that wrote the "
                    + "file forward what waits in it, or move it away to start afresh.")
        case .foreign:
            throw JournalError(
                code: .corrupt,
                message: "\(path) is a database of another program. It is set aside and a fresh journal "
                    + "started; check journal.path.")
        case .empty:
            if size == 0 { try Schema.prepareEmpty(connection, pageSize: settings.pageSize) }
            try Schema.configure(connection)
            try Schema.create(connection, epoch: Schema.newEpoch())
            // Into the file: were it in the log only, a damaged frame there would make the file look new, and what the
            // log has behind it would be written over.
            _ = try connection.checkpoint()
            try FileSystem.syncDirectory(of: path)
        case .journal(let version):
            try Schema.configure(connection)
            try settings.migrations.run(on: connection, from: version)
        }
        return try Session(connection, layout: layout, fileBytes: try FileSystem.size(path) ?? 0)
    }

    /// Renames the database and its log to `<path>.damaged-<date>` and the same with `-wal`, and puts a fresh journal in
    /// their place that knows where its rows are still to be copied from.
    ///
    /// The fresh file is complete before the first name changes: when the disk is full nothing has happened yet, and
    /// after a crash between the names the next start goes on.
    /// - Returns: the new name of the database, in the same directory.
    static func replace(
        _ settings: Journal.Settings, layout: Layout, now: Int64
    ) throws(JournalError) -> String {
        let path = settings.path
        var fresh = settings
        fresh.path = path + freshSuffix
        try FileSystem.remove(fresh.path)
        try FileSystem.remove(fresh.path + "-wal")
        let aside = try freeName("\(path).damaged-\(fileNameDate(now))")
        let name = aside.lastIndex(of: "/").map { String(aside[aside.index(after: $0)...]) } ?? aside
        try makeFresh(fresh, layout: layout, salvaging: name)
        try FileSystem.remove(fresh.path + "-wal")

        // The log first: a fresh database must never meet an old log.
        if try FileSystem.size(path + "-wal") != nil { try FileSystem.rename(path + "-wal", to: aside + "-wal") }
        if try FileSystem.size(path) != nil { try FileSystem.rename(path, to: aside) }
        try FileSystem.rename(fresh.path, to: path)
        try FileSystem.syncDirectory(of: path)
        return name
    }

    static let freshSuffix = ".fresh"
    /// Bytes kept free at the end of each page, 0 in every journal. https://www.sqlite.org/fileformat2.html section 1.3.4
    private static let reservedOffset = 20

    /// A journal without rows, all of it in the database file, so that it can be renamed without its log.
    private static func makeFresh(
        _ settings: Journal.Settings, layout: Layout, salvaging name: String
    ) throws(JournalError) {
        let session = try open(settings, layout: layout)
        try session.state.set(StateName.salvage, name)
        guard try session.connection.checkpoint() else {
            throw JournalError(code: .io, message: "\(settings.path) cannot be completed. Check the disk (dmesg).")
        }
    }

    private static func damagedHeader(of path: String) -> JournalError {
        JournalError(
            code: .corrupt,
            message: "\(path) has a damaged header. It is set aside and a fresh file started; check the disk "
                + "(dmesg, smartctl).")
    }

    private static func freeName(_ base: String) throws(JournalError) -> String {
        var name = base
        var number = 1
        while try isTaken(name) {
            number += 1
            name = "\(base).\(number)"
        }
        return name
    }

    private static func isTaken(_ path: String) throws(JournalError) -> Bool {
        if try FileSystem.size(path) != nil { return true }
        return try FileSystem.size(path + "-wal") != nil
    }
}
