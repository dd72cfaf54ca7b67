import Heating

/// How the house's devices speak, as the configuration has it: checked, so that it can be run.
struct Devices: Equatable, Sendable {
    /// What a room says of its devices.
    struct RoomDevices: Equatable, Sendable {
        var combine: RoomSensors.Combine?
        /// How far one sensor may be from the others before it is named, in °C.
        var disagreement: Double?
        /// Opened while the room calls.
        var valve: PumpRule?
    }

    /// `[kinds.NAME]`: what was written, and the kind it is like.
    struct OwnKind: Equatable, Sendable {
        var name: String
        var like: String?
        var sensor: SensorTable
        var pump: PumpTable
        /// With everything that it has from the other kind.
        var kind: DeviceKind
    }

    var kinds: [OwnKind] = []
    var sensors: [SensorRule] = []
    var pumps: [PumpRule] = []
    var rooms: [Room: RoomDevices] = [:]

    /// The rules to read messages by; with no sensor in the file, the black box alone.
    var rules: DeviceRules { DeviceRules(sensors) }

    /// The pump that heats a room, if the file names one; else the room has the black box's.
    func pump(of room: Room) -> PumpRule? { pumps.first { $0.rooms.contains(room) } }
}

/// One file of `devices.d`.
struct DeviceFile: Equatable, Sendable {
    var text: String
    var file: String
}
