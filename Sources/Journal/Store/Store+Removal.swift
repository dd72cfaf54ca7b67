import Glibc
import Machine

/// A file that was removed or replaced under its name while in use is still whole behind the open descriptors: it is put
/// back under its name before anything else is acknowledged. Whoever kills the process before that loses what it held.
extension Store {
    /// Afterwards ``opened()`` gives a session on the files that have the names.
    func putBackIfMoved() throws(JournalError) {
        let session = try opened()
        if session.hasMoved || session.logHasMoved { try putBack(session) }
    }

    private func putBack(_ session: Session) throws(JournalError) {
        let rows = session.newest - session.firstKept + 1
        let isLogOnly = !session.hasMoved
        do throws(JournalError) {
            if isLogOnly { try putBackLog(session) } else { try putBackDatabase(session) }
        } catch {
            // The open file stays in use, so that it can be put back later; an I/O error would give it up.
            throw JournalError(
                code: error.code == .full ? .full : .permission,
                message: "\(settings.path) was removed or replaced while it was in use and cannot be put back: "
                    + "\(error.message) Nothing is acknowledged meanwhile. Do not stop the program before it could: it has "
                    + "the only copy of \(rows) rows.")
        }
        abandon()
        removals += 1
        let what = isLogOnly ? "The journal's log" : "The journal's file"
        removal = "\(what) was removed or replaced while it was in use; it was put back with all \(rows) rows."
    }

    /// The database is under its name and the log is not: what the log holds goes into the database.
    private func putBackLog(_ session: Session) throws(JournalError) {
        guard try session.connection.checkpoint() else {
            throw JournalError(code: .io, message: "The log cannot be copied into the database.")
        }
        try moveAside(settings.path + "-wal")
    }

    private func putBackDatabase(_ session: Session) throws(JournalError) {
        let fresh = settings.path + JournalFile.freshSuffix
        for name in [fresh, fresh + "-journal", fresh + "-wal"] { try FileSystem.remove(name) }
        do throws(JournalError) {
            try session.connection.copy(to: fresh, vfs: settings.vfs)
        } catch {
            try? FileSystem.remove(fresh)
            throw error
        }
        try FileSystem.remove(fresh + "-wal")
        // The log first: the copy holds what is in it, and must never meet it or another's.
        if session.logHasMoved {
            try moveAside(settings.path + "-wal")
        } else {
            try FileSystem.remove(settings.path + "-wal")
        }
        try moveAside(settings.path)
        try FileSystem.rename(fresh, to: settings.path)
        try FileSystem.syncDirectory(of: settings.path)
    }

    /// What somebody put there is kept: it may have been meant.
    private func moveAside(_ path: String) throws(JournalError) {
        guard let size = try FileSystem.size(path) else { return }
        guard size > 0 else { return try FileSystem.remove(path) }
        var name = "\(path).replaced-\(fileNameDate(lastWallTime))"
        while try FileSystem.size(name) != nil { name += "+" }
        try FileSystem.rename(path, to: name)
    }
}
