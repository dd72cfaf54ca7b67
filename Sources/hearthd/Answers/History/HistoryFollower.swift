import Heating
import Journal
import Machine
import Synchronization

/// Follows the journal on a thread of its own and keeps a ``History`` of it, so that a chart costs neither a lane nor
/// the control socket a look at the disk.
///
/// The work is bounded: after a start at most about ``rowsAtStart`` of the last day's rows are looked at, evenly
/// spread when there are more, and later at most ``rowsPerTurn``; in between the thread sleeps, so that Record and
/// Uplink find the journal free.
final class HistoryFollower: Sendable {
    static let rowsAtStart: Int64 = 400_000
    static let rowsPerTurn: Int64 = 5 * 1024
    private static let batchRows = 256
    private static let pause: Int64 = 5_000_000
    private static let second: Int64 = 1_000_000_000
    /// The finest step of a chart is twice as long.
    private static let interval = 5 * second

    private struct Contents: Sendable {
        var history = History()
        var hours = HourlyHistory()
        /// The newest hour that is in the file; after a start the journal tells of some of them again.
        var written: Int64?
        var isComplete = false
    }

    private struct Position {
        var epoch: String
        var sequence: Int64
    }

    private let contents = Mutex(Contents())

    func start(_ forwarder: Forwarder) {
        startThread("history") { [self] in run(forwarder) }
    }

    func json(_ span: History.Span, now: Int64) -> JSON {
        // Copied out: making JSON of it takes longer than anybody should wait for the lock.
        let contents = contents.withLock { $0 }
        return contents.history.json(span, now: now, isComplete: contents.isComplete)
    }

    /// Weeks and more, from the file of hours. Waits for the disk.
    func json(_ span: HourlyHistory.Span, in file: HourlyFile, now: Int64) -> JSON {
        let zone = Clock.zoneHours
        let first = span.firstHour(now: now, zoneHours: zone)
        let contents = contents.withLock { $0 }
        return HourlyHistory.json(
            file.rows(since: first) + contents.hours.unfinished(at: now), span, now: now, zoneHours: zone)
    }

    private func run(_ forwarder: Forwarder) {
        var position: Position?
        prepare(HourlyFile(journal: forwarder.snapshot.configuration.journal.path))
        while true {
            let state = forwarder.snapshot
            if state.isStopping { return }
            if let journal = state.journal {
                // A failing disk is told by the lanes that need it; the next turn tries again.
                try? follow(journal, from: &position, state)
            }
            Clock.sleep(contents.withLock { $0.isComplete } ? Self.interval : Self.second)
        }
    }

    private func prepare(_ file: HourlyFile) {
        let now = Clock.wallNanoseconds / HourlyHistory.hour
        file.tidy(hour: now)
        let written = file.rows(since: now - 48).map(\.hour).filter { $0 <= now }.max()
        contents.withLock { $0.written = written }
    }

    /// Writes the hours that have ended.
    private func keep(_ ended: [RoomHour], in file: HourlyFile) {
        guard let newest = ended.map(\.hour).max(), Clock.isCredible(Clock.wall) else { return }
        let written = contents.withLock { contents in
            defer { contents.written = max(newest, contents.written ?? newest) }
            return contents.isComplete ? nil : contents.written
        }
        file.append(ended.filter { $0.hour > written ?? 0 })
        if newest % 24 == 0 { file.tidy(hour: newest) }
    }

    /// To be called every few seconds: an outage is as long as it was seen.
    func observeLinks(_ state: Forwarder.State) {
        let now = Clock.wallNanoseconds
        // Record and Control have the same broker.
        let isHomeUp = state.record?.isConnected
        let isCloudUp = state.uplink?.isConnected
        contents.withLock { contents in
            if let isHomeUp { contents.history.link("home", isUp: isHomeUp, at: now) }
            if let isCloudUp { contents.history.link("cloud", isUp: isCloudUp, at: now) }
        }
    }

    private func follow(
        _ journal: Journal, from position: inout Position?, _ state: Forwarder.State
    ) throws(JournalError) {
        if position?.epoch != journal.epoch {
            let first = try Audit.firstRow(of: journal, since: Clock.wallNanoseconds - History.length)
            position = Position(epoch: journal.epoch, sequence: first - 1)
            contents.withLock { $0.isComplete = false }
        }
        guard var reached = position?.sequence else { return }
        let isComplete = contents.withLock { $0.isComplete }
        let status = journal.status
        let budget = isComplete ? Self.rowsPerTurn : Self.rowsAtStart
        // Of many rows every n-th batch is enough for a curve; the pumps' commands repeat themselves.
        let stride = max(1, (status.newest - reached + budget - 1) / budget)
        while reached < status.newest, journal.epoch == position?.epoch {
            let batch = try journal.read(after: reached, rows: Self.batchRows)
            keep(add(batch.records, state.configuration), in: HourlyFile(journal: state.configuration.journal.path))
            reached = max(batch.scannedThrough, reached + Int64(Self.batchRows) * (stride - 1))
            position?.sequence = min(reached, status.newest)
            Clock.sleep(Self.pause)
        }
        let ended = contents.withLock { contents in
            contents.isComplete = true
            return contents.hours.advance(to: Clock.wallNanoseconds)
        }
        keep(ended, in: HourlyFile(journal: state.configuration.journal.path))
    }

    /// - Returns: the hours that ended with these records.
    private func add(_ records: [Journal.Record], _ configuration: Configuration) -> [RoomHour] {
        var ended: [RoomHour] = []
        var discarded: [Room: [Double]] = [:]
        for record in records {
            switch CurveRecord(topic: record.topic, payload: record.payload, attributes: record.attributes) {
            case .temperature(let value, let measure, let room):
                if discarded[room] == nil { discarded[room] = configuration.settings(for: room).discard }
                if discarded[room]?.contains(value) == true { continue }
                ended += contents.withLock { contents in
                    contents.history.temperature(value, of: measure, in: room, at: record.receivedAt)
                    return contents.hours.temperature(value, of: measure, in: room, at: record.receivedAt)
                }
            case .pump(let isOn, let room):
                ended += contents.withLock { contents in
                    contents.history.pump(isOn, in: room, at: record.receivedAt)
                    return contents.hours.pump(isOn, in: room, at: record.receivedAt)
                }
            case nil: continue
            }
        }
        return ended
    }
}
