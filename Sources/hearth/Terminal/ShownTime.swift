import Glibc
import Heating

/// The wall clock in whole seconds, which is all that is shown of it.
func wallClock() -> Timestamp {
    Timestamp(nanoseconds: Int64(time(nil)) * 1_000_000_000)
}

/// Writes times in the reader's time zone (`TZ`, /etc/localtime).
struct ShownTime {
    /// Times of today are written without the date.
    var now: Timestamp

    /// "10:00:12", or "2026-11-22 10:00:12" on another day; nil when the time is beyond the calendar.
    func text(_ time: Timestamp) -> String? {
        guard let then = fields(time), let today = fields(now) else { return nil }
        let clock = [then.tm_hour, then.tm_min, then.tm_sec].map(twoDigits).joined(separator: ":")
        if then.tm_year == today.tm_year, then.tm_yday == today.tm_yday { return clock }
        return "\(then.tm_year + 1_900)-\(twoDigits(then.tm_mon + 1))-\(twoDigits(then.tm_mday)) \(clock)"
    }

    /// As ``text(_:)`` without seconds.
    func minute(_ time: Timestamp) -> String? { text(time).map { String($0.dropLast(3)) } }

    /// As ``text(_:)`` for the ISO 8601 text of the daemon; text that is no time stays as it is.
    func text(iso8601: String) -> String {
        Timestamp(iso8601: iso8601.utf8).flatMap(text) ?? iso8601
    }

    private func fields(_ time: Timestamp) -> tm? {
        var seconds = time_t(time.nanoseconds / 1_000_000_000)
        var result = tm()
        return localtime_r(&seconds, &result) == nil ? nil : result
    }

    private func twoDigits(_ number: Int32) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
