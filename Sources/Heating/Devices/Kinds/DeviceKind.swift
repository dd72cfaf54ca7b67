/// A kind of device: a table of facts about how it speaks, and never code. The built-in ones are in `DeviceKinds.swift`.
public struct DeviceKind: Equatable, Sendable {
    public var name: String
    /// Where it was read, for who wants to know more.
    public var documentation: String
    public var sensor: SensorTable
    public var pump: PumpTable
    /// Topics on which its devices tell how warm they are inside, which is never offered for a room; see ``TopicPattern``.
    var insides: [String] = []

    public init(name: String, documentation: String = "", sensor: SensorTable = .init(), pump: PumpTable = .init()) {
        (self.name, self.documentation, self.sensor, self.pump) = (name, documentation, sensor, pump)
    }

    /// - Parameter insides: topics of the devices' own inside.
    init(name: String, documentation: String, sensor: SensorTable, pump: PumpTable, insides: [String]) {
        self.init(name: name, documentation: documentation, sensor: sensor, pump: pump)
        self.insides = insides
    }

    /// The built-in kind of this name.
    public static func builtIn(_ name: String) -> DeviceKind? { builtIn.first { $0.name == name } }
}

extension SensorTable {
    /// A kind's table in one expression.
    init(
        topic: String? = nil, value: String? = nil, time: String? = nil, unit: String? = nil, retained: String? = nil,
        roomAt: String? = nil, unlisted: String? = nil, except: [String]? = nil, ignore: [String]? = nil,
        discard: [Double]? = nil, measures: [String: Place] = [:], isContract: Bool? = nil
    ) {
        (self.topic, self.value, self.time, self.unit, self.retained) = (topic, value, time, unit, retained)
        (self.roomAt, self.unlisted, self.except, self.ignore) = (roomAt, unlisted, except, ignore)
        (self.discard, self.measures, self.isContract) = (discard, measures, isContract)
    }
}

extension PumpTable {
    /// A kind's table in one expression: topic, path and meaning of each.
    init(
        command: String? = nil, on: String? = nil, off: String? = nil,
        state: (topic: String, value: String, on: String)? = nil, stateOff: String? = nil,
        available: (topic: String, path: String, value: String)? = nil, bridge: String? = nil,
        power: (topic: String, value: String)? = nil
    ) {
        (self.command, self.on, self.off) = (command, on, off)
        (self.state, stateValue, stateOn) = (state?.topic, state?.value, state?.on)
        self.stateOff = stateOff
        (self.available, availablePath, availableValue) = (available?.topic, available?.path, available?.value)
        (self.power, powerValue) = (power?.topic, power?.value)
        self.bridge = bridge
    }
}
