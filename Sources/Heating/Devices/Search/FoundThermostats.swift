/// Devices with a thermostat of their own: mini-splits, radiator valves, floor heating. They are told the temperature wanted, and their
/// mode where they have one that is off.
extension DeviceSearch {
    /// Home Assistant's `climate` (https://www.home-assistant.io/integrations/climate.mqtt/).
    func thermostat(_ entity: Entity) -> [FoundDevice] {
        guard let command = entity.topic("temperature_command_topic", "temp_cmd_t"),
            !JSONPath.namesAnother(entity.name),
            let payload = ValueTemplate.payload(
                entity.text("temperature_command_template", "temp_cmd_tpl"), value: "{target}")
        else { return [] }
        var table = PumpTable()
        table.name = entity.name
        table.targetCommand = command
        if payload != "{target}" { table.targetPayload = payload }
        if entity.unit == .fahrenheit { table.targetUnit = "F" }
        table.targetStep = entity.number("temp_step").flatMap { (0.1...5).contains($0) ? $0 : nil }
        if let state = entity.state("temperature_state", "temp_stat") {
            table.targetState = state.topic
            if !state.path.isEmpty { table.targetValue = state.path }
        }
        mode(of: entity, into: &table)
        if let available = entity.available {
            (table.available, table.availablePath) = (available.topic, available.path)
            table.availableValue = available.word
        }
        return [
            FoundDevice(entity.name, room: nil, kind: "plain", .pump(table), topic: table.mode ?? command)
        ]
    }

    private func mode(of entity: Entity, into table: inout PumpTable) {
        let modes = entity.list("modes")
        let heating = ["heat", "auto", "heat_cool"].first(where: modes.contains)
        let template = entity.text("mode_command_template", "mode_cmd_tpl")
        guard let topic = entity.topic("mode_command_topic", "mode_cmd_t"), let heating, modes.contains("off"),
            let on = ValueTemplate.payload(template, value: heating),
            let off = ValueTemplate.payload(template, value: "off")
        else { return }
        (table.mode, table.modeOn, table.modeOff) = (topic, on, off)
        guard let state = entity.state("mode_state", "mode_stat") else { return }
        (table.state, table.stateOn) = (state.topic, heating)
        if !state.path.isEmpty { table.stateValue = state.path }
    }

    /// Zigbee2MQTT's `climate` (https://www.zigbee2mqtt.io/guide/usage/exposes.html#climate). What runs on a battery is told the
    /// temperature alone.
    func zigbeeThermostat(_ device: JSON, _ name: String, base: String) -> [FoundDevice] {
        let topic = "\(base)/\(name)"
        let exposes = device["definition"]?["exposes"]?.array ?? []
        let climate = exposes.first { $0["type"]?.string == "climate" }
        let features = climate?["features"]?.array ?? []
        func feature(_ property: String) -> JSON? { features.first { $0["property"]?.string == property } }
        let setpoints = ["occupied_heating_setpoint", "current_heating_setpoint"]
        guard let setpoint = setpoints.first(where: { feature($0) != nil }) else { return [] }
        var table = PumpTable()
        (table.name, table.targetCommand) = (name, "\(topic)/set")
        table.targetPayload = "{\"\(setpoint)\": {target}}"
        let unit = feature(setpoint)?["unit"]?.string.flatMap(DeviceUnit.init(spelled:))
        if unit == .fahrenheit { table.targetUnit = "F" }
        table.targetStep = feature(setpoint)?["value_step"]?.double.flatMap { (0.1...5).contains($0) ? $0 : nil }
        (table.targetState, table.targetValue) = (topic, setpoint)
        (table.available, table.availablePath) = ("\(topic)/availability", "state")
        table.bridge = "\(base)/bridge/state"
        let modes = (feature("system_mode")?["values"]?.array ?? []).compactMap(\.string)
        if device["power_source"]?.string != "Battery", modes.contains("heat"), modes.contains("off") {
            (table.mode, table.modeOn, table.modeOff) = (
                "\(topic)/set", #"{"system_mode": "heat"}"#, #"{"system_mode": "off"}"#
            )
            (table.state, table.stateValue, table.stateOn) = (topic, "system_mode", "heat")
        }
        return [FoundDevice(name, room: nil, kind: "plain", .pump(table), topic: "\(topic)/set")]
    }
}

extension Entity {
    /// Where a state is told, if its template is understood.
    fileprivate func state(_ long: String, _ short: String) -> (topic: String, path: String)? {
        guard let topic = topic("\(long)_topic", "\(short)_t") else { return nil }
        guard let template = text("\(long)_template", "\(short)_tpl") else { return (topic, "") }
        return ValueTemplate.path(template).map { (topic, $0) }
    }
}
