import Heating

/// One of many encoded lines that stand one after the other. Small and without references: there are 5 000 of them per request.
struct EncodedLine: Sendable {
    /// Where it ends among the bytes of all of them, its newline included.
    var end: Int
    var fields: Int32
    /// Position in the ticket's batch.
    var index: Int32
    /// Of the series, which chooses the lane.
    var hash: UInt64
}

/// Points as lines, encoded as they are added; for ``InfluxWriter/submit(_:)``.
public struct PointBatch: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var lines: [EncodedLine] = []
    /// Points without a line protocol form.
    private(set) var refused: [RejectedPoint] = []

    public init() {}

    public var count: Int { lines.count + refused.count }
    public var isEmpty: Bool { lines.isEmpty && refused.isEmpty }
    /// The lines as they will be sent.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Makes room for points of about this many bytes each.
    public mutating func reserve(points: Int, bytes size: Int = 96) {
        lines.reserveCapacity(points)
        bytes.reserveCapacity(points * size)
    }

    /// Adds a point of one number.
    /// - Parameters:
    ///   - value: finite, or the point is rejected.
    ///   - time: nanoseconds since the Unix epoch, UTC.
    ///   - index: what ``RejectedPoint/index`` will say of it, 0 to 2^31 - 1.
    public mutating func add(_ series: borrowing Series, _ value: Double, time: Int64, index: Int) {
        guard value.isFinite else {
            let problem = series.problem ?? .notFinite(field: series.field)
            refused.append(RejectedPoint(index: index, refusal: .unencodable, reason: problem.description))
            return
        }
        // The shortest text that reads back as the same double.
        var text = value.description
        text.withUTF8 { add(series, number: $0, time: time, index: index) }
    }

    /// Adds a point of one number whose text is there already: the database reads it as the double nearest to it, as
    /// every correct reader does.
    /// - Parameter number: in JSON's grammar and not too large for a double.
    public mutating func add(
        _ series: borrowing Series, number: UnsafeBufferPointer<UInt8>, time: Int64, index: Int
    ) {
        if let problem = series.problem {
            refused.append(RejectedPoint(index: index, refusal: .unencodable, reason: problem.description))
            return
        }
        bytes += series.prefix
        bytes += number
        // One append of the rest instead of three.
        withDecimal(time, before: UInt8(ascii: " "), after: UInt8(ascii: "\n")) { bytes += $0 }
        lines.append(EncodedLine(end: bytes.count, fields: 1, index: Int32(clamping: index), hash: series.hash))
    }

    /// Adds a line that was encoded before, without its end; for points that are written again.
    public mutating func add(line: some Collection<UInt8>, index: Int) {
        let start = bytes.count
        bytes += line
        let hash = LineProtocol.seriesKey(of: bytes[start...]).withUnsafeBytes { wordHash($0) }
        bytes.append(UInt8(ascii: "\n"))
        lines.append(EncodedLine(end: bytes.count, fields: 1, index: Int32(clamping: index), hash: hash))
    }

    /// Adds a point of any shape. - Parameter index: as above.
    public mutating func add(_ point: Point, index: Int) {
        var line = LineBuffer()
        do throws(LineProtocol.EncodingError) {
            let hash = try LineProtocol.encode(point, into: &line)
            line.withBytes { bytes += $0 }
            let fields = Int32(clamping: point.fields.count)
            lines.append(EncodedLine(end: bytes.count, fields: fields, index: Int32(clamping: index), hash: hash))
        } catch {
            refused.append(RejectedPoint(index: index, refusal: .unencodable, reason: error.description))
        }
    }
}
