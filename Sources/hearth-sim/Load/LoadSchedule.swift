/// When the next reading may leave: `rate` per second from the first moment on, or at once.
struct LoadSchedule: Sendable {
    /// Messages per second; 0 = as fast as the window permits.
    let rate: Double
    private var start: Int64?

    init(rate: Double) {
        self.rate = rate
    }

    /// How many readings are due, counted from the first call on.
    /// - Parameter now: boot time, nanoseconds.
    mutating func due(now: Int64) -> Int {
        guard rate > 0 else { return .max }
        let start = start ?? now
        self.start = start
        return Int(Double(now - start) / 1e9 * rate) + 1
    }

    /// The boot time at which the reading after `sent` readings is due; nil = now.
    func deadline(sent: Int) -> Int64? {
        guard rate > 0, let start else { return nil }
        // A nanosecond late rather than early: rounding must not wake the connection before the reading is due.
        return start + Int64((Double(sent) / rate * 1e9).rounded(.up)) + 1
    }
}
