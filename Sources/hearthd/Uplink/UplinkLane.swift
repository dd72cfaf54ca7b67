import Heating
import Journal
import Logging
import MQTT
import Machine
import Synchronization

/// The lane that forwards the journal to the cloud broker and deletes only what was confirmed.
///
/// What to send, send again or wait for is ``UplinkState``'s decision, ``RecordSender`` reads the journal and publishes;
/// this class hears what the broker answers and the ingestor confirms, and reports. The cloud broker's PUBACK is RAM
/// (measured: a killed Mosquitto loses what it acknowledged), so with `confirm = "ingestor"` only ranges from
/// `<home>/gateway/ack` free a record.
final class UplinkLane: ConnectionHandler {
    /// How often `<home>/gateway/status` is refreshed while connected.
    private static let statusNanoseconds: Int64 = 30_000_000_000
    private static let delayAfterSize = Duration.milliseconds(500)
    /// The broker's acknowledgement and the ingestor's confirmation come a few milliseconds apart; a cloud's command waits
    /// as long.
    private static let restNanoseconds: Int64 = 20_000_000
    /// How long a graceful stop may spend on sending what is already in the journal, where it can as well wait.
    private static let drainNanoseconds: Int64 = 1_000_000_000

    private let configuration: Configuration
    private let journal: Journal
    private let outbox: ForwardOutbox
    private let board: UplinkBoard
    private let findings: FindingBoard
    private let logger: Logger
    private var state: UplinkState
    private var backoff = Backoff()
    private var sender: RecordSender
    private var kept: KeptConfirmations
    private var nextStatus: Int64 = 0
    private var toldFindings: [String] = []
    private var drainUntil: Int64?
    private var rate = DrainRate()
    private var earlier: ConfirmedEarlier
    private var refusal: RecordRefusal
    private var silence = ConfirmationSilence()
    private var words = RepeatedWords()
    private var rivalry = Rivalry(base: .seconds(5), cap: .seconds(600), guessCap: .seconds(60))
    private var courtesy: CloudCourtesy

    init(
        configuration: Configuration, journal: Journal, confirmedThrough: Int64, outbox: ForwardOutbox,
        board: UplinkBoard, findings: FindingBoard, logger: Logger
    ) {
        self.configuration = configuration
        self.journal = journal
        self.outbox = outbox
        self.board = board
        self.findings = findings
        self.logger = logger
        let settings = UplinkState.Settings(
            confirm: configuration.uplink.confirm,
            maxRate: configuration.uplink.maxRate)
        sender = RecordSender(configuration, journal: journal, findings: findings, logger: logger)
        kept = KeptConfirmations(journal)
        refusal = RecordRefusal(isForIngestor: settings.confirm == .ingestor)
        courtesy = CloudCourtesy(configuration, findings: findings, logger: logger)
        earlier = ConfirmedEarlier(confirmedThrough)
        state = UplinkState(
            settings: settings, epoch: journal.epoch, lowWatermark: confirmedThrough, newest: journal.status.newest,
            confirmed: (try? journal.confirmedAbove(Self.cursor)) ?? [])
    }

    /// The journal cursor of this lane.
    static let cursor = "uplink"

    // MARK: ConnectionHandler

    func connected(_ link: Link, sessionPresent: Bool) {
        if let line = words.say("connected to the cloud broker", now: Clock.now) {
            logger.info("\(line)", metadata: ["protocol": "\(link.version)"])
        }
        // One slot stays free for the status message.
        state.connected(sendMaximum: max(1, link.sendMaximum - 1), now: Clock.now)
        nextStatus = 0
        tellControl(isUp: true)
        do {
            try courtesy.connected(link, now: Clock.now)
        } catch {
            link.drop("subscribing to the cloud broker: \(error)")
        }
    }

    func received(_ batch: [Message], on link: Link) throws {
        for message in batch {
            switch CloudTopic(message.topic) {
            // The only one whose newest value is what is wanted, however old.
            case .stored(configuration.home)?: told(message.payload)
            case _ where message.isRetained: break
            case .ack(configuration.home)?: acknowledged(message.payload)
            case .heatpumpSet(configuration.home, let room)?: commanded(message.payload, room)
            default: board.countForeign()
            }
        }
        try kept.keep(state.takeConfirmed())
    }

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
        if courtesy.published(packetID, reason: reason, on: link, now: Clock.now) { return }
        let answer = state.meaning(of: UplinkState.BrokerAnswer(reason), for: packetID)
        sender.answered(packetID, answer)
        // Nobody has to read the gateway's own status; a refusal of it is told all the same.
        guard state.published(packetID, answer, now: Clock.now) || answer == .refused else { return }
        switch answer {
        case .delivered:
            if state.settings.confirm == .ingestor { silence.delivered(at: Clock.bootNanoseconds) }
            accepted()
        // Halved and sent again, or set aside and told.
        case .tooLarge: break
        case .nobody, .refused: refused(reason)
        }
    }

    /// Told once, not per reading.
    private func refused(_ reason: ReasonCode) {
        guard refusal.refused(reason, at: Clock.bootNanoseconds) else { return }
        board.refused(reason.description)
        guard let line = words.say("the cloud broker does not take records", now: Clock.now) else { return }
        logger.warning("\(line)", metadata: ["reason": "\(reason)"])
    }

    private func accepted() {
        guard refusal.accepted(at: Clock.bootNanoseconds) else { return }
        board.refused(nil)
        logger.info("the cloud broker takes records again")
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        courtesy.subscribed(packetID, reasons: reasons, now: Clock.now)
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        let now = Clock.now
        let isForSize = state.hasRefusedSize || cause.reason == .packetTooLarge
        let isExplained =
            courtesy.explainsClose(now: now) || state.hasRefusedSize
            || state.inFlightRecords > 0 && after < 2_000_000_000
        let end = Rivalry.End(cause, after: after, isExplained: isExplained)
        courtesy.disconnected(cause, after: after, now: now)
        sender.disconnected(now: now)
        state.disconnected(isTooLarge: cause.reason == .packetTooLarge, isClosed: cause.kind == .lost)
        silence.disconnected()
        tellControl(isUp: false)
        backoff.connectionLasted(.nanoseconds(after))
        var random = SystemRandomNumberGenerator()
        // Less is asked next time, so this ends soon, and nothing is wrong with the broker.
        var delay = isForSize ? Self.delayAfterSize : backoff.next(using: &random)
        if let wait = rivalry.ended(end, after: .nanoseconds(after), now: now) {
            delay = max(delay, wait)
            let broker = "the cloud broker \(configuration.cloud.address)"
            findings.report(.anotherGateway(configuration.home, at: broker, severity: .forwarding))
        }
        if let line = words.say("\(cause)", now: now) {
            logger.warning("no cloud", metadata: ["cause": "\(line)", "retry": "\(delay)"])
        }
        return delay.wholeNanoseconds
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        do {
            // PUBACKs may have confirmed something (confirm = "broker").
            try followEpoch(link)
            try kept.keep(state.takeConfirmed())
            let note = try kept.note(now: now) ?? .max
            state.newest(journal.status.newest)
            state.floor(journal.status.firstKept - 1)
            var deadline: Int64?
            if let link {
                try sender.setOversizedAside(&state)
                let before = state.inFlightRecords
                deadline = try sender.send(&state, on: link, now: now)
                let isAllSent = Int64(state.inFlightRecords) == state.unconfirmed
                if state.inFlightRecords > before, isAllSent { link.rest(nanoseconds: Self.restNanoseconds) }
                deadline = min(deadline ?? .max, publishStatus(on: link, now: now), lookForSilence(now: now) ?? .max)
            }
            deadline = min(deadline ?? .max, note)
            if !rivalry.isSeen(now: Clock.now) { findings.resolveAll("another-gateway") }
            rate.observe(confirmed: state.lowWatermark, now: now)
            earlier.observe(confirmed: state.lowWatermark, now: now)
            board.update(state, ratePerSecond: rate.perSecond, confirmedEarlier: earlier.confirmed(now: now))
            return deadline == .max ? nil : deadline
        } catch {
            // The journal answers again when the disk does, and the link takes more by and by; meanwhile it stays up.
            tell(error)
            return now + 1_000_000_000
        }
    }

    private func tell(_ error: any Error) {
        let isLink = if case .link? = error as? SendError { true } else { false }
        guard let line = words.say("\(error)", now: Clock.now) else { return }
        logger.error(
            isLink ? "the cloud link does not take a record" : "the uplink cannot read the journal",
            metadata: ["error": "\(line)"])
    }

    func stopping(_ link: Link?, now: Int64) -> Bool {
        guard let link else { return true }
        _ = turn(link, now: now)
        let until = drainUntil ?? now + Self.drainNanoseconds
        drainUntil = until
        if now < until, state.unconfirmed > 0, state.isConnected { return false }
        _ = try? link.publish(GatewayStatus.offline(configuration.home))
        return true
    }

    /// - Returns: when to look again.
    private func lookForSilence(now: Int64) -> Int64? {
        let verdict = silence.verdict(isOpen: state.unconfirmed > 0, now: now)
        switch verdict {
        case .quiet: return nil
        case .waiting(let until): return until
        case .overdue(let since):
            let minutes = max(1, (now - since) / 60_000_000_000)
            let isNews = findings.report(
                .unconfirmed(home: configuration.home, backlog: state.unconfirmed, minutes: minutes))
            if isNews {
                logger.error(
                    "the cloud broker takes records, and none is confirmed",
                    metadata: ["backlog": "\(state.unconfirmed)", "minutes": "\(minutes)"])
            }
            return now + 60_000_000_000
        }
    }

    private func publishStatus(on link: Link, now: Int64) -> Int64 {
        let names = board.findings
        if now >= nextStatus || names != toldFindings {
            guard courtesy.allowsStatus(isBusy: state.inFlightRecords > 0, now: Clock.now) else {
                return now + 1_000_000_000
            }
            courtesy.publish(
                GatewayStatus.online(
                    configuration.home, backlog: state.unconfirmed, time: Clock.wall,
                    findings: names), on: link, now: Clock.now)
            toldFindings = names
            nextStatus = now + Self.statusNanoseconds
        }
        return nextStatus
    }

    // MARK: Confirming

    private func acknowledged(_ payload: [UInt8]) {
        do {
            let acknowledgement = try Acknowledgement(payload: payload)
            state.acknowledged(acknowledgement, now: Clock.now)
            guard acknowledgement.epoch.utf8.elementsEqual(state.epoch.utf8) else { return }
            silence.confirmed()
            if findings.resolve(Finding.unconfirmedName) { logger.info("records are confirmed again") }
        } catch {
            board.countForeign()
            if let line = words.say("an acknowledgement could not be read: \(error)", now: Clock.now) {
                logger.warning("\(line)")
            }
        }
    }

    /// What became of the records; for the audit only.
    private func told(_ payload: [UInt8]) {
        guard let summary = StoredSummary(payload: payload) else { return board.countForeign() }
        board.told(summary.journal(state.epoch))
    }

    /// A damaged journal was replaced while in use: sequences of the old one mean nothing any more.
    private func followEpoch(_ link: Link?) throws(JournalError) {
        let epoch = journal.epoch
        guard epoch != state.epoch else { return }
        logger.error("the journal was replaced; its readable rows are sent again", metadata: ["epoch": "\(epoch)"])
        kept.forget()
        earlier = ConfirmedEarlier(0)
        board.told(nil)
        state = UplinkState(
            settings: state.settings, epoch: epoch, lowWatermark: try journal.cursor(Self.cursor),
            newest: journal.status.newest)
        if let link { state.connected(sendMaximum: max(1, link.sendMaximum - 1), now: Clock.now) }
    }

    private func commanded(_ payload: [UInt8], _ room: Room) {
        guard let command = try? HeatPumpCommand(payload: payload) else {
            board.countForeign()
            return
        }
        outbox.send(.command(room, command))
    }

    /// Control obeys the cloud, where it has the authority, only while this link is up.
    private func tellControl(isUp: Bool) {
        outbox.send(.cloudLink(isUp: isUp))
    }
}
