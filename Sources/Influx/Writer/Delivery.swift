/// The way of one chunk to the database: the whole, then halves as far as refusals make it necessary.
///
/// Ranges are sent in order and one after the other, so points of the same series never overtake each other.
struct Delivery {
    /// What to do after an answer.
    enum Step: Equatable {
        /// Send ``current``, or finish when there is none.
        case proceed
        /// Send a line that the server has taken before, to learn whether it takes anything; then ``Delivery/isProving``.
        case prove
        /// Send ``current`` again, later.
        case again(reason: String, after: Duration?)
        /// Send ``current`` again when somebody may have corrected the configuration.
        case hold(reason: String)
    }

    /// A line that was not stored.
    struct Rejected: Equatable {
        var line: Int
        var refusal: Refusal
        var reason: String
    }

    /// So many lines of a measurement are asked for one by one; then those left of it are taken to be in the same
    /// conflict. They are tried again later anyway, and a server that does not count what it refused would be asked
    /// twice for every line.
    private static let conflictsProved = 16
    /// A server that does not take a line of so few bytes does not mean the line.
    private static let smallLine = 64 << 10

    var chunk: Chunk
    /// Undecided ranges of lines; the last one is next. At most one per halving, about log2 of the lines.
    private var undecided: [Range<Int>]
    private(set) var rejected: [Rejected] = []
    /// Lines found in conflict one by one, per measurement.
    private var conflicts: [[UInt8]: Int] = [:]
    private var doubt: Doubt

    /// - Parameter canProve: there is a line that the server has taken before.
    init(_ chunk: Chunk, canProve: Bool = false) {
        self.chunk = chunk
        undecided = [chunk.lines.indices]
        doubt = Doubt(canProve: canProve)
    }

    /// What is to be sent is not ``current`` but a line that the server has taken before.
    var isProving: Bool { doubt.isProving }

    /// The lines of the next request; nil when every line is decided.
    var current: Range<Int>? { undecided.last }

    /// Draws the conclusion from the answer to ``current``.
    mutating func handle(_ disposition: Disposition) -> Step {
        guard let current else { return .proceed }
        if doubt.isProving { return proved(by: disposition, current) }
        switch disposition {
        case .stored:
            undecided.removeLast()
            rejected += doubt.proved()
            doubt.canProve = true
            return .proceed
        case .unclear(let reason):
            return isUnclear(current, reason)
        case .retry(let reason, let after):
            return .again(reason: reason, after: after)
        case .hold(let reason):
            return .hold(reason: reason)
        case .tooLarge(let reason):
            if current.count == 1, chunk.bytes(of: current).count <= Self.smallLine { return .hold(reason: reason) }
            divide(current, .tooLarge, reason: reason, isDecided: false)
            return .proceed
        case .refused(let refusal, let reason, let dropped):
            rejected += doubt.proved()
            let fields = chunk.fields(in: current)
            let isAll =
                dropped.coversAll(lines: current.count, fields: fields) && refusal != .unparsable
                || (refusal == .typeConflict && isKnownConflict(current))
            divide(current, refusal, reason: reason, isDecided: isAll)
            return .proceed
        }
    }

    /// What the server says to a line that it has taken before.
    private mutating func proved(by disposition: Disposition, _ current: Range<Int>) -> Step {
        doubt.isProving = false
        switch disposition {
        case .stored, .refused:
            rejected += doubt.proved()
            return isUnclear(current, doubt.reason)
        case .retry(let reason, let after): return .again(reason: reason, after: after)
        case .tooLarge(let reason), .unclear(let reason), .hold(let reason): return .hold(reason: reason)
        }
    }

    private mutating func isUnclear(_ current: Range<Int>, _ reason: String) -> Step {
        switch doubt.add(current, reason: reason) {
        case .prove: return .prove
        case .divide: divide(current, .unclear, reason: reason, isDecided: false)
        case .wait: undecided.removeLast()
        case .reject(let lines):
            undecided.removeLast()
            rejected += lines
        }
        guard doubt.isEnough || undecided.isEmpty, !doubt.lines.isEmpty else { return .proceed }
        if let lines = doubt.giveUp(isAll: undecided.isEmpty) {
            rejected += lines
            return .proceed
        }
        undecided += doubt.takeBack()
        return .hold(reason: reason)
    }

    private mutating func divide(_ range: Range<Int>, _ refusal: Refusal, reason: String, isDecided: Bool) {
        undecided.removeLast()
        if range.count == 1 || isDecided {
            rejected += range.map { Rejected(line: $0, refusal: refusal, reason: reason) }
            if range.count == 1, refusal == .typeConflict {
                conflicts[measurement(of: range.lowerBound), default: 0] += 1
            }
        } else {
            let middle = range.lowerBound + range.count / 2
            undecided.append(middle..<range.upperBound)
            undecided.append(range.lowerBound..<middle)
        }
    }

    private func isKnownConflict(_ range: Range<Int>) -> Bool {
        guard conflicts.values.contains(where: { $0 >= Self.conflictsProved }) else { return false }
        return range.allSatisfy { conflicts[measurement(of: $0), default: 0] >= Self.conflictsProved }
    }

    private func measurement(of line: Int) -> [UInt8] {
        Array(LineProtocol.measurement(of: chunk.bytes[chunk.bytes(of: line..<line + 1)]))
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
