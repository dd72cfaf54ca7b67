/// Words on change, then now and then with a count: what an attempt four times a second says must not fill a card.
///
/// A text that was not heard lately is said at once; its repetitions are counted and said after a minute, ten times, and then
/// every quarter of an hour. So are several texts that take turns. Texts that are new all the time are said a few at a
/// time. Any thread; belongs to one speaker.
public struct RepeatedWords: Sendable {
    private struct Entry {
        var text: String
        var saidAt: Instant
        var heardAt: Instant
        /// Heard and not said since `saidAt`.
        var count = 0
        var repetitions = 0
    }

    /// Longer texts are cut: a peer may have written them.
    public static let longestText = 400
    /// Different texts that are told apart.
    private static let limit = 8
    private static let minute = Duration.seconds(60)
    private static let quarter = Duration.seconds(900)
    private static let minutesOfRepetition = 10
    /// One more new text may be said after this long.
    private static let refill = Duration.seconds(600)

    private let burst: Int
    private var entries: [Entry] = []
    private var left: Int
    private var refilledAt: Instant?
    /// Texts that were new and not said.
    private var unsaid = 0

    /// - Parameter burst: new texts that may be said at once.
    public init(burst: Int = 5) {
        self.burst = burst
        left = burst
    }

    /// Something happened.
    ///
    /// - Returns: the line to log, with the count of what was not said; nil to say nothing.
    public mutating func say(_ words: String, now: Instant) -> String? {
        let text = words.utf8.count > Self.longestText ? words.prefix(Self.longestText) + "…" : words
        entries.removeAll { now - $0.heardAt > Self.quarter * 2 }
        guard let index = entries.firstIndex(where: { $0.text.utf8.elementsEqual(text.utf8) }) else {
            return sayNew(text, now)
        }
        entries[index].heardAt = now
        entries[index].count += 1
        let entry = entries[index]
        let interval = entry.repetitions < Self.minutesOfRepetition ? Self.minute : Self.quarter
        guard now - entry.saidAt >= interval else { return nil }
        entries[index].saidAt = now
        entries[index].count = 0
        entries[index].repetitions += 1
        let minutes = Int((now - entry.saidAt).components.seconds / 60)
        return "\(text) (\(entry.count) times in \(minutes) min)"
    }

    /// All has been well for a while: the next trouble is news, even if it is an old one.
    public mutating func calm() { entries = [] }

    private mutating func sayNew(_ text: String, _ now: Instant) -> String? {
        if let last = refilledAt {
            let more = Int((now - last).components.seconds / Self.refill.components.seconds)
            left = min(burst, left + more)
            if more > 0 { refilledAt = left == burst ? now : last + Self.refill * more }
        } else {
            refilledAt = now
        }
        guard left > 0 else {
            unsaid += 1
            return nil
        }
        left -= 1
        if entries.count == Self.limit, let oldest = entries.indices.min(by: { entries[$0].heardAt < entries[$1].heardAt })
        {
            entries.remove(at: oldest)
        }
        entries.append(Entry(text: text, saidAt: now, heardAt: now))
        defer { unsaid = 0 }
        return unsaid == 0 ? text : "\(text) (and \(unsaid) others before)"
    }
}
