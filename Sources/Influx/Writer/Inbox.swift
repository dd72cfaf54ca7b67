import Heating

/// The lines between the callers and the writer's thread: one ordered queue per lane, bounded as a whole.
///
/// A plain value behind the writer's monitor; it decides, the writer waits and wakes.
struct Inbox {
    let maxLines: Int
    let maxBytes: Int
    /// Nanoseconds.
    let linger: Int64
    let heldLinesLimit: Int
    let heldBytesLimit: Int

    /// Only the last chunk of a queue is open for more lines.
    private var queues: [[Chunk]]
    /// Empty chunks with memory, since large blocks go back to the kernel when they are freed.
    private var spares: [Chunk] = []
    private var heldBytes = 0
    var isStopped = false
    var status = InfluxStatus()

    init(_ settings: InfluxSettings) {
        maxLines = settings.maxLines
        maxBytes = settings.maxBytes
        linger = settings.linger.wholeNanoseconds
        heldLinesLimit = settings.maxLines * settings.maxHeldBatches
        heldBytesLimit = settings.maxBytes * settings.maxHeldBatches
        queues = Array(repeating: [], count: settings.lanes)
    }

    /// Whether so much more may be held. Something always fits into an empty inbox.
    func admits(lines: Int, bytes: Int) -> Bool {
        status.heldPoints == 0
            || (status.heldPoints + lines <= heldLinesLimit && heldBytes + bytes <= heldBytesLimit)
    }

    /// Queues encoded lines behind those of earlier calls. `piece` may be another chunk afterwards.
    mutating func append(_ piece: inout Chunk, lane: Int, now: Int64) {
        status.heldPoints += piece.lines.count
        heldBytes += piece.bytes.count
        let fits = piece.lines.count <= maxLines && piece.bytes.count <= maxBytes
        if queues[lane].isEmpty, fits, !piece.isEmpty {
            // As it is, without a copy.
            var chunk = takeSpare()
            swap(&chunk, &piece)
            chunk.since = now
            queues[lane].append(chunk)
            return
        }
        var next = 0
        while next < piece.lines.count {
            let before = next
            if let last = queues[lane].indices.last {
                next = queues[lane][last]
                    .fill(from: piece, startingAt: next, maxLines: maxLines, maxBytes: maxBytes)
            }
            if next == before {
                // No open chunk, or the line does not fit: into an empty one it does.
                var chunk = takeSpare()
                chunk.since = now
                queues[lane].append(chunk)
            }
        }
    }

    /// Makes what is queued of a ticket, or everything, leave without waiting for more lines.
    mutating func flush(_ ticket: Ticket? = nil) {
        for lane in queues.indices where !queues[lane].isEmpty {
            // Chunks before the last one are ready anyway.
            let last = queues[lane].count - 1
            if ticket.map(queues[lane][last].contains) ?? true { queues[lane][last].isDue = true }
        }
    }

    /// The next chunk of a lane whose last one is done, if it is full, due or old enough.
    mutating func take(lane: Int, now: Int64) -> Chunk? {
        guard let head = queues[lane].first else { return nil }
        let isReady =
            queues[lane].count > 1 || head.isDue || head.isFull(maxLines: maxLines, maxBytes: maxBytes)
            || now - head.since >= linger
        return isReady ? queues[lane].removeFirst() : nil
    }

    /// When a lane's open chunk has waited long enough; nil with nothing queued.
    func deadline(lane: Int) -> Int64? { queues[lane].first.map { $0.since + linger } }

    /// Books a chunk whose every line is decided, and takes it back.
    mutating func finish(_ chunk: inout Chunk, rejected: [Delivery.Rejected]) {
        status.heldPoints -= chunk.lines.count
        heldBytes -= chunk.bytes.count
        var start = 0
        for run in chunk.runs {
            run.ticket.open -= run.end - start
            run.ticket.stored += run.end - start
            start = run.end
        }
        for one in rejected {
            guard let ticket = chunk.ticket(of: one.line) else { continue }
            ticket.stored -= 1
            ticket.rejected.append(
                RejectedPoint(
                    index: Int(chunk.lines[one.line].index), refusal: one.refusal, reason: one.reason,
                    line: Array(chunk.bytes[chunk.bytes(of: one.line..<one.line + 1)].dropLast())))
        }
        status.pointsWritten += chunk.lines.count - rejected.count
        status.pointsRejected += rejected.count
        keep(&chunk)
    }

    /// An empty chunk, with memory if there is one.
    mutating func takeSpare() -> Chunk { spares.popLast() ?? Chunk() }

    /// Takes a chunk's memory for others.
    mutating func keep(_ chunk: inout Chunk) {
        guard spares.count < 2 * queues.count else { return }
        chunk.reuse()
        spares.append(Chunk())
        // Moved: as long as two have the arrays, making one empty gives it fresh ones.
        swap(&spares[spares.count - 1], &chunk)
    }
}
