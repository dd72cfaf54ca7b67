/// The journal behind its mutex: opens the file when needed, and draws the consequences of failures.
final class Store {
    let settings: Journal.Settings
    let layout: Layout
    private var session: Session?
    private var isClosed = false
    /// The file must be set aside before the next use, because of this.
    private var damage: String?
    /// An I/O error happened: pages of the log may be marked clean without being on the disk.
    private var mustRewriteLog = false
    /// Where the cursors were when the last session ended with a failure.
    private var remembered: (epoch: String, cursors: [String: Int64])?  // Own names: readers.
    /// The latest wall time that a caller gave.
    private(set) var lastWallTime: Int64

    /// Confirmed ranges above each cursor.
    var confirmed: [String: ConfirmedRanges] = [:]  // Own names: readers.
    /// Cursors that moved since they were last written.
    var unsavedCursors: Set<String> = []  // Own names: readers.
    var unsavedRows: Int64 = 0
    var cursorsSavedAt: Int64 = 0
    var prunedPartlyAt: Int64?
    var reserveCheckedAt: Int64 = 0
    var unreadableAt: Int64?

    var commits: Int64 = 0
    var commitNanoseconds: Int64 = 0
    var oldestUnconfirmed: (above: Int64, receivedAt: Int64?)?
    private var appendFailure: String?
    private var otherFailure: String?
    /// What happened to the file; stays until the process ends.
    private var notices: [String] = []
    private var isDiskFull = false
    /// How often the file was removed or replaced while in use, and what was done about it last.
    var removals: Int64 = 0
    var removal: String?
    private var lastStatus = JournalStatus()

    init(_ settings: Journal.Settings, now: Int64) throws(JournalError) {
        self.settings = settings
        lastWallTime = now
        layout = Layout(settings)
        try Self.validate(settings)
        _ = try opened()
    }

    private static func validate(_ settings: Journal.Settings) throws(JournalError) {
        let problem: String
        if settings.maxBytes < Journal.minimumBytes {
            problem = "max_size must be at least \(Journal.minimumBytes / 1024) KiB"
        } else if settings.pageSize < 512 || settings.pageSize > 65_536 || settings.pageSize.nonzeroBitCount != 1 {
            problem = "the page size must be a power of two from 512 to 65536"
        } else if settings.path.isEmpty || settings.path.utf8.contains(0) {
            problem = "the journal needs a path"
        } else {
            return
        }
        throw JournalError(code: .settings, message: "\(problem). Correct it in the [journal] section.")
    }

    // MARK: Opening

    func opened() throws(JournalError) -> Session {
        if isClosed {
            throw JournalError(code: .closed, message: "The journal is closed. Start the program again.")
        }
        if let session { return session }
        if mustRewriteLog {
            try FileSystem.syncLog(settings.path + "-wal", rewriting: true)
            mustRewriteLog = false
        }
        if damage == nil {
            // Before SQLite takes the log for shorter than it is and writes over the rest.
            let tail = LogTail(path: settings.path, pageSize: settings.pageSize)
            do throws(JournalError) {
                let session = try JournalFile.open(settings, layout: layout)
                if let tail { try putBack(tail, in: session) }
                return try finishOpening(session)
            } catch {
                guard error.code == .corrupt else { throw error }
                damage = error.message
            }
        }
        return try startAfresh()
    }

    private func adopt(_ session: Session) -> Session {
        self.session = session
        oldestUnconfirmed = nil
        if let remembered, remembered.epoch == session.epoch {
            for (name, through) in remembered.cursors where through > session.cursors[name] ?? -1 {
                session.cursors[name] = min(through, session.newest)
                unsavedCursors.insert(name)
            }
        } else {
            confirmed = session.confirmedAtOpening.mapValues { $0.clipped(through: session.newest) }
            unsavedCursors = []
        }
        for name in session.damagedState {
            notice("The stored value \(name) was damaged and is forgotten; rows may be sent again. Check the disk.")
        }
        if let reservation = FileSystem.reservation(at: settings.path) { notice(reservation) }
        growLog(session)
        while fillReserve(session, step: layout.logBytes / 2) {}
        refreshOldest(session)
        return session
    }

    /// Closes without touching the file any more. Confirmations that were not written yet stay valid for its epoch.
    func abandon() {
        if let session { remembered = (session.epoch, session.cursors) }
        _ = status()
        session = nil
    }

    /// Sets the damaged file aside, puts a new one in its place, and copies what can be read.
    private func startAfresh() throws(JournalError) -> Session {
        let aside = try JournalFile.replace(settings, layout: layout, now: lastWallTime)
        notice("\(damage ?? "The file is damaged.") It is kept as \(aside); delete it when nobody needs it.")
        damage = nil
        return try finishOpening(try JournalFile.open(settings, layout: layout))
    }

    /// Copies what is still to be copied from a file that was set aside, before anything else is appended.
    private func finishOpening(_ session: Session) throws(JournalError) -> Session {
        if let name = session.salvage {
            let path = FileSystem.directory(of: settings.path) + "/" + name
            let salvage = Salvage(path: path, pageSize: settings.pageSize)
            let memory = remembered?.epoch == salvage.state.epoch ? remembered?.cursors ?? [:] : [:]
            session.cursors = salvage.state.cursors.merging(memory) { max($0, $1) }
            let bytes = min(128 << 10, layout.logBytes / 4)
            let result = salvage.copy(after: session.newest, bytes: bytes) { records throws(JournalError) in
                try self.restore(records, in: session)
            }
            // What does not fit stays in the file that is kept; a failing disk is tried again.
            if let failure = result.failure, failure.code == .io || failure.code == .corrupt { throw failure }
            try finishSalvage(salvage.state, result, in: session)
            if result.rows > 0 || result.lost > 0 || result.failure != nil {
                notice(
                    "\(result.rows) rows were recovered from \(name)\(result.lost > 0 ? ", \(result.lost) were lost" : "")"
                        + "\(result.failure.map { ", then: \($0.message)" } ?? ".")")
            }
        }
        return adopt(session)
    }

    func notice(_ text: String) {
        guard !notices.contains(text) else { return }
        notices.append(text)
        if notices.count > 8 { notices.removeFirst() }
    }

    // MARK: Operations

    enum Operation { case append, other }

    /// Runs one operation on the open file and draws the consequences of a failure.
    func perform<Result>(
        _ operation: Operation, now: Int64? = nil, _ body: (Session) throws(JournalError) -> Result
    ) throws(JournalError) -> Result {
        if let now { lastWallTime = now }
        do throws(JournalError) {
            try putBackIfMoved()
            let session = try opened()
            let result = try body(session)
            if session.isBroken { abandon() }
            if operation == .append { (appendFailure, isDiskFull) = (nil, false) } else { otherFailure = nil }
            return result
        } catch {
            settle(error)
            if operation == .append { appendFailure = error.message } else { otherFailure = error.message }
            throw error
        }
    }

    /// What a failure means for the file, whether or not the caller hears of it.
    func settle(_ error: JournalError) {
        switch error.code {
        case .full: isDiskFull = true
        case .io:
            // The state of the pages that could not be synced is unknown: read everything again.
            abandon()
            mustRewriteLog = true
        case .corrupt:
            abandon()
            damage = error.message
        default: break
        }
        if session?.isBroken == true { abandon() }
    }

    /// Copies the log into the database and closes. Nothing works afterwards but `status`.
    func close() {
        guard !isClosed else { return }
        if let session, !session.isBroken {
            // Losing either only means that some confirmed rows are sent again.
            try? saveCursors(in: session, durable: true)
            _ = try? session.connection.checkpoint()
            _ = status()
        }
        session = nil
        isClosed = true
    }

    // MARK: Status

    /// A snapshot from memory, without touching the disk.
    func status() -> JournalStatus {
        var status = lastStatus
        status.path = settings.path
        status.maxBytes = settings.maxBytes
        if let session {
            status.epoch = session.epoch
            status.newest = session.newest
            status.firstKept = session.firstKept
            status.lowWatermark = session.lowWatermark
            status.unconfirmedRows = session.newest - session.lowWatermark
            status.oldestUnconfirmedAt = oldestUnconfirmed?.receivedAt
            status.usedBytes = session.usedBytes
            status.fileBytes = max(session.allocatedBytes, session.pages * Int64(session.pageSize))
            status.walBytes = max(
                Int64(layout.logBytes), Int64(session.connection.logFrames) * Int64(session.pageSize + 24))
            status.reserveBytes = session.ballastBytes
            status.dropped = session.dropped
            status.quarantined = session.quarantined
            status.setAside = session.rejectedCounts
        }
        status.removals = removals
        status.removal = removal
        status.commits = commits
        status.commitNanosecondsLast = commitNanoseconds
        status.lastError = appendFailure ?? otherFailure
        status.alarms = notices + conditions()
        lastStatus = status
        return status
    }

    /// Alarms that end by themselves.
    private func conditions() -> [String] {
        var alarms: [String] = []
        if isDiskFull {
            alarms.append("The disk of \(settings.path) is full and the reserve is used up: free space there.")
        } else if let session, session.ballastBytes < layout.reserveBytes / 2 {
            alarms.append("The reserve for a full disk is in use: free space on the disk of \(settings.path).")
        }
        return alarms
    }
}
