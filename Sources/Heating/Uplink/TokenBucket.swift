/// Limits a flow to a number of readings per second, with at most one second's worth at once.
struct TokenBucket: Equatable, Sendable {
    /// Readings per second; 0 means no limit.
    let rate: Int64
    /// In billionths of a reading.
    private var tokens: Int64
    private var filledAt: Instant

    private static let one: Int64 = 1_000_000_000

    /// A full bucket. The rate is clamped to a million readings per second.
    init(rate: Int, now: Instant) {
        self.rate = Int64(min(max(0, rate), 1_000_000))
        tokens = self.rate * Self.one
        filledAt = now
    }

    /// How many of `wanted` readings may go now.
    mutating func available(_ wanted: Int, now: Instant) -> Int {
        guard rate > 0 else { return wanted }
        fill(now: now)
        return min(wanted, Int(max(0, tokens / Self.one)))
    }

    /// When this many readings may go; counts at most one second ahead.
    func instant(for wanted: Int) -> Instant {
        guard rate > 0 else { return filledAt }
        let missing = min(Int64(wanted), rate) * Self.one - tokens
        return filledAt + .nanoseconds(max(0, (missing + rate - 1) / rate))
    }

    /// May go below zero, which later readings wait for.
    mutating func take(_ count: Int, now: Instant) {
        guard rate > 0 else { return }
        fill(now: now)
        tokens -= min(Int64(count), rate) * Self.one
    }

    private mutating func fill(now: Instant) {
        let elapsed = min(max(0, (now - filledAt).wholeNanoseconds), Self.one)
        tokens = min(rate * Self.one, tokens + elapsed * rate)
        filledAt = max(filledAt, now)
    }
}
