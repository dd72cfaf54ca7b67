/// What `[[pumps]]`, a room's `valve`, `[kinds.NAME]` and the built-in kinds say of a pump, before it is checked. Nil: not
/// said, and then the kind's word counts. `{device}` in a topic is the device's name; payloads may hold `{target}`, the
/// temperature wanted, and `{room}`.
public struct PumpTable: Equatable, Sendable {
    public var name: String?
    public var rooms: [String]?
    /// The device's name in its topics; nil: the pump's name.
    public var device: String?
    /// Where commands go, and what they are.
    public var command: String?
    public var on: String?
    public var off: String?
    /// Where a device with a thermostat of its own takes the temperature wanted, and how it is written: `{target}`, in `C`, `F` or
    /// `K`, rounded to a multiple of the step.
    public var targetCommand: String?
    public var targetPayload: String?
    public var targetUnit: String?
    public var targetStep: Double?
    /// Where it says which temperature it was told: topic and path.
    public var targetState: String?
    public var targetValue: String?
    /// Whether commands are kept by the broker. Nearly always wrong: a restarted broker replays them.
    public var retain: Bool?
    /// A second topic, for devices that have a mode of their own, and what goes there before the command.
    public var mode: String?
    public var modeOn: String?
    public var modeOff: String?
    /// What it says of itself: topic, path, and the text that means on. Nil for `stateOff`: anything else is off, so it is
    /// given wherever the device has a word for off.
    public var state: String?
    public var stateValue: String?
    public var stateOn: String?
    public var stateOff: String?
    /// Whether it is reachable: topic, path, and the text that means yes.
    public var available: String?
    public var availablePath: String?
    public var availableValue: String?
    /// Where the gateway that it is behind says whether it is there itself, in the same words.
    public var bridge: String?
    /// Its watts: topic, path, and above how many it really runs.
    public var power: String?
    public var powerValue: String?
    public var runningAbove: Double?
    /// For so long after a command its watts say nothing.
    public var startingTime: Duration?
    /// `override` or `reassert`.
    public var onForeign: String?
    /// The shortest run and the shortest rest; nil: the thermostat's.
    public var minOn: Duration?
    public var minOff: Duration?

    public init() {}

    /// With `kind` for everything that is not said here.
    public func over(_ kind: PumpTable) -> PumpTable {
        var table = self
        table.device = device ?? kind.device
        table.command = command ?? kind.command
        table.on = on ?? kind.on
        table.off = off ?? kind.off
        table.retain = retain ?? kind.retain
        // A device that takes temperatures alone is one that is not switched.
        let isSetpoint = (targetCommand ?? kind.targetCommand) != nil
        if isSetpoint, command == nil, targetCommand != nil { table.command = nil }
        table.targetCommand = targetCommand ?? kind.targetCommand
        table.targetPayload = targetPayload ?? kind.targetPayload
        table.targetUnit = targetUnit ?? kind.targetUnit
        table.targetStep = targetStep ?? kind.targetStep
        table.targetState = targetState ?? kind.targetState
        table.targetValue = targetValue ?? kind.targetValue
        table.mode = mode ?? kind.mode
        table.modeOn = modeOn ?? kind.modeOn
        table.modeOff = modeOff ?? kind.modeOff
        // Whoever names another command has another device: the kind's own topics say nothing of that one.
        let isOther = command != nil && kind.command != nil && command != kind.command
        table.state = state ?? (isOther ? nil : kind.state)
        table.stateValue = stateValue ?? kind.stateValue
        table.stateOn = stateOn ?? kind.stateOn
        table.stateOff = stateOff ?? kind.stateOff
        table.available = available ?? (isOther ? nil : kind.available)
        table.availablePath = availablePath ?? kind.availablePath
        table.availableValue = availableValue ?? kind.availableValue
        table.bridge = bridge ?? (isOther ? nil : kind.bridge)
        table.power = power ?? (isOther ? nil : kind.power)
        table.powerValue = powerValue ?? kind.powerValue
        table.runningAbove = runningAbove ?? kind.runningAbove
        table.startingTime = startingTime ?? kind.startingTime
        table.onForeign = onForeign ?? kind.onForeign
        table.minOn = minOn ?? kind.minOn
        table.minOff = minOff ?? kind.minOff
        return table
    }
}
