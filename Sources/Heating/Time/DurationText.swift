extension Duration {
    /// Reads an ISO 8601 duration of fixed length: weeks, days, hours, minutes, seconds, as `PT2H`, `PT90M`, `P1DT12H`.
    ///
    /// The smallest part may have a fraction. Years and months have no fixed length and are refused, as are signs.
    public init?(iso8601 text: some StringProtocol) {
        var rest = Substring(text)[...].utf8
        guard rest.popFirst() == UInt8(ascii: "P") else { return nil }
        var total = Duration.zero
        var units = Self.dateUnits[...]
        var (isTime, isEmpty, hadFraction) = (false, true, false)
        while let first = rest.first {
            if first == UInt8(ascii: "T"), !isTime {
                (isTime, isEmpty, units) = (true, true, Self.timeUnits[...])
                rest.removeFirst()
                continue
            }
            guard !hadFraction, let amount = Self.decimal(&rest), let letter = rest.popFirst(),
                let index = units.firstIndex(where: { $0.letter == letter })
            else { return nil }
            total += .seconds(amount.whole * units[index].seconds)
            total += .nanoseconds(amount.billionths * units[index].seconds)
            units = units[(index + 1)...]
            (isEmpty, hadFraction) = (false, amount.hasFraction)
        }
        guard !isEmpty else { return nil }
        self = total
    }

    /// The duration as ISO 8601 text, `PT2H`, `PT1H30M`, `PT0.5S`; whole nanoseconds, negative counts as zero.
    public var iso8601: String {
        let nanoseconds = max(0, wholeNanoseconds)
        let (seconds, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        var text = "PT"
        if seconds / 3600 > 0 { text += "\(seconds / 3600)H" }
        if seconds / 60 % 60 > 0 { text += "\(seconds / 60 % 60)M" }
        if fraction > 0 {
            var digits = String(String(1_000_000_000 + fraction).dropFirst())
            while digits.utf8.last == UInt8(ascii: "0") { digits.removeLast() }
            text += "\(seconds % 60).\(digits)S"
        } else if seconds % 60 > 0 || seconds == 0 {
            text += "\(seconds % 60)S"
        }
        return text
    }

    /// For people: the two largest units, rounded down: `2 h 5 min`, `45 s`, `1 d`, `300 ms`.
    public var spoken: String {
        let seconds = max(0, components.seconds)
        if seconds == 0 { return "\(max(0, wholeNanoseconds) / 1_000_000) ms" }
        let parts = [
            (seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"),
        ]
        guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "0 s" }
        return parts[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }

    private static let dateUnits: [(letter: UInt8, seconds: Int64)] = [
        (UInt8(ascii: "W"), 7 * 86_400), (UInt8(ascii: "D"), 86_400),
    ]
    private static let timeUnits: [(letter: UInt8, seconds: Int64)] = [
        (UInt8(ascii: "H"), 3600), (UInt8(ascii: "M"), 60), (UInt8(ascii: "S"), 1),
    ]

    /// Up to nine digits before and nine after the decimal sign: no product of these overflows.
    private static func decimal(
        _ rest: inout Substring.UTF8View
    ) -> (whole: Int64, billionths: Int64, hasFraction: Bool)? {
        guard let whole = digits(&rest), whole.count <= 9 else { return nil }
        guard rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") else { return (whole.value, 0, false) }
        rest.removeFirst()
        guard let part = digits(&rest), part.count <= 9 else { return nil }
        return (whole.value, (part.count..<9).reduce(part.value) { value, _ in value * 10 }, true)
    }

    private static func digits(_ rest: inout Substring.UTF8View) -> (value: Int64, count: Int)? {
        var (value, count): (Int64, Int) = (0, 0)
        while let byte = rest.first, byte &- UInt8(ascii: "0") <= 9 {
            guard count < 18 else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            count += 1
            rest.removeFirst()
        }
        return count > 0 ? (value, count) : nil
    }
}
