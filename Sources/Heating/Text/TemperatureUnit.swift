/// The unit in which a house writes and reads temperatures. Everything inside is in °C; this is for what people see and type.
public enum TemperatureUnit: String, CaseIterable, Sendable {
    case celsius = "C"
    case fahrenheit = "F"

    /// `°C`, `°F`.
    public var symbol: String { "°\(rawValue)" }

    /// A temperature in °C, in this unit.
    public func shown(_ celsius: Double) -> Double {
        self == .celsius ? celsius : celsius * 9 / 5 + 32
    }

    /// A temperature in this unit, in °C.
    public func celsius(_ shown: Double) -> Double {
        self == .celsius ? shown : (shown - 32) * 5 / 9
    }

    /// A difference of two temperatures in °C, in this unit.
    public func shown(difference: Double) -> Double {
        self == .celsius ? difference : difference * 9 / 5
    }

    /// A difference in this unit, in °C.
    public func celsius(difference: Double) -> Double {
        self == .celsius ? difference : difference * 5 / 9
    }

    /// A temperature in °C as a person reads it, without the unit: one decimal, rounded half away from zero.
    public func text(_ celsius: Double) -> String { oneDecimal(shown(celsius)) }

    /// A temperature in °C as a number for programs, in this unit: rounded to a thousandth where it was converted.
    public func number(_ celsius: Double) -> Double {
        self == .celsius ? celsius : rounded(shown(celsius), 1000)
    }
}

/// With exactly one decimal; a number that no temperature has is written as it is.
func oneDecimal(_ value: Double) -> String {
    abs(value) < 1e9 ? rounded(value, 10).description : value.description
}

/// `rounded()` would need libm, which nothing here links.
private func rounded(_ value: Double, _ scale: Double) -> Double {
    guard abs(value) < 1e9 else { return value }
    let result = Double(Int64(value * scale + (value < 0 ? -0.5 : 0.5))) / scale
    // No "-0.0".
    return result == 0 ? 0 : result
}
