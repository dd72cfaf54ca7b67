import ArgumentParser
import Glibc
import Heating

/// Seconds from now until a time on the reader's clock: `2026-12-24` (its first minute), `2026-12-24 18:00`, `2026-12-24T18:00`,
/// or `18:00`, today or else tomorrow.
///
/// - Throws: `ValidationError` saying what is accepted, also for a time that has passed or is more than a year away.
func secondsUntil(_ text: String, now: Timestamp) throws -> Int64 {
    let expected = "Write it as 2026-12-24, \"2026-12-24 18:00\" or 18:00."
    let parts = text.split { $0 == " " || $0 == "T" }
    let date = parts.first { $0.contains("-") }
    let clock = parts.first { $0.contains(":") }
    var seconds = time_t(now.nanoseconds / 1_000_000_000)
    var fields = tm()
    guard (1...2).contains(parts.count), parts.count == [date, clock].count(where: { $0 != nil }),
        localtime_r(&seconds, &fields) != nil
    else { throw ValidationError("'\(printable(text))' is not a time. \(expected)") }
    (fields.tm_hour, fields.tm_min, fields.tm_sec, fields.tm_isdst) = (0, 0, 0, -1)
    if let date {
        let numbers = date.split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
        guard numbers.count == 3, let year = numbers[0], let month = numbers[1], let day = numbers[2],
            (2000...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { throw ValidationError("'\(printable(text))' is not a date. \(expected)") }
        (fields.tm_year, fields.tm_mon, fields.tm_mday) = (year - 1900, month - 1, day)
    }
    if let clock {
        let numbers = clock.split(separator: ":", omittingEmptySubsequences: false).map { Int32($0) }
        guard numbers.count == 2, let hour = numbers[0], let minute = numbers[1], (0...23).contains(hour),
            (0...59).contains(minute)
        else { throw ValidationError("'\(printable(text))' is not a time. \(expected)") }
        (fields.tm_hour, fields.tm_min) = (hour, minute)
    }
    let (month, day) = (fields.tm_mon, fields.tm_mday)
    var end = mktime(&fields)
    guard (fields.tm_mon, fields.tm_mday) == (month, day) else {
        throw ValidationError("'\(printable(text))': there is no such day. \(expected)")
    }
    if date == nil, end <= seconds {
        fields.tm_mday += 1
        fields.tm_isdst = -1
        end = mktime(&fields)
    }
    guard end > seconds else { throw ValidationError("'\(printable(text))' has passed.") }
    guard Int64(end - seconds) <= HeatPumpCommand.longestDuration.components.seconds else {
        throw ValidationError("'\(printable(text))' is too far away: 366 days at most.")
    }
    return Int64(end - seconds)
}
