import Glibc
import Heating
import Machine

/// The writer's thread: moves chunks from the inbox through the lanes.
///
/// Made by the writer, then confined to its thread.
final class WriterLoop {
    private let monitor: Monitor<Inbox>
    // Before `multi`, so that the handles are cleaned up first, the order libcurl asks for.
    private let lanes: [Lane]
    private let multi: CurlMulti
    private let alarmChanged: @Sendable (String?) -> Void
    private var reportedAlarm: String?

    init(
        settings: InfluxSettings, endpoint: WriteEndpoint, monitor: Monitor<Inbox>, multi: CurlMulti,
        alarmChanged: @escaping @Sendable (String?) -> Void
    ) throws(InfluxError) {
        self.monitor = monitor
        self.multi = multi
        self.alarmChanged = alarmChanged
        var lanes: [Lane] = []
        for _ in 0..<settings.lanes { lanes.append(try Lane(endpoint: endpoint, settings: settings)) }
        self.lanes = lanes
    }

    /// So that a thread that waits can be told from one that is stuck.
    private static let longestWait: Int64 = 10_000_000_000

    /// Runs until the writer is stopped.
    func run() {
        while let deadline = turn(now: Clock.bootNanoseconds) {
            multi.perform()
            let isAnyDone = collectFinished()
            updateAlarm()
            if !isAnyDone, !acceptOne() {
                multi.wait(nanoseconds: min(deadline - Clock.bootNanoseconds, Self.longestWait))
            }
        }
        for lane in lanes where lane.isSending { multi.remove(lane.handle) }
    }

    /// Books what is done and starts what can start.
    /// - Returns: when something must happen without an event; nil after the stop.
    private func turn(now: Int64) -> Int64? {
        var deadline = Int64.max
        let isStopped = monitor.withLock { inbox in
            for (index, lane) in lanes.enumerated() {
                if var done = lane.takeFinished() {
                    inbox.finish(&done.chunk, rejected: done.rejected)
                    monitor.wakeAll()
                }
                if lane.wantsChunk, let due = inbox.deadline(lane: index) { deadline = min(deadline, due) }
            }
            inbox.status.lastTurn = now
            return inbox.isStopped
        }
        if isStopped { return nil }
        for lane in lanes {
            if lane.beginRequest(now: now) { multi.add(lane.handle) }
            if let due = lane.deadline { deadline = min(deadline, due) }
            if let due = lane.alarmDue, due > now { deadline = min(deadline, due) }
        }
        let inFlight = lanes.count(where: \.isSending)
        monitor.withLock { $0.status.inFlight = inFlight }
        return deadline
    }

    /// Gives one lane its next chunk, idle lanes first. One, because compressing takes milliseconds in which
    /// no request moves.
    private func acceptOne() -> Bool {
        let now = Clock.bootNanoseconds
        for isIdle in [true, false] {
            for (index, lane) in lanes.enumerated() where lane.wantsChunk && lane.isIdle == isIdle {
                if let chunk = monitor.withLock({ $0.take(lane: index, now: now) }) {
                    lane.accept(chunk)
                    return true
                }
            }
        }
        return false
    }

    /// - Returns: whether there was anything, so that the next turn should come at once.
    private func collectFinished() -> Bool {
        var any = false
        while let (pointer, result) = multi.nextFinished() {
            guard let lane = lanes.first(where: { $0.handle.pointer == pointer }) else { continue }
            multi.remove(lane.handle)
            any = true
            let now = Clock.bootNanoseconds
            let wallClock = Timestamp(nanoseconds: Clock.wallNanoseconds)
            monitor.withLock { lane.endRequest(result, now: now, wallClock: wallClock, status: &$0.status) }
        }
        return any
    }

    private func updateAlarm() {
        let now = Clock.bootNanoseconds
        let current = lanes.lazy.compactMap { $0.alarm(now: now) }.first
        guard current != reportedAlarm else { return }
        reportedAlarm = current
        monitor.withLock { $0.status.alarm = current }
        alarmChanged(current)
    }
}
