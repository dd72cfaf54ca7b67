import Heating

/// What a room's pump and valve say of themselves, where they are not the black box: to be shown, decides nothing.
struct DeviceView: Equatable, Sendable {
    /// One switch: the pump's or the valve's.
    struct Switch: Equatable, Sendable {
        var name: String
        /// Nil where it says nothing about that.
        var isAvailable: Bool?
        /// What it says that it is; nil where it says nothing.
        var isOn: Bool?
        /// Whether it has confirmed its last command; nil where it cannot.
        var isConfirmed: Bool?
        var watts: Double?

        init(_ rule: PumpRule, _ feedback: PumpFeedback) {
            name = rule.name
            isAvailable = feedback.isAvailable
            isOn = feedback.reported
            isConfirmed = feedback.hasState && feedback.told != nil ? feedback.isConfirmed : nil
            watts = feedback.watts
        }

        var json: JSON {
            [
                "name": .string(name), "available": JSON(isAvailable) { .bool($0) },
                "says": JSON(isOn) { .string($0 ? "on" : "off") }, "confirmed": JSON(isConfirmed) { .bool($0) },
                "watts": JSON(watts) { JSON(($0 * 10).rounded() / 10) },
            ]
        }
    }

    var pump: Switch
    var valve: Switch?

    /// Of each room that has a device of its own.
    static func all(_ pumps: [ControlledPump]) -> [Room: DeviceView] {
        pumps.reduce(into: [:]) { views, pump in
            for room in pump.rule.rooms {
                let valve = pump.valves[room].map { Switch($0.rule, $0.feedback) }
                views[room] = DeviceView(pump: Switch(pump.rule, pump.feedback), valve: valve)
            }
        }
    }
}
