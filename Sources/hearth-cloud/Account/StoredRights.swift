import Heating

/// What the cloud broker lets the accounts' link do, learnt from its answers and from when it closes. A decision only: it sends
/// nothing.
///
/// Mosquitto 2.0.11 closes the connection at a publication that its rules do not allow, others at such a subscription. So what
/// was refused, or was alone unanswered when the broker closed, is withheld for a while that grows, and then tried again.
struct StoredRights {
    enum Right: CaseIterable {
        /// What was told before a start.
        case read
        /// The accounts.
        case write
    }

    enum Lesson: Equatable {
        case missing(Right)
        case granted(Right)
    }

    private struct Withheld {
        var until: Instant
        var times: Int
        /// Closes with only this unanswered.
        var proofs = 0
        var isTold = false
    }

    private static let waits: [Duration] = [10, 60, 600, 3600].map { .seconds($0) }
    /// One close may be the network's.
    private static let proofsNeeded = 2
    /// How soon after an answer that cannot refuse a broker closes that did not take it.
    private static let settlingTime = Duration.milliseconds(200)

    private var withheld: [Right: Withheld] = [:]
    /// Asked for on this connection and not proven: when it counts as granted, if an answer came that cannot refuse.
    private var open: [Right: Instant?] = [:]
    private var proven: Set<Right> = []

    /// Whether it may be asked for.
    func allows(_ right: Right, now: Instant) -> Bool {
        withheld[right].map { $0.until <= now } ?? true
    }

    /// Asked for on this connection, and not known yet.
    func isOpen(_ right: Right) -> Bool { open[right] != nil }

    /// When to look again.
    func nextLook(after now: Instant) -> Instant? {
        (withheld.values.map(\.until) + open.values.compactMap(\.self)).filter { $0 > now }.min()
    }

    mutating func asked(_ right: Right) {
        if !proven.contains(right), open[right] == nil { open[right] = .some(nil) }
    }

    /// The broker answered.
    ///
    /// - Parameter isTold: the answer would say so if it refused.
    mutating func answered(_ right: Right, isGranted: Bool, isTold: Bool, now: Instant) -> Lesson? {
        if isGranted, !isTold, !proven.contains(right) {
            open[right] = .some(now + Self.settlingTime)
            return nil
        }
        open[right] = nil
        if isGranted { return took(right) }
        // Where others were taken the broker refuses one home, which withholds nothing from them.
        guard !proven.contains(right) else { return nil }
        return withhold(right, now) { _ in true }
    }

    /// Counts as granted what was answered without a word and not followed by a close.
    mutating func settle(now: Instant) -> [Lesson] {
        let settled = open.filter { $0.value.map { $0 <= now } ?? false }.keys
        for right in settled { open[right] = nil }
        return settled.compactMap { took($0) }
    }

    /// The connection ended.
    mutating func closed(byPeer: Bool, now: Instant) -> Lesson? {
        defer { (open, proven) = ([:], []) }
        guard byPeer, open.count == 1, let right = open.keys.first else { return nil }
        return withhold(right, now) { $0.proofs >= Self.proofsNeeded }
    }

    private mutating func took(_ right: Right) -> Lesson? {
        proven.insert(right)
        return withheld.removeValue(forKey: right)?.isTold == true ? .granted(right) : nil
    }

    /// - Parameter isSure: whether it is worth a word.
    private mutating func withhold(_ right: Right, _ now: Instant, isSure: (Withheld) -> Bool)
        -> Lesson?
    {
        var entry = withheld[right] ?? Withheld(until: now, times: 0)
        entry.times += 1
        entry.proofs += 1
        entry.until = now + Self.waits[min(entry.times, Self.waits.count) - 1]
        let isNews = !entry.isTold && isSure(entry)
        entry.isTold = entry.isTold || isNews
        withheld[right] = entry
        return isNews ? .missing(right) : nil
    }
}
