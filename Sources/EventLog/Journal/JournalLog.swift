import Journal
import Machine
import Synchronization

/// The event log in one file on this machine, for one process: events are in rows of a ``Journal``, several in one where
/// several were appended, and the place of a group in a topic is a cursor named `group/topic`.
///
/// An append is durable when SQLite has synchronised it to the disk. Rows that every group has passed are kept for
/// `history`. A group comes into being with its first reader, and what it has not committed is never deleted: at the
/// size limit appends fail with `full` instead.
public final class JournalLog: EventLog {
    /// Same as for Kafka, so that what one engine takes the other takes too.
    static let maxEventBytes = 1_000_000
    /// Bytes per transaction, well below the journal's write-ahead log, which has to hold one.
    static let transactionBytes = 1 << 20

    let journal: Journal
    let report: NoticeHandler
    let board = LogStatusBoard(engine: "journal")
    private let wake = Monitor(Wake())
    private let appending = Mutex(())
    private let recent = Mutex(RecentRows())

    private struct Wake {
        var appends = 0
        var isClosed = false
    }

    /// Opens the file, or creates it.
    /// - Parameters:
    ///   - path: The database file; only this process may use it.
    ///   - maxBytes: Bound on the file and its write-ahead log, at least 16 MiB.
    ///   - history: How long events that every group has passed are kept.
    /// - Throws: `settings` or `storage`, and the file is left alone.
    public convenience init(
        path: String, maxBytes: Int64 = 8 << 30, history: Duration = .seconds(86_400),
        report: @escaping NoticeHandler = { _ in }
    ) throws(EventLogError) {
        try self.init(path: path, maxBytes: maxBytes, history: history, vfs: nil, report: report)
    }

    /// A log of its own for events that are kept until somebody has looked at them: nothing is deleted before the size
    /// limit is reached; then the oldest make room, which is counted.
    public convenience init(
        keeping path: String, maxBytes: Int64, report: @escaping NoticeHandler = { _ in }
    ) throws(EventLogError) {
        try self.init(path: path, maxBytes: maxBytes, vfs: nil, whenFull: .dropOldest, report: report)
        // A cursor that never moves keeps every row from being history.
        try run { () throws(JournalError) in try journal.advance("kept", through: 0) }
    }

    init(
        path: String, maxBytes: Int64 = 8 << 30, history: Duration = .seconds(86_400), vfs: String?,
        whenFull: WhenFull = .stopAccepting, report: @escaping NoticeHandler = { _ in }
    ) throws(EventLogError) {
        guard maxBytes >= 16 << 20 else {
            throw EventLogError(.settings, "The event log's journal needs at least 16 MiB. Raise its size limit.")
        }
        var settings = Journal.Settings(path: path)
        settings.maxBytes = maxBytes
        settings.whenFull = whenFull
        settings.history = history
        settings.vfs = vfs
        settings.pageSize = 4096
        settings.logBytes = Int(min(16 << 20, maxBytes / 4))
        do throws(JournalError) {
            journal = try Journal(settings, now: Clock.wallNanoseconds)
        } catch {
            throw EventLogError(journal: error)
        }
        self.report = report
    }

    public var status: EventLogStatus {
        var status = board.snapshot
        let file = journal.status
        status.lastError = file.lastError ?? status.lastError
        (status.damaged, status.dropped) = (file.quarantined, file.dropped)
        return status
    }

    var isClosed: Bool { wake.current.isClosed }

    public func close() {
        let wasOpen = wake.change { wake -> Bool in
            defer { wake.isClosed = true }
            return !wake.isClosed
        }
        if wasOpen { journal.close() }
    }

    public func append(_ events: [Event]) throws(EventLogError) {
        try append(events, advancing: [])
    }

    /// Appends and moves cursors with the last events: one transaction, as long as they are not more than a megabyte.
    func append(_ events: [Event], advancing moves: [Journal.CursorMove]) throws(EventLogError) {
        guard !events.isEmpty || !moves.isEmpty else { return }
        guard !isClosed else { throw .closed }
        do throws(EventLogError) {
            let chunks = try chunks(of: events)
            for (number, chunk) in chunks.enumerated() {
                try commit(chunk, advancing: number == chunks.count - 1 ? moves : [])
            }
        } catch {
            board.failedAppend(error)
            throw error
        }
        board.appended(events.count)
        if !events.isEmpty { wake.change { $0.appends &+= 1 } }
    }

    private func commit(
        _ events: ArraySlice<Event>, advancing moves: [Journal.CursorMove]
    ) throws(EventLogError) {
        let now = Clock.wallNanoseconds
        let rows = EventCoding.rows(events, now: now)
        // One at a time, so that the rows are remembered in the order of their sequences.
        try appending.withLock { _ throws(EventLogError) in
            let sequences = try run { () throws(JournalError) in
                try journal.append(rows, advancing: moves, now: now)
            }
            guard let sequences else { return }
            var last = sequences.lowerBound - 1
            let records = rows.map { row in
                last += Int64(row.span)
                return Journal.Record(
                    sequence: last, topic: row.topic, payload: row.payload, attributes: row.attributes,
                    receivedAt: now, span: row.span)
            }
            recent.withLock { $0.add(records, epoch: journal.epoch) }
        }
    }

    /// Pieces for one transaction each; at least one, so that a cursor can move without events.
    private func chunks(of events: [Event]) throws(EventLogError) -> [ArraySlice<Event>] {
        var chunks: [ArraySlice<Event>] = []
        var start = 0
        var bytes = 0
        for index in events.indices {
            let size = events[index].size
            guard size <= Self.maxEventBytes else {
                throw EventLogError(
                    .tooLarge,
                    "appending to \(events[index].topic): the event has \(size) bytes, more than "
                        + "\(Self.maxEventBytes).", eventIndex: index)
            }
            if bytes + size > Self.transactionBytes, index > start {
                chunks.append(events[start..<index])
                start = index
                bytes = 0
            }
            bytes += size
        }
        chunks.append(events[start...])
        return chunks
    }

    public func reader(
        group: String, topics: [String], instance: String? = nil
    ) throws(EventLogError) -> any EventReader {
        guard !isClosed else { throw .closed }
        guard !topics.isEmpty, !group.isEmpty else {
            throw EventLogError(.settings, "A reader needs a group and at least one topic.")
        }
        return try JournalReader(log: self, group: group, topics: topics)
    }

    public func scan(_ topic: String, _ body: (Event) -> Void) throws(EventLogError) {
        let end = journal.status.newest
        var after: Int64 = 0
        while after < end {
            guard !isClosed else { throw .closed }
            let found = try rows(after: after, topics: [topic], atMost: 1000, bytes: 4 << 20)
            for row in found.rows {
                var events: [Event] = []
                EventCoding.append(row, to: &events)
                for event in events { body(event) }
            }
            guard found.through > after else { return }
            after = found.through
        }
    }

    public func probe() throws(EventLogError) {
        guard !isClosed else { throw .closed }
        try run { () throws(JournalError) in _ = try journal.cursor("probe") }
    }

    // MARK: For the readers

    /// Rows after a sequence, in order.
    struct Rows {
        var rows: [Journal.Record] = []
        /// There are no others of the topics up to here.
        var through: Int64
        var epoch: String
    }

    /// Reads on in some topics: rows of at most `count` events, but always one.
    func rows(after: Int64, topics: [String], atMost count: Int, bytes: Int) throws(EventLogError) -> Rows {
        let epoch = journal.epoch
        let (found, passed) = recent.withLock { recent in
            let found = recent.read(after: after, topics: topics, atMost: count, epoch: epoch)
            let passed = found == nil ? recent.end(ofOthersAfter: after, topics: topics, epoch: epoch) : after
            return (found, passed)
        }
        if let found {
            return Rows(rows: found.rows, through: found.through, epoch: epoch)
        }
        if passed > after { return Rows(through: passed, epoch: epoch) }
        let before = journal.status.quarantined
        let batch = try run { () throws(JournalError) in
            try journal.read(after: after, rows: count, bytes: bytes, topics: topics)
        }
        if journal.status.quarantined > before {
            report(
                EventLogNotice(
                    .error,
                    "journal: \(journal.status.quarantined - before) of the events \(after + 1) to \(batch.scannedThrough) are "
                        + "missing from the file or damaged in it: the disk failed or somebody changed the file. Their "
                        + "points may be missing from the database; check the disk (dmesg, smartctl)."))
        }
        return Rows(rows: batch.records, through: batch.scannedThrough, epoch: batch.epoch)
    }

    /// How many appends there were; to be asked before reading, so that none is slept through.
    var appends: Int { wake.current.appends }

    /// Waits for an append after `seen`, the end of the log, or the deadline (monotonic nanoseconds).
    func waitForAppend(after seen: Int, until deadline: Int64) {
        _ = wake.wait(until: deadline) { $0.appends != seen || $0.isClosed }
    }

    @discardableResult
    func run<Result>(_ body: () throws(JournalError) -> Result) throws(EventLogError) -> Result {
        do throws(JournalError) {
            return try body()
        } catch {
            throw EventLogError(journal: error)
        }
    }
}

extension EventLogError {
    init(journal error: JournalError) {
        let code: Code =
            switch error.code {
            case .full, .limit: .full
            case .tooLarge: .tooLarge
            case .io, .corrupt, .permission, .locked: .storage
            case .newerSchema, .settings: .settings
            case .closed: .closed
            }
        self.init(code, error.message)
    }
}
