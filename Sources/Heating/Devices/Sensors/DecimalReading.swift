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
    /// It says that it is a share of a hundred, and so no temperature.
    var isPercent = false

    enum Failure: Error {
        /// What devices write when they have nothing to say: `unavailable`, `unknown`, `None`, an empty text.
        case unavailable
        case notFinite
        case notANumber
    }

    init(_ source: String) throws(Failure) {
        guard source.utf8.count <= Self.lengthLimit else { throw .notANumber }
        let trimmed = Self.trimmed(Substring(source))
        let (number, unit) = Self.withoutUnit(trimmed)
        // Asked of every reading: what begins with a digit is no word.
        if number.utf8.first.map({ $0 &- UInt8(ascii: "0") > 9 }) ?? true {
            if Self.isAbsence(number) { throw .unavailable }
            if Self.isSpelledNonFinite(number) { throw .notFinite }
        }
        isPercent = trimmed.utf8.last == UInt8(ascii: "%")
        guard let text = Self.normalized(number) else { throw .notANumber }
        guard let value = text.utf8.withBytes({ $0.double(0..<$0.count) }) else { throw .notFinite }
        (self.text, self.value, self.unit) = (text, value, unit)
    }

    /// Whether a word, without white space around it, is one of those that stand for nothing.
    static func isAbsence(_ word: Substring) -> Bool { absences.contains(word.lowercased()) }

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
            // `nan °C`, `unavailable °F`.
            let words = text.split(separator: " ", maxSplits: 1)
            let unit = words.count == 2 ? DeviceUnit(spelled: String(words[1])) : nil
            return unit == nil ? (text, nil) : (words[0], unit)
        }
        let end = text.utf8.index(after: last)
        let suffix = Self.trimmed(Substring(text.utf8[end...]))
        guard !suffix.isEmpty else { return (text, nil) }
        let number = Substring(text.utf8[..<end])
        if suffix == "%" || DeviceUnit.isBareDegree(String(suffix)) { return (number, nil) }
        guard let unit = DeviceUnit(spelled: String(suffix)) else { return (text, nil) }
        return (number, unit)
    }

    /// Nil for what is no number.
    private static func normalized(_ text: Substring) -> String? {
        let bytes = text.utf8
        if bytes.withBytes({ Self.isNumber($0) }) { return String(text) }
        var rest = bytes[...]
        // U+2212, which word processors and some locales write.
        let hasMinusSign = rest.starts(with: "\u{2212}".utf8)
        let isNegative = hasMinusSign || rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst(hasMinusSign ? 3 : 1) }
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
        func isGraphic(_ byte: UInt8?) -> Bool { byte.map { (0x21...0x7E).contains($0) } ?? false }
        if isGraphic(text.utf8.first), isGraphic(text.utf8.last) { return text }
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

    /// Every spelling seen: `C`, `°C`, `ºC`, `˚C`, `℃`, `celsius`, `degC`, `degrees Celsius`, `&deg;C`, in any case.
    init?(spelled text: String) {
        switch Self.letters(text) {
        case "c", "℃", "celsius": self = .celsius
        case "f", "℉", "fahrenheit": self = .fahrenheit
        case "k", "kelvin", "kelvins": self = .kelvin
        default: return nil
        }
    }

    /// `°` or `deg` alone: of a temperature, and no word about the unit.
    static func isBareDegree(_ text: String) -> Bool { !text.isEmpty && letters(text).isEmpty }

    /// In small letters, without spaces, the degree's sign and the word for it.
    private static func letters(_ text: String) -> String {
        let marks: [Unicode.Scalar] = ["°", "º", "˚", " ", "\u{A0}", "\u{202F}"]
        var letters = String(String.UnicodeScalarView(text.lowercased().unicodeScalars.filter { !marks.contains($0) }))
        let word = ["degrees", "degree", "&deg;", "deg.", "deg", "grad"].first { letters.hasPrefix($0) }
        if let word { letters.removeFirst(word.count) }
        return letters
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
