/// A sensor or a switch that was found at the broker, and the table that would make it one of the house's.
public struct FoundDevice: Equatable, Sendable {
    public enum Table: Equatable, Sendable {
        case sensor(SensorTable)
        /// Something that can be switched. Whether a heat pump hangs on it only a person knows.
        case pump(PumpTable)
    }

    public enum Standing: Equatable, Sendable {
        /// Nobody reads it yet.
        case new
        /// The configuration has it already.
        case known
        /// It cannot be used as it is; why, and what to do.
        case unclear(String)
    }

    /// What people call the device, or else what it is called on the wire.
    public var name: String
    /// The room that its name suggests; nil for a switch of which nobody knows what it heats.
    public var room: Room?
    /// The kind's name.
    public var kind: String
    /// Without a room: that is for a person to say.
    public var table: Table
    /// Where it speaks, or where a pump is commanded.
    public var topic: String
    /// What it said last, as its rule reads it; nil when it has said nothing yet.
    public var said: DeviceReading?
    public var standing: Standing
    /// Whose part it is, for a sensor of a device that may have several.
    var origin: Origin?

    /// A device, and what its part is called.
    struct Origin: Equatable, Sendable {
        var device: String
        var part: String
    }

    public var isSensor: Bool { if case .sensor = table { true } else { false } }

    init(_ name: String, room: Room?, kind: String, _ table: Table, topic: String) {
        (self.name, self.room, self.kind, self.table, self.topic) = (name, room, kind, table, topic)
        standing = .new
    }

    /// What makes two finds the same one.
    var key: ExactString {
        switch table {
        case .sensor(let sensor): ExactString("\(topic)\0\(sensor.value ?? Self.kindPath(kind) ?? "")")
        case .pump: ExactString("\(topic)\0")
        }
    }

    var isUnclear: Bool { if case .unclear = standing { true } else { false } }

    private static func kindPath(_ kind: String) -> String? { DeviceKind.builtIn(kind)?.sensor.value }
}
