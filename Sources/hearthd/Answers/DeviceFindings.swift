import Heating

/// What a person should know about sensors and pumps that are not the black box.
extension Finding {
    static func subject(of rule: SensorRule, _ index: Int) -> String { "[[sensors]] \(index + 1), \(rule.topic.text)" }

    /// Nothing at all comes where the rule listens.
    static func silent(_ rule: SensorRule, _ index: Int) -> Finding {
        Finding(
            name: "device-rule-silent", severity: severity(of: rule), subject: subject(of: rule, index),
            room: rule.room,
            text:
                "no live message of a known sensor has come on \(escapingControls(rule.topic.filter)) since the start",
            advice:
                "Look at what is sent: mosquitto_sub -t '#' -v. Then mend topic in [[sensors]] number \(index + 1).")
    }

    /// Messages come, and they are no readings.
    static func troubled(
        _ rule: SensorRule, _ index: Int, _ entry: DeviceTally.Entry, _ last: DeviceRejection, _ rules: DeviceRules
    ) -> Finding {
        let isSilent = entry.readings == 0
        let what =
            isSilent
            ? "no message on \(rule.topic.filter) has been a reading" : "\(entry.inARow) messages were set aside"
        return Finding(
            name: isSilent ? "device-rule-silent" : "device-readings-set-aside", severity: severity(of: rule),
            subject: subject(of: rule, index), room: last.room,
            text: escapingControls(
                "\(what), \(rule.kind): last on \(last.topic) (\(last.reason.rawValue)): \(entry.sample)"),
            advice: rules.advice(for: last, payload: Array(entry.sample.utf8))
                + "; try it: hearth devices --test TOPIC PAYLOAD")
    }

    private static func severity(of rule: SensorRule) -> Severity { rule.measure == .temperature ? .cold : .notice }

    static func sensorFault(_ reading: DeviceReading) -> Finding {
        Finding(
            name: "sensor-fault", severity: .heating, subject: reading.topic, room: reading.room,
            text: "a sensor of \(reading.room.displayName) says \(reading.valueText), which means a fault "
                + "(\(escapingControls(reading.topic)))",
            advice: "Check the sensor and its cable. If it is a true temperature here, write discard = [] to its rule.")
    }

    static func disagreement(_ room: Room, _ outliers: [(sensor: String, value: Double)]) -> Finding {
        let named = outliers.map {
            "\(escapingControls($0.sensor)) (\(Double(Int(($0.value * 10).rounded())) / 10) °C)"
        }
        return Finding(
            name: "sensors-disagree", severity: .heating, subject: room.name, room: room,
            text: "the sensors of \(room.displayName) disagree: \(named.joined(separator: ", "))",
            advice:
                "Look at where it hangs: by a window, in the sun, above a radiator. Or raise disagreement in the room.")
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

        func text(_ rule: PumpRule, _ problem: PumpFeedback.Problem) -> String {
            switch self {
            case .pump: "the heat pump \(rule.name) \(problem)"
            case .valve: "the valve of \(rule.name) \(problem)"
            case .setpoint:
                "the device \(rule.name) was told another temperature and has not confirmed it"
            }
        }
    }

    /// A room stays cold although its device was told to warm it.
    static func notFollowed(_ room: Room, _ problem: TargetResponse.Problem, _ unit: TemperatureUnit) -> Finding {
        Finding(
            name: "target-not-followed", severity: .cold, subject: room.name, room: room,
            text: "\(room.displayName) \(problem.text(in: unit))",
            advice:
                "Look at the device: is it on, does it heat, and does its own sensor hang where it measures the room?"
        )
    }

    /// No valve is open, so the pump may not run.
    static func waiting(_ rule: PumpRule) -> Finding {
        Finding(
            name: "pump-waits-for-valve", severity: .cold, subject: rule.name,
            text: escapingControls(
                "the heat pump \(rule.name) waits: no valve of its rooms is known to be open"),
            advice:
                "Look at the valves and their power; if one is open and says otherwise, mend its state in [rooms.NAME] valve."
        )
    }

    static func device(_ rule: PumpRule, _ part: HeatingPart, _ problem: PumpFeedback.Problem)
        -> Finding
    {
        let (severity, advice): (Severity, String) =
            switch problem {
            case .offline: (.cold, "Check its power and its network; it says so on \(rule.available?.topic ?? "")")
            case .unconfirmed:
                (
                    .cold,
                    "See whether it answers: mosquitto_sub -v -t '\(rule.mainTopic)' -t '\(rule.state?.topic ?? "")'. "
                        + "If the topics are others, mend \(part == .pump ? "[[pumps]]" : "the room's valve")."
                )
            case .notRunning, .stillRunning:
                (.heating, "Look at the device itself; or mend running_above.")
            }
        return Finding(
            name: name(of: problem), severity: severity, subject: part.subject(rule),
            room: rule.rooms.count == 1 ? rule.rooms.first : nil,
            text: escapingControls(part.text(rule, problem)), advice: escapingControls(advice))
    }
}
