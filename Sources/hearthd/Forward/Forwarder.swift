import Heating
import Journal
import Logging
import MQTT
import Machine
import Synchronization

/// The composition root of `hearthd forward`: the lanes that meet the disk and the cloud.
///
/// The journal is opened on a thread of its own, again and again if it must be, and Record and Uplink start when it is
/// there. What happens to this process, heating goes on in its parent.
final class Forwarder: Sendable {
    let logger: Logger
    let uplinkBoard = UplinkBoard()
    let recordCounters = RecordLane.SharedCounters()
    let findings = FindingBoard()
    let history = HistoryFollower()
    let files = FileWatch()
    let outbox: ForwardOutbox
    private let state: Mutex<State>

    /// What changes after the start.
    struct State: Sendable {
        var configuration: Configuration
        var journal: Journal?
        var journalError: String?
        var record: Connection?
        var uplink: Connection?
        var isStopping = false
    }

    /// At first soon: a predecessor that was killed may still have it.
    private static let journalRetries: [Int64] = [100_000_000, 250_000_000, 500_000_000, 2_000_000_000]
    /// What a person sees is asked for; this keeps the parent certain that we live, and its findings fresh.
    private static let reportNanoseconds: Int64 = 3_000_000_000
    private static let keepNanoseconds: Int64 = 5_000_000_000

    init(configuration: Configuration, outbox: ForwardOutbox, logger: Logger) {
        self.logger = logger
        self.outbox = outbox
        state = Mutex(State(configuration: configuration))
    }

    var snapshot: State { state.withLock { $0 } }

    func start() {
        startThread("journal-open") { [self] in openJournal() }
        startThread("report") { [self] in
            while !snapshot.isStopping {
                outbox.send(.report(ForwardSnapshot(self).json))
                history.observeLinks(snapshot)
                Clock.sleep(Self.reportNanoseconds)
            }
        }
        files.start { [self] in
            let now = snapshot
            return now.isStopping ? nil : now.configuration
        }
        history.start(self)
    }

    /// Stops intake, commits, drains briefly, closes. Blocks up to about two and a half seconds.
    func stop() {
        let stopped = state.withLock { state in
            state.isStopping = true
            return state
        }
        stopped.record?.stop(within: 1_000_000_000)
        stopped.uplink?.stop(within: 1_300_000_000)
        stopped.journal?.close()
    }

    /// Takes what a reload changed in the links. Anything else of this side needs a new process, which the parent sees to.
    func adopt(_ new: Configuration) {
        let (old, record, uplink) = state.withLock { state in
            let old = state.configuration
            state.configuration = new
            return (old, state.record, state.uplink)
        }
        if ConnectionSettings.record(old) != .record(new) || new.local.tls != nil { record?.reconfigure(.record(new)) }
        if ConnectionSettings.uplink(old) != .uplink(new) || new.cloud.tls != nil { uplink?.reconfigure(.uplink(new)) }
    }

    // MARK: The journal and the lanes on it

    /// Tries until it works: the disk may be mounted late, full, or read-only for now.
    private func openJournal() {
        var attempts = 0
        while !snapshot.isStopping {
            let configuration = snapshot.configuration
            do throws(JournalError) {
                let journal = try Journal(.init(configuration.journal), now: Clock.wallNanoseconds)
                try startLanes(on: journal, configuration)
                return
            } catch {
                let text = "\(error)"
                let isNew = state.withLock { state in
                    defer { state.journalError = text }
                    return state.journalError != text
                }
                if isNew {
                    logger.error("no journal; heating goes on, nothing is recorded", metadata: ["error": "\(text)"])
                }
            }
            Clock.sleep(Self.journalRetries[min(attempts, Self.journalRetries.count - 1)])
            attempts += 1
        }
    }

    private func startLanes(on journal: Journal, _ configuration: Configuration) throws(JournalError) {
        let uplinkBox = ConnectionBox()
        let record = Connection(.record(configuration), name: "record") { [recordCounters, findings, logger] in
            RecordLane(
                journal: journal, journalPath: configuration.journal.path,
                window: Int(ConnectionSettings.record(configuration).receiveMaximum),
                sensorTimeZone: configuration.sensorTimeZone, rules: configuration.devices.rules,
                shared: recordCounters, findings: findings, logger: logger.lane("record"),
                onCommit: { uplinkBox.wake() })
        }
        let confirmedThrough = try journal.cursor(UplinkLane.cursor)
        var uplink: Connection?
        if configuration.isCloudEnabled {
            uplink = Connection(.uplink(configuration), name: "uplink") { [uplinkBoard, findings, outbox, logger] in
                UplinkLane(
                    configuration: configuration, journal: journal, confirmedThrough: confirmedThrough, outbox: outbox,
                    board: uplinkBoard, findings: findings, logger: logger.lane("uplink"))
            }
        }
        if let uplink { uplinkBox.set(uplink) }
        let now = state.withLock { state in
            state.journal = journal
            state.journalError = nil
            state.record = record
            state.uplink = uplink
            return state
        }
        if now.isStopping { return journal.close() }
        // A reload that came while the journal was being opened found no connections to tell.
        if now.configuration != configuration {
            record.reconfigure(.record(now.configuration))
            uplink?.reconfigure(.uplink(now.configuration))
        }
        for alarm in journal.status.alarms { logger.error("journal", metadata: ["alarm": "\(alarm)"]) }
        logger.info(
            "journal open",
            metadata: ["newest": "\(journal.status.newest)", "unconfirmed": "\(journal.status.unconfirmedRows)"])
        start(record)
        if let uplink { start(uplink) } else { keepForCharts(journal) }
    }

    /// Without a cloud nothing waits for one: what is recorded is history at once, and leaves when it is old.
    private func keepForCharts(_ journal: Journal) {
        let waiting = journal.status.unconfirmedRows
        if waiting > 0 {
            logger.notice(
                "cloud.enabled is false: what waited for the cloud stays for local charts only",
                metadata: ["records": "\(waiting)"])
        }
        startThread("no-cloud") { [self] in
            while !snapshot.isStopping {
                let newest = journal.status.newest
                if newest > journal.status.lowWatermark {
                    // A failing disk is told by the lane that needs it.
                    try? journal.confirm([1...newest], cursor: UplinkLane.cursor, now: Clock.wallNanoseconds)
                }
                Clock.sleep(Self.keepNanoseconds)
            }
        }
    }

    /// Without a thread there is no lane: the parent sees it stand still, and the next process starts afresh.
    private func start(_ connection: Connection) {
        do throws(StartError) {
            try connection.start()
        } catch {
            logger.critical("a lane cannot start", metadata: ["lane": "\(connection.name)", "error": "\(error)"])
        }
    }
}

/// Lets Record wake Uplink although Uplink is built second.
private final class ConnectionBox: Sendable {
    private let connection = Mutex<Connection?>(nil)
    func set(_ new: Connection) { connection.withLock { $0 = new } }
    func wake() { connection.withLock { $0 }?.wake() }
}

extension Logger {
    /// The same logger with the lane's name in each line.
    func lane(_ name: String) -> Logger {
        var logger = self
        logger[metadataKey: "lane"] = "\(name)"
        return logger
    }
}
