import Glibc
import Heating
import Machine

/// The two clocks of the daemon. Every timer runs on boot time: a box without a battery-backed clock starts in 1970 and
/// jumps when the network appears, and a minimum off time must not jump with it.
extension Clock {
    static var now: Instant { Instant(nanoseconds: bootNanoseconds) }

    static var wall: Timestamp { Timestamp(nanoseconds: wallNanoseconds) }

    /// What the clock on the wall shows, in the zone of this box (`/etc/localtime` or `TZ`); nil while it has evidently
    /// never been set, as on a box without a battery that has not seen the network yet.
    static var localTime: LocalTime? {
        var seconds = time_t(wallNanoseconds / 1_000_000_000)
        guard seconds > earliestCredibleSeconds else { return nil }
        var local = tm()
        // localtime_r alone reads TZ and /etc/localtime once; tzset looks whether they have changed (tzset(3), tzfile.c).
        tzset()
        guard localtime_r(&seconds, &local) != nil else { return nil }
        // tm_wday counts from Sunday.
        return LocalTime(weekday: Int(local.tm_wday + 6) % 7, hour: Int(local.tm_hour), minute: Int(local.tm_min))
    }

    /// How many hours the zone of this box is ahead of UTC now; half ones are rounded down.
    static var zoneHours: Int64 {
        var seconds = time_t(wallNanoseconds / 1_000_000_000)
        var local = tm()
        tzset()
        guard localtime_r(&seconds, &local) != nil else { return 0 }
        return Int64((Double(local.tm_gmtoff) / 3600).rounded(.down))
    }

    /// Until the clock on the wall shows another minute, in whatever zone.
    static var untilNextMinute: Duration {
        let minute: Int64 = 60_000_000_000
        return .nanoseconds(minute - wallNanoseconds % minute)
    }

    /// Whether the clock on the wall has evidently been set when it shows this.
    static func isCredible(_ time: Timestamp) -> Bool {
        time.nanoseconds / 1_000_000_000 > Int64(earliestCredibleSeconds)
    }

    /// 2025-01-01: this program is younger.
    private static let earliestCredibleSeconds: time_t = 1_735_689_600
}
