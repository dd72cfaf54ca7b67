/// Why the pump was told what it was told: one short sentence for the operator, sent along with each command.
public enum Reason: Equatable, Sendable, CustomStringConvertible {
    case noReadingYet
    /// `mode` says whose limit it is, when it is not simply the room's.
    case below(value: Double, limit: Double, mode: Thermostat.Mode? = nil)
    case above(value: Double, limit: Double, mode: Thermostat.Mode? = nil)
    /// Between the limits; `isOn` is the decision that stands, nil when there was none yet.
    case between(value: Double, onBelow: Double, offAbove: Double, isOn: Bool?, mode: Thermostat.Mode? = nil)
    case frost(value: Double, limit: Double)
    case overheated(value: Double, limit: Double)
    case override(isOn: Bool, source: Thermostat.Source, duration: Duration)
    /// The cloud decides (`authority = "cloud"`).
    case cloud(isOn: Bool)
    case stale(after: Duration, action: Thermostat.OnStale)
    /// The decision before a restart, with no reading since.
    case restored(isOn: Bool)
    /// An override ended and no reading has come: back to what was before it.
    case overrideEnded(isOn: Bool)
    case disabled

    public var description: String {
        switch self {
        case .noReadingYet: "no reading yet"
        case .below(let value, let limit, let mode):
            "\(celsius(value, unlike: limit)) is below \(celsius(limit))\(inBrackets(mode))"
        case .above(let value, let limit, let mode):
            "\(celsius(value, unlike: limit)) is above \(celsius(limit))\(inBrackets(mode))"
        case .between(let value, let low, let high, let isOn, let mode):
            "\(celsius(value)) is between \(celsius(low)) and \(celsius(high))\(inBrackets(mode)): "
                + (isOn.map { "stays \(onOff($0))" } ?? "no decision yet")
        case .frost(let value, let limit): "frost: \(celsius(value, unlike: limit)) is below \(celsius(limit))"
        case .overheated(let value, let limit):
            value > limit
                ? "too warm: \(celsius(value, unlike: limit)) is above \(celsius(limit)), no pump runs"
                : "too warm: was above \(celsius(limit)), no pump runs before \(celsius(limit - Thermostat.overheatBand))"
        case .override(let isOn, let source, let duration):
            "override \(onOff(isOn)) by \(source.rawValue) for \(duration.spoken)"
        case .cloud(let isOn): "the cloud decides: \(onOff(isOn))"
        case .stale(let after, let action): "no reading for \(after.spoken): \(action.rawValue)"
        case .restored(let isOn): "\(onOff(isOn)) before the restart, no reading since"
        case .overrideEnded(let isOn): "override ended, no reading yet: \(onOff(isOn))"
        case .disabled: "thermostat disabled"
        }
    }
}

private func onOff(_ isOn: Bool) -> String {
    isOn ? "on" : "off"
}

private func inBrackets(_ mode: Thermostat.Mode?) -> String {
    mode.map { " (\($0))" } ?? ""
}

/// Two decimals at most, but never so few that the value looks like the limit it is compared with.
func celsius(_ value: Double, unlike limit: Double? = nil) -> String {
    guard abs(value) < 1e9 else { return value.description }
    // `rounded()` would need libm, which nothing here links.
    let rounded = Double(Int64(value * 100 + (value < 0 ? -0.5 : 0.5))) / 100
    return (rounded == limit ? value : rounded).description
}
