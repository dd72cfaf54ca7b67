import Glibc
import Heating
import Machine

/// Writes points to one database or bucket: at least once, bounded, for ever.
///
/// Points are encoded on the caller's thread and sent, compressed, by one thread of the writer's own with up to
/// ``InfluxSettings/lanes`` requests in flight. A batch is done when the database has confirmed each of its points
/// or refused it for good; everything else is tried again without an end. Points that are written twice overwrite
/// themselves, so a caller repeats a batch whose result it never saw.
///
/// **Order.** A series (measurement and tags) is hashed to one lane; a lane sends in the order of submission and
/// starts a request only when the one before is decided. So a later value of the same point never loses against
/// an earlier one, whatever is retried or taken apart. The one exception no client can exclude: a server that
/// carries out a request after its caller gave up on it. Readings are not affected, their values never change.
///
/// Every method may be called from any thread. ``submit(_:)``, ``wait(_:)`` and ``write(_:)`` block: call them from
/// threads of your own, never from a task of the Swift concurrency pool.
public final class InfluxWriter: Sendable {
    /// As it was made; ``InfluxSettings/renewed`` has what it knows since.
    public let settings: InfluxSettings
    private let monitor: Monitor<Inbox>
    private let multi: CurlMulti

    /// Starts the writer's thread; the server is not contacted before there is something to write.
    /// - Parameter alarmChanged: called on the writer's thread when ``InfluxStatus/alarm`` appears, changes or
    ///   goes away (nil); must not block.
    /// - Throws: ``InfluxError/invalidSetting(_:)`` or ``InfluxError/outOfMemory``.
    public init(
        _ settings: InfluxSettings, alarmChanged: @escaping @Sendable (String?) -> Void = { _ in }
    ) throws(InfluxError) {
        try settings.check()
        self.settings = settings
        monitor = Monitor(Inbox(settings))
        multi = try CurlMulti(connections: settings.lanes)
        // Handed over: only its thread uses it.
        nonisolated(unsafe) let loop = try WriterLoop(
            settings: settings, endpoint: WriteEndpoint(settings), monitor: monitor, multi: multi,
            alarmChanged: alarmChanged)
        do throws(SystemError) {
            try startThread(named: "influx") { loop.run() }
        } catch {
            throw .outOfMemory
        }
    }

    deinit { stop() }

    /// Writes a batch and waits for its result.
    ///
    /// Other batches may be submitted meanwhile; nothing lingers, since somebody waits.
    /// - Returns: every point is stored or listed as rejected.
    /// - Throws: ``InfluxError/stopped``.
    @discardableResult
    public func write(_ points: [Point]) throws(InfluxError) -> WriteResult {
        try wait(submit(points))
    }

    /// Hands over points; ``RejectedPoint/index`` will be their place in the array. See ``submit(_:)-(PointBatch)``.
    public func submit(_ points: [Point]) throws(InfluxError) -> Ticket {
        var batch = PointBatch()
        for (index, point) in points.enumerated() { batch.add(point, index: index) }
        return try submit(batch)
    }

    /// Hands over a batch, to be sent with others when ``InfluxSettings/maxLines`` are together, after
    /// ``InfluxSettings/linger`` or when somebody waits for it.
    ///
    /// Blocks while ``InfluxSettings/maxHeldBatches`` are held. Points without a line protocol form are rejected
    /// and do not stop the others.
    /// - Parameter lingers: false to send it as soon as its lanes are free, for who will wait for it but has something
    ///   else to do first.
    /// - Throws: ``InfluxError/stopped``; parts of the batch may have been written.
    public func submit(_ batch: PointBatch, lingers: Bool = true) throws(InfluxError) -> Ticket {
        let ticket = Ticket()
        var sorter = LaneSorter(
            settings, pieces: monitor.withLock { inbox in (0..<settings.lanes).map { _ in inbox.takeSpare() } })
        var next = 0
        while next < batch.lines.count {
            batch.bytes.withUnsafeBufferPointer { bytes in
                var start = next == 0 ? 0 : batch.lines[next - 1].end
                while next < batch.lines.count, !sorter.isFull {
                    let line = batch.lines[next]
                    sorter.add(UnsafeBufferPointer(rebasing: bytes[start..<line.end]), line, ticket: ticket)
                    (start, next) = (line.end, next + 1)
                }
            }
            try enqueue(&sorter, ticket)
        }
        monitor.withLock { inbox in
            ticket.rejected += batch.refused
            ticket.isComplete = true
            for lane in sorter.pieces.indices { inbox.keep(&sorter.pieces[lane]) }
            inbox.status.pointsRejected += batch.refused.count
            if !lingers { inbox.flush(ticket) }
        }
        monitor.wakeAll()
        if !lingers { multi.wake() }
        return ticket
    }

    /// Blocks until every point of a submitted batch is stored or rejected. May be called again.
    /// - Throws: ``InfluxError/stopped`` when that had not happened before ``stop()``.
    public func wait(_ ticket: Ticket) throws(InfluxError) -> WriteResult {
        let isDone = monitor.withLock { inbox in
            if ticket.result == nil { inbox.flush(ticket) }
            return ticket.result != nil
        }
        if !isDone { multi.wake() }
        let result = monitor.wait { inbox -> Result<WriteResult, InfluxError>? in
            if let result = ticket.result { return .success(result) }
            return inbox.isStopped ? .failure(.stopped) : nil
        }
        return try result.get()
    }

    /// Gives up: blocked calls throw ``InfluxError/stopped`` at once, requests in flight are dropped (the database may
    /// still store them). Call it after waiting for the tickets that matter. Does not wait for the thread.
    public func stop() {
        monitor.withLock { $0.isStopped = true }
        monitor.wakeAll()
        multi.wake()
    }

    /// A snapshot; never blocks on the network.
    public var status: InfluxStatus { monitor.withLock { $0.status } }

    /// Queues what was sorted, as soon as there is room.
    private func enqueue(_ sorter: inout LaneSorter, _ ticket: Ticket) throws(InfluxError) {
        if sorter.lines == 0 { return }
        let now = Clock.bootNanoseconds
        let isQueued = monitor.wait { inbox -> Bool? in
            if inbox.isStopped { return false }
            guard inbox.admits(lines: sorter.lines, bytes: sorter.bytes) else {
                inbox.flush()
                multi.wake()
                return nil
            }
            for lane in sorter.pieces.indices { inbox.append(&sorter.pieces[lane], lane: lane, now: now) }
            ticket.open += sorter.lines
            return true
        }
        multi.wake()
        if !isQueued { throw .stopped }
        sorter.removeAll()
    }
}

extension InfluxSettings {
    /// - Throws: ``InfluxError/invalidSetting(_:)``.
    fileprivate func check() throws(InfluxError) {
        guard (1...64).contains(lanes) else { throw .invalidSetting("lanes must be 1 to 64") }
        guard (1...1_000_000).contains(maxLines) else { throw .invalidSetting("maxLines must be 1 to 1000000") }
        guard (1...1 << 28).contains(maxBytes) else { throw .invalidSetting("maxBytes must be 1 to 256 MiB") }
        guard (1...1024).contains(maxHeldBatches) else { throw .invalidSetting("maxHeldBatches must be 1 to 1024") }
        guard (0...9).contains(compressionLevel ?? 0) else { throw .invalidSetting("compressionLevel must be 0 to 9") }
        let durations = [linger, connectTimeout, requestTimeout, backoffBase, backoffCap, holdRetry, alarmAfter]
        guard durations.allSatisfy({ $0 >= .zero && $0 <= .seconds(86_400) }) else {
            throw .invalidSetting("the durations must be 0 to 24 hours")
        }
    }
}
