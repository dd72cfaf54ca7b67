import Heating
import Synchronization

/// What Control shows to the world: the rooms as of the last change, the last decisions, the counters. Written by the
/// lane, read by the control socket and systemd's status line; a reader can never make the lane wait for a disk.
final class ControlBoard: Sendable {
    struct RoomView: Sendable {
        var status: Thermostat.Status
        var settings: Thermostat.Settings
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
        /// Discarded messages by reason, ``PayloadError``'s names and a few of our own.
        var rejected: [String: Int] = [:]  // Own names: reasons.
    }

    struct Contents: Sendable {
        var rooms: [Room: RoomView] = [:]
        var decisions: [Room: [Decision]] = [:]
        var counters = Counters()
    }

    private static let decisionsKept = 20

    private let contents = Mutex(Contents())

    var snapshot: Contents { contents.withLock { $0 } }

    func update(_ room: Room, status: Thermostat.Status, settings: Thermostat.Settings) {
        contents.withLock { $0.rooms[room] = RoomView(status: status, settings: settings) }
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
