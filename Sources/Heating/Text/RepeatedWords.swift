/// Words on change, then now and then with a count: what an attempt four times a second says must not fill a card.
///
/// A text that was not heard lately is said at once; its repetitions are counted and said after a minute, twenty times, and
/// then every half hour. So are several texts that take turns. Texts that are new all the time are said a few at a time.
/// Any thread; belongs to one speaker.
public struct RepeatedWords: Sendable {
    private struct Entry {
        var text: String
        var saidAt: Instant
        var heardAt: Instant
        /// Heard and not said since `saidAt`.
        var count = 0
    }

    /// Longer texts are cut: a peer may have written them.
    public static let longestText = 400
    /// Different texts that are told apart.
    private static let limit = 3
    private static let minute = Duration.seconds(60)
    private static let halfHour = Duration.seconds(1800)
    private static let frequent = 20
    /// One more new text, and one more repetition after a minute, may be said after this long.
    private static let refill = Duration.seconds(3600)

    private let burst: Int
    private var entries: [Entry] = []
    private var left: Int
    private var frequentLeft = frequent
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
        entries.removeAll { now - $0.heardAt >= Self.halfHour * 2 }
        refill(now)
        guard let index = entries.firstIndex(where: { $0.text.utf8.elementsEqual(text.utf8) }) else {
            return sayNew(text, now)
        }
        entries[index].heardAt = now
        entries[index].count += 1
        let entry = entries[index]
        guard now - entry.saidAt >= (frequentLeft > 0 ? Self.minute : Self.halfHour) else { return nil }
        frequentLeft = max(0, frequentLeft - 1)
        entries[index].saidAt = now
        entries[index].count = 0
        let minutes = Int((now - entry.saidAt).components.seconds / 60)
        return "\(text) (\(entry.count) times in \(minutes) min)"
    }

    private mutating func refill(_ now: Instant) {
        guard let last = refilledAt else {
            refilledAt = now
            return
        }
        let more = Int((now - last).components.seconds / Self.refill.components.seconds)
        guard more > 0 else { return }
        (left, frequentLeft) = (min(burst, left + more), min(Self.frequent, frequentLeft + more))
        refilledAt = last + Self.refill * more
    }

    private mutating func sayNew(_ text: String, _ now: Instant) -> String? {
        guard left > 0 else {
            unsaid += 1
            return nil
        }
        left -= 1
        if entries.count == Self.limit,
            let oldest = entries.indices.min(by: { entries[$0].heardAt < entries[$1].heardAt })
        {
            entries.remove(at: oldest)
        }
        entries.append(Entry(text: text, saidAt: now, heardAt: now))
        defer { unsaid = 0 }
        return unsaid == 0 ? text : "\(text) (and \(unsaid) others before)"
    }
}
