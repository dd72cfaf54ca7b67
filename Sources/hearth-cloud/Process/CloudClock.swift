import Glibc
import Heating

/// The clocks of the cloud services: boot time for waiting, wall time for stamping.
enum CloudClock {
    static var bootNanoseconds: Int64 { read(CLOCK_BOOTTIME) }
    static var now: Instant { Instant(nanoseconds: bootNanoseconds) }
    static var wall: Timestamp { Timestamp(nanoseconds: read(CLOCK_REALTIME)) }

    /// Blocks the calling thread; for threads of our own only.
    static func sleep(_ nanoseconds: Int64) { usleep(UInt32(clamping: nanoseconds / 1000)) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
