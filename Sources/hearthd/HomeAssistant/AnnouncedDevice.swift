import Heating
import MQTT

/// A device description of this program that the broker holds, from this run or one before: what must be taken back when it is
/// true no longer.
struct AnnouncedDevice: Equatable {
    /// Its components' keys and platforms.
    var components: [(key: String, platform: String)]

    static func == (left: AnnouncedDevice, right: AnnouncedDevice) -> Bool {
        left.components.map(\.key) == right.components.map(\.key)
    }

    init(components: [(key: String, value: JSON)]) {
        self.components = components.map { ($0.key, $0.value["p"]?.string ?? "") }
    }

    /// nil for somebody else's device.
    init?(_ payload: [UInt8]) {
        guard let json = try? JSON.parse(payload), json["o"]?["name"]?.string == "Hearth",
            json["avty_t"]?.string == StateTopic.gateway, let members = json["cmps"]?.object?.members
        else { return nil }
        self.init(components: members.map { ($0.key, $0.value) })
    }

    /// Components that are no more, each saying nothing but its platform: Home Assistant keeps one that is only left out
    /// (https://www.home-assistant.io/integrations/mqtt/, "Removing discovered components").
    func removals(beside present: [(key: String, value: JSON)]) -> [(key: String, value: JSON)] {
        components.filter { old in !old.platform.isEmpty && !present.contains { $0.key == old.key } }
            .map { ($0.key, .object(.init([("p", .string($0.platform))]))) }
    }
}
