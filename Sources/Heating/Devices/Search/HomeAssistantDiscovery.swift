/// What other programs tell Home Assistant: `<prefix>/<component>/[<node>/]<object>/config`, with the long keys or the short
/// ones (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery). ESPHome, OpenMQTTGateway, Zigbee2MQTT and many
/// more write it.
extension DeviceSearch {
    func homeAssistant() -> [FoundDevice] {
        heard.sorted.flatMap { topic, _ -> [FoundDevice] in
            guard let component = component(announcedOn: topic), let config = json(topic) else { return [] }
            guard component == "device" else { return found(component, Entity(config)) }
            // One message for all of a device (since 2024.11): its parts inherit what stands beside them.
            let parts = (config["components"] ?? config["cmps"])?.object?.members ?? []
            return parts.flatMap { _, part in
                found((part["platform"] ?? part["p"])?.string ?? "", Entity(part, inheriting: config))
            }
        }
    }

    /// What a topic of the form `<prefix>/<component>/…/config` announces, under Home Assistant's prefix or any other of one level.
    private func component(announcedOn topic: String) -> String? {
        guard topic.utf8.reversed().starts(with: "/config".utf8.reversed()) else { return nil }
        let start = Array("\(prefix)/".utf8)
        let isUsual = topic.utf8.starts(with: start)
        let levels = topic.utf8.dropFirst(isUsual ? start.count : 0).split(separator: UInt8(ascii: "/"))
            .map { String(Substring($0)) }
        if isUsual { return levels.count >= 3 ? levels[0] : nil }
        return levels.count >= 4 && ["sensor", "switch", "climate", "device"].contains(levels[1]) ? levels[1] : nil
    }

    private func found(_ component: String, _ entity: Entity) -> [FoundDevice] {
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
                template: entity.text("current_temperature_template", "curr_temp_tpl")) + thermostat(entity)
        case "switch": return entity.isSetting ? [] : pump(entity)
        default: return []
        }
    }

    private func sensor(_ entity: Entity, topic: String?, template: String?) -> [FoundDevice] {
        guard let topic else { return [] }
        let kind = kind(of: topic, hasTemplate: template != nil)
        var table = SensorTable(topic: topic)
        let path = template.map { ValueTemplate.path($0) } ?? ""
        if let path, path != DeviceKind.builtIn(kind)?.sensor.value { table.value = path }
        if let unit = entity.unit, unit != .celsius { table.unit = unit.rawValue }
        var found = FoundDevice(entity.name, room: entity.room, kind: kind, .sensor(table), topic: topic)
        found.origin = entity.deviceName.map { .init(device: $0, part: entity.ownName) }
        if path == nil {
            found.standing = .unclear(
                "its value_template is not understood: \(escapingControls(template ?? "")). Write value = \"…\" yourself; "
                    + "hearth devices --test TOPIC PAYLOAD tries it")
        }
        return [found]
    }

    /// A heat pump tells a dozen temperatures, of which one may be a room's. What a device tells of itself is none.
    private func isRooms(_ device: FoundDevice, _ entity: Entity) -> Bool {
        guard case .sensor(let table) = device.table, !entity.isSetting, !JSONPath.namesAnother(entity.name) else {
            return false
        }
        let path = table.value ?? ""
        return !JSONPath.speaksOfTemperature(path) || JSONPath.endsInTemperature(path)
    }

    private func unlikely(_ device: FoundDevice) -> FoundDevice {
        var device = device
        if !device.isUnclear { device.standing = .unclear(Self.another) }
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
