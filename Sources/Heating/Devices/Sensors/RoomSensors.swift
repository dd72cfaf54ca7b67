/// The sensors of one room made one temperature: each with its own silence, the room blind when all are silent.
///
/// A reading that the broker kept from earlier counts until the sensor's first live one, and from its own time on for no
/// longer than a live one would.
public struct RoomSensors: Equatable, Sendable {
    /// How several sensors become one temperature. The raw value is the configuration's word.
    public enum Combine: String, CaseIterable, Sendable {
        case mean, min, max
        /// The first in the file that is not silent.
        case first
    }

    private struct Last: Equatable {
        var value: Double
        var until: Instant
        var isLive: Bool
        var rule: Int
    }

    /// More sensors than this are a flood, not a room's.
    private static let limit = 64

    public var combine: Combine
    /// How far one may be from the room's before it is named, in °C; nil: never.
    public var disagreement: Double?
    private var sensors: [ExactString: Last] = [:]

    public init(combine: Combine = .mean, disagreement: Double? = nil) {
        (self.combine, self.disagreement) = (combine, disagreement)
    }

    /// Takes a sensor's reading.
    /// - Parameters:
    ///   - sensor: the topic it came on.
    ///   - rule: its place in the file.
    ///   - age: of a retained reading, by its own time; nil when that is not known, and then it counts as just made.
    /// - Returns: whether it counts: a retained one behind a live one, or an old one, does not.
    @discardableResult
    public mutating func heard(
        _ value: Double, from sensor: String, rule: Int, isRetained: Bool = false, age: Duration? = nil,
        staleAfter: Duration, now: Instant
    ) -> Bool {
        let key = ExactString(sensor)
        let last = sensors[key]
        if isRetained, last?.isLive == true { return false }
        var until = now + (isRetained ? staleAfter - Swift.max(.zero, age ?? .zero) : staleAfter)
        // The broker says the same again at each connection: it becomes no younger by that.
        if isRetained, age == nil, let last, last.value == value { until = Swift.min(until, last.until) }
        // Of a receiver that hears everybody, those that went make room.
        if last == nil, sensors.count >= Self.limit { sensors = sensors.filter { $0.value.until > now } }
        guard until > now, last != nil || sensors.count < Self.limit else { return false }
        sensors[key] = Last(value: value, until: until, isLive: !isRetained, rule: rule)
        return true
    }

    private func awake(_ now: Instant) -> [(name: ExactString, last: Last)] {
        sensors.filter { $0.value.until > now }.map { ($0.key, $0.value) }
            .sorted { ($0.last.rule, $0.name) < ($1.last.rule, $1.name) }
    }

    /// The room's temperature in °C; nil when every sensor is silent.
    public func value(now: Instant) -> Double? {
        let values = awake(now).map(\.last.value)
        return switch combine {
        case .mean: values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        case .min: values.min()
        case .max: values.max()
        case .first: values.first
        }
    }

    /// When the value may change by itself: the next sensor falls silent.
    public func nextDeadline(now: Instant) -> Instant? { awake(now).map(\.last.until).min() }

    /// When the last sensor falls silent, and the room with it; nil when all are silent.
    public func silentAt(now: Instant) -> Instant? { awake(now).map(\.last.until).max() }

    /// The sensor that is furthest from what the others say, when that is further than it may be. Of two nobody knows
    /// which one is wrong: both are named.
    public func outliers(now: Instant) -> [(sensor: String, value: Double)] {
        guard let disagreement else { return [] }
        let values = awake(now)
        guard values.count > 1 else { return [] }
        if values.count == 2 {
            let isFar = abs(values[0].last.value - values[1].last.value) > disagreement
            return isFar ? values.map { ($0.name.text, $0.last.value) } : []
        }
        let sorted = values.map(\.last.value).sorted()
        let middle = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        return values.filter { abs($0.last.value - middle) > disagreement }.map { ($0.name.text, $0.last.value) }
    }
}
