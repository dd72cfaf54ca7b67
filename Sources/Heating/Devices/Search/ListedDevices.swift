/// Devices that their gateway or their firmware lists in retained messages.
extension DeviceSearch {
    // MARK: Zigbee2MQTT

    /// `<base>/bridge/devices`: every device with what it exposes
    /// (https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html#zigbee2mqtt-bridge-devices,
    /// https://www.zigbee2mqtt.io/guide/usage/exposes.html).
    func zigbee2MQTT() -> [FoundDevice] {
        let mark = "/bridge/devices"
        return heard.sorted.filter { $0.topic.utf8.reversed().starts(with: mark.utf8.reversed()) }.flatMap { topic, _ in
            let base = String(decoding: topic.utf8.dropLast(mark.utf8.count), as: UTF8.self)
            return (json(topic)?.array ?? []).flatMap { zigbeeDevice($0, base: base) }
        }
    }

    private func zigbeeDevice(_ device: JSON, base: String) -> [FoundDevice] {
        guard let name = device["friendly_name"]?.string, !name.isEmpty, device["type"]?.string != "Coordinator",
            device["disabled"]?.bool != true, let exposes = device["definition"]?["exposes"]?.array
        else { return [] }
        let topic = "\(base)/\(name)"
        let room = Room(suggestedBy: name)
        let features = exposes + exposes.flatMap { $0["features"]?.array ?? [] }
        func feature(_ property: String) -> JSON? { features.first { $0["property"]?.string == property } }
        var found: [FoundDevice] = []
        for property in ["temperature", "local_temperature"] {
            guard let feature = feature(property), feature["type"]?.string == "numeric" else { continue }
            var table = SensorTable(topic: topic)
            if property != "temperature" { table.value = property }
            if feature["unit"]?.string.flatMap(DeviceUnit.init(spelled:)) == .fahrenheit { table.unit = "F" }
            // Asleep for most of the time: what the broker kept is the best that is known after a restart.
            if device["power_source"]?.string == "Battery", heard[topic]?.isRetained == true { table.retained = "use" }
            found.append(FoundDevice(name, room: room, kind: "zigbee2mqtt", .sensor(table), topic: topic))
            break
        }
        let isSwitch = exposes.contains { expose in
            expose["type"]?.string == "switch"
                && (expose["features"]?.array ?? []).contains { $0["property"]?.string == "state" }
        }
        if isSwitch { found.append(zigbeeSwitch(name, base: base, topic: topic)) }
        return found + zigbeeThermostat(device, name, base: base)
    }

    private func zigbeeSwitch(_ name: String, base: String, topic: String) -> FoundDevice {
        var table = PumpTable()
        (table.name, table.device) = (name, name)
        if base != "zigbee2mqtt" {
            (table.command, table.state, table.available) = ("\(topic)/set", topic, "\(topic)/availability")
            table.bridge = "\(base)/bridge/state"
        }
        return FoundDevice(name, room: nil, kind: "zigbee2mqtt", .pump(table), topic: "\(topic)/set")
    }

    // MARK: Tasmota

    /// `tasmota/discovery/<MAC>/config` and `…/sensors` (https://tasmota.github.io/docs/Home-Assistant/, SetOption19 0;
    /// the keys are those of the firmware's `xdrv_12_discovery.ino`).
    func tasmota() -> [FoundDevice] {
        heard.sorted.flatMap { topic, _ -> [FoundDevice] in
            let levels = topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
                .map { String(Substring($0)) }
            guard levels.count == 4, levels[0] == "tasmota", levels[1] == "discovery", levels[3] == "config",
                let config = json(topic), let device = TasmotaDevice(config)
            else { return [] }
            let sensors = json("tasmota/discovery/\(levels[2])/sensors")?["sn"]
            return (sensors.map { tasmotaSensors(device, $0) } ?? []) + tasmotaRelays(device)
        }
    }

    private func tasmotaSensors(_ device: TasmotaDevice, _ sensors: JSON) -> [FoundDevice] {
        let chips = (sensors.object?.members ?? []).filter { $0.key != "ESP32" && $0.value["Temperature"] != nil }
        let topic = device.topic("tele", "SENSOR")
        return chips.map { chip, _ in
            var table = SensorTable(topic: topic)
            if chips.count > 1 { table.value = JSONPath.written([chip, "Temperature"]) }
            let name = chips.count > 1 ? "\(device.name) \(chip)" : device.name
            return FoundDevice(name, room: Room(suggestedBy: name), kind: "tasmota", .sensor(table), topic: topic)
        }
    }

    private func tasmotaRelays(_ device: TasmotaDevice) -> [FoundDevice] {
        device.relays.map { relay in
            var table = PumpTable()
            // One relay is POWER, several are POWER1 and so on.
            let power = device.relays.count == 1 ? "POWER" : "POWER\(relay)"
            table.name = device.relays.count == 1 ? device.name : "\(device.name) \(relay)"
            table.device = device.wireName
            if !device.isUsual || device.relays.count > 1 {
                table.command = device.topic("cmnd", power)
                table.state = device.topic("stat", power)
                table.available = device.topic("tele", "LWT")
            }
            if device.on != "ON" || device.off != "OFF" {
                (table.on, table.off, table.stateOn) = (device.on, device.off, device.on)
            }
            return FoundDevice(
                table.name ?? "", room: nil, kind: "tasmota", .pump(table), topic: device.topic("cmnd", power))
        }
    }
}

/// What a Tasmota says of itself, as far as topics need it.
private struct TasmotaDevice {
    let name: String
    let wireName: String
    /// Which of up to 32 outputs are relays, counted from 1.
    let relays: [Int]
    let on: String
    let off: String
    private let fullTopic: String
    private let hostName: String
    /// The last six digits of its MAC address.
    private let id: String
    private let prefixes: [String]  // cmnd, stat, tele

    init?(_ config: JSON) {
        guard let topic = config["t"]?.string, !topic.isEmpty else { return nil }
        wireName = topic
        let friendly = config["dn"]?.string ?? ""
        name = friendly.isEmpty || friendly == "Tasmota" ? topic : friendly
        fullTopic = config["ft"]?.string ?? "%prefix%/%topic%/"
        hostName = config["hn"]?.string ?? topic
        id = String((config["mac"]?.string ?? "").suffix(6))
        let told = (config["tp"]?.array ?? []).compactMap(\.string)
        prefixes = told.count == 3 ? told : ["cmnd", "stat", "tele"]
        relays = (config["rl"]?.array ?? []).prefix(32).enumerated().filter { $0.element.int == 1 }.map {
            $0.offset + 1
        }
        let words = (config["state"]?.array ?? []).compactMap(\.string)
        (off, on) = words.count >= 2 ? (words[0], words[1]) : ("OFF", "ON")
    }

    /// Whether its topics are those that the kind knows.
    var isUsual: Bool { fullTopic == "%prefix%/%topic%/" && prefixes == ["cmnd", "stat", "tele"] }

    func topic(_ prefix: String, _ end: String) -> String {
        let index = ["cmnd", "stat", "tele"].firstIndex(of: prefix) ?? 0
        let filled = fullTopic.replacing("%prefix%", with: prefixes[index]).replacing("%topic%", with: wireName)
            .replacing("%hostname%", with: hostName).replacing("%id%", with: id)
        return (filled.utf8.last == UInt8(ascii: "/") ? filled : filled + "/") + end
    }
}
