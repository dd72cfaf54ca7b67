import Heating
import Machine
import Synchronization

/// What Control shows to the world: the rooms as of the last change, the last decisions, the counters. Written by the
/// lane, read by the control socket and systemd's status line; a reader can never make the lane wait for a disk.
final class ControlBoard: Sendable {
    struct RoomView: Sendable {
        var status: Thermostat.Status
        var settings: Thermostat.Settings
        /// It is in the file.
        var isConfigured = true
        /// When it last sent anything that holds a value, valid or not; nil: not since the start.
        var heardAt: Instant?
        var foreign = ForeignCommands()
    }

    struct Decision: Sendable {
        var time: Timestamp
        var pumpOn: Bool
        var reason: String
    }

    struct Counters: Sendable {
        var readings = 0
        var commands = 0
        var retained = 0
        /// Rooms that lost their place to others (``RoomPlaces``).
        var tooManyRooms = 0
        /// Readings that decided nothing because they were no news (``NewsFilter``), by reason.
        var ignored: [String: Int] = [:]  // Own names: reasons.
        /// Devices' readings whose time is when they arrived, by why: they had none where their rule looks, or one that cannot be.
        var replacedTimes: [String: Int] = [:]  // Own names: reasons.
        /// Discarded messages by reason, ``PayloadError``'s names and a few of our own.
        var rejected: [String: Int] = [:]  // Own names: reasons.
    }

    struct Contents: Sendable {
        var rooms: [Room: RoomView] = [:]
        /// Rooms that only retained state knows, until they are heard.
        var remembered: Set<Room> = []
        var setAside: [Room: SetAsideReadings] = [:]
        var measures = SeenMeasures()
        /// What the devices of rooms say of themselves.
        var devices: [Room: DeviceView] = [:]
        let startedAt = Clock.now
        /// Of the temperatures in findings' texts.
        var unit = TemperatureUnit.celsius
        /// The file has tables of devices: the black box is not all there is.
        var hasTables = false
        var decisions: [Room: [Decision]] = [:]
        var counters = Counters()
    }

    private static let decisionsKept = 20

    private let contents = Mutex(Contents())

    var snapshot: Contents { contents.withLock { $0 } }

    func update(_ room: Room, _ view: RoomView) {
        contents.withLock { $0.rooms[room] = view }
    }

    func remove(_ room: Room) {
        contents.withLock { contents in
            contents.rooms[room] = nil
            contents.decisions[room] = nil
            contents.measures.forget(room)
        }
    }

    func see(_ value: Double, of measure: Measure, in room: Room, now: Instant) {
        contents.withLock { $0.measures.take(value, of: measure, in: room, now: now) }
    }

    func set(devices: [Room: DeviceView]) {
        contents.withLock { $0.devices = devices }
    }

    /// The devices are others.
    func forgetDevices() {
        contents.withLock { ($0.measures, $0.devices) = (SeenMeasures(), [:]) }
    }

    /// What the file says of the whole house.
    func set(_ configuration: Configuration) {
        contents.withLock { contents in
            contents.unit = configuration.temperatureUnit
            contents.hasTables = !configuration.devices.rules.isBlackBoxOnly || !configuration.devices.pumps.isEmpty
        }
    }

    func set(remembered: Set<Room>) {
        contents.withLock { $0.remembered = remembered }
    }

    func set(setAside: [Room: SetAsideReadings]) {
        contents.withLock { $0.setAside = setAside }
    }

    func add(_ decision: Decision, for room: Room) {
        contents.withLock { contents in
            var kept = contents.decisions[room, default: []]
            kept.insert(decision, at: 0)
            contents.decisions[room] = Array(kept.prefix(Self.decisionsKept))
        }
    }

    func set(_ counters: Counters) {
        contents.withLock { $0.counters = counters }
    }
}
