/// Devices that no list names: known by the form of their topics, or by a number that looks like a temperature.
extension DeviceSearch {
    /// What a built-in kind reads on its own topics, and says of its own state.
    func byKind() -> [FoundDevice] {
        let kinds = DeviceKind.builtIn.filter { $0.name != "hearth" && $0.name != "plain" }
        let rules = kinds.compactMap { kind -> (kind: String, rules: DeviceRules)? in
            var table = kind.sensor
            // Asked for here are those that nobody has listed.
            (table.unlisted, table.room) = (
                "room", kind.sensor.topic?.utf8.contains(UInt8(ascii: "{")) == true ? nil : "room"
            )
            guard let rule = try? SensorRule(kind: kind.name, table) else { return nil }
            return (kind.name, DeviceRules([rule], addsBlackBox: false))
        }
        // Beside its list, a lamp that is on is no pump.
        let isListed = heard["zigbee2mqtt/bridge/devices"] != nil
        let states = kinds.filter { !isListed || $0.name != "zigbee2mqtt" }.compactMap { KnownState($0) }
        return heard.sorted.flatMap { topic, last -> [FoundDevice] in
            let sensors = rules.compactMap { kind, rules in overheard(kind, rules, topic, last) }
            return sensors + states.compactMap { state in switched(state, topic, last) }
        }
    }

    private func overheard(
        _ kind: String, _ rules: DeviceRules, _ topic: String, _ last: HeardTopics.Last
    ) -> FoundDevice? {
        let outcome = rules.read(topic: topic, payload: last.payload, isRetained: false, arrival: arrival).first
        guard case .reading(let reading)? = outcome, !reading.isFault, let celsius = reading.celsius,
            JSONPath.plausible.contains(celsius)
        else { return nil }
        let isNamed = rules.sensors[0].topic.namesRoom
        let name = isNamed ? reading.room.name : kind
        return FoundDevice(
            name, room: isNamed ? reading.room : Room(suggestedBy: kind), kind: kind,
            .sensor(SensorTable(topic: topic)),
            topic: topic)
    }

    private func switched(_ state: KnownState, _ topic: String, _ last: HeardTopics.Last) -> FoundDevice? {
        guard let match = state.pattern.match(topic), state.says(last.payload) else { return nil }
        var table = PumpTable()
        let device = match.room ?? state.kind
        table.name = device
        if match.room != nil { table.device = device }
        let command = state.command.replacing("{device}", with: device)
        return FoundDevice(device, room: nil, kind: state.kind, .pump(table), topic: command)
    }

    // MARK: Numbers

    /// A payload that is a number on a topic that speaks of a temperature, or a document with a member that does.
    func byNumber() -> [FoundDevice] {
        let states = DeviceKind.builtIn.compactMap { KnownState($0) }
        return heard.sorted.flatMap { topic, last -> [FoundDevice] in
            // A switch's own temperature is no room's.
            let isState = states.contains { $0.pattern.match(topic) != nil && $0.says(last.payload) }
            guard !isOurs(topic), !rules.takes(topic), !isState else { return [] }
            let ofTopic = JSONPath.unit(ofTopic: topic)
            if isPlausible(last.payload, "", ofTopic) {
                return JSONPath.namesTemperature(topic) ? [number(topic, "", ofTopic)] : []
            }
            // One of a message: more of them are a device's inside, and a person chooses.
            let paths = JSONPath.numbers(in: last.payload)
            let path = paths.first { JSONPath.isRoomTemperature($0) }
            guard let path = path ?? paths.first(where: { JSONPath.isRoomTemperature($0, inFahrenheit: true) }) else {
                return []
            }
            let unit = JSONPath.unit(of: path, in: last.payload)
            guard isPlausible(last.payload, path, unit) else { return [] }
            return [speaker(topic, last.payload).map { ofMany(topic, $0, path, unit) } ?? number(topic, path, unit)]
        }
    }

    /// The sensor's own number, where its receiver has one topic for all of them: rtl_433's `events`
    /// (https://triq.org/rtl_433/OPERATION.html#mqtt-output).
    private func speaker(_ topic: String, _ payload: [UInt8]) -> String? {
        guard let json = try? JSON.parse(payload, limit: Reading.payloadLimit), json["model"]?.string != nil,
            let id = json["id"]?.string ?? json["id"]?.int.map({ "\($0)" })
        else { return nil }
        let isInTopic = topic.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual(id.utf8) }
        return isInTopic ? nil : id
    }

    private func ofMany(_ topic: String, _ id: String, _ path: String, _ unit: String?) -> FoundDevice {
        var device = number(topic, path, unit)
        let name = JSON.string(id).serialized()
        device.standing = .unclear(
            "all that its receiver hears is on this topic, the neighbours' sensors too. Write a table with it and with "
                + "value = \(JSON.string(path).serialized()), room_at = \"id\", unlisted = \"ignore\", rooms = { \(name) = \"a room\" }"
        )
        return device
    }

    private func number(_ topic: String, _ path: String, _ unit: String?) -> FoundDevice {
        let table = SensorTable(topic: topic, value: path, unit: unit)
        let room = Self.room(in: topic)
        return FoundDevice(room?.name ?? topic, room: room, kind: "plain", .sensor(table), topic: topic)
    }

    /// Commands, settings, what Home Assistant is told, and what Hearth says itself.
    private func isOurs(_ topic: String) -> Bool {
        let levels = topic.utf8.split(separator: UInt8(ascii: "/")).map { ExactString(String(Substring($0))) }
        func isOne(_ level: ExactString?, of words: [String]) -> Bool {
            words.contains { ExactString($0) == level }
        }
        return isOne(levels.first, of: ["hearth", prefix, "tasmota"])
            || isOne(levels.last, of: ["set", "get", "config", "command", "heatpump", "settings"])
            || levels.contains { isOne($0, of: ["bridge"]) }
    }

    private func isPlausible(_ payload: [UInt8], _ path: String, _ unit: String?) -> Bool {
        var table = SensorTable(topic: "t", value: path, unit: unit)
        table.room = "room"
        guard let rule = try? SensorRule(kind: "plain", table) else { return false }
        let outcome = DeviceRules([rule], addsBlackBox: false).read(
            topic: "t", payload: payload, isRetained: false, arrival: arrival
        ).first
        guard case .reading(let reading)? = outcome, let celsius = reading.celsius else { return false }
        return JSONPath.plausible.contains(celsius)
    }

    private static let common = [
        "temp", "temperature", "state", "status", "sensor", "sensors", "value", "data", "json", "all", "events", "rpc",
        "event", "up", "uplink", "attr", "attributes", "info", "temperature_c", "temperature_f", "tempc", "tempf",
    ]

    /// The last level that is more than a word about temperatures: `home/office/temperature` is the office's.
    private static func room(in topic: String) -> Room? {
        let levels = topic.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        let telling = levels.last { level in
            // Shelly numbers its components: `temperature:100`.
            let word = level.lowercased().utf8.prefix { $0 != UInt8(ascii: ":") }
            return !common.contains(String(Substring(word)))
        }
        return (telling ?? levels.last).flatMap(Room.init(suggestedBy:))
    }
}

/// Where a kind's devices say whether they are on.
private struct KnownState {
    let kind: String
    let pattern: TopicPattern
    let command: String
    private let sign: PumpRule.Sign
    private let off: String

    init?(_ kind: DeviceKind) {
        guard let state = kind.pump.state, let command = kind.pump.command, let on = kind.pump.stateOn,
            let pattern = try? TopicPattern(state.replacing("{device}", with: "{room}"))
        else { return nil }
        (self.kind, self.pattern, self.command) = (kind.name, pattern, command)
        sign = PumpRule.Sign(topic: state, path: JSONPath(kind.pump.stateValue ?? ""), yes: on, no: nil)
        off = Self.offWords.first { $0.on == on.lowercased() }?.off ?? "off"
    }

    private static let offWords = [(on: "true", off: "false"), (on: "1", off: "0"), (on: "on", off: "off")]

    /// Whether the payload is one of its two words: on the same topics others say other things.
    func says(_ payload: [UInt8]) -> Bool {
        guard let text = DeviceText.read(payload, at: sign.path) else { return false }
        return DeviceText.means(text, sign.yes) || DeviceText.means(text, off)
    }
}
