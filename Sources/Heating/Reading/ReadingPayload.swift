extension Reading {
    /// Longest payload that is read at all, in bytes.
    public static let payloadLimit = 65_536
    /// Longest text of a number that is read; a double needs at most 17 significant digits.
    private static let valueLimit = 1024

    /// Reads a sensor's payload, `{"timestamp": "2026-11-23T10:00:00.123456", "value": 10.77887475165167}`.
    ///
    /// Keys in any order, other keys ignored. `timestamp`: a string, see ``Timestamp/init(iso8601:naiveOffsetSeconds:)``.
    /// `value`: a JSON number, or a string that holds one. The whole payload must be JSON; the spellings `NaN` and
    /// `Infinity`, which some encoders write, are told apart as ``PayloadError/notFinite``.
    /// - Parameter naiveOffsetSeconds: east of UTC, for timestamps without a zone.
    public init(
        payload: some Collection<UInt8>, naiveOffsetSeconds: Int = 0, limit: Int = Reading.payloadLimit
    ) throws(PayloadError) {
        self = try payload.withBytes { bytes in
            Result { () throws(PayloadError) in
                try Reading(payload: bytes, naiveOffsetSeconds: naiveOffsetSeconds, limit: limit)
            }
        }.get()
    }

    /// As ``init(payload:naiveOffsetSeconds:limit:)``, for bytes that are already contiguous.
    public init(
        payload bytes: Span<UInt8>, naiveOffsetSeconds: Int = 0, limit: Int = Reading.payloadLimit
    ) throws(PayloadError) {
        guard bytes.count <= limit else { throw .oversized }
        guard (try? UTF8Span(validating: bytes)) != nil else { throw .invalidUTF8 }
        let fields = try Fields(bytes)
        if fields.hasDuplicateTimestamp || fields.hasDuplicateValue { throw .duplicateKey }
        guard let timestampField = fields.timestamp else { throw .missingTimestamp }
        guard let valueField = fields.value else { throw .missingValue }
        time = try Self.time(timestampField, bytes, naiveOffsetSeconds)
        (valueText, value) = try Self.value(valueField, bytes)
    }

    fileprivate static func time(
        _ field: Field, _ bytes: Span<UInt8>, _ naiveOffsetSeconds: Int
    ) throws(PayloadError) -> DeviceTime {
        guard case .string(let token) = field else { throw .badTimestamp }
        let text = JSONScanner.text(of: token, bytes)
        let parsed =
            token.hasEscapes
            ? Timestamp.parse(iso8601: text.utf8, naiveOffsetSeconds: naiveOffsetSeconds)
            : Timestamp.parse(iso8601: bytes, in: token.range, naiveOffsetSeconds: naiveOffsetSeconds)
        guard let parsed else { throw .badTimestamp }
        return DeviceTime(text, parsed.timestamp, isNaive: parsed.isNaive, .device)
    }

    fileprivate static func value(_ field: Field, _ bytes: Span<UInt8>) throws(PayloadError) -> (String, Double) {
        let text: String
        switch field {
        case .number(let range):
            guard range.count <= valueLimit else { throw .badValue }
            text = bytes.text(range)
        case .string(let token):
            guard token.range.count <= valueLimit else { throw .badValue }
            text = JSONScanner.text(of: token, bytes)
            if isSpelledNonFinite(text) { throw .notFinite }
            guard isNumber(text) else { throw .badValue }
        case .nonFinite: throw .notFinite
        case .other: throw .badValue
        }
        // `Double` also reads hexadecimal and "nan"; the grammar was checked above.
        guard let value = Double(text) else { throw .badValue }
        guard value.isFinite else { throw .notFinite }
        return (text, value)
    }

    private static func isNumber(_ text: String) -> Bool {
        text.utf8.withBytes { bytes in
            var scanner = JSONScanner()
            return (try? scanner.number(bytes)) != nil && scanner.index == bytes.count
        }
    }

    private static func isSpelledNonFinite(_ text: String) -> Bool {
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        return ["nan", "inf", "infinity"].contains(unsigned.lowercased())
    }
}

extension LiveReading {
    /// Reads a sensor's payload for the heating: as ``Reading/init(payload:naiveOffsetSeconds:limit:)``, but the value
    /// alone decides. A time that is missing, unreadable, twice there or not even text is no time.
    public init(payload: some Collection<UInt8>, limit: Int = Reading.payloadLimit) throws(PayloadError) {
        self = try payload.withBytes { bytes in
            Result { () throws(PayloadError) in try LiveReading(payload: bytes, limit: limit) }
        }.get()
    }

    /// As ``init(payload:limit:)``, for bytes that are already contiguous.
    public init(payload bytes: Span<UInt8>, limit: Int = Reading.payloadLimit) throws(PayloadError) {
        guard bytes.count <= limit else { throw .oversized }
        // Not checked for UTF-8: the number and its key are ASCII, and what else stands there is nothing to heat by.
        let fields = try Fields(bytes)
        guard let valueField = fields.value else { throw .missingValue }
        if fields.hasDuplicateValue { throw .duplicateKey }
        value = try Reading.value(valueField, bytes).1
        if let field = fields.timestamp, !fields.hasDuplicateTimestamp {
            timestamp = try? Reading.time(field, bytes, 0).timestamp
        }
    }
}

/// Where in the payload a value is, not yet understood.
private enum Field {
    case string(JSONScanner.StringToken)
    case number(Range<Int>)
    case nonFinite
    case other
}

/// The members of a reading's object that matter.
private struct Fields {
    var timestamp: Field?
    var value: Field?
    var hasDuplicateTimestamp = false
    var hasDuplicateValue = false

    init(_ bytes: Span<UInt8>) throws(PayloadError) {
        var scanner = JSONScanner()
        var (timestamp, value): (Field?, Field?) = (nil, nil)
        var (isObject, hasDuplicateTimestamp, hasDuplicateValue) = (true, false, false)
        do throws(JSONScanner.Failure) {
            scanner.skipWhitespace(bytes)
            if scanner.peek(bytes) == UInt8(ascii: "{") {
                try scanner.members(bytes) { (scanner, key) throws(JSONScanner.Failure) in
                    if Self.isKey(key, "timestamp", bytes) {
                        hasDuplicateTimestamp = hasDuplicateTimestamp || timestamp != nil
                        timestamp = try Self.field(&scanner, bytes)
                    } else if Self.isKey(key, "value", bytes) {
                        hasDuplicateValue = hasDuplicateValue || value != nil
                        value = try Self.field(&scanner, bytes)
                    } else {
                        try scanner.skipValue(bytes, depth: 1)
                    }
                }
            } else {
                try scanner.skipValue(bytes)
                isObject = false
            }
            scanner.skipWhitespace(bytes)
        } catch { throw .notJSON }
        guard scanner.index == bytes.count else { throw .notJSON }
        guard isObject else { throw .notAnObject }
        self.timestamp = timestamp
        self.value = value
        self.hasDuplicateTimestamp = hasDuplicateTimestamp
        self.hasDuplicateValue = hasDuplicateValue
    }

    private static func isKey(_ token: JSONScanner.StringToken, _ name: StaticString, _ bytes: Span<UInt8>) -> Bool {
        guard token.hasEscapes else { return bytes.part(token.range, equals: name) }
        return JSONScanner.text(of: token, bytes) == name.description
    }

    private static func field(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>
    ) throws(JSONScanner.Failure) -> Field {
        guard let first = scanner.peek(bytes) else { throw .unexpected }
        switch first {
        case UInt8(ascii: "\""): return .string(try scanner.string(bytes))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            if scanner.takeWord(bytes, "-Infinity") { return .nonFinite }
            return .number(try scanner.number(bytes))
        case UInt8(ascii: "N") where scanner.takeWord(bytes, "NaN"): return .nonFinite
        case UInt8(ascii: "I") where scanner.takeWord(bytes, "Infinity"): return .nonFinite
        default:
            try scanner.skipValue(bytes, depth: 1)
            return .other
        }
    }
}
