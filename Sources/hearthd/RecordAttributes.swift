import Heating
import MQTT

/// What travels with a record to the cloud besides its bytes: when a heat-pump command was given and why, in which zone a
/// sensor without one lives, and what tells a reading from others with the same time (`fold`, `nth`; see ``TimeMarks``).
///
/// Stored beside the payload in the journal as a small JSON object, empty when there is nothing to say; anything else
/// a client attached to its message is not ours to carry.
struct RecordAttributes {
    static let lengthLimit = 512
    private static let names = ["timestamp", "reason", "zone", "fold", "nth"]

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
