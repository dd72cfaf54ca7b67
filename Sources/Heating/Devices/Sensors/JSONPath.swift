/// Where in a payload something is: names of members and numbers of elements with points between them,
/// `AM2301.Temperature`, `params.temperature:0.tC`, `rooms.0.value`. A point that belongs to a name is written `\.`,
/// a lone `*` is the first member or element that leads on. The empty path is the whole payload.
public struct JSONPath: Equatable, Sendable {
    enum Step: Equatable, Sendable {
        case name(ExactString)
        case any
    }

    /// What stands at the path.
    enum Field: Equatable {
        case text(String)
        /// A number's text in JSON's grammar.
        case number(String)
        case bool(Bool)
        /// NaN or an infinity, which JSON does not have and some encoders write all the same.
        case nonFinite
        case null
        /// An object or an array.
        case structure
    }

    enum Failure: Error {
        case invalidUTF8
        case notJSON
        /// A member on the way appears twice: readers would disagree on which one counts.
        case duplicateKey
    }

    /// As written.
    public let text: String
    let steps: [Step]
    /// Members that `*` passes over.
    let ignored: [String]

    /// Any text is a path.
    public init(_ text: String, ignoring ignored: [String] = []) {
        self.text = text
        self.ignored = ignored
        var steps: [Step] = []
        var name = ""
        var isEscaped = false
        var hasEscape = false
        func finish() {
            steps.append(name == "*" && !hasEscape ? .any : .name(ExactString(name)))
            (name, hasEscape) = ("", false)
        }
        for scalar in text.unicodeScalars {
            if isEscaped {
                name.unicodeScalars.append(scalar)
                (isEscaped, hasEscape) = (false, true)
            } else if scalar == "\\" {
                isEscaped = true
            } else if scalar == "." {
                finish()
            } else {
                name.unicodeScalars.append(scalar)
            }
        }
        if isEscaped { name += "\\" }
        if !text.isEmpty { finish() }
        self.steps = steps
    }

    public var isWhole: Bool { steps.isEmpty }

    /// The field there; nil when the document has none. The whole document is checked either way.
    func field(in bytes: Span<UInt8>) throws(Failure) -> Field? {
        guard (try? UTF8Span(validating: bytes)) != nil else { throw .invalidUTF8 }
        var walk = Walk(ignored: ignored)
        do throws(JSONScanner.Failure) {
            walk.scanner.skipWhitespace(bytes)
            try walk.value(bytes, steps[...], depth: 0)
            walk.scanner.skipWhitespace(bytes)
        } catch { throw walk.hasDuplicate ? .duplicateKey : .notJSON }
        guard walk.scanner.index == bytes.count else { throw .notJSON }
        return walk.found
    }
}

/// One pass over a document that keeps what the path leads to.
private struct Walk {
    let ignored: [String]
    var scanner = JSONScanner()
    var found: JSONPath.Field?
    var hasDuplicate = false

    /// - Parameter steps: what is left of the path; nil when this value is beside it.
    mutating func value(
        _ bytes: Span<UInt8>, _ steps: ArraySlice<JSONPath.Step>?, depth: Int
    ) throws(JSONScanner.Failure) {
        guard depth <= JSONScanner.depthLimit else { throw .tooDeep }
        let isTarget = steps?.isEmpty == true && found == nil
        switch scanner.peek(bytes) {
        case UInt8(ascii: "{"):
            try object(bytes, steps, depth: depth)
            if isTarget { found = .structure }
        case UInt8(ascii: "["):
            try array(bytes, steps, depth: depth)
            if isTarget { found = .structure }
        default:
            let field = try scanner.deviceScalar(bytes, wanted: isTarget)
            if isTarget { found = field }
        }
    }

    private mutating func object(
        _ bytes: Span<UInt8>, _ steps: ArraySlice<JSONPath.Step>?, depth: Int
    ) throws(JSONScanner.Failure) {
        var (wasTaken, walker) = (false, scanner)
        try walker.members(bytes) { (scanner, key) throws(JSONScanner.Failure) in
            var next: ArraySlice<JSONPath.Step>?
            switch steps?.first {
            case .name(let name)? where Self.isKey(key, name, bytes):
                if wasTaken {
                    hasDuplicate = true
                    throw .unexpected
                }
                (wasTaken, next) = (true, steps?.dropFirst())
            case .any? where !ignored.contains(where: { Self.isKey(key, ExactString($0), bytes) }):
                next = steps?.dropFirst()
            default: break
            }
            try inner(&scanner, bytes, next, depth: depth)
        }
        scanner = walker
    }

    private mutating func array(
        _ bytes: Span<UInt8>, _ steps: ArraySlice<JSONPath.Step>?, depth: Int
    ) throws(JSONScanner.Failure) {
        var (index, walker) = (0, scanner)
        try walker.elements(bytes) { (scanner) throws(JSONScanner.Failure) in
            var next: ArraySlice<JSONPath.Step>?
            switch steps?.first {
            case .name(let name)? where name.text == String(index): next = steps?.dropFirst()
            case .any?: next = steps?.dropFirst()
            default: break
            }
            index += 1
            try inner(&scanner, bytes, next, depth: depth)
        }
        scanner = walker
    }

    /// The value at a scanner that is elsewhere.
    private mutating func inner(
        _ other: inout JSONScanner, _ bytes: Span<UInt8>, _ steps: ArraySlice<JSONPath.Step>?, depth: Int
    ) throws(JSONScanner.Failure) {
        scanner = other
        try value(bytes, steps, depth: depth + 1)
        other = scanner
    }

    private static func isKey(_ key: JSONScanner.StringToken, _ name: ExactString, _ bytes: Span<UInt8>) -> Bool {
        guard key.hasEscapes else { return bytes.part(key.range, equals: name.text) }
        return ExactString(JSONScanner.text(of: key, bytes)) == name
    }
}

extension JSONScanner {
    /// A value that is neither object nor array, with the spellings of NaN and the infinities that encoders write
    /// (Python's json, C's printf).
    fileprivate mutating func deviceScalar(
        _ bytes: Span<UInt8>, wanted: Bool
    ) throws(Failure) -> JSONPath.Field {
        switch peek(bytes) {
        case UInt8(ascii: "\""):
            let token = try string(bytes)
            return wanted ? .text(JSONScanner.text(of: token, bytes)) : .null
        case UInt8(ascii: "t"):
            guard takeWord(bytes, "true") else { throw .unexpected }
            return .bool(true)
        case UInt8(ascii: "f"):
            guard takeWord(bytes, "false") else { throw .unexpected }
            return .bool(false)
        case UInt8(ascii: "n") where takeWord(bytes, "null"): return .null
        default:
            for word: StaticString in [
                "NaN", "nan", "NAN", "-nan", "-NaN", "Infinity", "-Infinity", "-inf", "inf", "-INF", "INF",
            ] where takeWord(bytes, word) { return .nonFinite }
            let range = try number(bytes)
            return wanted ? .number(bytes.text(range)) : .null
        }
    }
}
