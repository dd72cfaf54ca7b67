import CSQLite
import Glibc
import Machine

/// The few things done to files beside SQLite.
///
/// The database file itself is never opened here while a connection is: closing any descriptor of a file drops all
/// POSIX locks the process has on it (https://www.sqlite.org/howtocorrupt.html 2.2). The log carries no locks.
enum FileSystem {
    /// Size in bytes; nil when there is no such file.
    static func size(_ path: String) throws(JournalError) -> Int64? {
        var information = stat()
        if stat(path, &information) == 0 { return Int64(information.st_size) }
        if errno == ENOENT { return nil }
        throw failure("examining", path)
    }

    /// One byte of a file that no connection has open; nil when it cannot be read.
    static func byte(at offset: Int, of path: String) -> UInt8? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var byte: UInt8 = 0
        return pread(descriptor, &byte, 1, off_t(offset)) == 1 ? byte : nil
    }

    static func rename(_ path: String, to new: String) throws(JournalError) {
        guard Glibc.rename(path, new) == 0 else { throw failure("setting aside", path) }
    }

    static func remove(_ path: String) throws(JournalError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("removing", path) }
    }

    /// Makes the names in the directory of `path` durable.
    static func syncDirectory(of path: String) throws(JournalError) {
        let directory = Self.directory(of: path)
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opening the directory", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("syncing the directory", directory) }
    }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes what is in the log durable before anything in it is shown to readers: after a `kill` between write and
    /// fsync it is complete in the page cache only, and a sequence that was read must not get another content after a
    /// power cut.
    ///
    /// - Parameter rewriting: after a failed fsync. Linux has marked the pages clean then, so that the next fsync
    ///   succeeds without having written them (Rebello et al., "Can Applications Recover from fsync Failures?",
    ///   USENIX ATC 2020); writing the same bytes again makes them dirty again.
    static func syncLog(_ path: String, rewriting: Bool) throws(JournalError) {
        guard let size = try size(path), size > 0 else { return }
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opening", path) }
        defer { close(descriptor) }
        if rewriting {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            var offset: off_t = 0
            while true {
                let count = pread(descriptor, &buffer, buffer.count, offset)
                if count == 0 { break }
                guard count > 0, pwrite(descriptor, buffer, count, offset) == count else {
                    throw failure("rewriting", path)
                }
                offset += off_t(count)
            }
        }
        guard fsync(descriptor) == 0 else { throw failure("syncing", path) }
    }

    /// Extends the log with zeros, which SQLite reads as its end. From then on commits overwrite blocks that exist:
    /// one flush each instead of two, and none of them needs space.
    static func growLog(_ path: String, to bytes: Int) throws(JournalError) {
        guard let size = try size(path), size < bytes else { return }
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opening", path) }
        defer { close(descriptor) }
        // In pages: what is written together the kernel keeps as one folio, and counts it whole (in /proc/PID/io, systemd's
        // IOWriteBytes and iotop) whenever a commit changes a part of it: 66 KB instead of 5 KB per commit, measured on 6.18.
        let zeros = [UInt8](repeating: 0, count: 4096)
        var offset = Int(size)
        while offset < bytes {
            let count = pwrite(descriptor, zeros, min(zeros.count, bytes - offset), off_t(offset))
            guard count > 0 else { throw failure("growing", path) }
            offset += count
        }
        guard fsync(descriptor) == 0 else { throw failure("syncing", path) }
    }

    /// Bytes that this user may still write on the file system of `path`.
    static func freeBytes(at path: String) -> Int64 {
        var space = statvfs()
        guard statvfs(directory(of: path), &space) == 0 else { return 0 }
        return Int64(clamping: UInt64(space.f_bavail) &* UInt64(space.f_frsize))
    }

    /// A sentence when the file system cannot keep the journal's promises; nil when it can.
    static func reservation(at path: String) -> String? {
        // Magic numbers of statfs(2).
        switch UInt32(truncatingIfNeeded: hearth_file_system_type(directory(of: path))) {
        case 0x0102_1994, 0x8584_58f6:
            return "\(path) is in memory (tmpfs): it does not survive a restart. Set journal.path to a disk."
        case 0x9123_683e, 0xf2f5_2010, 0xca45_1a4e, 0x2fc1_2fc1:
            return "\(path) is on a copy-on-write file system: the reserve for a full disk does not work there. "
                + "Prefer ext4 or xfs, or watch the free space."
        case 0x6969, 0xff53_4d42, 0xfe53_4d42:
            return "\(path) is on a network file system: fsync and locks may not hold there. Use a local disk."
        default: return nil
        }
    }

    private static func failure(_ doing: String, _ path: String) -> JournalError {
        let number = errno
        let what = "\(doing) \(path): \(systemErrorText(number))"
        switch number {
        case ENOSPC, EDQUOT, EFBIG:
            return JournalError(code: .full, message: "\(what). Free space on that disk; recording resumes by itself.")
        case EACCES, EPERM, EROFS, ENOTDIR, ENOENT:
            return JournalError(
                code: .permission,
                message: "\(what). Check that the directory exists and that this user may write in it.")
        default:
            return JournalError(
                code: .io, message: "\(what). Check the disk (dmesg, smartctl); the journal is opened again by itself.")
        }
    }
}
