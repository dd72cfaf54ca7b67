import MQTT

/// What the broker has said to the ingestor's subscriptions, and when to ask again for those that it refused: somebody may
/// have given the right meanwhile, and no broker tells. A value; boot nanoseconds.
struct AskedFilters {
    static let interval: Int64 = 2_000_000_000

    struct Refused: Equatable {
        var filter: String
        var reason: ReasonCode
    }

    private var asked: [Int32: [String]] = [:]
    private(set) var refused: [Refused] = []
    private var due: Int64 = 0

    mutating func asked(_ filters: [String], by packetID: Int32) { asked[packetID] = filters }

    /// - Returns: whether it was about these filters.
    mutating func answered(_ packetID: Int32, _ reasons: [ReasonCode], now: Int64) -> Bool {
        guard let filters = asked.removeValue(forKey: packetID) else { return false }
        for (filter, reason) in zip(filters, reasons) where !reason.isSuccess {
            refused.append(Refused(filter: filter, reason: reason))
        }
        due = now + Self.interval
        return true
    }

    /// When to look for ``again(now:)``; nil while nothing is refused.
    var nextLook: Int64? { refused.isEmpty ? nil : due }

    /// What to ask for once more.
    mutating func again(now: Int64) -> [String] {
        guard !refused.isEmpty, now >= due, asked.isEmpty else { return [] }
        defer { refused = [] }
        return refused.map(\.filter)
    }

    /// The connection is gone, or everything is asked for in another way.
    mutating func forget() { (asked, refused) = ([:], []) }

    /// What keeps the readings out, and what to do; nil while nothing does.
    var problem: String? {
        guard let first = refused.first else { return nil }
        let filters = refused.map(\.filter).joined(separator: " ")
        return "it refuses the subscription to \(filters), \(first.reason): nothing of that is ingested. "
            + "Allow this user to subscribe to it there; asked again until then"
    }
}
