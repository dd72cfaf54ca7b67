/// Points as lines, encoded as they are added; for ``InfluxWriter/submit(_:)``.
public struct PointBatch: Sendable {
    struct Line: Sendable {
        /// Where the line ends in `bytes`, its newline included.
        var end: Int
        var fields: Int32
        var index: Int32
        /// Of the series, which chooses the lane.
        var hash: UInt64
    }

    private(set) var bytes: [UInt8] = []
    private(set) var lines: [Line] = []
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
        if let problem = series.problem ?? (value.isFinite ? nil : .notFinite(field: series.field)) {
            refused.append(RejectedPoint(index: index, reason: problem.description))
            return
        }
        bytes += series.prefix
        // The shortest text that reads back as the same double.
        var number = value.description
        number.withUTF8 { bytes += $0 }
        bytes.append(UInt8(ascii: " "))
        append(decimal: time)
        bytes.append(UInt8(ascii: "\n"))
        lines.append(Line(end: bytes.count, fields: 1, index: Int32(clamping: index), hash: series.hash))
    }

    /// Adds a point of any shape. - Parameter index: as above.
    public mutating func add(_ point: Point, index: Int) {
        var line = LineBuffer()
        do throws(LineProtocol.EncodingError) {
            let hash = try LineProtocol.encode(point, into: &line)
            line.withBytes { bytes += $0 }
            let fields = Int32(clamping: point.fields.count)
            lines.append(Line(end: bytes.count, fields: fields, index: Int32(clamping: index), hash: hash))
        } catch {
            refused.append(RejectedPoint(index: index, reason: error.description))
        }
    }

    /// The digits go into a small buffer first: an array that grows byte by byte checks its room for each.
    private mutating func append(decimal number: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            var rest = number.magnitude
            repeat {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                start -= 1
                digits[start] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
                rest = quotient
            } while rest > 0
            if number < 0 {
                start -= 1
                digits[start] = UInt8(ascii: "-")
            }
            bytes += UnsafeBufferPointer(rebasing: digits[start...])
        }
    }
}
