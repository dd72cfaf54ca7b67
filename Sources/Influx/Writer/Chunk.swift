/// Encoded lines that travel in one request, unless the server makes us take them apart.
struct Chunk {
    /// Consecutive lines of one ticket.
    struct Run {
        let ticket: Ticket
        /// The line after the last one.
        var end: Int
    }

    private(set) var bytes: [UInt8] = []
    private(set) var lines: [EncodedLine] = []
    private(set) var runs: [Run] = []
    /// Boot-time nanoseconds when the first line came in.
    var since: Int64 = 0
    /// Somebody is waiting: send without lingering.
    var isDue = false

    var isEmpty: Bool { lines.isEmpty }

    /// - Parameter line: as it stands elsewhere; `text` are its bytes.
    mutating func append(_ text: UnsafeBufferPointer<UInt8>, _ line: EncodedLine, ticket: Ticket) {
        bytes.append(contentsOf: text)
        var line = line
        line.end = bytes.count
        lines.append(line)
        endRun(ticket)
    }

    mutating func reserve(lines count: Int, bytes size: Int) {
        lines.reserveCapacity(count)
        bytes.reserveCapacity(size)
    }

    /// Copies lines of `other`, from `first` on, as many as there is room for; into an empty chunk at least one.
    /// - Returns: the first line of `other` that did not fit.
    mutating func fill(from other: Chunk, startingAt first: Int, maxLines: Int, maxBytes: Int) -> Int {
        let shift = bytes.count - other.start(of: first)
        var next = first
        while next < other.lines.count,
            lines.isEmpty || (lines.count < maxLines && other.lines[next].end + shift <= maxBytes)
        {
            var line = other.lines[next]
            line.end += shift
            lines.append(line)
            next += 1
        }
        bytes.append(contentsOf: other.bytes[other.bytes(of: first..<next)])
        let offset = lines.count - next
        for run in other.runs where run.end > first {
            endRun(run.ticket, at: min(run.end, next) + offset)
            if run.end >= next { break }
        }
        return next
    }

    /// Makes it empty and keeps its memory.
    mutating func reuse() {
        bytes.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
        isDue = false
    }

    func isFull(maxLines: Int, maxBytes: Int) -> Bool { lines.count >= maxLines || bytes.count >= maxBytes }

    func contains(_ ticket: Ticket) -> Bool { runs.contains { $0.ticket === ticket } }

    /// The ticket of a line; nil only for a line that is not there.
    func ticket(of line: Int) -> Ticket? { runs.first { line < $0.end }?.ticket }

    func bytes(of range: Range<Int>) -> Range<Int> { start(of: range.lowerBound)..<start(of: range.upperBound) }

    func fields(in range: Range<Int>) -> Int { lines[range].reduce(0) { $0 + Int($1.fields) } }

    private func start(of line: Int) -> Int { line == 0 ? 0 : lines[line - 1].end }

    private mutating func endRun(_ ticket: Ticket, at end: Int? = nil) {
        let end = end ?? lines.count
        if runs.last?.ticket === ticket {
            runs[runs.count - 1].end = end
        } else {
            runs.append(Run(ticket: ticket, end: end))
        }
    }
}
