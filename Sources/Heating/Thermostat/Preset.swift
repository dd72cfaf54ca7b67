/// A named setpoint, chosen by the schedule or by a person for a while.
public enum Preset: String, CaseIterable, Sendable {
    /// Nobody is there: only keep the house from freezing.
    case frost
    case eco
    /// Unless configured otherwise, the room's own setpoint.
    case comfort

    var sentence: Sentence {
        switch self {
        case .frost: Sentence(RoomSentence.presetFrost)
        case .eco: Sentence(RoomSentence.presetEco)
        case .comfort: Sentence(RoomSentence.presetComfort)
        }
    }
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

    /// What a room is heated to, in °C: between two limits, or around one number with the room's `band`.
    public enum Setpoint: Equatable, Sendable {
        case limits(onBelow: Double, offAbove: Double)
        case target(Double)

        /// The number that was asked for; nil for limits.
        public var target: Double? { if case .target(let target) = self { target } else { nil } }
    }

    /// What a person may ask for instead of the schedule.
    public enum Target: Equatable, Sendable, CustomStringConvertible {
        case preset(Preset)
        /// In °C, with the room's band around it, whatever its limits are.
        case temperature(Double)

        /// As a person types it, in °C.
        public var description: String {
            switch self {
            case .preset(let preset): preset.rawValue
            case .temperature(let value): "\(value)"
            }
        }

        /// As a person reads it.
        public func text(in unit: TemperatureUnit) -> String {
            switch self {
            case .preset(let preset): preset.rawValue
            case .temperature(let value): unit.text(value)
            }
        }

        func value(in unit: TemperatureUnit) -> Sentence.Value {
            switch self {
            case .preset(let preset): .sentence(preset.sentence)
            case .temperature(let value): unit.value(value)
            }
        }
    }

    /// When a hold ends.
    public enum HoldEnd: Equatable, Sendable {
        case after(Duration)
        /// When somebody asks for something else.
        case untilChanged

        public static func seconds(_ seconds: Int64) -> HoldEnd { .after(.seconds(seconds)) }

        var length: Duration? { if case .after(let length) = self { length } else { nil } }
    }

    /// Another setpoint than the schedule's.
    public struct Hold: Equatable, Sendable {
        public var target: Target
        public var source: Source
        /// nil: until it is changed.
        public var duration: Duration?
        public var until: Instant?
    }

    /// Whose setpoint counts, when it is not simply the room's.
    public enum Program: Equatable, Sendable {
        case scheduled(Preset)
        case held(Hold)

        public func text(in unit: TemperatureUnit) -> String { sentence(in: unit).text }

        public func sentence(in unit: TemperatureUnit) -> Sentence {
            switch self {
            case .scheduled(let preset): return preset.sentence
            case .held(let hold):
                let (target, who) = (hold.target.value(in: unit), Sentence.Value.sentence(hold.source.sentence))
                guard let duration = hold.duration else {
                    return Sentence(RoomSentence.setUntilChanged, ["target": target, "who": who])
                }
                return Sentence(
                    RoomSentence.setFor, ["target": target, "who": who, "time": .duration(duration)])
            }
        }

        /// The preset in force; nil for a setpoint that has no name.
        public var preset: Preset? {
            switch self {
            case .scheduled(let preset): preset
            case .held(let hold): if case .preset(let preset) = hold.target { preset } else { nil }
            }
        }
    }
}

extension Thermostat.Settings {
    /// No room that is lived in is heated to more, in °C.
    public static let highestTarget = 35.0

    /// The room's own: what counts without a schedule.
    public var setpoint: Thermostat.Setpoint {
        target.map { .target($0) } ?? .limits(onBelow: onBelow, offAbove: offAbove)
    }

    /// The room's own limits.
    public var limits: Thermostat.Limits { limits(of: setpoint) }

    /// A preset's setpoint, as configured or else derived from the room's: comfort is the room's own, eco lies three
    /// degrees lower, frost a little above `frostBelow`.
    public func setpoint(of preset: Preset) -> Thermostat.Setpoint {
        if let configured = presets[preset] { return configured }
        switch (preset, setpoint) {
        case (.comfort, let own): return own
        case (.eco, .target(let target)): return .target(max(frostBelow + band / 2, target - 3))
        case (.eco, .limits(let low, let high)):
            return .limits(onBelow: max(frostBelow, low - 3), offAbove: max(frostBelow, high - 3))
        case (.frost, .target(let target)): return .target(min(frostBelow + 2, target))
        case (.frost, .limits(let low, let high)):
            return .limits(onBelow: min(frostBelow + 1, low), offAbove: min(frostBelow + 3, high))
        }
    }

    /// What a person asked for.
    public func setpoint(of target: Thermostat.Target) -> Thermostat.Setpoint {
        switch target {
        case .preset(let preset): setpoint(of: preset)
        case .temperature(let value): .target(value)
        }
    }

    /// The limits that a setpoint means. Those around a target are never below `frostBelow`.
    public func limits(of setpoint: Thermostat.Setpoint) -> Thermostat.Limits {
        switch setpoint {
        case .limits(let low, let high): .init(onBelow: low, offAbove: high)
        case .target(let target):
            .init(onBelow: max(frostBelow, target - band / 2), offAbove: max(frostBelow, target + band / 2))
        }
    }

    /// The limits of a preset.
    public func limits(of preset: Preset) -> Thermostat.Limits { limits(of: setpoint(of: preset)) }
}
