import Glibc
import Heating

/// The hours of two years, in a text file beside the journal. It is for curves only: when it is gone, damaged or cannot be
/// written, curves are shorter and nothing else happens. One thread writes, any thread may read; each call waits for the disk.
struct HourlyFile: Sendable {
    /// Two years of about seventeen rooms; beyond it the older half goes.
    static let maxBytes = 16 << 20
    static let keptHours: Int64 = 2 * 366 * 24
    private static let header = "time,readings,mean,low,high,known_seconds,on_seconds,starts,room\n"

    let path: String

    init(journal: String) {
        path = (journal.hasSuffix(".sqlite") ? String(journal.dropLast(7)) : journal) + "-history.csv"
    }

    /// Every row from the hour `earliest` on, in the order of writing. A line that is none is passed over.
    func rows(since earliest: Int64 = 0) -> [RoomHour] { Self.rows(in: contents, since: earliest) }

    private static func rows(in bytes: [UInt8], since earliest: Int64) -> [RoomHour] {
        bytes.split(separator: UInt8(ascii: "\n")).compactMap { RoomHour(line: $0, since: earliest) }
    }

    /// In one write. A line before it that a power cut left unfinished is ended first; empty lines say nothing.
    func append(_ rows: [RoomHour]) {
        guard !rows.isEmpty else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let start = lseek(descriptor, 0, SEEK_END) == 0 ? Self.header : "\n"
        Self.write(start + rows.map(\.line).joined(), to: descriptor)
    }

    /// Takes out what is older than two years or beyond the limit. The new file takes the old one's place at once.
    /// - Parameter hour: this hour, since 1970.
    func tidy(hour: Int64) {
        let bytes = contents
        let all = Self.rows(in: bytes, since: 0)
        var kept = all.filter { $0.hour >= hour - Self.keptHours }
        if bytes.count > Self.maxBytes { kept.removeFirst(kept.count / 2) }
        guard kept.count < all.count else { return }
        let new = path + ".new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return }
        let isWritten = Self.write(Self.header + kept.map(\.line).joined(), to: descriptor) && fsync(descriptor) == 0
        close(descriptor)
        if !isWritten || rename(new, path) != 0 { unlink(new) }
    }

    /// The file as it is; empty when there is none.
    private var contents: [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var status = stat()
        // Somebody else's file of that name may be of any size.
        guard fstat(descriptor, &status) == 0, status.st_size <= Int64(2 * Self.maxBytes) else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + filled, $0.count - filled) }
            guard count > 0 else { break }
            filled += count
        }
        return Array(bytes[..<filled])
    }

    @discardableResult
    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count }
    }
}
