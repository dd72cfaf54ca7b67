extension Timestamp {
    /// Reads an ISO 8601 calendar date-time, `2026-11-23T10:00:00.123456`.
    ///
    /// The separator is `T`, `t` or a space; the fraction, after `.` or `,`, is optional and cut after nine digits.
    /// Accepted zones: `Z`, `±hh:mm`, `±hhmm`, `±hh`. Text without a zone is local time `naiveOffsetSeconds` east of
    /// UTC. Hour 24 is refused (RFC 3339 section 5.6 has none). Second 60 is accepted only where a leap second can be,
    /// at 23:59:60 UTC, and means the following second, as POSIX time counts it.
    ///
    /// Returns nil for anything else, for days that do not exist, and for times outside 1970-01-01T00:00:00Z to
    /// 2262-04-11T23:47:16.854775807Z, the range of nanoseconds in `Int64` (and of InfluxDB's points).
    public init?(iso8601 text: some Collection<UInt8>, naiveOffsetSeconds: Int = 0) {
        guard let parsed = Timestamp.parse(iso8601: text, naiveOffsetSeconds: naiveOffsetSeconds) else { return nil }
        self = parsed.timestamp
    }

    /// As ``init(iso8601:naiveOffsetSeconds:)``; also tells whether the text had no zone.
    public static func parse(
        iso8601 text: some Collection<UInt8>, naiveOffsetSeconds: Int = 0
    ) -> (timestamp: Timestamp, isNaive: Bool)? {
        text.withBytes { parse(iso8601: $0, in: 0..<$0.count, naiveOffsetSeconds: naiveOffsetSeconds) }
    }

    /// `range` must lie within `bytes.indices`.
    static func parse(
        iso8601 bytes: Span<UInt8>, in range: Range<Int>, naiveOffsetSeconds: Int
    ) -> (timestamp: Timestamp, isNaive: Bool)? {
        var cursor = Cursor(index: range.lowerBound, end: range.upperBound)
        guard let date = cursor.date(bytes), cursor.separator(bytes),
            let hour = cursor.number(bytes, digits: 2), hour <= 23, cursor.take(bytes, ":"),
            let minute = cursor.number(bytes, digits: 2), minute <= 59, cursor.take(bytes, ":"),
            let second = cursor.number(bytes, digits: 2), second <= 60,
            let fraction = cursor.fraction(bytes)
        else { return nil }
        let isNaive = cursor.isAtEnd
        let offset: Int64
        if isNaive {
            offset = Int64(naiveOffsetSeconds)
        } else {
            guard let zone = cursor.zone(bytes), cursor.isAtEnd else { return nil }
            offset = zone
        }
        // At most 366 * 10_000 days in seconds: no overflow before the nanoseconds, which are checked.
        let seconds = (date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second)
            .subtractingSaturated(offset)
        if second == 60 && seconds % 86_400 != 0 { return nil }
        let (scaled, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (nanoseconds, overflow) = scaled.addingReportingOverflow(fraction)
        guard seconds >= 0, !tooLarge, !overflow else { return nil }
        return (Timestamp(nanoseconds: nanoseconds), isNaive)
    }
}

extension CalendarDate {
    /// The first ten bytes of `range`, `2026-11-23`; nil if they are no day that exists.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var cursor = Cursor(index: range.lowerBound, end: range.upperBound)
        guard let date = cursor.date(bytes) else { return nil }
        self = date
    }
}

/// A reading position in a date-time text; the bytes are passed in because a span cannot be stored.
private struct Cursor {
    var index: Int
    let end: Int

    var isAtEnd: Bool { index == end }

    func peek(_ bytes: Span<UInt8>) -> UInt8? {
        index < end ? bytes[index] : nil
    }

    mutating func take(_ bytes: Span<UInt8>, _ accepted: Unicode.Scalar) -> Bool {
        guard index < end, bytes[index] == UInt8(ascii: accepted) else { return false }
        index += 1
        return true
    }

    mutating func separator(_ bytes: Span<UInt8>) -> Bool {
        take(bytes, "T") || take(bytes, "t") || take(bytes, " ")
    }

    /// Exactly this many decimal digits.
    mutating func number(_ bytes: Span<UInt8>, digits: Int) -> Int64? {
        guard end - index >= digits else { return nil }
        var value: Int64 = 0
        for _ in 0..<digits {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int64(digit)
            index += 1
        }
        return value
    }

    mutating func date(_ bytes: Span<UInt8>) -> CalendarDate? {
        guard let year = number(bytes, digits: 4), take(bytes, "-"),
            let month = number(bytes, digits: 2), (1...12).contains(month), take(bytes, "-"),
            let day = number(bytes, digits: 2), (1...CalendarDate.daysInMonth(month, of: year)).contains(day)
        else { return nil }
        return CalendarDate(year: year, month: month, day: day)
    }

    /// Nanoseconds; zero when there is no fraction, nil when a decimal sign has no digits after it.
    mutating func fraction(_ bytes: Span<UInt8>) -> Int64? {
        guard take(bytes, ".") || take(bytes, ",") else { return 0 }
        let start = index
        var value: Int64 = 0
        var unit: Int64 = 100_000_000
        while let byte = peek(bytes), byte &- UInt8(ascii: "0") <= 9 {
            value += Int64(byte &- UInt8(ascii: "0")) * unit
            unit /= 10
            index += 1
        }
        return index > start ? value : nil
    }

    /// Seconds east of UTC.
    mutating func zone(_ bytes: Span<UInt8>) -> Int64? {
        if take(bytes, "Z") || take(bytes, "z") { return 0 }
        let isWest = peek(bytes) == UInt8(ascii: "-")
        guard take(bytes, "+") || take(bytes, "-"), let hours = number(bytes, digits: 2), hours <= 23 else {
            return nil
        }
        var minutes: Int64 = 0
        if !isAtEnd {
            _ = take(bytes, ":")
            guard let read = number(bytes, digits: 2), read <= 59 else { return nil }
            minutes = read
        }
        let seconds = hours * 3600 + minutes * 60
        return isWest ? -seconds : seconds
    }
}
