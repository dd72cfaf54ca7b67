extension Timestamp {
    /// Reads an ISO 8601 calendar date-time, `2026-11-23T10:00:00.123456`.
    ///
    /// The separator is `T`, `t` or a space. The seconds may be missing, as `java.time` and Python's
    /// `timespec="minutes"` leave them out; the fraction, after `.` or `,`, is optional and cut after nine digits.
    ///
    /// Accepted zones: `Z`, `UTC`, `GMT`, `±hh:mm`, `±hhmm`, `±hh`, `±hh:mm:ss` (java.time), also after a space (Ruby,
    /// chrono). What says the same once more behind an offset is read over: `[Europe/Berlin]` and `[u-ca=gregory]`
    /// (RFC 9557, java.time), ` CET` and ` m=+0.012` (Go). A zone's name alone has no meaning without the zone database
    /// and is refused. Text without a zone is local time `naiveOffsetSeconds` east of UTC.
    ///
    /// Hour 24 is refused (RFC 3339 section 5.6 has none). Second 60 means the following second, as POSIX time counts
    /// it, and is accepted only where a leap second can be: at 23:59:60 UTC, and in a text without a zone at the last
    /// minute of a quarter of an hour, where some zone has it.
    ///
    /// Returns nil for anything else, for days that do not exist, and for times outside 1970-01-01T00:00:00Z to
    /// 2262-04-11T23:47:16.854775806Z, the latest point that InfluxDB takes (`models.MaxNanoTime`).
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
            let time = cursor.timeOfDay(bytes)
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
        let seconds = (date.daysSinceEpoch * 86_400 + time.seconds).subtractingSaturated(offset)
        // For text without a zone the text alone decides, so that home and cloud, which knows the zone, agree.
        if time.isLeapSecond && (isNaive ? time.seconds % 900 : seconds % 86_400) != 0 { return nil }
        let (scaled, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (nanoseconds, overflow) = scaled.addingReportingOverflow(time.nanoseconds)
        guard seconds >= 0, !tooLarge, !overflow, nanoseconds <= latest else { return nil }
        return (Timestamp(nanoseconds: nanoseconds), isNaive)
    }

    /// InfluxDB keeps the last two values of `Int64` for itself.
    private static let latest = Int64.max - 1

    /// Whether a text without a zone that was taken for UTC is within the bounds in every zone that there may be: what
    /// is accepted without knowing the zone is then accepted by who knows it.
    public var isInRangeInEveryZone: Bool {
        let widest: Int64 = 15 * 3600 * 1_000_000_000
        return (widest...(Self.latest - widest)).contains(nanoseconds)
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

    /// `hh:mm`, `hh:mm:ss` or with a fraction.
    mutating func timeOfDay(_ bytes: Span<UInt8>) -> TimeOfDay? {
        guard let hour = number(bytes, digits: 2), hour <= 23, take(bytes, ":"),
            let minute = number(bytes, digits: 2), minute <= 59
        else { return nil }
        let start = TimeOfDay(seconds: hour * 3600 + minute * 60, nanoseconds: 0, isLeapSecond: false)
        guard take(bytes, ":") else { return start }
        guard let second = number(bytes, digits: 2), second <= 60, let fraction = fraction(bytes) else { return nil }
        return TimeOfDay(seconds: start.seconds + second, nanoseconds: fraction, isLeapSecond: second == 60)
    }

    /// Seconds east of UTC, and past whatever says the same once more.
    mutating func zone(_ bytes: Span<UInt8>) -> Int64? {
        let hasSpace = take(bytes, " ")
        if let offset = offset(bytes) {
            guard skipAbbreviation(bytes), skipMonotonicClock(bytes), skipAnnotations(bytes) else { return nil }
            return offset
        }
        let isUniversal =
            take(bytes, "Z") || take(bytes, "z") || (hasSpace && (takeWord(bytes, "UTC") || takeWord(bytes, "GMT")))
        return isUniversal && skipAnnotations(bytes) ? 0 : nil
    }

    /// `+01:00`, `+0100`, `+01`, `+01:00:00`; ISO 8601's own minus sign, U+2212, too. nil, and nothing read, if there is
    /// no sign; past the end if there is no number after it.
    private mutating func offset(_ bytes: Span<UInt8>) -> Int64? {
        let start = index
        let isWest = take(bytes, "-") || takeMinusSign(bytes)
        guard isWest || take(bytes, "+") else { return nil }
        guard let hours = number(bytes, digits: 2), hours <= 23 else { return restart(at: start) }
        var seconds = hours * 3600
        for unit: Int64 in [60, 1] {
            let hasColon = take(bytes, ":")
            guard let next = peek(bytes), hasColon || next &- UInt8(ascii: "0") <= 9 else {
                guard !hasColon else { return restart(at: start) }
                break
            }
            guard let part = number(bytes, digits: 2), part <= 59 else { return restart(at: start) }
            seconds += part * unit
        }
        return isWest ? -seconds : seconds
    }

    private mutating func restart(at start: Int) -> Int64? {
        index = start
        return nil
    }

    private mutating func takeMinusSign(_ bytes: Span<UInt8>) -> Bool {
        takeWord(bytes, "\u{2212}")
    }

    private mutating func takeWord(_ bytes: Span<UInt8>, _ word: StaticString) -> Bool {
        let last = index + word.utf8CodeUnitCount
        guard last <= end, bytes.part(index..<last, equals: word) else { return false }
        index = last
        return true
    }

    /// Go's ` CET` or ` +03` behind an offset; false for a space without one.
    private mutating func skipAbbreviation(_ bytes: Span<UInt8>) -> Bool {
        guard peek(bytes) == UInt8(ascii: " "), index + 1 < end, bytes[index + 1] != UInt8(ascii: "m") else {
            return true
        }
        index += 1
        let start = index
        while let byte = peek(bytes), Self.isZoneLetter(byte), index - start < 6 { index += 1 }
        return index - start >= 2
    }

    private static func isZoneLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Go's ` m=+0.012345678`, the reading of its monotonic clock.
    private mutating func skipMonotonicClock(_ bytes: Span<UInt8>) -> Bool {
        guard takeWord(bytes, " m=") else { return true }
        guard take(bytes, "+") || take(bytes, "-") else { return false }
        let start = index
        while let byte = peek(bytes), byte &- UInt8(ascii: "0") <= 9 || byte == UInt8(ascii: ".") { index += 1 }
        return index > start
    }

    /// Any number of `[…]`, of what zone names and RFC 9557's tags are made of.
    private mutating func skipAnnotations(_ bytes: Span<UInt8>) -> Bool {
        while take(bytes, "[") {
            let start = index
            while let byte = peek(bytes), byte != UInt8(ascii: "]") {
                guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "["), index - start < 64 else { return false }
                index += 1
            }
            guard index > start, take(bytes, "]") else { return false }
        }
        return true
    }
}

/// What the clock shows: seconds since midnight, 86 400 in a leap second at its end.
private struct TimeOfDay {
    var seconds: Int64
    var nanoseconds: Int64
    var isLeapSecond: Bool
}
