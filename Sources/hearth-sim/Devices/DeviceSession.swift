import MQTT
import Machine
import Synchronization

/// What a device's connection tells the person in front of it. Written by its thread.
final class SharedDeviceSnapshot: Sendable {
    struct Contents: Sendable {
        var isConnected = false
        var published = 0
        var temperature = 0.0
        var isOn = false
    }

    let value = Mutex(Contents())
}

/// One device on a connection of its own, with its own last will.
final class DeviceSession: ConnectionHandler {
    private let name: String
    private var room: DeviceRoom
    private let interval: Int64
    private let start: Int64
    private var nextReading: Int64
    /// States that wait for the device to be done.
    private var dueStates: [Int64] = []
    private let snapshot: SharedDeviceSnapshot
    private let report: ReportFile?

    /// - Parameters:
    ///   - interval: real nanoseconds between two readings.
    ///   - start: boot time at which the simulation began.
    init(
        _ name: String, _ room: DeviceRoom, interval: Int64, start: Int64, snapshot: SharedDeviceSnapshot,
        report: ReportFile?
    ) {
        (self.name, self.room, self.interval, self.start, self.snapshot) = (name, room, interval, start, snapshot)
        self.report = report
        nextReading = start
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        do {
            try link.subscribe([room.model.commandTopic], qos: 1)
        } catch {
            link.drop("subscribe: \(error)")
        }
        say(room.model.announcements + room.model.state(isOn: room.isOn, watts: 0), link)
        snapshot.value.withLock { $0.isConnected = true }
    }

    func received(_ batch: [Message], on link: Link) {
        let now = Clock.bootNanoseconds
        for message in batch where message.topic == room.model.commandTopic {
            let wasOn = room.isOn
            guard room.command(message.payload, after: now - start) else {
                complain("\(name): not understood: \(escaped(message.payload))")
                continue
            }
            if room.isOn != wasOn { tell("\(name): heat pump \(room.isOn ? "on" : "off")") }
            dueStates.append(now + Int64(room.faults.lag * 1e9))
        }
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        if nextReading <= now {
            // A late turn is made up for by nothing: a sensor that was held up has not measured.
            nextReading += interval * max(1, (now - nextReading) / interval + 1)
            let (number, messages) = room.readings(after: now - start)
            if say(messages, link), let number { note("\(name) \(number)\n") }
        }
        while let due = dueStates.first, due <= now {
            dueStates.removeFirst()
            say(room.state(), link)
        }
        snapshot.value.withLock {
            $0.temperature = room.thermal.temperature
            $0.isOn = room.isOn
        }
        return min(nextReading, dueStates.first ?? nextReading)
    }

    func stopping(_ link: Link?, now: Int64) -> Bool {
        say([room.model.will], link)
        return true
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        snapshot.value.withLock { $0.isConnected = false }
        return 1_000_000_000
    }

    /// - Returns: whether all of it is on its way.
    @discardableResult
    private func say(_ messages: [Said], _ link: Link?) -> Bool {
        guard let link else { return false }
        for message in messages {
            do {
                // Zigbee2MQTT and most firmwares publish at QoS 0.
                try link.publish(
                    Publication(
                        topic: message.topic, payload: Array(message.payload.utf8), qos: 0, retain: message.isRetained))
                snapshot.value.withLock { $0.published += 1 }
            } catch {
                complain("\(message.topic): \(error)")
                return false
            }
        }
        return true
    }

    private func note(_ line: String) {
        do { try report?.append(line) } catch { complain("\(error)") }
    }
}
