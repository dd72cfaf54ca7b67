/// Reads date-times one after the other, most of them of the same day and in the shape that most sensors write,
/// `2026-11-23T10:00:00.123456` with or without a `Z`: compared and taken apart eight bytes at a time. The rest goes
/// through ``Timestamp/parse(iso8601:in:naiveOffsetSeconds:)``, which also decides what a date is.
struct TimestampReader: Sendable {
    // The day of the last date-time: its ten bytes, and when it begins.
    private var yearAndMonth: UInt64 = 0
    private var day: UInt16 = 0
    private var midnight: Int64 = 0

    init() {
        "1970-01-01".utf8.withContiguousStorageIfAvailable { remember(UnsafeRawBufferPointer($0), days: 0) }
    }

    /// Days of which every nanosecond is in range.
    private static let wholeDays: Range<Int64> = 0..<106_751

    /// What ``Timestamp/init(iso8601:naiveOffsetSeconds:)`` makes of the bytes in `range`, text without a zone taken
    /// for UTC.
    mutating func timestamp(_ bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>) -> Timestamp? {
        let text = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[range]))
        guard text.count >= 19 else { return parse(bytes, range) }
        let isKnownDay =
            text.loadUnaligned(as: UInt64.self) == yearAndMonth
            && text.loadUnaligned(fromByteOffset: 8, as: UInt16.self) == day
        guard isKnownDay, text[10] == UInt8(ascii: "T"), let second = Self.secondOfDay(text),
            let fraction = Self.fraction(text)
        else { return parse(bytes, range) }
        return Timestamp(nanoseconds: midnight + second * 1_000_000_000 + fraction)
    }

    private mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Timestamp? {
        let parsed = Timestamp.parse(iso8601: bytes.span, in: range, naiveOffsetSeconds: 0)
        guard let timestamp = parsed?.timestamp else { return nil }
        if let date = CalendarDate(bytes.span, range), Self.wholeDays.contains(date.daysSinceEpoch) {
            remember(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[range])), days: date.daysSinceEpoch)
        }
        return timestamp
    }

    private mutating func remember(_ text: UnsafeRawBufferPointer, days: Int64) {
        yearAndMonth = text.loadUnaligned(as: UInt64.self)
        day = text.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
        midnight = days * 86_400_000_000_000
    }

    /// Of `hh:mm:ss`, bytes 11 to 18; nil for a leap second, too.
    private static func secondOfDay(_ text: UnsafeRawBufferPointer) -> Int64? {
        let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: 11, as: UInt64.self))
        // Leaves the values of the digits, and zero for the colons, which are bytes 2 and 5.
        let parts = word ^ 0x3030_3A30_303A_3030
        let overNine = (parts &+ 0x0606_0606_0606_0606) | parts
        guard overNine & 0xF0F0_F0F0_F0F0_F0F0 == 0, parts & 0x0000_FF00_00FF_0000 == 0 else { return nil }
        func digit(_ shift: UInt64) -> UInt64 { (parts >> shift) & 0xF }
        func number(_ shift: UInt64) -> Int64 { Int64(digit(shift) * 10 + digit(shift + 8)) }
        let (hour, minute, second) = (number(0), number(24), number(48))
        guard hour <= 23, minute <= 59, second <= 59 else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// Nanoseconds, from byte 19 to the end; nil for more than nine digits or any zone but `Z`.
    private static func fraction(_ text: UnsafeRawBufferPointer) -> Int64? {
        var index = 19
        var value: Int64 = 0
        if index < text.count, text[index] == UInt8(ascii: ".") {
            var unit: Int64 = 1_000_000_000
            index += 1
            while index < text.count, unit > 1 {
                let digit = text[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { break }
                value = value * 10 + Int64(digit)
                unit /= 10
                index += 1
            }
            guard unit < 1_000_000_000 else { return nil }
            value *= unit
        }
        if index < text.count, text[index] == UInt8(ascii: "Z") { index += 1 }
        return index == text.count ? value : nil
    }
}
