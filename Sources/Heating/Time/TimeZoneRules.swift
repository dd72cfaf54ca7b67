/// When a zone's clocks are set, read from the system's zone database (TZif, RFC 8536). Pure; who has the file reads it.
///
/// The C library keeps the zone of the whole process, and Foundation is more than the gateway carries.
public struct TimeZoneRules: Equatable, Sendable {
    /// Instants of change, seconds since 1970 UTC, ascending, with the offset that holds from there on.
    private var changes: [(at: Int64, offset: Int)] = []
    /// Before the first change.
    private var first: Int
    /// After the last one.
    private var rest: PosixRule?

    /// A zone whose clocks are never set.
    public init(offsetSeconds: Int) {
        first = offsetSeconds
    }

    /// - Parameter file: the contents of a file below `/usr/share/zoneinfo`. nil when they are not a zone.
    public init?(file: [UInt8]) {
        guard let old = Block(file, at: 0, timeSize: 4) else { return nil }
        let block: Block
        if old.version >= UInt8(ascii: "2") {
            guard let new = Block(file, at: old.end, timeSize: 8) else { return nil }
            block = new
        } else {
            block = old
        }
        guard let offsets = block.offsets(file), let first = offsets.first else { return nil }
        self.first = first
        for index in 0..<block.timeCount {
            let type = Int(file[block.times + block.timeCount * block.timeSize + index])
            guard offsets.indices.contains(type) else { return nil }
            let at = block.time(file, index)
            if let last = changes.last, at <= last.at { return nil }
            changes.append((at, offsets[type]))
        }
        if block.timeSize == 8, let footer = Self.footer(file, at: block.end), !footer.isEmpty {
            guard let rule = PosixRule(footer) else { return nil }
            rest = rule
        }
    }

    public static func == (left: TimeZoneRules, right: TimeZoneRules) -> Bool {
        left.first == right.first && left.rest == right.rest
            && left.changes.elementsEqual(right.changes) { $0.at == $1.at && $0.offset == $1.offset }
    }

    /// Seconds east of UTC at an instant, which is in seconds since 1970 UTC.
    public func offset(at instant: Int64) -> Int {
        if let rest, changes.last.map({ instant >= $0.at }) ?? true { return rest.offset(at: instant) }
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].at <= instant { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : changes[low - 1].offset
    }

    /// What a local time, in seconds since 1970-01-01T00:00:00 local time, stands for.
    public func meaning(of localSeconds: Int64) -> WallTime {
        WallTime(localSeconds) { offset(at: $0) }
    }

    private static func footer(_ file: [UInt8], at start: Int) -> [UInt8]? {
        guard start < file.count, file[start] == UInt8(ascii: "\n") else { return nil }
        return Array(file[(start + 1)...].prefix { $0 != UInt8(ascii: "\n") })
    }

    /// Where the parts of one data block are. RFC 8536 section 3.
    private struct Block {
        let version: UInt8
        let timeSize: Int
        let timeCount: Int
        let typeCount: Int
        let times: Int
        let end: Int

        init?(_ file: [UInt8], at start: Int, timeSize: Int) {
            guard file.count >= start + 44, file[start..<start + 4].elementsEqual("TZif".utf8) else { return nil }
            version = file[start + 4]
            self.timeSize = timeSize
            let counts = (0..<6).map { Int(truncatingIfNeeded: Self.number(file, start + 20 + $0 * 4, 4)) }
            guard counts.allSatisfy((0...10_000).contains), counts[4] > 0 else { return nil }
            (timeCount, typeCount, times) = (counts[3], counts[4], start + 44)
            let leapSeconds = counts[2] * (timeSize + 4)
            end =
                times + timeCount * (timeSize + 1) + typeCount * 6 + counts[5] + leapSeconds + counts[1] + counts[0]
            guard end <= file.count else { return nil }
        }

        func time(_ file: [UInt8], _ index: Int) -> Int64 { Self.number(file, times + index * timeSize, timeSize) }

        func offsets(_ file: [UInt8]) -> [Int]? {
            let start = times + timeCount * (timeSize + 1)
            let offsets = (0..<typeCount).map { Int(Self.number(file, start + $0 * 6, 4)) }
            return offsets.allSatisfy((-90_000...93_600).contains) ? offsets : nil
        }

        /// Big-endian, signed.
        static func number(_ file: [UInt8], _ at: Int, _ size: Int) -> Int64 {
            let value = file[at..<at + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return size == 8 ? Int64(bitPattern: value) : Int64(Int32(truncatingIfNeeded: value))
        }
    }
}
