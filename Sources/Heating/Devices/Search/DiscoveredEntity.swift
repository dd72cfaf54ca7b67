/// One thing that is told to Home Assistant, with the long keys or the short ones.
struct Entity {
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

    /// In which it tells a temperature: a sensor's unit, a thermostat's.
    var unit: DeviceUnit? {
        (text("unit_of_measurement", "unit_of_meas") ?? text("temperature_unit", "temp_unit"))
            .flatMap(DeviceUnit.init(spelled:))
    }

    /// It is about the device itself: its settings, or how warm its chip is.
    var isSetting: Bool { text("entity_category", "ent_cat") != nil }

    /// What a list has: the modes of a thermostat.
    func list(_ key: String) -> [String] { (merged[key]?.array ?? []).compactMap(\.string) }

    /// A number, which some programs write as text.
    func number(_ key: String) -> Double? { merged[key].flatMap { $0.double ?? $0.string.flatMap(Double.init) } }

    /// What it is called beside its device.
    var ownName: String { text("name", "name") ?? "" }

    var deviceName: String? { device["name"]?.string.flatMap { $0.isEmpty ? nil : $0 } }

    /// The device's name, and what it measures where that says more than that it is a temperature.
    var name: String {
        let own = ownName
        guard let deviceName else { return own.isEmpty ? topics.first ?? "" : own }
        let says = own.lowercased()
        if own.isEmpty || says == "temperature" || ExactString(own) == ExactString(deviceName) { return deviceName }
        // `Living_Room_thermostat` of the device `Living Room`.
        let isWhole = own.replacing("_", with: " ").lowercased().utf8.starts(with: deviceName.lowercased().utf8)
        return isWhole ? own : "\(deviceName) \(own)"
    }

    var room: Room? {
        let area = (device["suggested_area"] ?? device["sa"])?.string
        return area.flatMap(Room.init(suggestedBy:)) ?? Room(suggestedBy: deviceName ?? name)
    }

    /// Topic, path and word of its availability: of several that are understood the one that is most its own, for a bridge is
    /// there when a plug behind it is not.
    var available: (topic: String, path: String?, word: String?)? {
        if let topic = topic("availability_topic", "avty_t") {
            return (topic, nil, text("payload_available", "pl_avail"))
        }
        let all = (merged["availability"] ?? merged["avty"])?.array ?? []
        let understood = all.compactMap { entry -> (topic: String, path: String?, word: String?)? in
            guard let topic = (entry["topic"] ?? entry["t"])?.string else { return nil }
            let word = (entry["payload_available"] ?? entry["pl_avail"])?.string
            guard let template = (entry["value_template"] ?? entry["val_tpl"])?.string else {
                return (based(topic), nil, word)
            }
            return ValueTemplate.path(template).map { (based(topic), $0, word) }
        }
        let own = topics.first ?? ""
        func common(_ other: String) -> Int { zip(own.utf8, other.utf8).prefix { $0 == $1 }.count }
        return understood.enumerated().max {
            (common($0.element.topic), -$0.offset) < (common($1.element.topic), -$1.offset)
        }?.element
    }
}
