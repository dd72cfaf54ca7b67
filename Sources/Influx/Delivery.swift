/// The way of one chunk to the database: the whole, then halves as far as refusals make it necessary.
///
/// Ranges are sent in order and one after the other, so points of the same series never overtake each other.
struct Delivery {
    /// What to do after an answer.
    enum Step: Equatable {
        /// Send ``current``, or finish when there is none.
        case proceed
        /// Send ``current`` again, later.
        case again(reason: String, after: Duration?)
        /// Send ``current`` again when somebody may have corrected the configuration.
        case hold(reason: String)
    }

    var chunk: Chunk
    /// Undecided ranges of lines; the last one is next. At most one per halving, about log2 of the lines.
    private var undecided: [Range<Int>]
    private(set) var rejected: [(line: Int, reason: String)] = []

    init(_ chunk: Chunk) {
        self.chunk = chunk
        undecided = [chunk.lines.indices]
    }

    /// The lines of the next request; nil when every line is decided.
    var current: Range<Int>? { undecided.last }

    /// Draws the conclusion from the answer to ``current``.
    mutating func handle(_ disposition: Disposition) -> Step {
        guard let current else { return .proceed }
        switch disposition {
        case .stored:
            undecided.removeLast()
            return .proceed
        case .retry(let reason, let after):
            return .again(reason: reason, after: after)
        case .hold(let reason):
            return .hold(reason: reason)
        case .tooLarge(let reason):
            divide(current, reason: reason, isDecided: false)
            return .proceed
        case .refused(let reason, let dropped):
            let fields = chunk.fields(in: current)
            divide(current, reason: reason, isDecided: dropped.coversAll(lines: current.count, fields: fields))
            return .proceed
        }
    }

    private mutating func divide(_ range: Range<Int>, reason: String, isDecided: Bool) {
        undecided.removeLast()
        if range.count == 1 || isDecided {
            rejected += range.map { ($0, reason) }
        } else {
            let middle = range.lowerBound + range.count / 2
            undecided.append(middle..<range.upperBound)
            undecided.append(range.lowerBound..<middle)
        }
    }
}

/// Exponential limits with full jitter: the n-th wait in a row is uniformly random in 0 ..< min(cap, base · 2ⁿ).
struct RetryDelay {
    let base: Int64
    let cap: Int64
    private(set) var failures = 0

    init(base: Int64, cap: Int64) {
        self.cap = min(max(cap, 1), .max / 4)
        self.base = min(max(base, 1), self.cap)
    }

    mutating func next(using generator: inout some RandomNumberGenerator) -> Int64 {
        var limit = base
        for _ in 0..<failures where limit < cap { limit &*= 2 }
        limit = min(limit, cap)
        failures = min(failures + 1, 40)
        return Int64.random(in: 0..<limit, using: &generator)
    }

    mutating func reset() { failures = 0 }
}
