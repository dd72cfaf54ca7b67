import Heating
import MQTT

/// What travels with a record to the cloud besides its bytes: when a heat-pump command was given and why, and in which
/// zone a sensor without one lives.
///
/// Stored beside the payload in the journal as a small JSON object, empty when there is nothing to say; anything else
/// a client attached to its message is not ours to carry.
struct RecordAttributes {
    static let lengthLimit = 512
    private static let names = ["timestamp", "reason", "zone"]

    var properties: [UserProperty]

    /// Of a command: its own user properties.
    init(userProperties: [UserProperty]) {
        properties = ["timestamp", "reason"].compactMap { name in
            guard let value = userProperties.first(where: { $0.name == name })?.value else { return nil }
            return value.utf8.count <= Self.lengthLimit ? UserProperty(name, value) : nil
        }
    }

    /// Of a naive reading: the zone it means; none for UTC, which everybody assumes.
    init(zone: String) {
        properties = zone == "UTC" ? [] : [UserProperty("zone", zone)]
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
