/// When a device says that it measured, or when its word arrived.
public struct DeviceTime: Equatable, Sendable {
    /// Where the time is from.
    public enum Source: String, Sendable {
        /// The device's clock.
        case device
        /// The rule names no time: when it arrived.
        case arrival
        /// The payload has none at the rule's path: when it arrived.
        case missing
        /// No date-time, or one that cannot be: when it arrived. To be counted.
        case absurd
    }

    /// ISO 8601, as the device wrote it (JSON escapes resolved).
    public var text: String
    public var timestamp: Timestamp
    /// The text has no zone: it means the sensors' zone, and `timestamp` rests on the assumed offset.
    public var isNaive: Bool
    public var source: Source

    /// 2015-01-01: an earlier time is that of a clock that was never set.
    static let earliest = Timestamp(nanoseconds: 1_420_070_400 * 1_000_000_000)
    /// How far ahead of the arrival a time may be. A device that writes local time without a zone is up to 14 hours ahead
    /// of UTC.
    static let furthestAhead: Int64 = 26 * 3600 * 1_000_000_000

    init(_ text: String, _ timestamp: Timestamp, isNaive: Bool, _ source: Source) {
        self.text = text
        self.timestamp = timestamp
        self.isNaive = isNaive
        self.source = source
    }

    init(arrival: Timestamp, _ source: Source) {
        self.init(arrival.description, arrival, isNaive: false, source)
    }

    /// An ISO 8601 date-time, or a number since 1970 as text.
    init(_ text: String, arrival: Timestamp, naiveOffsetSeconds: Int) {
        let trimmed = String(DecimalReading.trimmed(Substring(text)))
        guard !trimmed.isEmpty else {
            self.init(arrival: arrival, .missing)
            return
        }
        guard let parsed = Timestamp.parse(iso8601: trimmed.utf8, naiveOffsetSeconds: naiveOffsetSeconds) else {
            self.init(epoch: trimmed, arrival: arrival)
            return
        }
        guard Self.isPossible(parsed.timestamp, arrival) else {
            self.init(arrival: arrival, .absurd)
            return
        }
        self.init(trimmed, parsed.timestamp, isNaive: parsed.isNaive, .device)
    }

    /// Seconds, milliseconds, microseconds or nanoseconds since 1970: which of them, its size says.
    init(epoch text: String, arrival: Timestamp) {
        guard let number = Double(text), number.isFinite, let nanoseconds = Self.nanoseconds(text, number),
            Self.isPossible(Timestamp(nanoseconds: nanoseconds), arrival)
        else {
            self.init(arrival: arrival, .absurd)
            return
        }
        let timestamp = Timestamp(nanoseconds: nanoseconds)
        self.init(timestamp.description, timestamp, isNaive: false, .device)
    }

    private static func nanoseconds(_ text: String, _ number: Double) -> Int64? {
        let factor: Int64
        // Seconds reach 1e11 in the year 5138, milliseconds are there since 1973.
        switch number {
        case 1e8..<1e11: factor = 1_000_000_000
        case 1e11..<1e14: factor = 1_000_000
        case 1e14..<1e17: factor = 1000
        case 1e17..<9e18: factor = 1
        default: return nil
        }
        if let whole = Int64(text) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
            return overflow ? nil : product
        }
        // A fraction: to the microsecond, which is what is left of a double at this size.
        let whole = number.rounded(.down)
        let fraction = ((number - whole) * Double(min(factor, 1_000_000))).rounded()
        guard let start = Int64(exactly: whole), let part = Int64(exactly: fraction) else { return nil }
        let (product, overflow) = start.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product.addingSaturated(part * max(1, factor / 1_000_000))
    }

    private static func isPossible(_ time: Timestamp, _ arrival: Timestamp) -> Bool {
        guard time >= earliest else { return false }
        // A box whose own clock was never set cannot judge.
        return arrival < earliest || time.nanoseconds <= arrival.nanoseconds.addingSaturated(furthestAhead)
    }
}
