/// What other programs tell Home Assistant: `<prefix>/<component>/[<node>/]<object>/config`, with the long keys or the short
/// ones (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery). ESPHome, OpenMQTTGateway, Zigbee2MQTT and many
/// more write it.
extension DeviceSearch {
    func homeAssistant() -> [FoundDevice] {
        let start = Array("\(prefix)/".utf8)
        return heard.sorted.flatMap { topic, _ -> [FoundDevice] in
            guard topic.utf8.starts(with: start) else { return [] }
            let levels = topic.utf8.dropFirst(start.count).split(separator: UInt8(ascii: "/"))
                .map { String(Substring($0)) }
            guard levels.count >= 3, levels.last == "config", let config = json(topic) else { return [] }
            guard levels[0] == "device" else { return component(levels[0], Entity(config)) }
            // One message for all of a device (since 2024.11): its parts inherit what stands beside them.
            let parts = (config["components"] ?? config["cmps"])?.object?.members ?? []
            return parts.flatMap { _, part in
                component((part["platform"] ?? part["p"])?.string ?? "", Entity(part, inheriting: config))
            }
        }
    }

    private func component(_ component: String, _ entity: Entity) -> [FoundDevice] {
        // Hearth's own, told to the same Home Assistant.
        if entity.topics.contains(where: { $0.utf8.starts(with: "hearth/".utf8) }) { return [] }
        switch component {
        case "sensor":
            guard entity.text("device_class", "dev_cla") == "temperature" else { return [] }
            return sensor(
                entity, topic: entity.topic("state_topic", "stat_t"), template: entity.text("value_template", "val_tpl")
            ).map { isRooms($0, entity) ? $0 : unlikely($0) }
        case "climate":
            return sensor(
                entity, topic: entity.topic("current_temperature_topic", "curr_temp_t"),
                template: entity.text("current_temperature_template", "curr_temp_tpl"))
        case "switch": return pump(entity)
        default: return []
        }
    }

    private func sensor(_ entity: Entity, topic: String?, template: String?) -> [FoundDevice] {
        guard let topic else { return [] }
        let kind = kind(of: topic, hasTemplate: template != nil)
        var table = SensorTable(topic: topic)
        let path = template.map { ValueTemplate.path($0) } ?? ""
        if let path, path != DeviceKind.builtIn(kind)?.sensor.value { table.value = path }
        let unit = entity.text("unit_of_measurement", "unit_of_meas").flatMap(DeviceUnit.init(spelled:))
        if let unit, unit != .celsius { table.unit = unit.rawValue }
        var found = FoundDevice(entity.name, room: entity.room, kind: kind, .sensor(table), topic: topic)
        if path == nil {
            found.standing = .unclear(
                "its value_template is not understood: \(escapingControls(template ?? "")). Write value = \"…\" yourself; "
                    + "hearth devices --test TOPIC PAYLOAD tries it")
        }
        return [found]
    }

    /// A heat pump tells a dozen temperatures, of which one may be a room's.
    private func isRooms(_ device: FoundDevice, _ entity: Entity) -> Bool {
        guard case .sensor(let table) = device.table, !JSONPath.namesAnother(entity.name) else { return false }
        let path = table.value ?? ""
        return !JSONPath.speaksOfTemperature(path) || JSONPath.endsInTemperature(path)
    }

    private func unlikely(_ device: FoundDevice) -> FoundDevice {
        var device = device
        if case .unclear = device.standing { return device }
        device.standing = .unclear(
            "its name says another temperature than a room's. To record it, write a table with a measure of its own, such as "
                + "measure = \"outside_temperature\"; if it is a room's, one with room = \"…\"")
        return device
    }

    /// The kind whose topics these are, for people to recognise it.
    private func kind(of topic: String, hasTemplate: Bool) -> String {
        if topic.utf8.starts(with: "zigbee2mqtt/".utf8) { return "zigbee2mqtt" }
        let levels = topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isESPHome =
            levels.count >= 4 && levels.suffix(3).first?.elementsEqual("sensor".utf8) == true
            && levels.last?.elementsEqual("state".utf8) == true
        return isESPHome && !hasTemplate ? "esphome" : "plain"
    }

    private func pump(_ entity: Entity) -> [FoundDevice] {
        guard let command = entity.topic("command_topic", "cmd_t") else { return [] }
        var table = PumpTable()
        table.name = entity.name
        table.command = command
        table.on = entity.text("payload_on", "pl_on")
        table.off = entity.text("payload_off", "pl_off")
        var found = FoundDevice(entity.name, room: nil, kind: "plain", .pump(table), topic: command)
        if let topic = entity.topic("state_topic", "stat_t") {
            table.state = topic
            let template = entity.text("value_template", "val_tpl")
            if let template {
                guard let path = ValueTemplate.path(template) else {
                    found.standing = .unclear("its value_template is not understood: \(escapingControls(template))")
                    return [found]
                }
                if !path.isEmpty { table.stateValue = path }
            }
            table.stateOn = entity.text("state_on", "stat_on")
            table.stateOff = entity.text("state_off", "stat_off")
        }
        if let available = entity.available {
            (table.available, table.availablePath) = (available.topic, available.path)
            table.availableValue = available.word
        }
        found.table = .pump(table)
        return [found]
    }
}

/// One thing that is told to Home Assistant.
private struct Entity {
    /// With what a message for the whole device says beside its parts.
    private let merged: JSON
    private let device: JSON

    init(_ json: JSON, inheriting whole: JSON? = nil) {
        let none = JSON.object(.init())
        device = json["device"] ?? json["dev"] ?? whole?["device"] ?? whole?["dev"] ?? none
        var merged = whole?.object ?? .init()
        for member in json.object?.members ?? [] { merged[member.key] = member.value }
        self.merged = .object(merged)
    }

    func text(_ long: String, _ short: String) -> String? {
        let text = (merged[long] ?? merged[short])?.string
        return text?.isEmpty == true ? nil : text
    }

    /// `~` at either end stands for the base topic.
    func topic(_ long: String, _ short: String) -> String? { text(long, short).map(based) }

    private func based(_ topic: String) -> String {
        guard let base = merged["~"]?.string else { return topic }
        if topic.utf8.first == UInt8(ascii: "~") {
            return base + String(decoding: topic.utf8.dropFirst(), as: UTF8.self)
        }
        if topic.utf8.last == UInt8(ascii: "~") { return String(decoding: topic.utf8.dropLast(), as: UTF8.self) + base }
        return topic
    }

    var topics: [String] {
        [("state_topic", "stat_t"), ("command_topic", "cmd_t"), ("current_temperature_topic", "curr_temp_t")]
            .compactMap { topic($0.0, $0.1) }
    }

    private var deviceName: String? { device["name"]?.string.flatMap { $0.isEmpty ? nil : $0 } }

    /// The device's name, and what it measures where that says more than that it is a temperature.
    var name: String {
        let own = text("name", "name") ?? ""
        guard let deviceName else { return own.isEmpty ? topics.first ?? "" : own }
        let says = own.lowercased()
        if own.isEmpty || says == "temperature" || ExactString(own) == ExactString(deviceName) { return deviceName }
        return own.utf8.starts(with: deviceName.utf8) ? own : "\(deviceName) \(own)"
    }

    var room: Room? {
        let area = (device["suggested_area"] ?? device["sa"])?.string
        return area.flatMap(Room.init(suggestedBy:)) ?? Room(suggestedBy: deviceName ?? name)
    }

    /// Topic, path and word of the first availability that is understood.
    var available: (topic: String, path: String?, word: String?)? {
        if let topic = topic("availability_topic", "avty_t") {
            return (topic, nil, text("payload_available", "pl_avail"))
        }
        for entry in (merged["availability"] ?? merged["avty"])?.array ?? [] {
            guard let topic = (entry["topic"] ?? entry["t"])?.string else { continue }
            let word = (entry["payload_available"] ?? entry["pl_avail"])?.string
            guard let template = (entry["value_template"] ?? entry["val_tpl"])?.string else {
                return (based(topic), nil, word)
            }
            if let path = ValueTemplate.path(template) { return (based(topic), path, word) }
        }
        return nil
    }
}
