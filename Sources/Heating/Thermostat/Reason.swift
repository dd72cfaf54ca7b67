/// Why the pump was told what it was told: one short sentence for the operator, sent along with each command.
public enum Reason: Equatable, Sendable, CustomStringConvertible {
    case noReadingYet
    /// `program` says whose limit it is, when it is not simply the room's.
    case below(value: Double, limit: Double, program: Thermostat.Program? = nil)
    case above(value: Double, limit: Double, program: Thermostat.Program? = nil)
    /// Between the limits; `isOn` is the decision that stands, nil when there was none yet.
    case between(value: Double, onBelow: Double, offAbove: Double, isOn: Bool?, program: Thermostat.Program? = nil)
    case frost(value: Double, limit: Double)
    case overheated(value: Double, limit: Double)
    case override(isOn: Bool, source: Thermostat.Source, duration: Duration)
    /// The room's mode is off.
    case switchedOff
    /// The cloud decides (`authority = "cloud"`).
    case cloud(isOn: Bool)
    case stale(after: Duration, action: Thermostat.OnStale)
    /// The decision before a restart, with no reading since.
    case restored(isOn: Bool)
    /// An override ended and no reading has come: back to what was before it.
    case overrideEnded(isOn: Bool)
    case disabled

    /// In °C.
    public var description: String { text(in: .celsius) }

    /// One decimal, in the unit of the house; a value that looks like its limit is called just below or above it.
    public func text(in unit: TemperatureUnit) -> String {
        switch self {
        case .noReadingYet: "no reading yet"
        case .below(let value, let limit, let program): under(value, limit, unit) + inBrackets(program, unit)
        case .above(let value, let limit, let program): over(value, limit, unit) + inBrackets(program, unit)
        case .between(let value, let low, let high, let isOn, let program):
            "\(unit.text(value)) is between \(unit.text(low)) and \(unit.text(high))\(inBrackets(program, unit)): "
                + (isOn.map { "stays \(onOff($0))" } ?? "no decision yet")
        case .frost(let value, let limit): "frost: \(under(value, limit, unit))"
        case .overheated(let value, let limit):
            value > limit
                ? "too warm: \(over(value, limit, unit)), no pump runs"
                : "too warm: was above \(unit.text(limit)), no pump runs before "
                    + unit.text(limit - Thermostat.overheatBand)
        case .override(let isOn, let source, let duration):
            "switched \(onOff(isOn)) \(source.words) for \(duration.spoken)"
        case .switchedOff: "the room is switched off"
        case .cloud(let isOn): "the cloud decides: \(onOff(isOn))"
        case .stale(let after, let action): "no reading for \(after.spoken): \(action.words)"
        case .restored(let isOn): "\(onOff(isOn)) before the restart, no reading since"
        case .overrideEnded(let isOn): "what was switched by hand has ended, no reading yet: \(onOff(isOn))"
        case .disabled: "thermostat disabled"
        }
    }
}

extension Thermostat.Source {
    /// Who asked, behind what was asked for: "switched on *at a terminal*".
    public var words: String {
        switch self {
        case .cli: "at a terminal"
        case .page: "from the page"
        case .cloud: "by the cloud"
        case .homeAssistant: "by Home Assistant"
        case .device: "at the heat pump itself"
        }
    }
}

extension Thermostat.OnStale {
    /// What a blind room's pump does.
    public var words: String {
        switch self {
        case .off: "the pump is off"
        case .hold: "the pump stays as it was"
        case .on: "the pump is on"
        }
    }
}

private func onOff(_ isOn: Bool) -> String {
    isOn ? "on" : "off"
}

private func under(_ value: Double, _ limit: Double, _ unit: TemperatureUnit) -> String {
    let (value, limit) = (unit.text(value), unit.text(limit))
    return value == limit ? "just below \(limit)" : "\(value) is below \(limit)"
}

private func over(_ value: Double, _ limit: Double, _ unit: TemperatureUnit) -> String {
    let (value, limit) = (unit.text(value), unit.text(limit))
    return value == limit ? "just above \(limit)" : "\(value) is above \(limit)"
}

private func inBrackets(_ program: Thermostat.Program?, _ unit: TemperatureUnit) -> String {
    program.map { " (\($0.text(in: unit)))" } ?? ""
}
