/// A number as a person or a C program may have written it, `21.5`, `+21,5`, ` 03.1 `, `.5`, `70.2 °F`, put into JSON's
/// grammar digit by digit: no digit is added, dropped or rounded.
struct DecimalReading: Equatable {
    /// Longest text that is looked at; a double needs at most 17 significant digits.
    static let lengthLimit = 1024

    /// In JSON's grammar. The same as read wherever that was in it already.
    var text: String
    /// The nearest double; always finite.
    var value: Double
    /// The unit behind the number.
    var unit: DeviceUnit?

    enum Failure: Error {
        /// What devices write when they have nothing to say: `unavailable`, `unknown`, `None`, an empty text.
        case unavailable
        case notFinite
        case notANumber
    }

    init(_ source: String) throws(Failure) {
        guard source.utf8.count <= Self.lengthLimit else { throw .notANumber }
        let trimmed = Self.trimmed(Substring(source))
        if Self.absences.contains(trimmed.lowercased()) { throw .unavailable }
        let (number, unit) = Self.withoutUnit(trimmed)
        if Self.isSpelledNonFinite(number) { throw .notFinite }
        guard let text = Self.normalized(number) else { throw .notANumber }
        guard let value = text.utf8.withBytes({ $0.double(0..<$0.count) }) else { throw .notFinite }
        (self.text, self.value, self.unit) = (text, value, unit)
    }

    private static let absences: Set<String> = [  // Own names: ASCII words.
        "", "null", "none", "nil", "unavailable", "unknown", "offline", "n/a", "na", "-", "--", "---", "undefined",
    ]

    private static func isSpelledNonFinite(_ text: Substring) -> Bool {
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text
        return ["nan", "inf", "infinity"].contains(unsigned.lowercased())
    }

    private static func withoutUnit(_ text: Substring) -> (Substring, DeviceUnit?) {
        // Looked for in the bytes, for as characters a digit may carry a mark.
        guard let last = text.utf8.lastIndex(where: { $0 &- UInt8(ascii: "0") <= 9 || $0 == UInt8(ascii: ".") }) else {
            return (text, nil)
        }
        let end = text.utf8.index(after: last)
        let suffix = Self.trimmed(Substring(text.utf8[end...]))
        guard !suffix.isEmpty else { return (text, nil) }
        let number = Substring(text.utf8[..<end])
        if suffix == "%" { return (number, nil) }
        guard let unit = DeviceUnit(spelled: String(suffix)) else { return (text, nil) }
        return (number, unit)
    }

    /// Nil for what is no number.
    private static func normalized(_ text: Substring) -> String? {
        let bytes = text.utf8
        if bytes.withBytes({ Self.isNumber($0) }) { return String(text) }
        var rest = bytes[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let whole = rest.prefix { $0 &- UInt8(ascii: "0") <= 9 }
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") {
            rest = rest.dropFirst()
            fraction = rest.prefix { $0 &- UInt8(ascii: "0") <= 9 }
            rest = rest.dropFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let significant = whole.drop { $0 == UInt8(ascii: "0") }
        var result = (isNegative ? "-" : "") + (significant.isEmpty ? "0" : String(Substring(significant)))
        if !fraction.isEmpty { result += "." + String(Substring(fraction)) }
        result += String(Substring(rest))
        return result.utf8.withBytes { Self.isNumber($0) } ? result : nil
    }

    private static func isNumber(_ bytes: Span<UInt8>) -> Bool {
        var scanner = JSONScanner()
        return (try? scanner.number(bytes)) != nil && scanner.index == bytes.count
    }

    /// Without the white space that programs leave around, the no-break spaces of word processors among them.
    static func trimmed(_ text: Substring) -> Substring {
        var scalars = text.unicodeScalars[...]
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar == "\0" || scalar == "\u{FEFF}" || scalar.properties.isWhitespace
        }
        while let first = scalars.first, isSpace(first) { scalars.removeFirst() }
        while let last = scalars.last, isSpace(last) { scalars.removeLast() }
        return Substring(scalars)
    }
}

/// A unit of temperature.
public enum DeviceUnit: String, CaseIterable, Equatable, Sendable {
    case celsius = "C"
    case fahrenheit = "F"
    case kelvin = "K"

    /// Every spelling seen: `C`, `°C`, `ºC`, `℃`, `celsius`, `degC`, in any case.
    init?(spelled text: String) {
        let letters = String(
            String.UnicodeScalarView(text.lowercased().unicodeScalars.filter { $0 != "°" && $0 != "º" && $0 != " " }))
        switch letters {
        case "c", "℃", "celsius", "degc", "deg c": self = .celsius
        case "f", "℉", "fahrenheit", "degf": self = .fahrenheit
        case "k", "kelvin": self = .kelvin
        default: return nil
        }
    }

    /// A temperature in °C in this unit.
    public func value(celsius: Double) -> Double {
        switch self {
        case .celsius: celsius
        case .fahrenheit: celsius * 9 / 5 + 32
        case .kelvin: celsius + 273.15
        }
    }

    /// A reading of this unit in °C.
    public func celsius(_ value: Double) -> Double {
        switch self {
        case .celsius: value
        case .fahrenheit: (value - 32) * 5 / 9
        case .kelvin: value - 273.15
        }
    }
}
