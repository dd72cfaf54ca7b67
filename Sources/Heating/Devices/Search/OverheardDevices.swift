/// Devices that no list names: known by the form of their topics, or by a number that looks like a temperature.
extension DeviceSearch {
    /// What a built-in kind reads on its own topics, and says of its own state.
    func byKind() -> [FoundDevice] {
        let kinds = DeviceKind.builtIn.filter { $0.name != "hearth" && $0.name != "plain" }
        let rules = kinds.compactMap { kind -> (kind: String, rules: DeviceRules)? in
            var table = kind.sensor
            table.topic = table.topic.map(Self.anyName)
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

    /// Names of devices and prefixes of topics may have slashes; a kind's rule says where a name ends when all else is fixed.
    fileprivate static func anyName(_ topic: String) -> String {
        let levels = topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard !levels.contains("+") else { return topic }
        return levels.map { $0 == "{room}" ? "{room...}" : $0 }.joined(separator: "/")
    }

    private func overheard(
        _ kind: String, _ rules: DeviceRules, _ topic: String, _ last: HeardTopics.Last
    ) -> FoundDevice? {
        let outcome = rules.read(topic: topic, payload: last.payload, isRetained: false, arrival: arrival).first
        guard case .reading(let reading)? = outcome, !reading.isFault, let celsius = reading.celsius,
            JSONPath.plausible.contains(celsius)
        else { return nil }
        let isNamed = rules.sensors[0].topic.namesRoom
        let name = isNamed ? reading.name ?? reading.room.name : kind
        return FoundDevice(
            name, room: isNamed ? reading.room : Room(suggestedBy: kind), kind: kind,
            .sensor(SensorTable(topic: topic)),
            topic: topic)
    }

    private func switched(_ state: KnownState, _ topic: String, _ last: HeardTopics.Last) -> FoundDevice? {
        guard let match = state.match(topic), state.says(last.payload) else { return nil }
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
        let insides = DeviceKind.builtIn.flatMap(\.insides).compactMap { try? TopicPattern($0) }
        return heard.sorted.flatMap { topic, last -> [FoundDevice] in
            // A switch's own temperature is no room's.
            let isState = states.contains { $0.match(topic) != nil && $0.says(last.payload) }
            let isInside = insides.contains { $0.match(topic) != nil }
            guard !isOurs(topic), !rules.takes(topic), !isState, !isInside else { return [] }
            let ofTopic = JSONPath.unit(ofTopic: topic)
            if isPlausible(last.payload, "", ofTopic) {
                return JSONPath.isRoomTopic(topic) ? [number(topic, "", ofTopic)] : []
            }
            // One of a message: more of them are a device's inside, and a person chooses.
            guard let path = temperature(in: last.payload, on: topic) else { return [] }
            let unit = JSONPath.unit(of: path, in: last.payload) ?? ofTopic
            guard isPlausible(last.payload, path, unit) else { return [] }
            return [speaker(topic, last.payload).map { ofMany(topic, $0, path, unit) } ?? number(topic, path, unit)]
        }
    }

    /// A member that speaks of a room's temperature, or the value of a topic that does: `{"time": 1616676412332, "value": 21.3}`.
    private func temperature(in payload: [UInt8], on topic: String) -> String? {
        if let path = JSONPath.roomTemperature(in: payload) { return path }
        guard JSONPath.isRoomTopic(topic) else { return nil }
        return JSONPath.numbers(in: payload).first { ["value", "val", "v", "celsius"].contains($0) }
    }

    /// The sensor's own number, where its receiver has one topic for all of them: rtl_433's `events`
    /// (https://triq.org/rtl_433/OPERATION.html#mqtt-output).
    private func speaker(_ topic: String, _ payload: [UInt8]) -> String? {
        guard let json = try? JSON.parse(payload, limit: Reading.payloadLimit), json["model"]?.string != nil,
            let id = json["id"]?.string ?? json["id"]?.int.map({ "\($0)" })
        else { return nil }
        // An address may be written otherwise there: A4:C1:38:6A:7A:30 on …/A4C1386A7A30.
        func bare(_ text: some Sequence<UInt8>) -> [UInt8] {
            text.filter { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "-") }.map { $0 | 0x20 }
        }
        let isInTopic = topic.utf8.split(separator: UInt8(ascii: "/")).contains { bare($0) == bare(id.utf8) }
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
        let room = Room(suggestedByTopic: topic)
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
}

/// Where a kind's devices say whether they are on.
private struct KnownState {
    let kind: String
    let command: String
    private let pattern: TopicPattern
    private let except: [TopicPattern]
    private let sign: PumpRule.Sign
    private let off: String

    init?(_ kind: DeviceKind) {
        guard let state = kind.pump.state, let command = kind.pump.command, let on = kind.pump.stateOn,
            let pattern = try? TopicPattern(DeviceSearch.anyName(state.replacing("{device}", with: "{room}")))
        else { return nil }
        (self.kind, self.pattern, self.command) = (kind.name, pattern, command)
        except = (kind.sensor.except ?? []).compactMap { try? TopicPattern($0) }
        sign = PumpRule.Sign(topic: state, path: JSONPath(kind.pump.stateValue ?? ""), yes: on, no: nil)
        off = Self.offWords.first { $0.on == on.lowercased() }?.off ?? "off"
    }

    private static let offWords = [(on: "true", off: "false"), (on: "1", off: "0"), (on: "on", off: "off")]

    /// Commands and lists have topics of the same form.
    func match(_ topic: String) -> TopicPattern.Match? {
        except.contains { $0.match(topic) != nil } ? nil : pattern.match(topic)
    }

    /// Whether the payload is one of its two words: on the same topics others say other things.
    func says(_ payload: [UInt8]) -> Bool {
        guard let text = DeviceText.read(payload, at: sign.path) else { return false }
        return DeviceText.means(text, sign.yes) || DeviceText.means(text, off)
    }
}
