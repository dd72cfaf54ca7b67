import Heating
import Machine
import Synchronization

/// Whether a peer answers, from what asking it brought. A plain value.
struct Reachability: Sendable {
    /// A peer that has answered before may be away for so long, so that its restart makes nobody unready.
    static let grace: Int64 = 20_000_000_000
    /// Between two questions while it answers.
    static let interval: Int64 = 10_000_000_000
    /// The same while it does not, so that its return is noticed within seconds.
    static let retryInterval: Int64 = 1_000_000_000

    private var lastAnswer: Int64?
    private var lastError: String?
    private var asked: Int64?

    /// Boot time of the next question.
    var due: Int64 { asked.map { $0 + (lastError == nil ? Self.interval : Self.retryInterval) } ?? 0 }

    /// It answered, or was seen at work.
    mutating func answered(now: Int64) {
        (lastAnswer, asked, lastError) = (now, now, nil)
    }

    mutating func failed(_ error: String, now: Int64) {
        (asked, lastError) = (now, error)
    }

    /// Why it cannot be relied on; nil while it can.
    func problem(now: Int64) -> String? {
        guard let lastAnswer else { return lastError ?? "not asked yet" }
        return now - lastAnswer > Self.interval + Self.grace ? lastError : nil
    }

    var answersNow: Bool { lastAnswer != nil && lastError == nil }
}

extension Mutex<Reachability> {
    /// Asks when it is time to; blocks as long as the question does.
    borrowing func ask(_ question: () throws -> Void) {
        guard withLock({ $0.due }) <= Clock.bootNanoseconds else { return }
        do {
            try question()
            withLock { $0.answered(now: Clock.bootNanoseconds) }
        } catch {
            let text = "\(error)"
            withLock { $0.failed(text, now: Clock.bootNanoseconds) }
        }
    }
}

/// What is told when it happens first and then once a minute with a count, however often it happens.
struct OncePerMinute: Sendable {
    private static let interval: Int64 = 60_000_000_000
    private var told: [ExactString: (at: Int64, total: Int)] = [:]

    /// - Parameter total: how often it has happened since the start.
    /// - Returns: how often it happened since it was told last; nil if it is not to be told now.
    mutating func news(_ key: String, total: Int, now: Int64) -> Int? {
        let before = told[ExactString(key)]
        let count = total - (before?.total ?? 0)
        guard count > 0 else { return nil }
        if let before, now - before.at < Self.interval { return nil }
        told[ExactString(key)] = (now, total)
        return count
    }

    /// For something that lasts: whether it is to be told now. Told again at once when it is another reason.
    mutating func isNews(_ key: String, _ reason: String?, now: Int64) -> Bool {
        guard let reason else { return false }
        // Numbers in a reason change while it stays the same.
        let name = key + "\u{0}" + String(reason.filter { !$0.isNumber })
        if let before = told[ExactString(name)], now - before.at < Self.interval { return false }
        told[ExactString(name)] = (now, 0)
        if told.count > 1000 { told = told.filter { now - $0.value.at < Self.interval } }
        return true
    }
}
