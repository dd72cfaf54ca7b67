import Heating

/// Encodes points as InfluxDB line protocol, nanosecond precision, one line per point, each ended by `\n`.
///
/// Rules: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ and the parser both server
/// generations share (influxdata/influxdb, models/points.go). What the format cannot carry is refused with a
/// reason instead of being replaced, because a replacement could merge two series into one:
///
/// - A newline in a measurement, tag or field key ends the line, whatever precedes it. In the text of a string
///   field it is kept.
/// - A backslash at the end of a measurement, key or tag value, or before a comma, space, equals sign or quote,
///   cannot be told from an escape: influxd 1.6.7 refuses such lines or, worse, stores them under another name.
///   Elsewhere a backslash stands for itself.
/// - A quotation mark in a field key is taken for the start of a string (influxd 1.6.7: "invalid boolean").
/// - A tag with an empty value is left out: to InfluxDB the two are the same series.
/// - A measurement that begins with `#` makes the line a comment, and leading NUL, tab or carriage return is
///   skipped as white space; the server answers 204 to both without storing what was meant.
/// - `time` is not allowed as a key: the server drops such a field silently.
public enum LineProtocol {
    /// Why a point has no line protocol form.
    public enum EncodingError: Error, Equatable, Sendable, CustomStringConvertible {
        case emptyMeasurement
        case measurementStartsWith(String)
        case noFields
        case emptyKey
        case reservedKey(String)
        case duplicateKey(String)
        /// A newline or a backslash that looks like an escape in a measurement, key or tag value; a quotation
        /// mark in a field key.
        case unrepresentable(String)
        case notFinite(field: String)

        /// A sentence for logs and dead letters.
        public var description: String {
            switch self {
            case .emptyMeasurement: "the measurement is empty"
            case .measurementStartsWith(let text): "the measurement starts with \(text.debugDescription)"
            case .noFields: "the point has no field"
            case .emptyKey: "a tag or field key is empty"
            case .reservedKey(let key): "the key \(key.debugDescription) is reserved"
            case .duplicateKey(let key): "the key \(key.debugDescription) appears twice"
            case .unrepresentable(let text): "line protocol cannot carry \(text.debugDescription) here"
            case .notFinite(let field): "the field \(field.debugDescription) is not a finite number"
            }
        }
    }

    /// Appends the line of `point`, tags sorted by key, ended by a newline. `output` is unchanged on an error.
    /// - Throws: ``EncodingError`` when the point has no line protocol form.
    public static func append(_ point: Point, to output: inout [UInt8]) throws(EncodingError) {
        var line = LineBuffer()
        try encode(point, into: &line)
        line.withBytes { output.append(contentsOf: $0) }
    }

    /// Replaces the content of `line`.
    /// - Returns: a hash of the series key, which chooses the lane.
    @discardableResult
    static func encode(_ point: Point, into line: inout LineBuffer) throws(EncodingError) -> UInt64 {
        let series = try encodeSeries(point.measurement, point.tags, into: &line)
        try append(fields: point.fields, to: &line)
        line.append(UInt8(ascii: " "))
        line.append(decimal: point.time)
        line.append(UInt8(ascii: "\n"))
        return series
    }

    /// Replaces the content of `line` by a series key: measurement and tags, escaped.
    /// - Returns: the key's hash.
    static func encodeSeries(
        _ measurement: String, _ tags: [(String, String)], into line: inout LineBuffer
    ) throws(EncodingError) -> UInt64 {
        line.removeAll()
        try append(measurement: measurement, to: &line)
        if firstUnsorted(tags) == nil {
            try append(tags: tags, to: &line)
        } else {
            let sorted = tags.sorted { precedes($0.0, $1.0) }
            if let double = firstUnsorted(sorted) { throw .duplicateKey(sorted[double].0) }
            try append(tags: sorted, to: &line)
        }
        return line.withBytes { wordHash(UnsafeRawBufferPointer($0)) }
    }

    private static func append(measurement: String, to line: inout LineBuffer) throws(EncodingError) {
        guard let first = measurement.utf8.first else { throw .emptyMeasurement }
        if first == UInt8(ascii: "#") || first == 0 || first == UInt8(ascii: "\t") || first == UInt8(ascii: "\r") {
            throw .measurementStartsWith(String(UnicodeScalar(first)))
        }
        try append(measurement, as: .measurement, to: &line)
    }

    private static func append(tags: [(String, String)], to line: inout LineBuffer) throws(EncodingError) {
        for (key, value) in tags {
            if key.isEmpty { throw .emptyKey }
            if isReserved(key) { throw .reservedKey(key) }
            if value.isEmpty { continue }
            line.append(UInt8(ascii: ","))
            try append(key, as: .tag, to: &line)
            line.append(UInt8(ascii: "="))
            try append(value, as: .tag, to: &line)
        }
    }

    private static func append(fields: [(String, FieldValue)], to line: inout LineBuffer) throws(EncodingError) {
        if fields.isEmpty { throw .noFields }
        for (position, (key, value)) in fields.enumerated() {
            if position > 0, fields[..<position].contains(where: { isSame($0.0, key) }) { throw .duplicateKey(key) }
            try append(field: key, isFirst: position == 0, to: &line)
            switch value {
            case .float(let number):
                guard number.isFinite else { throw .notFinite(field: key) }
                // The shortest text that reads back as the same double.
                line.append(number.description)
            case .integer(let number):
                line.append(decimal: number)
                line.append(UInt8(ascii: "i"))
            case .boolean(let flag):
                line.append(flag ? "true" : "false")
            case .string(let text):
                append(quoted: text, to: &line)
            }
        }
    }

    /// A field's key with what is before and after it.
    static func append(field key: String, isFirst: Bool, to line: inout LineBuffer) throws(EncodingError) {
        if key.isEmpty { throw .emptyKey }
        if key == "time" { throw .reservedKey(key) }
        line.append(UInt8(ascii: isFirst ? " " : ","))
        try append(key, as: .fieldKey, to: &line)
        line.append(UInt8(ascii: "="))
    }

    private static func isReserved(_ key: String) -> Bool {
        key == "time" || (key.utf8.first == UInt8(ascii: "_") && (key == "_measurement" || key == "_field"))
    }

    /// The first tag whose key does not come after the one before it.
    private static func firstUnsorted(_ tags: [(String, String)]) -> Int? {
        var index = 1
        while index < tags.count {
            if !precedes(tags[index - 1].0, tags[index].0) { return index }
            index += 1
        }
        return nil
    }

    /// By bytes, as the server sorts.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// `String` would call canonical equivalents equal; the server does not.
    private static func isSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}

extension LineProtocol {
    private enum Place {
        case measurement, tag, fieldKey
    }

    /// A measurement escapes comma and space; keys and tag values the equals sign too.
    private static func append(
        _ text: String, as place: Place, to line: inout LineBuffer
    ) throws(EncodingError) {
        let isPlain = text.utf8.withContiguousStorageIfAvailable { bytes in
            let isPlain = bytes.allSatisfy { !isSpecial($0) }
            if isPlain { line.append(bytes) }
            return isPlain
        }
        if isPlain == true { return }
        var last: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n"):
                throw .unrepresentable(text)
            case UInt8(ascii: "\"") where place == .fieldKey || last == UInt8(ascii: "\\"):
                throw .unrepresentable(text)
            case UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "="):
                if last == UInt8(ascii: "\\") { throw .unrepresentable(text) }
                if byte != UInt8(ascii: "=") || place != .measurement { line.append(UInt8(ascii: "\\")) }
            default:
                break
            }
            line.append(byte)
            last = byte
        }
        if last == UInt8(ascii: "\\") { throw .unrepresentable(text) }
    }

    /// Bytes that are escaped or may be refused.
    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "="), UInt8(ascii: "\""),
            UInt8(ascii: "\\"):
            true
        default: false
        }
    }

    private static func append(quoted text: String, to line: inout LineBuffer) {
        line.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { line.append(UInt8(ascii: "\\")) }
            line.append(byte)
        }
        line.append(UInt8(ascii: "\""))
    }
}
