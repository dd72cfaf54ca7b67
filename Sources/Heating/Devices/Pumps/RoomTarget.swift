extension Thermostat {
    /// The temperature that a device with a thermostat of its own is told for this room, in °C: the middle of the limits that
    /// count now, be they the room's, a preset's or a hold's. Nil where the thermostat is off and nobody wants anything.
    ///
    /// - Parameter isSwitched: the device is switched on and off beside it. One that is not is told by the temperature alone
    ///   that it shall run or rest.
    public func deviceTarget(isSwitched: Bool) -> Double? {
        guard settings.enabled else { return nil }
        let status = status
        let middle = status.target ?? (status.limits.onBelow + status.limits.offAbove) / 2
        guard !isSwitched else { return middle }
        if case .overheated = status.reason { return settings.frostBelow }
        if status.mode == .off { return settings.frostBelow }
        return switch status.override?.isOn {
        case true?: max(middle, status.limits.offAbove)
        case false?: settings.frostBelow
        case nil: middle
        }
    }
}

/// Whether a room follows the target that its device was handed: while it is colder than the limit at which heating starts, it
/// must become warmer.
public struct TargetResponse: Equatable, Sendable {
    /// How much warmer within one window, in °C.
    static let margin = 0.3

    public struct Problem: Equatable, Sendable {
        public var from: Double
        public var to: Double
        public var target: Double
        public var within: Duration

        /// For people.
        public func text(in unit: TemperatureUnit) -> String { sentence(in: unit).text }

        public func sentence(in unit: TemperatureUnit) -> Sentence {
            Sentence(
                RoomSentence.doesNotFollow,
                [
                    "from": unit.value(from), "to": unit.value(to), "time": .duration(within),
                    "target": unit.value(target),
                ])
        }
    }

    private var start: (value: Double, at: Instant)?
    public private(set) var problem: Problem?

    public init() {}

    /// Takes a valid reading.
    /// - Parameters:
    ///   - target: what the device was told, in °C; nil: nothing, and then nothing is judged.
    ///   - onBelow: the limit below which the room is too cold.
    ///   - window: how long it may take.
    public mutating func observe(
        _ value: Double, target: Double?, onBelow: Double, window: Duration, now: Instant
    ) {
        guard let target, window > .zero, value < onBelow, value < target else {
            self = TargetResponse()
            return
        }
        guard let start, now - start.at <= window * 2 else {
            // After a silence nothing can be said about the time in between.
            self.start = (value, now)
            return
        }
        let length = now - start.at
        guard length >= window else { return }
        problem =
            value - start.value < Self.margin
            ? Problem(from: start.value, to: value, target: target, within: length) : nil
        self.start = (value, now)
    }

    public static func == (left: TargetResponse, right: TargetResponse) -> Bool {
        left.problem == right.problem && left.start?.value == right.start?.value
            && left.start?.at == right.start?.at
    }
}
