/// Lines that the server refuses in words that nobody here knows, as long as it is not clear whether it means them or would
/// refuse anything now.
///
/// The server is asked: it means the lines if it has just taken others, or takes one again that it had taken before. Then they
/// are given out one by one, never for good, and all others go on. If it takes nothing, nothing is given out. Where there is
/// nothing to compare with, a few lines are given out after a second attempt: who keeps them tries them again, and others may
/// be waiting behind them.
struct Doubt {
    enum Verdict: Equatable {
        case prove
        case divide
        /// A line alone, without proof.
        case wait
        case reject([Delivery.Rejected])
    }

    /// So many lines in a row that were refused alone, with nothing taken in between, ask for a new proof.
    private static let limit = 16
    private static let attempts = 2

    /// There is a line that the server has taken before.
    var canProve: Bool
    var isProving = false
    /// The latest unknown words.
    private(set) var reason = ""
    /// Refused alone, ascending.
    private(set) var lines: [Delivery.Rejected] = []
    /// The server takes lines.
    private var isProven = false
    private var inARow = 0
    private var givenBack = 0

    init(canProve: Bool) { self.canProve = canProve }

    var isEnough: Bool { lines.count >= Self.limit }

    /// The server has taken or judged a line. - Returns: the lines that it meant.
    mutating func proved() -> [Delivery.Rejected] {
        (isProven, inARow) = (true, 0)
        defer { lines = [] }
        return lines
    }

    /// What to do with a range that was refused in unknown words.
    mutating func add(_ range: Range<Int>, reason: String) -> Verdict {
        self.reason = reason
        if inARow >= Self.limit { isProven = false }
        if !isProven, canProve {
            isProving = true
            return .prove
        }
        guard range.count == 1 else { return .divide }
        let line = Delivery.Rejected(line: range.lowerBound, refusal: .unclear, reason: reason)
        inARow += 1
        if isProven { return .reject([line]) }
        lines.append(line)
        return .wait
    }

    /// - Parameter isAll: nothing but these lines is left to compare them with.
    /// - Returns: what to give out all the same; nil: nothing.
    mutating func giveUp(isAll: Bool) -> [Delivery.Rejected]? {
        givenBack += 1
        guard isAll, givenBack >= Self.attempts else { return nil }
        defer { lines = [] }
        return lines
    }

    /// The lines as ranges to be sent again, the first one last.
    mutating func takeBack() -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for line in lines.map(\.line) {
            if let last = ranges.last, last.upperBound == line {
                ranges[ranges.count - 1] = last.lowerBound..<line + 1
            } else {
                ranges.append(line..<line + 1)
            }
        }
        (lines, inARow) = ([], 0)
        return ranges.reversed()
    }
}
