/// Deals lines to the lanes by series.
struct LaneSorter {
    private let maxLines: Int
    private let maxBytes: Int
    /// One per lane.
    private(set) var pieces: [Chunk]
    private(set) var lines = 0
    private(set) var bytes = 0

    init(_ settings: InfluxSettings) {
        maxLines = settings.maxLines
        maxBytes = settings.maxBytes
        pieces = Array(repeating: Chunk(), count: settings.lanes)
    }

    /// So much that it should be handed over before more is added.
    var isFull: Bool { lines >= maxLines || bytes >= maxBytes }

    mutating func add(_ text: UnsafeBufferPointer<UInt8>, _ line: PointBatch.Line, ticket: Ticket) {
        let lane = Int(line.hash % UInt64(pieces.count))
        pieces[lane].append(text, fields: line.fields, index: line.index, ticket: ticket)
        lines += 1
        bytes += text.count
    }

    /// Empties the pieces and keeps their memory.
    mutating func removeAll() {
        for lane in pieces.indices { pieces[lane].reuse() }
        lines = 0
        bytes = 0
    }
}
