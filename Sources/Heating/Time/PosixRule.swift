/// The rule for all years to come at the end of a zone's file, `CET-1CEST,M3.5.0,M10.5.0/3`: POSIX's TZ
/// (IEEE 1003.1 section 8.3) with the wider hours of RFC 8536 section 3.3.1.
struct PosixRule: Equatable, Sendable {
    private var standard = 0
    private var summer: Summer?

    private struct Summer: Equatable {
        var offset: Int
        var start: Day
        var end: Day
    }

    /// A day of each year and a time on it, in seconds of local time.
    private struct Day: Equatable {
        enum Kind: Equatable {
            /// `J60`: 1 to 365, the 29th of February never counted.
            case julian(Int64)
            /// `59`: 0 to 365.
            case ordinal(Int64)
            /// `M3.5.0`: the fifth means the last.
            case weekday(month: Int64, week: Int64, day: Int64)
        }

        var kind: Kind
        var seconds: Int

        /// Seconds since 1970 by the wall clock.
        func local(in year: Int64) -> Int64 {
            let first = CalendarDate(year: year, month: 1, day: 1).daysSinceEpoch
            let days: Int64
            switch kind {
            case .julian(let number):
                let isLeap = CalendarDate.daysInMonth(2, of: year) == 29
                days = first + number - 1 + (isLeap && number >= 60 ? 1 : 0)
            case .ordinal(let number): days = first + number
            case .weekday(let month, let week, let day):
                let firstOfMonth = CalendarDate(year: year, month: month, day: 1).daysSinceEpoch
                // 1970-01-01 was a Thursday.
                let weekday = (firstOfMonth + 4).flooredDivision(by: 7).remainder
                var date = 1 + (day - weekday + 7) % 7 + (week - 1) * 7
                while date > CalendarDate.daysInMonth(month, of: year) { date -= 7 }
                days = firstOfMonth + date - 1
            }
            return days * 86_400 + Int64(seconds)
        }
    }

    /// nil for what is no such rule.
    init?(_ text: [UInt8]) {
        var cursor = Cursor(text: text[...])
        guard cursor.name(), let west = cursor.time() else { return nil }
        standard = -west
        guard !cursor.text.isEmpty else { return }
        guard cursor.name() else { return nil }
        var offset = standard + 3600
        if cursor.text.first != UInt8(ascii: ",") {
            guard let west = cursor.time() else { return nil }
            offset = -west
        }
        guard cursor.take(","), let start = cursor.day(), cursor.take(","), let end = cursor.day(), cursor.text.isEmpty
        else { return nil }
        summer = Summer(offset: offset, start: start, end: end)
    }

    /// Seconds east of UTC at an instant, which is in seconds since 1970 UTC.
    func offset(at instant: Int64) -> Int {
        guard let summer else { return standard }
        let day = (instant + Int64(standard)).flooredDivision(by: 86_400).quotient
        let year = CalendarDate(daysSinceEpoch: day).year
        let start = summer.start.local(in: year) - Int64(standard)
        let end = summer.end.local(in: year) - Int64(summer.offset)
        let isSummer = start < end ? instant >= start && instant < end : !(instant >= end && instant < start)
        return isSummer ? summer.offset : standard
    }

    private struct Cursor {
        var text: ArraySlice<UInt8>

        mutating func take(_ byte: Unicode.Scalar) -> Bool {
            guard text.first == UInt8(ascii: byte) else { return false }
            text.removeFirst()
            return true
        }

        /// `CEST` or `<+0330>`.
        mutating func name() -> Bool {
            if take("<") {
                text = text.drop { $0 != UInt8(ascii: ">") }
                return take(">")
            }
            let rest = text.drop { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
            defer { text = rest }
            return text.count - rest.count >= 3
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            let rest = text.drop { $0 &- UInt8(ascii: "0") <= 9 }
            let digits = text.prefix(text.count - rest.count)
            guard (1...4).contains(digits.count) else { return nil }
            text = rest
            let value = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            return range.contains(value) ? value : nil
        }

        /// `[+-]h[hh][:mm[:ss]]` in seconds.
        mutating func time() -> Int? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            guard let hours = number(0...167) else { return nil }
            var seconds = hours * 3600
            for unit in [60, 1] where take(":") {
                guard let value = number(0...59) else { return nil }
                seconds += value * unit
            }
            return isNegative ? -seconds : seconds
        }

        mutating func day() -> Day? {
            let kind: Day.Kind
            if take("J") {
                guard let number = number(1...365) else { return nil }
                kind = .julian(Int64(number))
            } else if take("M") {
                guard let month = number(1...12), take("."), let week = number(1...5), take("."),
                    let day = number(0...6)
                else { return nil }
                kind = .weekday(month: Int64(month), week: Int64(week), day: Int64(day))
            } else {
                guard let number = number(0...365) else { return nil }
                kind = .ordinal(Int64(number))
            }
            guard take("/") else { return Day(kind: kind, seconds: 7200) }
            return time().map { Day(kind: kind, seconds: $0) }
        }
    }
}
