import MQTT
import Machine

/// Publishes one connection's share of a load plan, keeping a bounded number of readings unacknowledged.
final class LoadSession: ConnectionHandler {
    struct Settings: Sendable {
        var qos: UInt8
        /// Readings without acknowledgement at any time.
        var window: Int
        /// Readings to send; nil = until stopped.
        var count: Int?
        /// Send again, after a reconnect, what was not acknowledged.
        var isReliable: Bool
    }

    private let settings: Settings
    private let tally: LoadTally
    private var plan: LoadPlan
    private var schedule: LoadSchedule
    private var counts = LoadCounts()
    /// The index of the next reading that was never sent.
    private var next = 0
    /// Indexes in flight by packet identifier; in the order of sending because identifiers are looked up one by one.
    private var inFlight: [Int32: Int] = [:]
    /// Indexes to send again, highest first.
    private var again: [Int] = []

    init(plan: LoadPlan, rate: Double, settings: Settings, tally: LoadTally) {
        self.plan = plan
        self.settings = settings
        self.tally = tally
        schedule = LoadSchedule(rate: rate)
    }

    func connected(_ link: Link, sessionPresent: Bool) {}

    func received(_ batch: [Message], on link: Link) {}

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
        guard let index = inFlight.removeValue(forKey: packetID) else { return }
        // Also a success when nobody listens (0x10): the load is the broker's, whoever receives it.
        if reason.isSuccess {
            counts.acknowledged += 1
            counts.newest = Clock.bootNanoseconds
        } else if settings.isReliable {
            again.append(index)
        } else {
            counts.refused += 1
        }
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        counts.disconnects += after > 0 ? 1 : 0
        if settings.isReliable {
            again = (again + inFlight.values).sorted(by: >)
        } else {
            counts.lost += inFlight.count
        }
        inFlight.removeAll(keepingCapacity: true)
        tally.fail("\(cause)")
        tally.update(counts, isFinished: isFinished)
        return 200_000_000
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        defer { tally.update(counts, isFinished: isFinished) }
        guard let link else { return nil }
        let due = schedule.due(now: now)
        // A v5 broker may permit fewer than the window.
        while inFlight.count < min(settings.window, link.sendMaximum) {
            guard let index = takeIndex(due: due) else { break }
            guard publish(index, on: link) else { break }
        }
        // At QoS 0 no acknowledgement wakes the thread when there is room again.
        if settings.qos == 0, !inFlight.isEmpty { return now }
        return inFlight.count < settings.window && !isExhausted ? schedule.deadline(sent: next) : nil
    }

    /// Waits for what is in flight, not for what was never sent.
    func stopping(_ link: Link?, now: Int64) -> Bool {
        tally.update(counts, isFinished: isFinished)
        return link == nil || inFlight.isEmpty
    }

    private var isExhausted: Bool { settings.count.map { next >= $0 } ?? false }

    private var isFinished: Bool { isExhausted && again.isEmpty && inFlight.isEmpty }

    private func takeIndex(due: Int) -> Int? {
        if let index = again.popLast() {
            counts.resent += 1
            return index
        }
        guard !isExhausted, next < due else { return nil }
        defer { next += 1 }
        counts.sent += 1
        return next
    }

    private func publish(_ index: Int, on link: Link) -> Bool {
        let reading = plan.reading(at: index)
        do {
            let packetID = try link.publish(
                Publication(topic: reading.topic, payload: reading.payload, qos: settings.qos))
            inFlight[packetID] = index
            if counts.began == nil { counts.began = Clock.bootNanoseconds }
            return true
        } catch {
            again.append(index)
            tally.fail("publish: \(error)")
            return false
        }
    }

}
