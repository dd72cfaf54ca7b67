/// Walks over JSON text (RFC 8259) without building anything: the reading's hot path and ``JSON`` share it.
///
/// The bytes are passed to each call because a span cannot be stored. They must be valid UTF-8 already.
/// Strict where the grammar leaves room: no lone surrogate escapes, no nesting beyond `depthLimit`.
struct JSONScanner {
    static let depthLimit = 32

    /// A string's content without its quotes, still escaped.
    struct StringToken {
        var range: Range<Int>
        var hasEscapes: Bool
    }

    enum Failure: Error {
        case unexpected
        case tooDeep
    }

    var index = 0

    func peek(_ bytes: Span<UInt8>) -> UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while let byte = peek(bytes), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            index += 1
        }
    }

    mutating func take(_ bytes: Span<UInt8>, _ byte: Unicode.Scalar) -> Bool {
        guard peek(bytes) == UInt8(ascii: byte) else { return false }
        index += 1
        return true
    }

    mutating func expect(_ bytes: Span<UInt8>, _ byte: Unicode.Scalar) throws(Failure) {
        guard take(bytes, byte) else { throw .unexpected }
    }

    mutating func takeWord(_ bytes: Span<UInt8>, _ word: StaticString) -> Bool {
        let end = index + word.utf8CodeUnitCount
        guard end <= bytes.count, bytes.part(index..<end, equals: word) else { return false }
        index = end
        return true
    }

    mutating func string(_ bytes: Span<UInt8>) throws(Failure) -> StringToken {
        try expect(bytes, "\"")
        let start = index
        var hasEscapes = false
        while let byte = peek(bytes) {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return StringToken(range: start..<(index - 1), hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                _ = try escape(bytes)
            case 0..<0x20:
                throw .unexpected
            default:
                index += 1
            }
        }
        throw .unexpected
    }

    /// The number's text, which Swift's `Double` reads as JSON means it.
    mutating func number(_ bytes: Span<UInt8>) throws(Failure) -> Range<Int> {
        let start = index
        _ = take(bytes, "-")
        if !take(bytes, "0") { try digits(bytes) }
        if take(bytes, ".") { try digits(bytes) }
        if take(bytes, "e") || take(bytes, "E") {
            if !take(bytes, "+") { _ = take(bytes, "-") }
            try digits(bytes)
        }
        return start..<index
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(Failure) {
        let start = index
        while let byte = peek(bytes), byte &- UInt8(ascii: "0") <= 9 { index += 1 }
        if index == start { throw .unexpected }
    }

    /// Checks one value of any kind and leaves it behind.
    mutating func skipValue(_ bytes: Span<UInt8>, depth: Int = 0) throws(Failure) {
        guard depth <= Self.depthLimit else { throw .tooDeep }
        switch peek(bytes) {
        case UInt8(ascii: "{"):
            try members(bytes) { (scanner, _) throws(Failure) in
                try scanner.skipValue(bytes, depth: depth + 1)
            }
        case UInt8(ascii: "["):
            try elements(bytes) { (scanner) throws(Failure) in
                try scanner.skipValue(bytes, depth: depth + 1)
            }
        case UInt8(ascii: "\""): _ = try string(bytes)
        case UInt8(ascii: "t"): guard takeWord(bytes, "true") else { throw .unexpected }
        case UInt8(ascii: "f"): guard takeWord(bytes, "false") else { throw .unexpected }
        case UInt8(ascii: "n"): guard takeWord(bytes, "null") else { throw .unexpected }
        default: _ = try number(bytes)
        }
    }

    /// An object; `value` is called at the start of each member's value and must leave it behind.
    mutating func members(
        _ bytes: Span<UInt8>, value: (inout JSONScanner, StringToken) throws(Failure) -> Void
    ) throws(Failure) {
        try expect(bytes, "{")
        skipWhitespace(bytes)
        if take(bytes, "}") { return }
        repeat {
            skipWhitespace(bytes)
            let key = try string(bytes)
            skipWhitespace(bytes)
            try expect(bytes, ":")
            skipWhitespace(bytes)
            try value(&self, key)
            skipWhitespace(bytes)
        } while take(bytes, ",")
        try expect(bytes, "}")
    }

    /// An array; `value` is called at the start of each element and must leave it behind.
    mutating func elements(
        _ bytes: Span<UInt8>, value: (inout JSONScanner) throws(Failure) -> Void
    ) throws(Failure) {
        try expect(bytes, "[")
        skipWhitespace(bytes)
        if take(bytes, "]") { return }
        repeat {
            skipWhitespace(bytes)
            try value(&self)
            skipWhitespace(bytes)
        } while take(bytes, ",")
        try expect(bytes, "]")
    }
}

// MARK: - Escapes

extension JSONScanner {
    /// The scalar that the escape sequence at `index` stands for.
    mutating func escape(_ bytes: Span<UInt8>) throws(Failure) -> Unicode.Scalar {
        try expect(bytes, "\\")
        guard let kind = peek(bytes) else { throw .unexpected }
        index += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(kind)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(bytes)
        default: throw .unexpected
        }
    }

    private mutating func unicodeEscape(_ bytes: Span<UInt8>) throws(Failure) -> Unicode.Scalar {
        let unit = try fourHexDigits(bytes)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard (0xD800..<0xDC00).contains(unit) else { throw .unexpected }
        try expect(bytes, "\\")
        try expect(bytes, "u")
        let low = try fourHexDigits(bytes)
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        else { throw .unexpected }
        return scalar
    }

    private mutating func fourHexDigits(_ bytes: Span<UInt8>) throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(bytes) else { throw .unexpected }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw .unexpected
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }

    /// The text of a token that ``string(_:)`` returned.
    static func text(of token: StringToken, _ bytes: Span<UInt8>) -> String {
        guard token.hasEscapes else { return bytes.text(token.range) }
        var scalars = String.UnicodeScalarView()
        var scanner = JSONScanner(index: token.range.lowerBound)
        var plainStart = scanner.index
        while scanner.index < token.range.upperBound {
            guard bytes[scanner.index] == UInt8(ascii: "\\") else {
                scanner.index += 1
                continue
            }
            scalars.append(contentsOf: bytes.text(plainStart..<scanner.index).unicodeScalars)
            // `string(_:)` has checked every escape of the token.
            if let scalar = try? scanner.escape(bytes) { scalars.append(scalar) }
            plainStart = scanner.index
        }
        scalars.append(contentsOf: bytes.text(plainStart..<token.range.upperBound).unicodeScalars)
        return String(scalars)
    }
}
