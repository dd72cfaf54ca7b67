import Glibc

/// The machine's clocks, in whole nanoseconds. The only place that reads them.
package enum Clock {
    /// Since the machine started, the time it slept included (`CLOCK_BOOTTIME`). Never goes back: what every timer uses.
    package static var bootNanoseconds: Int64 { read(CLOCK_BOOTTIME) }

    /// Since an unspecified start, without the time the machine slept (`CLOCK_MONOTONIC`). For what the system measures by
    /// this clock: conditions of pthread, and systemd's `MONOTONIC_USEC`.
    package static var monotonicNanoseconds: Int64 { read(CLOCK_MONOTONIC) }

    /// Since 1970 in UTC, as far as this machine knows. For stamping, never for timing.
    package static var wallNanoseconds: Int64 { read(CLOCK_REALTIME) }

    /// The point on the monotonic clock after `nanoseconds`; at once for a negative number, never for an absurd one.
    package static func deadline(after nanoseconds: Int64) -> Int64 {
        let (sum, overflow) = monotonicNanoseconds.addingReportingOverflow(max(0, nanoseconds))
        return overflow ? .max : sum
    }

    /// Blocks the calling thread, also through signals; for threads of our own only.
    package static func sleep(_ nanoseconds: Int64) {
        guard nanoseconds > 0 else { return }
        var wanted = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var left = timespec()
        while nanosleep(&wanted, &left) == -1, errno == EINTR { wanted = left }
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
