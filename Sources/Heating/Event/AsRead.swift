/// A temperature as its device wrote it, where that was not in °C: `70.2 F`. The number is the device's own text, in JSON's
/// grammar, and finite.
public struct AsRead: Equatable, Sendable, CustomStringConvertible {
    public var text: String
    public var value: Double
    /// Never °C.
    public var unit: DeviceUnit

    /// Nil for what is none.
    public init?(_ description: String) {
        let parts = description.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let unit = DeviceUnit(rawValue: String(parts[1])), unit != .celsius,
            let number = try? DecimalReading(String(parts[0])), number.unit == nil,
            number.text.utf8.elementsEqual(parts[0].utf8)
        else { return nil }
        (text, value, self.unit) = (number.text, number.value, unit)
    }

    public var description: String { "\(text) \(unit.rawValue)" }
}
