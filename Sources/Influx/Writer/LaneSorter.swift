/// Deals lines to the lanes by series.
struct LaneSorter {
    private let maxLines: Int
    private let maxBytes: Int
    /// One per lane; whoever takes lines over may put another chunk in the place of one.
    var pieces: [Chunk]
    private(set) var lines = 0
    private(set) var bytes = 0
    /// So much that it should be handed over before more is added: a lane has a request's worth, or they all together
    /// the bytes of one.
    private(set) var isFull = false

    /// - Parameter pieces: an empty one per lane.
    init(_ settings: InfluxSettings, pieces: [Chunk]) {
        maxLines = settings.maxLines
        maxBytes = settings.maxBytes
        self.pieces = pieces
    }

    mutating func add(_ text: UnsafeBufferPointer<UInt8>, _ line: EncodedLine, ticket: Ticket) {
        let lane = Int(line.hash % UInt64(pieces.count))
        pieces[lane].append(text, line, ticket: ticket)
        lines += 1
        bytes += text.count
        if pieces[lane].lines.count >= maxLines || bytes >= maxBytes { isFull = true }
    }

    /// Empties the pieces and keeps their memory.
    mutating func removeAll() {
        for lane in pieces.indices { pieces[lane].reuse() }
        lines = 0
        bytes = 0
        isFull = false
    }
}
