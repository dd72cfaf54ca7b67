import Heating
import Journal
import Logging
import MQTT
import Synchronization

/// The composition root: builds the three lanes, hands each only what DESIGN lets it see, and takes them down in order.
///
/// Control starts first and needs nothing but its broker. The journal is opened on a thread of its own, again and again
/// if it must be, and Record and Uplink start when it is there: a broken disk never keeps a house cold.
final class Gateway: Sendable {
    let startedAt = Clock.wall
    let startedBoot = Clock.bootNanoseconds
    let logger: Logger
    let controlBoard = ControlBoard()
    let uplinkBoard = UplinkBoard()
    let recordCounters = RecordLane.SharedCounters()
    let history = HistoryFollower()
    let mailbox = ControlMailbox()
    let certificates = CertificateWatch()
    let controlFindings = FindingBoard()
    let recordFindings = FindingBoard()
    let uplinkFindings = FindingBoard()
    let control: Connection
    private let state: Mutex<State>

    /// What changes after the start.
    struct State: Sendable {
        var configuration: Configuration
        /// Why the last reload kept the old settings.
        var configurationError: String?
        var journal: Journal?
        var journalError: String?
        /// Boot time of the opener's last attempt: its heartbeat.
        var journalAttempt: Int64 = 0
        var record: Connection?
        var uplink: Connection?
        var isStopping = false
    }

    private static let journalRetryNanoseconds: Int64 = 2_000_000_000

    init(configuration: Configuration, logger: Logger) {
        self.logger = logger
        state = Mutex(State(configuration: configuration))
        control = Connection(.control(configuration), name: "control") {
            [mailbox, controlBoard, controlFindings] in
            ControlLane(
                configuration: configuration, mailbox: mailbox, board: controlBoard, findings: controlFindings,
                logger: logger.lane("control"))
        }
    }

    var snapshot: State { state.withLock { $0 } }

    func start() {
        start(control)
        startThread("journal-open") { [self] in openJournal() }
        certificates.start { [self] in
            let now = snapshot
            return now.isStopping ? nil : now.configuration
        }
    }

    /// Stops intake, commits, drains briefly, closes. Blocks up to about four seconds.
    func stop() {
        let stopped = state.withLock { state in
            state.isStopping = true
            return state
        }
        stopped.record?.stop(within: 1_500_000_000)
        control.stop(within: 500_000_000)
        stopped.uplink?.stop(within: 2_000_000_000)
        stopped.journal?.close()
    }

    // MARK: Settings

    /// Takes a new configuration: thermostats and links at once; what cannot change while running is named in the log.
    func adopt(_ new: Configuration) {
        let (old, record, uplink) = state.withLock { state in
            let old = state.configuration
            state.configuration = new
            state.configurationError = nil
            return (old, state.record, state.uplink)
        }
        mailbox.post(new)
        control.wake()
        control.reconfigure(.control(new))
        record?.reconfigure(.record(new))
        uplink?.reconfigure(.uplink(new))
        for (key, changed) in [
            ("home", old.home != new.home), ("journal", old.journal != new.journal),
            ("uplink", old.uplink != new.uplink), ("sensor_time_zone", old.sensorTimeZone != new.sensorTimeZone),
            ("control.socket", old.controlSocket != new.controlSocket),
        ] where changed {
            logger.warning(
                "this key takes effect at the next start: systemctl restart hearthd", metadata: ["key": "\(key)"])
        }
    }

    func keepOld(because error: ConfigurationError) {
        state.withLock { $0.configurationError = error.description }
    }

    // MARK: Overrides

    /// Hands a person's wish to Control; it takes effect within milliseconds.
    func post(_ wish: ControlMailbox.Wish, for room: Room) -> Bool {
        guard mailbox.post(wish, for: room) else { return false }
        control.wake()
        return true
    }

    // MARK: The journal and the lanes on it

    /// Tries until it works: the disk may be mounted late, full, or read-only for now.
    private func openJournal() {
        while !snapshot.isStopping {
            state.withLock { $0.journalAttempt = Clock.bootNanoseconds }
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
            Clock.sleep(Self.journalRetryNanoseconds)
        }
    }

    private func startLanes(on journal: Journal, _ configuration: Configuration) throws(JournalError) {
        let uplinkBox = ConnectionBox()
        let record = Connection(.record(configuration), name: "record") {
            [recordCounters, recordFindings, logger] in
            RecordLane(
                journal: journal, window: Int(ConnectionSettings.record(configuration).receiveMaximum),
                sensorTimeZone: configuration.sensorTimeZone, shared: recordCounters,
                findings: recordFindings, logger: logger.lane("record"), onCommit: { uplinkBox.wake() })
        }
        let confirmedThrough = try journal.cursor(UplinkLane.cursor)
        let uplink = Connection(.uplink(configuration), name: "uplink") {
            [mailbox, uplinkBoard, uplinkFindings, logger, control] in
            UplinkLane(
                configuration: configuration, journal: journal, confirmedThrough: confirmedThrough, mailbox: mailbox,
                board: uplinkBoard, findings: uplinkFindings, logger: logger.lane("uplink"),
                wakeControl: { control.wake() })
        }
        uplinkBox.set(uplink)
        let isStopping = state.withLock { state in
            state.journal = journal
            state.journalError = nil
            state.record = record
            state.uplink = uplink
            return state.isStopping
        }
        if isStopping { return journal.close() }
        for alarm in journal.status.alarms { logger.error("journal", metadata: ["alarm": "\(alarm)"]) }
        logger.info(
            "journal open",
            metadata: ["newest": "\(journal.status.newest)", "unconfirmed": "\(journal.status.unconfirmedRows)"])
        start(record)
        start(uplink)
    }

    /// Without a thread there is no lane; the watchdog sees it stand still and the next start has a fresh process.
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
    fileprivate func lane(_ name: String) -> Logger {
        var logger = self
        logger[metadataKey: "lane"] = "\(name)"
        return logger
    }
}
