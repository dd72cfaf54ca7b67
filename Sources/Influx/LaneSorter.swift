/// Encodes points and deals them to the lanes by series.
struct LaneSorter: ~Copyable {
    private let maxLines: Int
    private let maxBytes: Int
    /// One per lane.
    private(set) var pieces: [Chunk]
    private var line = LineBuffer()
    private(set) var lines = 0
    private(set) var bytes = 0

    init(_ settings: InfluxSettings) {
        maxLines = settings.maxLines
        maxBytes = settings.maxBytes
        pieces = Array(repeating: Chunk(), count: settings.lanes)
    }

    /// So much that it should be handed over before more is added.
    var isFull: Bool { lines >= maxLines || bytes >= maxBytes }

    /// - Throws: the reason why the point has no line protocol form; nothing was added then.
    mutating func add(_ point: Point, index: Int, ticket: Ticket) throws(LineProtocol.EncodingError) {
        let seriesLength = try LineProtocol.encode(point, into: &line)
        line.withBytes { line in
            let lane = Int(
                Self.hash(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(line)[..<seriesLength]))
                    % UInt64(pieces.count))
            pieces[lane].append(line, fields: point.fields.count, index: index, ticket: ticket)
        }
        lines += 1
        bytes += line.count
    }

    /// Empties the pieces and keeps their memory.
    mutating func removeAll() {
        for lane in pieces.indices { pieces[lane].reuse() }
        lines = 0
        bytes = 0
    }

    /// FNV-1a over words of eight bytes, its high bits folded down because the lane is a remainder.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var offset = 0
        while offset + 8 <= bytes.count {
            hash = (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x0000_0100_0000_01B3
            hash ^= hash >> 29
            offset += 8
        }
        for byte in bytes[offset...] { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash ^ (hash >> 32)
    }
}
