import Heating
import Journal
import MQTT

/// What travels with a record to the cloud besides its bytes: when a heat-pump command was given and why, in which zone a
/// sensor without one lives, and what tells a reading from others with the same time (`fold`, `nth`; see ``TimeMarks``).
///
/// Stored beside the payload in the journal as a small JSON object, empty when there is nothing to say; anything else
/// a client attached to its message is not ours to carry.
struct RecordAttributes {
    static let lengthLimit = 512
    private static let names = ["source", "clock", "read", "fault", "timestamp", "reason", "zone", "fold", "nth"]
    /// How the attributes begin of what was read from a device that is not the black box.
    static let sourcePrefix = Array("{\"source\"".utf8)

    var properties: [UserProperty]

    /// Of a command: its own user properties.
    init(userProperties: [UserProperty]) {
        properties = ["timestamp", "reason"].compactMap { name in
            guard let value = userProperties.first(where: { $0.name == name })?.value else { return nil }
            return value.utf8.count <= Self.lengthLimit ? UserProperty(name, value) : nil
        }
    }

    /// Of a naive reading: the zone it means; none for UTC, which everybody assumes.
    init(zone: String, marks: TimeMarks = TimeMarks()) {
        properties = zone == "UTC" ? [] : [UserProperty("zone", zone)]
        if marks.isSecondPass { properties.append(UserProperty("fold", "1")) }
        if marks.nth > 0 { properties.append(UserProperty("nth", "\(marks.nth)")) }
    }

    /// Of a reading from a device that is not the black box: on which topic it came (`source`), that its time is when it
    /// arrived (`clock`), what the device wrote where that was not in °C (`read`), and that it means a fault (`fault`).
    init(_ reading: DeviceReading) {
        let isArrival = reading.time.source != .device
        properties = []
        // Brokers take no control characters in a property.
        let source = escapingControls(reading.topic)
        if isArrival || reading.source != nil, source.utf8.count <= Self.lengthLimit {
            properties.append(UserProperty("source", source))
        }
        if isArrival { properties.append(UserProperty("clock", "arrival")) }
        if let unit = reading.unitAttribute { properties.append(UserProperty("read", "\(reading.valueText) \(unit)")) }
        if reading.isFault { properties.append(UserProperty("fault", "1")) }
    }

    /// On which topic it came, and whether its time is when it arrived.
    var origin: (source: String, isArrival: Bool)? {
        guard let source = properties.first(where: { $0.name == "source" })?.value else { return nil }
        return (source, properties.contains { $0.name == "clock" && $0.value == "arrival" })
    }

    /// Whether the device's rule says that the value means a fault.
    var isFault: Bool { properties.contains { $0.name == "fault" } }

    /// What was decided about the time of a reading; nothing for a command.
    var marks: TimeMarks {
        func value(_ name: String) -> String? { properties.first { $0.name == name }?.value }
        return TimeMarks(
            isSecondPass: value("fold") == "1", nth: value("nth").flatMap { Int($0) }.map { max(0, $0) } ?? 0)
    }

    init(bytes: [UInt8]) {
        guard !bytes.isEmpty, let json = try? JSON.parse(bytes) else {
            properties = []
            return
        }
        properties = Self.names.compactMap { name in json[name]?.string.map { UserProperty(name, $0) } }
    }

    var bytes: [UInt8] {
        properties.isEmpty ? [] : JSON.object(.init(properties.map { (key: $0.name, value: .string($0.value)) })).bytes
    }
}

extension Journal.Record {
    /// A device's reading in the contract's form.
    init(_ reading: DeviceReading, packetID: UInt16, receivedAt: Int64) {
        self.init(
            topic: reading.recordTopic, payload: reading.inCelsius.recordPayload,
            attributes: RecordAttributes(reading).bytes, packetID: packetID, receivedAt: receivedAt)
    }
}
