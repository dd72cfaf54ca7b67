import MQTT
import Machine
import Synchronization

/// What the home's connection tells the person in front of it.
struct HomeSnapshot: Sendable {
    struct Room: Sendable {
        var name: String
        var temperature: Double
        var isHeated: Bool
    }

    var isConnected = false
    var published = 0
    var misunderstood = 0
    var rooms: [Room] = []

    var line: String {
        let states = rooms.map { "\($0.name) \(oneDecimal($0.temperature)) °C \($0.isHeated ? "heating" : "off")" }
        let parts = (isConnected ? [] : ["no broker"]) + states + ["\(published) readings sent"]
        return parts.joined(separator: " · ")
    }
}

/// Plays all sensors and pumps of one home on one connection.
final class HomeSession: ConnectionHandler {
    private var rooms: [SensorRoom]
    private let interval: Int64
    private let start: Int64
    private var due: [Int64]
    private let snapshot: SharedHomeSnapshot

    /// - Parameters:
    ///   - interval: real nanoseconds between two readings of a room.
    ///   - start: the boot time at which the sensors started.
    init(rooms: [SensorRoom], interval: Int64, start: Int64, snapshot: SharedHomeSnapshot) {
        self.rooms = rooms
        self.interval = interval
        self.start = start
        self.snapshot = snapshot
        // Real sensors do not beat in step: each has its own phase.
        due = rooms.indices.map { start + interval * Int64($0) / Int64(rooms.count) }
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        do {
            try link.subscribe(rooms.map(\.statusTopic), qos: 0)
        } catch {
            link.drop("subscribe: \(error)")
        }
        snapshot.value.withLock { $0.isConnected = true }
    }

    func received(_ batch: [Message], on link: Link) {
        let elapsed = Clock.bootNanoseconds - start
        for message in batch {
            for index in rooms.indices where rooms[index].statusTopic == message.topic {
                if !rooms[index].command(message.payload, afterNanoseconds: elapsed) {
                    snapshot.value.withLock { $0.misunderstood += 1 }
                    complain("no heat pump status in a message on \(message.topic)")
                }
            }
        }
        report()
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        snapshot.value.withLock { $0.isConnected = false }
        return 1_000_000_000
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        for index in rooms.indices where due[index] <= now {
            let payload = rooms[index].reading(afterNanoseconds: now - start)
            // A late turn is made up for by nothing: a sensor that was held up has not measured.
            due[index] += interval * max(1, (now - due[index]) / interval + 1)
            publish(payload, from: rooms[index], on: link)
        }
        return due.min()
    }

    private func publish(_ payload: [UInt8], from room: SensorRoom, on link: Link?) {
        // Like the sensor: QoS 0, and what cannot be sent now is gone.
        guard let link else { return }
        do {
            try link.publish(Publication(topic: room.dataTopic, payload: payload, qos: 0))
            snapshot.value.withLock { $0.published += 1 }
        } catch {
            complain("\(room.dataTopic): \(error)")
        }
        report()
    }

    private func report() {
        let states = rooms.map {
            HomeSnapshot.Room(name: $0.name, temperature: $0.thermal.temperature, isHeated: $0.isHeated)
        }
        snapshot.value.withLock { $0.rooms = states }
    }
}

/// Written by the connection's thread, read by the main thread.
final class SharedHomeSnapshot: Sendable {
    let value = Mutex(HomeSnapshot())

    var line: String { value.withLock { $0.line } }
}
