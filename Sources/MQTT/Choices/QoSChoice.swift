/// Which QoS a broker without words for it takes: MQTT 3.1.1 has no Maximum QoS, and a broker that takes QoS 0 only closes the
/// connection at the first publication of QoS 1.
///
/// What was published is worth more than its QoS, so after two connections in a row that ended so, publications leave at
/// QoS 0, for an hour or until connections end in the same way then.
struct QoSChoice: Equatable {
    private static let patience = 2
    private static let validity = 3600 * nanosecondsPerSecond

    private var closes = 0
    private var limitedUntil: Int64?

    /// Highest QoS to publish at.
    func maximum(now: Int64) -> UInt8 { limitedUntil.map { now < $0 } ?? false ? 0 : 2 }

    /// A connection ended.
    ///
    /// - Parameters:
    ///   - isSuspicious: MQTT 3.1.1; the peer closed while publications of QoS 1 were unanswered, and none had been answered.
    ///   - brief: the connection lasted for moments only.
    mutating func ended(isSuspicious: Bool, brief: Bool, now: Int64) {
        if maximum(now: now) == 0 {
            closes = brief ? closes + 1 : 0
            if closes >= Self.patience { (closes, limitedUntil) = (0, nil) }
            return
        }
        closes = isSuspicious ? closes + 1 : 0
        if closes >= Self.patience { (closes, limitedUntil) = (0, now + Self.validity) }
    }
}
