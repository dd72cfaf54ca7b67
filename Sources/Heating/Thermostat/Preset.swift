/// A named pair of limits, chosen by the schedule or by a person for a while.
public enum Preset: String, CaseIterable, Sendable {
    /// Nobody is there: only keep the house from freezing.
    case frost
    case eco
    /// Unless configured otherwise, the room's own limits.
    case comfort
}

extension Thermostat {
    /// Strictly below `onBelow` the pump is started, strictly above `offAbove` it is stopped; both in °C.
    public struct Limits: Equatable, Sendable {
        public var onBelow: Double
        public var offAbove: Double

        public init(onBelow: Double, offAbove: Double) {
            self.onBelow = onBelow
            self.offAbove = offAbove
        }
    }

    /// What a person may ask for instead of the schedule, until an end.
    public enum Target: Equatable, Sendable, CustomStringConvertible {
        case preset(Preset)
        /// The middle between the limits, in °C; their distance stays.
        case middle(Double)

        /// As a person types it.
        public var description: String {
            switch self {
            case .preset(let preset): preset.rawValue
            case .middle(let value): "\(value)"
            }
        }
    }

    /// Other limits than the schedule's, until their end.
    public struct Hold: Equatable, Sendable {
        public var target: Target
        public var source: Source
        public var duration: Duration
        public var until: Instant
    }

    /// Whose limits count, when they are not simply the room's.
    public enum Mode: Equatable, Sendable, CustomStringConvertible {
        case scheduled(Preset)
        case held(Hold)

        public var description: String {
            switch self {
            case .scheduled(let preset): return preset.rawValue
            case .held(let hold):
                let end = "by \(hold.source.rawValue) for \(hold.duration.spoken)"
                switch hold.target {
                case .preset(let preset): return "\(preset.rawValue) \(end)"
                case .middle(let value): return "\(value) \(end)"
                }
            }
        }

        /// The preset in force; nil for limits that have no name.
        public var preset: Preset? {
            switch self {
            case .scheduled(let preset): preset
            case .held(let hold): if case .preset(let preset) = hold.target { preset } else { nil }
            }
        }
    }
}

extension Thermostat.Settings {
    /// The room's own limits: what counts without a schedule.
    public var limits: Thermostat.Limits { .init(onBelow: onBelow, offAbove: offAbove) }

    /// The limits of a preset, as configured or else derived from the room's: comfort is the room's own, eco lies
    /// three degrees lower, frost a little above `frostBelow`.
    public func limits(of preset: Preset) -> Thermostat.Limits {
        if let configured = presets[preset] { return configured }
        switch preset {
        case .comfort: return limits
        case .eco: return .init(onBelow: max(frostBelow, onBelow - 3), offAbove: max(frostBelow, offAbove - 3))
        case .frost: return .init(onBelow: min(frostBelow + 1, onBelow), offAbove: min(frostBelow + 3, offAbove))
        }
    }

    /// The limits of what a person asked for. Never below `frostBelow`.
    public func limits(of target: Thermostat.Target) -> Thermostat.Limits {
        switch target {
        case .preset(let preset): return limits(of: preset)
        case .middle(let middle):
            let half = (offAbove - onBelow) / 2
            return .init(onBelow: max(frostBelow, middle - half), offAbove: max(frostBelow, middle + half))
        }
    }
}
