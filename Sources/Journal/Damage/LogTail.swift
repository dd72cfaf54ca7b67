import Glibc

/// What lies in the write-ahead log behind a damaged frame.
///
/// SQLite reads the log up to the first frame whose checksum fails, since it takes it for the end of a write that a
/// power cut tore (https://www.sqlite.org/fileformat2.html section 4.4). When a bit has flipped in the middle, all the
/// commits behind it, though their fsync succeeded, are passed over without a word and overwritten by the next ones.
/// So before the file is opened the frames behind the first bad one are looked at: those that carry the log's salts and
/// end with a commit are kept in memory, and their rows, which prove themselves, are put back.
///
/// After an ordinary power cut there may be such frames, too, since a disk writes in any order. But each commit of rows
/// waits for its fsync, so then they all belong to the last one, which nobody has been told of: a row in any commit
/// before that was durable, and tells real damage.
final class LogTail: PageSource {
    let pageSize: Int
    /// How many of the pages were written before the last commit.
    private(set) var settledCount = 0
    private var pages: [[UInt8]] = []
    /// The newest version of a database page.
    private var newest: [UInt32: Int] = [:]

    private static let headerBytes = 32
    private static let frameHeaderBytes = 24

    var count: Int { pages.count }
    func page(_ index: Int) -> [UInt8] { pages[index] }
    func versions(of number: UInt32) -> [Int] { newest[number].map { [$0] } ?? [] }

    /// nil when SQLite can read all there is.
    ///
    /// - Parameters:
    ///   - path: of the database; nobody else has it open.
    ///   - pageSize: what is assumed when the log's own header is damaged.
    init?(path: String, pageSize assumed: Int) {
        let log = open(path + "-wal", O_RDONLY | O_CLOEXEC)
        guard log >= 0 else { return nil }
        defer { close(log) }
        let head = Self.read(log, at: 0, count: Self.headerBytes)
        guard head.count == Self.headerBytes else { return nil }
        var checksum = LogChecksum(isBigEndian: head[3] & 1 == 1)
        checksum.update(head[..<24])
        let isSound = head.starts(with: [0x37, 0x7f, 0x06]) && checksum == head[24...]
        pageSize = isSound ? Int(BigEndian.uint32(head, 8)) : assumed
        guard pageSize >= 512, pageSize <= 65_536 else { return nil }

        let frameBytes = Self.frameHeaderBytes + pageSize
        let frames = (Int(lseek(log, 0, SEEK_END)) - Self.headerBytes) / frameBytes
        var salts = isSound ? head[16..<24] : nil
        var (isWhole, isBroken) = (isSound, !isSound)
        // Behind the last commit that SQLite sees, up to the last and the last but one of this use of the log.
        var (first, settled, end) = (0, 0, 0)
        for frame in 0..<frames {
            let header = Self.read(log, at: Self.headerBytes + frame * frameBytes, count: Self.frameHeaderBytes)
            // Also behind zeros: they may be a lost sector as well as the end of what was ever written.
            guard header.count == Self.frameHeaderBytes else { break }
            salts = salts ?? header[8..<16]
            let isCurrent = salts.map { header[8..<16].elementsEqual($0) } ?? false
            let isCommit = BigEndian.uint32(header, 4) > 0
            if isWhole {
                let content = Self.read(log, at: Self.pageOffset(frame, pageSize), count: pageSize)
                checksum.update(header[..<8])
                checksum.update(content[...])
                isWhole = isCurrent && content.count == pageSize && checksum == header[16...]
                if isWhole, isCommit { first = frame + 1 }
                // The end of this use of the log, or a frame whose salts were hit: what follows tells.
                isBroken = !isWhole
            }
            if isBroken, isCurrent, isCommit { (settled, end) = (end, frame + 1) }
        }
        guard end > first else { return nil }
        keep(first..<end, of: log)
        settledCount = max(0, settled - first)
    }

    private func keep(_ frames: Range<Int>, of log: Int32) {
        for frame in frames {
            let header = Self.read(
                log, at: Self.pageOffset(frame, pageSize) - Self.frameHeaderBytes, count: Self.frameHeaderBytes)
            let content = Self.read(log, at: Self.pageOffset(frame, pageSize), count: pageSize)
            guard header.count == Self.frameHeaderBytes, content.count == pageSize else { return }
            newest[BigEndian.uint32(header, 0)] = pages.count
            pages.append(content)
        }
    }

    private static func pageOffset(_ frame: Int, _ pageSize: Int) -> Int {
        headerBytes + frame * (frameHeaderBytes + pageSize) + frameHeaderBytes
    }

    private static func read(_ descriptor: Int32, at offset: Int, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset)))
        }
    }
}

/// The running checksum of a write-ahead log. https://www.sqlite.org/fileformat2.html section 4.2
struct LogChecksum {
    private let isBigEndian: Bool
    private var first: UInt32 = 0
    private var second: UInt32 = 0

    /// - Parameter isBigEndian: the lowest bit of the log's magic number.
    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    /// - Parameter bytes: a multiple of eight.
    mutating func update(_ bytes: ArraySlice<UInt8>) {
        let isBigEndian = isBigEndian
        (first, second) = bytes.withUnsafeBytes { bytes in
            var (first, second) = (first, second)
            for offset in stride(from: 0, to: bytes.count - 7, by: 8) {
                let words = (
                    bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self),
                    bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                )
                first &+= (isBigEndian ? words.0.bigEndian : words.0.littleEndian) &+ second
                second &+= (isBigEndian ? words.1.bigEndian : words.1.littleEndian) &+ first
            }
            return (first, second)
        }
    }

    /// Whether it is the one stored in eight bytes, which are big-endian in either case.
    static func == (checksum: LogChecksum, stored: ArraySlice<UInt8>) -> Bool {
        let bytes = Array(stored)
        return bytes.count == 8 && BigEndian.uint32(bytes, 0) == checksum.first
            && BigEndian.uint32(bytes, 4) == checksum.second
    }
}
