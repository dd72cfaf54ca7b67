extension JSON {
    /// What is wrong with a text that is not JSON, and where.
    public struct SyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
        /// Bytes before the place where reading stopped.
        public var offset: Int
        public var problem: Problem

        public enum Problem: String, Equatable, Sendable {
            case unexpected = "not JSON"
            case tooDeep = "nested too deeply"
            case invalidUTF8 = "not valid UTF-8"
            case duplicateKey = "a key appears twice"
            case oversized = "too long"
        }

        public var description: String { "\(problem.rawValue) (at byte \(offset))" }
    }

    /// Reads one JSON value and nothing after it.
    ///
    /// Objects with a repeated key are refused: readers disagree on which one counts (RFC 8259 section 4).
    /// - Parameter limit: the largest accepted input, in bytes.
    public static func parse(_ bytes: some Collection<UInt8>, limit: Int = 1 << 20) throws(SyntaxError) -> JSON {
        guard bytes.count <= limit else { throw SyntaxError(offset: limit, problem: .oversized) }
        return try bytes.withBytes { span in Result { () throws(SyntaxError) in try document(span) } }.get()
    }

    /// As ``parse(_:limit:)`` for text.
    public static func parse(_ text: String, limit: Int = 1 << 20) throws(SyntaxError) -> JSON {
        try parse(text.utf8, limit: limit)
    }

    private static func document(_ bytes: Span<UInt8>) throws(SyntaxError) -> JSON {
        guard (try? UTF8Span(validating: bytes)) != nil else { throw SyntaxError(offset: 0, problem: .invalidUTF8) }
        var scanner = JSONScanner()
        var hasDuplicate = false
        do throws(JSONScanner.Failure) {
            scanner.skipWhitespace(bytes)
            let value = try value(&scanner, bytes, depth: 0, &hasDuplicate)
            scanner.skipWhitespace(bytes)
            guard scanner.index == bytes.count else { throw .unexpected }
            return value
        } catch {
            let problem: SyntaxError.Problem =
                hasDuplicate ? .duplicateKey : error == .tooDeep ? .tooDeep : .unexpected
            throw SyntaxError(offset: scanner.index, problem: problem)
        }
    }

    private static func value(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>, depth: Int, _ hasDuplicate: inout Bool
    ) throws(JSONScanner.Failure) -> JSON {
        guard depth <= JSONScanner.depthLimit else { throw .tooDeep }
        switch scanner.peek(bytes) {
        case UInt8(ascii: "{"):
            return try object(&scanner, bytes, depth: depth, &hasDuplicate)
        case UInt8(ascii: "["):
            var elements: [JSON] = []
            try scanner.elements(bytes) { (scanner) throws(JSONScanner.Failure) in
                elements.append(try value(&scanner, bytes, depth: depth + 1, &hasDuplicate))
            }
            return .array(elements)
        case UInt8(ascii: "\""):
            return .string(JSONScanner.text(of: try scanner.string(bytes), bytes))
        case UInt8(ascii: "t") where scanner.takeWord(bytes, "true"): return .bool(true)
        case UInt8(ascii: "f") where scanner.takeWord(bytes, "false"): return .bool(false)
        case UInt8(ascii: "n") where scanner.takeWord(bytes, "null"): return .null
        default:
            return .number(bytes.text(try scanner.number(bytes)))
        }
    }

    private static func object(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>, depth: Int, _ hasDuplicate: inout Bool
    ) throws(JSONScanner.Failure) -> JSON {
        var object = Object()
        var keys: Set<ExactString> = []
        try scanner.members(bytes) { (scanner, token) throws(JSONScanner.Failure) in
            let key = JSONScanner.text(of: token, bytes)
            guard keys.insert(ExactString(key)).inserted else {
                hasDuplicate = true
                throw .unexpected
            }
            object.members.append((key, try value(&scanner, bytes, depth: depth + 1, &hasDuplicate)))
        }
        return .object(object)
    }
}

// MARK: - Writing

extension JSON {
    /// The value as compact text: no line breaks, members in order, only what must be escaped escaped.
    public func serialized() -> String {
        var text = ""
        write(to: &text)
        return text
    }

    /// The UTF-8 bytes of ``serialized()``.
    public var bytes: [UInt8] { Array(serialized().utf8) }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let digits): text += digits
        case .string(let value): Self.quote(value, to: &text)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.write(to: &text)
            }
            text += "]"
        case .object(let object):
            text += "{"
            for (index, member) in object.members.enumerated() {
                if index > 0 { text += "," }
                Self.quote(member.key, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func quote(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
