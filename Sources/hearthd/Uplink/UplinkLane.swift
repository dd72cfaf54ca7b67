import Compression
import Heating
import Journal
import Logging
import MQTT
import Machine
import Synchronization

/// The lane that forwards the journal to the cloud broker and deletes only what was confirmed.
///
/// What to send, send again or wait for is ``UplinkState``'s decision; this class reads the journal, publishes, and
/// reports back. The cloud broker's PUBACK is RAM (measured: a killed Mosquitto loses what it acknowledged), so with
/// `confirm = "ingestor"` only ranges from `<home>/gateway/ack` free a record.
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
    /// Confirmed, and not yet noted by the journal.
    private var unkept: [ClosedRange<Int64>] = []
    /// When the journal is asked to write down what it noted, boot time: after the last confirmation nothing else may come.
    private var noteAt: Int64?
    private var nextStatus: Int64 = 0
    private var drainUntil: Int64?
    private var rate = DrainRate()
    private var earlier: ConfirmedEarlier
    /// Why the broker refuses publications, and when it did so last.
    private var refusal: (reason: ReasonCode, at: Int64)?
    private var silence = ConfirmationSilence()
    private var words = RepeatedWords()
    private var rivalry = Rivalry(base: .seconds(5), cap: .seconds(600), guessCap: .seconds(60))
    private var courtesy: CloudCourtesy
    private var measures = MeasureRoute()

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
            confirm: configuration.uplink.confirm == .broker ? .broker : .ingestor,
            maxRate: configuration.uplink.maxRate)
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
        try keepConfirmed()
    }

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
        if courtesy.published(packetID, reason: reason, on: link, now: Clock.now) { return }
        let answer = state.meaning(of: UplinkState.BrokerAnswer(reason), for: packetID)
        measures.answered(packetID, .init(answer), now: Clock.now)
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
        let isNews = refusal?.reason != reason
        refusal = (reason, Clock.bootNanoseconds)
        guard isNews else { return }
        board.refused(reason.description)
        guard let line = words.say("the cloud broker does not take records", now: Clock.now) else { return }
        logger.warning("\(line)", metadata: ["reason": "\(reason)"])
    }

    private func accepted() {
        guard let last = refusal, Clock.bootNanoseconds - last.at >= refusalNanoseconds else { return }
        refusal = nil
        board.refused(nil)
        logger.info("the cloud broker takes records again")
    }

    /// How long after the last refusal it is over. An ingestor takes all topics or none; a plain broker may take some
    /// and refuse others, which are tried again every ten minutes at the latest.
    private var refusalNanoseconds: Int64 { state.settings.confirm == .ingestor ? 0 : 900_000_000_000 }

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
        measures.disconnected(now: now)
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
            try keepConfirmed()
            let note = try noteConfirmed(now: now) ?? .max
            state.newest(journal.status.newest)
            state.floor(journal.status.firstKept - 1)
            var deadline: Int64?
            if let link {
                try setOversizedAside()
                let before = state.inFlightRecords
                deadline = try send(on: link, now: now)
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
        let isLink = if case .link? = error as? LaneError { true } else { false }
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

    // MARK: Sending

    /// Sends until the state says to wait; returns when to look again.
    private func send(on link: Link, now: Int64) throws -> Int64? {
        while true {
            switch state.nextAction(now: Instant(nanoseconds: now)) {
            case .send(let batch):
                guard try sendNow(batch, on: link) else { return nil }
            case .wait(let until):
                return until?.nanoseconds
            case .reconnect:
                link.drop("the cloud broker has answered nothing for a minute")
                return nil
            }
        }
    }

    /// - Returns: false when the library's window is full or the journal was replaced; the next turn goes on.
    private func sendNow(_ batch: UplinkState.Batch, on link: Link) throws(LaneError) -> Bool {
        do throws(LaneError) {
            try publish(batch, try read(batch), on: link)
            return true
        } catch {
            if case .link(let problem) = error, problem.code == .windowFull { return false }
            if case .replaced = error { return false }
            throw error
        }
    }

    /// The rows of a run, and how far the run was read.
    private struct Run {
        var records: [Journal.Record]
        var scanned: ClosedRange<Int64>
    }

    private func read(_ batch: UplinkState.Batch) throws(LaneError) -> Run {
        let read: Journal.Batch
        do throws(JournalError) {
            read = try journal.read(after: batch.after, rows: batch.rows, bytes: batch.bytes)
        } catch {
            throw .journal(error)
        }
        guard read.epoch == state.epoch else { throw .replaced }
        let end = min(max(read.scannedThrough, batch.range.lowerBound), batch.range.upperBound)
        return Run(
            records: read.records.filter { $0.sequence <= batch.range.upperBound },
            scanned: batch.range.lowerBound...end)
    }

    private func publish(_ batch: UplinkState.Batch, _ run: Run, on link: Link) throws(LaneError) {
        let now = Clock.now
        guard !run.records.isEmpty else { return state.skipped(run.scanned) }
        if batch.asFrame || mustFrame(link) {
            var records = run.records[...]
            while !(records.count == 1 && !mustFrame(link)) {
                let isAll = records.count == run.records.count
                let end = isAll ? run.scanned.upperBound : records.last?.sequence ?? run.scanned.upperBound
                let scanned = run.scanned.lowerBound...end
                if let packet = try publishIfItFits(frame(Array(records)), on: link) {
                    return state.sent(records.map(\.sequence), scanned: scanned, flight: packet, now: now)
                }
                guard records.count > 1 else { return try setAside(records, scanned) }
                state.frameTooLarge(rows: records.count)
                records = records.prefix(records.count / 2)
            }
            let end = records.count == run.records.count ? run.scanned.upperBound : nil
            return try publishEach(records, through: end, run, on: link)
        }
        try publishEach(run.records[...], through: run.scanned.upperBound, run, on: link)
    }

    /// One message for each record.
    /// - Parameter end: how far the run was read behind the last one.
    private func publishEach(
        _ records: ArraySlice<Journal.Record>, through end: Int64?, _ run: Run, on link: Link
    ) throws(LaneError) {
        var from = run.scanned.lowerBound
        for (index, record) in zip(records.indices, records) {
            let isLast = index == records.endIndex - 1
            let scanned = from...(isLast ? max(record.sequence, end ?? 0) : record.sequence)
            from = record.sequence + 1
            let topic = RecordTopic(record.topic)
            let needsFrame = configuration.uplink.confirm == .ingestor && measures.needsFrame(topic, now: Clock.now)
            guard let packet = try publishIfItFits(needsFrame ? frame([record]) : single(record), on: link) else {
                try setAside([record], scanned)
                continue
            }
            if !needsFrame { measures.sent(topic, as: packet) }
            var isCommand = false
            if case .heatpump = topic { isCommand = true }
            state.sent(
                [record.sequence], scanned: scanned, flight: packet, isCommand: isCommand, now: Clock.now)
        }
    }

    /// - Returns: nil when it is larger than the broker said it takes (MQTT 5 section 3.2.2.3.6).
    private func publishIfItFits(_ publication: Publication, on link: Link) throws(LaneError) -> Int32? {
        do throws(LaneError) {
            return try publish(publication, on: link)
        } catch {
            if case .link(let problem) = error, problem.code == .tooLarge { return nil }
            throw error
        }
    }

    // MARK: What no broker takes

    private func setOversizedAside() throws(LaneError) {
        for range in state.takeOversized() {
            let records: [Journal.Record]
            do throws(JournalError) {
                records = try journal.read(after: range.lowerBound - 1, rows: 1).records
            } catch {
                throw .journal(error)
            }
            try setAside(records.filter { range.contains($0.sequence) }[...], range)
        }
    }

    /// Keeps a record that the cloud broker takes in no form where a person sees it, and goes on.
    private func setAside(_ records: ArraySlice<Journal.Record>, _ scanned: ClosedRange<Int64>) throws(LaneError) {
        do throws(JournalError) {
            _ = try journal.append(
                [],
                settingAside: records.map {
                    .init(
                        topic: $0.topic, payload: $0.payload, reason: "too_large_for_cloud", receivedAt: $0.receivedAt)
                }, now: Clock.wallNanoseconds)
        } catch {
            throw .journal(error)
        }
        state.skipped(scanned)
        for record in records where findings.report(.recordTooLarge(record)) {
            logger.error(
                "a record is larger than the cloud broker takes; it is set aside",
                metadata: [
                    "topic": "\(record.topic.debugDescription)", "sequence": "\(record.sequence)",
                    "bytes": "\(record.payload.count)",
                ])
        }
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

    private func publish(_ publication: Publication, on link: Link) throws(LaneError) -> Int32 {
        do throws(LinkError) {
            return try link.publish(publication)
        } catch {
            throw .link(error)
        }
    }

    /// MQTT 3.1.1 has no user properties, so sequence and epoch can only travel inside a frame.
    private func mustFrame(_ link: Link) -> Bool {
        configuration.uplink.confirm == .ingestor && link.version == .v311
    }

    private func frame(_ records: [Journal.Record]) -> Publication {
        let frame = Frame(
            epoch: state.epoch,
            records: records.map {
                .init(sequence: $0.sequence, topic: $0.topic, payload: $0.payload, attributes: $0.attributes)
            })
        return Publication(
            topic: CloudTopic.frame(configuration.home).string, payload: frame.encode(with: .zlib), qos: 1)
    }

    private func single(_ record: Journal.Record) -> Publication {
        var properties = [UserProperty("seq", "\(record.sequence)"), UserProperty("epoch", state.epoch)]
        properties += RecordAttributes(bytes: record.attributes).properties
        return Publication(
            topic: "\(configuration.home.name)/\(record.topic)", payload: record.payload, qos: 1,
            userProperties: properties)
    }

    private func publishStatus(on link: Link, now: Int64) -> Int64 {
        if now >= nextStatus {
            guard courtesy.allowsStatus(isBusy: state.inFlightRecords > 0, now: Clock.now) else {
                return now + 1_000_000_000
            }
            courtesy.publish(
                GatewayStatus.online(configuration.home, backlog: state.unconfirmed), on: link, now: Clock.now)
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

    private func keepConfirmed() throws(JournalError) {
        unkept += state.takeConfirmed()
        guard !unkept.isEmpty else { return }
        try journal.confirm(unkept, cursor: Self.cursor, now: Clock.wallNanoseconds)
        unkept = []
        noteAt = Clock.bootNanoseconds + 1_050_000_000
    }

    /// - Returns: when to look again.
    private func noteConfirmed(now: Int64) throws(JournalError) -> Int64? {
        guard let due = noteAt else { return nil }
        guard now >= due else { return due }
        noteAt = nil
        try journal.confirm([], cursor: Self.cursor, now: Clock.wallNanoseconds)
        return nil
    }

    /// A damaged journal was replaced while in use: sequences of the old one mean nothing any more.
    private func followEpoch(_ link: Link?) throws(JournalError) {
        let epoch = journal.epoch
        guard epoch != state.epoch else { return }
        logger.error("the journal was replaced; its readable rows are sent again", metadata: ["epoch": "\(epoch)"])
        unkept = []
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

extension MeasureRoute.Answer {
    fileprivate init(_ answer: UplinkState.BrokerAnswer) {
        switch answer {
        case .delivered, .tooLarge: self = .taken
        case .nobody: self = .nobody
        case .refused: self = .refused
        }
    }
}

/// What can go wrong on the way from the journal to the link.
private enum LaneError: Error {
    /// The journal's file was replaced a moment ago.
    case replaced
    case journal(JournalError)
    case link(LinkError)
}
