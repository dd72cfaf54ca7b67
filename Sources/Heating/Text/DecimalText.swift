extension Span<UInt8> {
    /// The double nearest to a number in JSON's grammar; nil when it is too large for one. `range` must lie within
    /// `indices` and hold such a number.
    ///
    /// Up to eighteen digits without an exponent, which is what sensors write, are a quotient of two integers that is
    /// rounded once and correctly; the rest goes through Swift's own parser.
    func double(_ range: Range<Int>) -> Double? {
        if let quotient = quotient(range) { return quotient }
        guard let value = Double(text(range)), value.isFinite else { return nil }
        return value
    }

    private func quotient(_ range: Range<Int>) -> Double? {
        var index = range.lowerBound
        let isNegative = index < range.upperBound && self[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        // Eighteen digits and a point; neither they nor the power of ten can overflow.
        guard range.upperBound - index <= 19 else { return nil }
        var digits: UInt64 = 0
        var divisor: UInt64 = 1
        var isFraction = false
        while index < range.upperBound {
            let digit = self[index] &- UInt8(ascii: "0")
            if digit <= 9 {
                digits = digits &* 10 &+ UInt64(digit)
                if isFraction { divisor &*= 10 }
            } else {
                guard self[index] == UInt8(ascii: "."), !isFraction else { return nil }
                isFraction = true
            }
            index += 1
        }
        let magnitude = Double(quotient: digits, divisor)
        return isNegative ? -magnitude : magnitude
    }
}

/// A number of at most eighteen digits without an exponent: `digits` / 10^`scale`.
struct ShortDecimal: Equatable, Sendable {
    static let mostDigits = 18

    var digits: UInt64 = 0
    /// How many of them are behind the point.
    var scale: UInt8 = 0
    var isNegative = false

    /// The nearest one.
    var double: Double {
        var divisor: UInt64 = 1
        for _ in 0..<scale { divisor *= 10 }
        let magnitude = Double(quotient: digits, divisor)
        return isNegative ? -magnitude : magnitude
    }
}

extension Double {
    /// The double nearest to `dividend` / `divisor`, halves to even.
    ///
    /// Both shifted until their highest bits are set, the quotient has 64 bits that are right, and the remainder says
    /// whether anything comes after them. That is all it takes to round to the 53 bits of a double (IEEE 754-2019
    /// section 4.3.1); with 64-bit operands the result is never subnormal and never too large.
    init(quotient dividend: UInt64, _ divisor: UInt64) {
        guard dividend > 0 else { self = 0; return }
        // At most 2^53 both, which doubles hold: the processor's division rounds once, too.
        if dividend <= 1 << 53, divisor <= 1 << 53 { self = Double(dividend) / Double(divisor); return }
        let (shift, divisorShift) = (dividend.leadingZeroBitCount, divisor.leadingZeroBitCount)
        let (high, low) = (dividend << shift, divisor << divisorShift)
        let isBelowOne = high < low
        let (bits, rest) = low.dividingFullWidth(isBelowOne ? (high, 0) : (high >> 1, high << 63))
        // The value is bits * 2^exponent, and bits has its highest bit set.
        let exponent = divisorShift - shift - (isBelowOne ? 64 : 63)
        var significand = bits >> 11
        let tail = bits & 0x7ff
        if tail > 0x400 || (tail == 0x400 && (rest > 0 || significand & 1 == 1)) { significand += 1 }
        // Added, not combined: a significand that was rounded up to 2^53 raises the exponent by one.
        let biased = UInt64(exponent + 11 + 52 + 1023)
        self.init(bitPattern: (biased << 52) + (significand - (1 << 52)))
    }
}
