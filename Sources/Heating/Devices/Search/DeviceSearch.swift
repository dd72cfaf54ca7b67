/// Looks through what was heard at a broker for devices. Pure: the same messages give the same finds.
public struct DeviceSearch: Sendable {
    let heard: HeardTopics
    /// The rules and pumps that the configuration has.
    let rules: DeviceRules
    let pumps: [PumpRule]
    /// Home Assistant's prefix of discovery.
    let prefix: String
    let arrival: Timestamp

    /// More than this is no house.
    static let limit = 500

    public init(
        _ heard: HeardTopics, rules: DeviceRules, pumps: [PumpRule], prefix: String = "homeassistant",
        arrival: Timestamp
    ) {
        (self.heard, self.rules, self.pumps, self.prefix, self.arrival) = (heard, rules, pumps, prefix, arrival)
    }

    /// What to ask a broker for, the lists first: whoever has little room keeps those.
    public static func filters(prefix: String) -> [String] {
        [
            "+/bridge/devices", "tasmota/discovery/+/config", "tasmota/discovery/+/sensors", "\(prefix)/+/+/config",
            "\(prefix)/+/+/+/config", "#",
        ]
    }

    /// Sensors first, then what can be switched, each in the order of names. What lists say counts before what was only
    /// overheard.
    public var found: [FoundDevice] {
        var seen: Set<ExactString> = []
        let zigbee = zigbee2MQTT()
        let listed = zigbee + tasmota() + Self.without(homeAssistant(), partsOf: zigbee)
        let certain = listed + notClaimed(byKind(), by: listed.filter { !$0.isUnclear })
        let all = certain + notClaimed(byNumber(), by: certain)
        let distinct = Self.withoutTwins(all.filter { seen.insert($0.key).inserted }).prefix(Self.limit).map(judged)
        return Self.withRoomsOfTheirOwn(distinct).sorted {
            ($0.isSensor ? 0 : 1, ExactString($0.name)) < ($1.isSensor ? 0 : 1, ExactString($1.name))
        }
    }

    /// Without sensors whose topics those of a list already have.
    private func notClaimed(_ devices: [FoundDevice], by list: [FoundDevice]) -> [FoundDevice] {
        let claimed = Set(list.filter(\.isSensor).map { ExactString($0.topic) })
        let open = list.filter(\.isSensor).compactMap { try? TopicPattern($0.topic) }.filter(\.isOpen)
        return devices.filter { device in
            guard device.isSensor else { return true }
            return !claimed.contains(ExactString(device.topic)) && !open.contains { $0.match(device.topic) != nil }
        }
    }

    /// Zigbee2MQTT tells Home Assistant of each setting of a device that its own list has: `<device>/set/child_lock`.
    private static func without(_ devices: [FoundDevice], partsOf list: [FoundDevice]) -> [FoundDevice] {
        let topics = list.filter { !$0.isSensor }.map { Array("\($0.topic)/".utf8) }
        return devices.filter { device in device.isSensor || !topics.contains { device.topic.utf8.starts(with: $0) } }
    }

    /// Several temperatures of one device are not one room's: each gets the room that its own name suggests.
    private static func withRoomsOfTheirOwn(_ devices: [FoundDevice]) -> [FoundDevice] {
        var counts: [ExactString: Int] = [:]
        for device in devices where !device.isUnclear {
            if let origin = device.origin { counts[ExactString(origin.device), default: 0] += 1 }
        }
        return devices.map { device in
            guard let origin = device.origin, counts[ExactString(origin.device), default: 0] > 1,
                let room = Room(suggestedBySensor: origin.part)
            else { return device }
            var device = device
            device.room = room
            return device
        }
    }

    /// What a gateway tells in °C and in °F (`tempc`, `tempf`) is one sensor, and would be the room's twice.
    private static func withoutTwins(_ devices: [FoundDevice]) -> [FoundDevice] {
        func place(_ device: FoundDevice, _ isTwin: Bool) -> ExactString? {
            guard case .sensor(let table) = device.table, (table.unit == DeviceUnit.fahrenheit.rawValue) == isTwin,
                let path = table.value, !path.isEmpty
            else { return nil }
            return ExactString("\(device.topic)\0\(path.dropLast())")
        }
        let celsius = Set(devices.compactMap { place($0, false) })
        return devices.filter { device in place(device, true).map { !celsius.contains($0) } ?? true }
    }

    // MARK: What to make of a find

    private func judged(_ device: FoundDevice) -> FoundDevice {
        var device = device
        switch device.table {
        case .sensor(let table): judge(&device, table)
        case .pump(let table): judge(&device, table)
        }
        return device
    }

    private func judge(_ device: inout FoundDevice, _ table: SensorTable) {
        if device.isUnclear { return }
        guard let pattern = try? TopicPattern(device.topic), !pattern.namesRoom, !pattern.takesAll else {
            device.standing = .unclear("its topic has a brace, or is a wildcard alone: rename the device")
            return
        }
        var named = table
        // Any room, to try the rule.
        named.room = "room"
        let kind = DeviceKind.builtIn(device.kind)?.sensor ?? .init()
        let rule: SensorRule
        do throws(DeviceTableErrors) {
            rule = try SensorRule(kind: device.kind, named.over(kind))
        } catch {
            device.standing = .unclear(error.errors.map { "\($0.key) \($0.message)" }.joined(separator: "; "))
            return
        }
        // A gateway of several receivers leaves its own name open: `+/+/BTtoMQTT/A4C1386A7A30`.
        let topic = pattern.isOpen ? heard.first(fitting: pattern) ?? device.topic : device.topic
        let last = heard[topic]
        if let last { device.said = reading(DeviceRules([rule], addsBlackBox: false), topic, last) }
        guard rules.takes(topic) else {
            if let last, device.said == nil {
                device.standing = .unclear(why(rule, topic, last))
            } else if let why = whyNoRoom(device) {
                device.standing = .unclear(why)
            }
            return
        }
        // The first rule about a topic counts: another one behind it would never be asked.
        device.standing = .known
        if let last, device.said != nil, reading(rules, topic, last) == nil {
            device.standing = .unclear(
                "a rule in your configuration is about this topic and reads no temperature there; try it: "
                    + "hearth devices --test TOPIC PAYLOAD")
        }
    }

    private static let roomLike = -15.0...35.0
    static let another =
        "its name says another temperature than a room's. To record it, write a table with a measure of its own, such as "
        + "measure = \"outside_temperature\"; if it is a room's, one with room = \"…\""

    /// Why a sensor that is understood is not offered for a room: a boiler, a chip and a freezer speak as a room does.
    private func whyNoRoom(_ device: FoundDevice) -> String? {
        if JSONPath.namesAnother(device.name) { return Self.another }
        guard let celsius = device.said?.celsius, !Self.roomLike.contains(celsius) else { return nil }
        return
            "it says \(Double(Int((celsius * 10).rounded())) / 10) °C, as no room is. To record it, write a table with a measure "
            + "of its own; if it is a room's, one with room = \"…\""
    }

    private func judge(_ device: inout FoundDevice, _ table: PumpTable) {
        if device.isUnclear { return }
        var named = table
        named.rooms = ["room"]
        let kind = DeviceKind.builtIn(device.kind)?.pump ?? .init()
        do throws(DeviceTableErrors) {
            let rule = try PumpRule(kind: device.kind, named.over(kind))
            if pumps.contains(where: { ExactString($0.mainTopic) == ExactString(rule.mainTopic) }) {
                device.standing = .known
            }
        } catch {
            device.standing = .unclear(error.errors.map { "\($0.key) \($0.message)" }.joined(separator: "; "))
        }
    }

    private func reading(_ rules: DeviceRules, _ topic: String, _ last: HeardTopics.Last) -> DeviceReading? {
        let outcomes = rules.read(topic: topic, payload: last.payload, isRetained: false, arrival: arrival)
        return outcomes.lazy.compactMap { outcome in
            if case .reading(let reading) = outcome, reading.measure == .temperature { reading } else { nil }
        }.first
    }

    /// Why a device that a list promises says nothing that can be read. A battery sensor that has just been paired, or a
    /// switch whose temperature is in another message, is no fault.
    private func why(_ rule: SensorRule, _ topic: String, _ last: HeardTopics.Last) -> String {
        let rules = DeviceRules([rule], addsBlackBox: false)
        let outcome = rules.read(topic: topic, payload: last.payload, isRetained: false, arrival: arrival).first
        switch outcome {
        case .rejected(let rejection)?, .passedOver(let rejection)?:
            return "its last message is no reading: \(rules.advice(for: rejection, payload: last.payload).text)"
        case .reading?, nil: return "its last message is no reading"
        }
    }

    func json(_ topic: String) -> JSON? {
        heard[topic].flatMap { try? JSON.parse($0.payload, limit: HeardTopics.listLimit) }
    }
}
