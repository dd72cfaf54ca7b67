import Heating

/// What the rules make of one message, for people: `hearth devices --test`.
struct DeviceExplanation {
    let text: String
    let hasReading: Bool

    init(topic: String, payload: [UInt8], configuration: Configuration, arrival: Timestamp) {
        let rules = configuration.devices.rules
        let outcomes = rules.read(topic: topic, payload: payload, isRetained: false, arrival: arrival)
        var lines = outcomes.map { Self.line($0, payload, rules, configuration) }
        if lines.isEmpty {
            lines = ["no rule is about this topic"] + rules.sensors.map { "  \($0.kind): \($0.topic.text)" }
            lines += Self.suggestion(topic, payload)
        }
        text = lines.joined(separator: "\n") + "\n"
        hasReading = outcomes.contains { if case .reading = $0 { true } else { false } }
    }

    private static func line(
        _ outcome: DeviceOutcome, _ payload: [UInt8], _ rules: DeviceRules, _ configuration: Configuration
    ) -> String {
        switch outcome {
        case .reading(let reading):
            let rule = rules.sensors[reading.rule]
            var line = "\(reading.room.displayName): \(reading.measure) \(reading.valueText)"
            if let unit = reading.unit { line += unit == .kelvin ? " K" : " °\(unit.rawValue)" }
            if let celsius = reading.celsius, reading.unit != .celsius {
                line += " (\(Double(Int((celsius * 10).rounded())) / 10) °C)"
            }
            line += " at \(reading.time.text) (\(words(of: reading.time.source)))"
            if reading.isFault {
                line += ", a sensor's fault: \(reading.measure == .temperature ? "set aside" : "recorded"), not obeyed"
            } else if let celsius = reading.obeyed, !configuration.settings(for: reading.room).accepts(celsius) {
                line += ", not believed: recorded, not obeyed (discard, min_plausible and max_plausible say what is)"
            }
            return line + "; rule \(reading.rule + 1), \(rule.kind), \(rule.topic.text)"
        case .rejected(let rejection):
            return "set aside: \(rejection.reason.rawValue); \(rules.advice(for: rejection, payload: payload).text)"
        case .passedOver(let rejection):
            return "passed over: \(rejection.reason.rawValue); \(rules.advice(for: rejection, payload: payload).text)"
        }
    }

    private static func words(of source: DeviceTime.Source) -> String {
        switch source {
        case .device: "the device's time"
        case .arrival: "when it arrived"
        case .missing: "when it arrived: the device says none"
        case .absurd: "when it arrived: the device's time cannot be"
        }
    }

    /// The table that would read it.
    private static func suggestion(_ topic: String, _ payload: [UInt8]) -> [String] {
        let path = JSONPath.numbers(in: payload).first
        guard let path, TopicPattern.isPlain(topic) else { return [] }
        func line(_ key: String, _ text: String) -> String { "  \(key) = \(JSON.string(text).serialized())" }
        var lines = ["to read it, write:", "  [[sensors]]"]
        let kind = DeviceKind.builtIn.first { $0.reads(topic, payload) }
        if let kind { lines.append(line("kind", kind.name)) }
        lines.append(line("topic", topic))
        if kind == nil {
            lines.append(line("value", path))
            if let unit = JSONPath.unit(of: path, in: payload) { lines.append(line("unit", unit)) }
        }
        return lines + ["  room = \"its room\""]
    }
}

extension DeviceKind {
    /// Whether the kind's own rule finds a temperature there. The black box and a number alone need no kind.
    fileprivate func reads(_ topic: String, _ payload: [UInt8]) -> Bool {
        var table = sensor
        (table.room, table.unlisted) = ("room", "room")
        guard table.topic != nil, table.isContract != true, let rule = try? SensorRule(kind: name, table) else {
            return false
        }
        let outcomes = DeviceRules([rule], addsBlackBox: false).read(
            topic: topic, payload: payload, isRetained: false, arrival: Timestamp(nanoseconds: 0))
        guard case .reading(let reading)? = outcomes.first else { return false }
        return reading.measure == .temperature
    }
}

extension TopicPattern {
    /// Whether the text is a topic without placeholders.
    fileprivate static func isPlain(_ text: String) -> Bool {
        guard let pattern = try? TopicPattern(text) else { return false }
        return !pattern.isOpen
    }
}
