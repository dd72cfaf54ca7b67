import Heating

/// How much of its time a loop has been at work lately. A value.
struct Load {
    /// Beyond this share of the time what comes waits for what came before.
    private static let busy = 0.7
    private static let memory = 2.0

    /// Seconds of work and of time, older ones counting less.
    private var work = 0.0
    private var time = 0.0
    private var last: Instant?

    mutating func worked(from start: Instant, to end: Instant) {
        fade(to: end)
        work += Self.seconds(end - start)
    }

    mutating func isBusy(now: Instant) -> Bool {
        fade(to: now)
        return time > 0 && work / time > Self.busy
    }

    private mutating func fade(to now: Instant) {
        defer { last = max(last ?? now, now) }
        guard let last, now > last else { return }
        let passed = Self.seconds(now - last)
        let rest = max(0, 1 - passed / Self.memory)
        work *= rest
        time = time * rest + passed
    }

    private static func seconds(_ duration: Duration) -> Double { Double(duration.wholeNanoseconds) / 1e9 }
}
