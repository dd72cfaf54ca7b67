/// How long to wait before the next attempt to connect: decorrelated jitter, so that ten thousand homes do not
/// return in the same second ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
///
/// Each delay is uniform between `base` and three times the one before, at most `cap`.
public struct Backoff: Equatable, Sendable {
    public let base: Duration
    public let cap: Duration
    /// A connection that lasted at least this long starts over at `base`. A shorter one does not: a peer that accepts
    /// and then drops us must not be hammered.
    public let stableAfter: Duration
    private var previous: Duration

    public init(base: Duration = .seconds(1), cap: Duration = .seconds(60), stableAfter: Duration = .seconds(60)) {
        self.base = base
        self.cap = max(base, cap)
        self.stableAfter = stableAfter
        previous = base
    }

    /// The delay before the next attempt.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let least = base.wholeNanoseconds
        let most = max(least, min(cap, previous * 3).wholeNanoseconds)
        previous = .nanoseconds(Int64.random(in: least...most, using: &generator))
        return previous
    }

    /// To be told how long a connection lasted when it ends.
    public mutating func connectionLasted(_ duration: Duration) {
        if duration >= stableAfter { previous = base }
    }
}
