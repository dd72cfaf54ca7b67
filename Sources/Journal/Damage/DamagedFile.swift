import Glibc

/// Pages to salvage rows from.
protocol PageSource: AnyObject {
    var pageSize: Int { get }
    var count: Int { get }
    /// - Parameter index: 0 to `count`. Empty when it cannot be read.
    func page(_ index: Int) -> [UInt8]
    /// The versions of a page by its number in the database, counted from 1: the newest first.
    func versions(of number: UInt32) -> [Int]
}

/// The pages of a database that SQLite may not be able to open, and of its log.
/// https://www.sqlite.org/fileformat2.html sections 1.3 and 4.
final class DamagedFile: PageSource {
    let pageSize: Int
    let databasePages: Int
    let logPages: Int

    private let database: Int32
    private let log: Int32
    private let frameBase: Int
    /// Which log page holds the newest version of a database page.
    private var newest: [UInt32: Int] = [:]

    /// nil when there is no file to read.
    /// - Parameter pageSize: what is assumed when neither header can be read.
    init?(path: String, pageSize assumed: Int) {
        let database = open(path, O_RDONLY | O_CLOEXEC)
        guard database >= 0 else { return nil }
        self.database = database
        log = open(path + "-wal", O_RDONLY | O_CLOEXEC)

        let head = Self.bytes(database, at: 0, count: 100)
        let logHead = Self.bytes(log, at: 0, count: 32)
        // 0x377f0682 or ...83
        let logIsSound = logHead.count == 32 && logHead[0] == 0x37 && logHead[1] == 0x7f && logHead[2] == 0x06
        var size = 0
        if head.starts(with: Array("SQLite format 3\0".utf8)), head.count == 100 {
            size = Int(head[16]) << 8 | Int(head[17])
            if size == 1 { size = 65_536 }
        }
        if !Self.isPageSize(size), logIsSound { size = Int(BigEndian.uint32(logHead, 8)) }
        pageSize = Self.isPageSize(size) ? size : assumed
        databasePages = Int(lseek(database, 0, SEEK_END)) / pageSize
        logPages = log < 0 ? 0 : max(0, Int(lseek(log, 0, SEEK_END)) - 32) / (pageSize + 24)
        frameBase = 32 + 24
        mapLog(salts: logIsSound ? Array(logHead[16..<24]) : nil)
    }

    deinit {
        close(database)
        if log >= 0 { close(log) }
    }

    /// Every page there is: first the database's, then the log's, older versions of a page among them.
    var count: Int { databasePages + logPages }

    func page(_ index: Int) -> [UInt8] {
        if index < databasePages { return Self.bytes(database, at: index * pageSize, count: pageSize) }
        let frame = index - databasePages
        return Self.bytes(log, at: frameBase + frame * (pageSize + 24), count: pageSize)
    }

    /// The log's version, then the database's.
    func versions(of number: UInt32) -> [Int] {
        var versions: [Int] = []
        if let frame = newest[number] { versions.append(databasePages + frame) }
        if number >= 1, Int(number) <= databasePages { versions.append(Int(number) - 1) }
        return versions
    }

    /// Frames of an earlier use of the log have other salts; without a header every frame counts.
    private func mapLog(salts: [UInt8]?) {
        for frame in 0..<logPages {
            let header = Self.bytes(log, at: 32 + frame * (pageSize + 24), count: 24)
            guard header.count == 24 else { return }
            if let salts, !header[8..<16].elementsEqual(salts) { return }
            let number = BigEndian.uint32(header, 0)
            if number > 0 { newest[number] = frame }
        }
    }

    private static func isPageSize(_ size: Int) -> Bool {
        size >= 512 && size <= 65_536 && size.nonzeroBitCount == 1
    }

    private static func bytes(_ descriptor: Int32, at offset: Int, count: Int) -> [UInt8] {
        guard descriptor >= 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset)))
        }
    }
}

enum BigEndian {
    static func uint16(_ bytes: [UInt8], _ offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }

    static func uint32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
