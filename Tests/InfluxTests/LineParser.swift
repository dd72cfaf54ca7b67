/// The tests' own reader of line protocol, written from the specification and not from the encoder:
/// https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
struct ParsedPoint: Equatable {
    var measurement: String
    var tags: [String: String]
    var tagKeys: [String]
    var fields: [String: ParsedValue]
    var time: Int64

    var series: String {
        tags.sorted { $0.key < $1.key }.reduce(into: measurement) { $0 += "|\($1.key)=\($1.value)" }
    }

    /// What InfluxDB identifies a point by.
    var identity: String {
        "\(series)|\(time)"
    }
}

enum ParsedValue: Equatable {
    case float(UInt64)  // the bits: 0.0 and -0.0 are two values
    case integer(Int64)
    case boolean(Bool)
    case string(String)
}

struct LineParser {
    private let bytes: [UInt8]
    private var position = 0

    static func parse(_ bytes: [UInt8]) throws -> [ParsedPoint] {
        var parser = LineParser(bytes: bytes)
        var points: [ParsedPoint] = []
        while parser.position < bytes.count { points.append(try parser.line()) }
        return points
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private static let keyEscapes: [UInt8] = Array(",= ".utf8)
    private static let measurementEscapes: [UInt8] = Array(", ".utf8)
    private static let equals: [UInt8] = Array("=".utf8)
    private static let newline: [UInt8] = Array("\n".utf8)

    private mutating func line() throws -> ParsedPoint {
        if bytes[position] == UInt8(ascii: "#") { throw TestFailure("a comment") }
        let measurement = text(until: Self.measurementEscapes, escapable: Self.measurementEscapes)
        var tags: [String: String] = [:]
        var tagKeys: [String] = []
        while try next() == UInt8(ascii: ",") {
            let key = text(until: Self.equals, escapable: Self.keyEscapes)
            try expect("=")
            let value = text(until: Self.measurementEscapes, escapable: Self.keyEscapes)
            guard !key.isEmpty, !value.isEmpty, tags[key] == nil else { throw TestFailure("bad tag \(key)") }
            tags[key] = value
            tagKeys.append(key)
        }
        var fields: [String: ParsedValue] = [:]
        repeat {
            let key = text(until: Self.equals, escapable: Self.keyEscapes)
            try expect("=")
            guard !key.isEmpty, fields[key] == nil else { throw TestFailure("bad field \(key)") }
            fields[key] = try value()
        } while try next() == UInt8(ascii: ",")
        let digits = text(until: Self.newline, escapable: [])
        try expect("\n")
        guard let time = Int64(digits), !measurement.isEmpty else { throw TestFailure("bad time \(digits)") }
        return ParsedPoint(measurement: measurement, tags: tags, tagKeys: tagKeys, fields: fields, time: time)
    }

    private mutating func value() throws -> ParsedValue {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            let text = text(until: Self.measurementEscapes, escapable: [])
            if text == "true" || text == "false" { return .boolean(text == "true") }
            if text.hasSuffix("i"), let number = Int64(text.dropLast()) { return .integer(number) }
            guard let number = Double(text), number.isFinite else { throw TestFailure("bad value \(text)") }
            return .float(number.bitPattern)
        }
        position += 1
        var content: [UInt8] = []
        while true {
            var byte = try next()
            if byte == UInt8(ascii: "\"") { return .string(String(decoding: content, as: UTF8.self)) }
            if byte == UInt8(ascii: "\\"), position < bytes.count, [0x22, 0x5C].contains(bytes[position]) {
                byte = try next()
            }
            content.append(byte)
        }
    }

    /// A backslash counts as an escape only before one of `escapable`.
    private mutating func text(until ends: [UInt8], escapable: [UInt8]) -> String {
        var content: [UInt8] = []
        while position < bytes.count, !ends.contains(bytes[position]) {
            let isEscape = bytes[position] == UInt8(ascii: "\\") && position + 1 < bytes.count
            if isEscape, escapable.contains(bytes[position + 1]) { position += 1 }
            content.append(bytes[position])
            position += 1
        }
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func next() throws -> UInt8 {
        guard position < bytes.count else { throw TestFailure("the line ends too early") }
        position += 1
        return bytes[position - 1]
    }

    private mutating func expect(_ byte: Unicode.Scalar) throws {
        if try next() != UInt8(ascii: byte) { throw TestFailure("expected \(byte)") }
    }
}
