extension Span<UInt8> {
    /// The double nearest to a number in JSON's grammar; nil when it is too large for one. `range` must lie within
    /// `indices` and hold such a number.
    ///
    /// Up to 2^53 the digits, and up to 10^22 the power of ten, are doubles themselves, so that one multiplication or
    /// division rounds once and correctly (W. D. Clinger, "How to read floating point numbers accurately", PLDI 1990).
    /// Sensors' readings are of this kind; the rest goes through Swift's own parser.
    func double(_ range: Range<Int>) -> Double? {
        if let exact = exactDouble(range) { return exact }
        guard let value = Double(text(range)), value.isFinite else { return nil }
        return value
    }

    private func exactDouble(_ range: Range<Int>) -> Double? {
        var index = range.lowerBound
        let isNegative = index < range.upperBound && self[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        // Eighteen digits cannot overflow.
        guard range.upperBound - index <= 19 else { return nil }
        var digits: UInt64 = 0
        var fraction = 0
        var isFraction = false
        while index < range.upperBound {
            let digit = self[index] &- UInt8(ascii: "0")
            if digit <= 9 {
                digits = digits &* 10 &+ UInt64(digit)
                if isFraction { fraction += 1 }
            } else {
                guard self[index] == UInt8(ascii: "."), !isFraction else { return nil }
                isFraction = true
            }
            index += 1
        }
        guard digits <= 1 << 53, isFraction || range.upperBound - range.lowerBound <= 18 else { return nil }
        let magnitude = Double(digits) / Self.powersOfTen[fraction]
        return isNegative ? -magnitude : magnitude
    }

    private static var powersOfTen: InlineArray<19, Double> {
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18]
    }
}
