import Heating

/// What a person should know about sensors and pumps that are not the black box.
extension Finding {
    static func subject(of rule: SensorRule, _ index: Int) -> String { "[[sensors]] \(index + 1), \(rule.topic.text)" }

    /// Nothing at all comes where the rule listens.
    static func silent(_ rule: SensorRule, _ index: Int) -> Finding {
        Finding(
            name: "device-rule-silent", severity: severity(of: rule), subject: subject(of: rule, index),
            room: rule.room,
            text: .finding(.ruleSilent, ["topic": .text(escapingControls(rule.topic.filter))]),
            advice: .finding(
                .mendTopic, ["command": .text("mosquitto_sub -t '#' -v"), "count": .count(index + 1)]))
    }

    /// A device that somebody has given a room, as one rule meets it.
    static func subject(of device: DeviceTally.Device, _ rule: SensorRule) -> String {
        "\(subject(of: rule, device.rule)), \(device.name)"
    }

    /// Messages come, and they are no readings.
    /// - Parameters:
    ///   - device: which of the rule's; nil: all of them.
    ///   - isListed: somebody has given the device a room; else it is to be had, or to be left out.
    static func troubled(
        _ rule: SensorRule, _ index: Int, _ device: DeviceTally.Device? = nil, isListed: Bool = true,
        _ entry: DeviceTally.Entry, _ last: DeviceRejection, _ rules: DeviceRules
    ) -> Finding {
        let isSilent = entry.readings == 0
        let advice =
            isListed
            ? rules.advice(for: last, payload: entry.payload)
            : rules.adviceForUnlisted(last, payload: entry.payload)
        let command = "hearth devices --test TOPIC PAYLOAD"
        return Finding(
            name: isSilent ? "device-rule-silent" : "device-readings-set-aside",
            severity: isListed ? severity(of: rule) : .notice,
            subject: device.map { subject(of: $0, rule) } ?? subject(of: rule, index), room: last.room,
            text: .finding(
                isSilent ? .ruleNeverRead : .ruleSetAside,
                [
                    "topic": .text(escapingControls(device?.name.text ?? rule.topic.filter)),
                    "count": .count(entry.inARow),
                    "kind": .text(escapingControls("\(rule.kind)")), "last": .text(escapingControls(last.topic)),
                    "reason": .text(last.reason.rawValue), "sample": .text(escapingControls(entry.sample)),
                ]),
            advice: .finding(.tryIt, ["advice": .sentence(advice), "command": .text(command)]))
    }

    private static func severity(of rule: SensorRule) -> Severity { rule.measure == .temperature ? .cold : .notice }

    static func sensorFault(
        _ reading: DeviceReading, advice: Sentence = .finding(.checkCable, ["line": .text("discard = []")])
    ) -> Finding {
        Finding(
            name: "sensor-fault", severity: .heating, subject: reading.sensor, room: reading.room,
            text: .finding(
                .sensorFault,
                [
                    "room": .text(reading.room.displayName), "value": .text(reading.valueText),
                    "topic": .text(escapingControls(reading.topic)),
                ]),
            advice: advice)
    }

    static func disagreement(_ room: Room, _ outliers: [(sensor: String, value: Double)]) -> Finding {
        let named = outliers.map {
            "\(escapingControls($0.sensor)) (\(Double(Int(($0.value * 10).rounded())) / 10) °C)"
        }
        return Finding(
            name: "sensors-disagree", severity: .heating, subject: room.name, room: room,
            text: .finding(
                .disagree,
                ["room": .text(room.displayName), "sensors": .text(named.joined(separator: ", "))]),
            advice: .finding(.lookWhere))
    }

    static func name(of problem: PumpFeedback.Problem) -> String {
        switch problem {
        case .offline: "pump-offline"
        case .unconfirmed: "pump-unconfirmed"
        case .notRunning, .stillRunning: "pump-power"
        }
    }

    /// Pumps and valves are told alike.
    enum HeatingPart: String {
        case pump, valve
        /// The temperature that a device with a thermostat was told.
        case setpoint

        /// A valve may have its pump's name.
        func subject(_ rule: PumpRule) -> String {
            self == .pump ? rule.name : "\(rawValue) \(rule.name)"
        }

        func text(_ rule: PumpRule, _ problem: PumpFeedback.Problem) -> Sentence {
            let sentence: FindingSentence =
                switch self {
                case .pump: .pumpProblem
                case .valve: .valveProblem
                case .setpoint: .setpointProblem
                }
            return .finding(
                sentence,
                ["name": .text(escapingControls(rule.name)), "problem": .sentence(problem.sentence)])
        }
    }

    /// A room stays cold although its device was told to warm it.
    static func notFollowed(_ room: Room, _ problem: TargetResponse.Problem, _ unit: TemperatureUnit) -> Finding {
        Finding(
            name: "target-not-followed", severity: .cold, subject: room.name, room: room,
            text: .finding(
                .roomProblem, ["room": .text(room.displayName), "problem": .sentence(problem.sentence(in: unit))]),
            advice: .finding(.lookAtDevice))
    }

    /// No valve is open, so the pump may not run.
    static func waiting(_ rule: PumpRule) -> Finding {
        Finding(
            name: "pump-waits-for-valve", severity: .cold, subject: rule.name,
            text: .finding(.waitsForValve, ["name": .text(escapingControls(rule.name))]),
            advice: .finding(.lookAtValves))
    }

    static func device(_ rule: PumpRule, _ part: HeatingPart, _ problem: PumpFeedback.Problem)
        -> Finding
    {
        let (severity, advice): (Severity, Sentence) =
            switch problem {
            case .offline(_, let isBridge):
                (
                    .cold,
                    .finding(
                        .checkPower,
                        ["topic": .text(escapingControls((isBridge ? rule.bridge : rule.available)?.topic ?? ""))])
                )
            case .unconfirmed:
                (
                    .cold,
                    .finding(
                        .doesItAnswer,
                        [
                            "command": .text(
                                escapingControls(
                                    "mosquitto_sub -v -t '\(rule.mainTopic)' -t '\(rule.state?.topic ?? "")'")),
                            "line": part == .valve ? .sentence(.finding(.roomsValve)) : .text("[[pumps]]"),
                        ])
                )
            case .notRunning, .stillRunning: (.heating, .finding(.lookAtRunning))
            }
        return Finding(
            name: name(of: problem), severity: severity, subject: part.subject(rule),
            room: rule.rooms.count == 1 ? rule.rooms.first : nil,
            text: part.text(rule, problem), advice: advice)
    }
}
