import Glibc

/// Text exactly as the black-box sensor, a Python program, writes it.
enum PythonText {
    /// What `repr(float)` gives: the shortest digits that read back as the same number, an exponent below 1e-4 and
    /// from 1e16 on.
    static func repr(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : (value < 0 ? "-inf" : "inf") }
        // Swift's digits are the same; only where the exponent starts differs (2^54 instead of 1e16).
        let text = value.description
        let magnitude = abs(value)
        guard magnitude >= 0x1p53, magnitude < 1e18 else { return text }
        return magnitude < 1e16 ? positional(text) : scientific(text)
    }

    /// What `datetime.isoformat()` gives for a naive datetime: no fraction when it is zero, else six digits.
    /// - Parameter microseconds: since 1970-01-01T00:00:00, no zone.
    static func isoformat(microseconds: Int64) -> String {
        var text = ISOFormat()
        return String(decoding: text.bytes(microseconds: microseconds), as: UTF8.self)
    }

    /// What `json.dumps({"timestamp": …, "value": …})` gives.
    static func payload(microseconds: Int64, value: String) -> [UInt8] {
        Array("{\"timestamp\": \"\(isoformat(microseconds: microseconds))\", \"value\": \(value)}".utf8)
    }

    /// "1.234e+17" as Swift writes it, or "123400000000000000.0": the significant digits and the exponent of ten.
    private static func split(_ text: String) -> (sign: String, digits: [Character], exponent: Int) {
        let sign = text.hasPrefix("-") ? "-" : ""
        let parts = text.dropFirst(sign.count).split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? Array(mantissa[1]) : []
        let exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + mantissa[0].count - 1
        var digits = Array(mantissa[0]) + fraction
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return (sign, digits, exponent)
    }

    private static func positional(_ text: String) -> String {
        let (sign, digits, exponent) = split(text)
        let padding = String(repeating: "0", count: max(0, exponent + 1 - digits.count))
        return sign + String(digits) + padding + ".0"
    }

    private static func scientific(_ text: String) -> String {
        let (sign, digits, exponent) = split(text)
        let fraction = digits.count > 1 ? "." + String(digits.dropFirst()) : ""
        return "\(sign)\(digits[0])\(fraction)e+\(exponent)"
    }
}

/// Writes `datetime.isoformat()` text many times over; remembers the calendar of the second it is in.
struct ISOFormat: Sendable {
    private var second = Int64.min
    private var text: [UInt8] = []

    mutating func bytes(microseconds: Int64) -> [UInt8] {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let fraction = remainder < 0 ? remainder + 1_000_000 : remainder
        let wanted = remainder < 0 ? quotient - 1 : quotient
        if wanted != second {
            second = wanted
            text = Self.calendar(second: wanted)
        }
        guard fraction != 0 else { return text }
        var result = text
        result.reserveCapacity(26)
        result.append(UInt8(ascii: "."))
        result.append(digits: Int(fraction), width: 6)
        return result
    }

    private static func calendar(second: Int64) -> [UInt8] {
        var time = time_t(second)
        var civil = tm()
        // Fails only for years beyond Int32, which no microsecond count in Int64 reaches.
        gmtime_r(&time, &civil)
        var text: [UInt8] = []
        text.reserveCapacity(26)
        text.append(digits: Int(civil.tm_year) + 1900, width: 4)
        for (separator, number) in [
            ("-", civil.tm_mon + 1), ("-", civil.tm_mday), ("T", civil.tm_hour), (":", civil.tm_min),
            (":", civil.tm_sec),
        ] {
            text.append(contentsOf: separator.utf8)
            text.append(digits: Int(number), width: 2)
        }
        return text
    }
}

extension [UInt8] {
    /// Appends a non-negative number with leading zeros.
    mutating func append(digits number: Int, width: Int) {
        let start = count
        var rest = number
        for _ in 0..<width {
            append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        self[start...].reverse()
    }
}
