import EventLog
import Heating
import Logging
import MQTT
import Machine

/// Cloud MQTT → event log. The PUBACK of a batch leaves only after the log has confirmed all of it, and only then are
/// its sequences confirmed to the homes, which may forget them.
///
/// A handler on its connection's thread. Waiting for the log there is the back-pressure: while the log is away nothing
/// more is read, the broker queues, and what it loses the homes send again.
final class Ingestor: ConnectionHandler {
    /// What the ingestor asks the broker for.
    private static let filters = ["+/+/temperature", "+/+/heatpump", "+/frame"]
    /// And beside it, by name: a filter for all would bring every temperature twice.
    private static let measures = Measure.common.map { "+/+/\($0)" }
    /// Before a part is appended it may have grown to this: memory is a few of these, whatever the homes send.
    private static let partBytes = 4 << 20
    private static let partEvents = 20_000
    /// Nothing more comes for a group that was left this long ago.
    private static let quietNanoseconds: Int64 = 200_000_000

    private var appender: PartAppender
    private var decoder: IngestDecoder
    private let metrics: IngestMetrics
    /// Told what was set aside of the homes' records; P1 never sees that.
    private let book: StoredBook
    private let group: ShareGroup
    private let leavesWhenStopping: Bool
    private var killMark: KillMark
    private let logger: Logger
    private var confirmations = ConfirmationSender()
    /// The way out of the group, once the process is to stop.
    private var leave = Leave.member
    /// There are few ingestors and their broker is near: unlike ten thousand homes they need not spread out for a minute.
    private var backoff = Backoff(base: .milliseconds(500), cap: .seconds(5))
    private var hasWarnedOfFailedConfirmations = false
    private var words = RepeatedWords()
    private var asked = AskedFilters()
    /// The broker knows shared subscriptions. Without them each ingestor gets everything, which makes the same points.
    private var canShare = true
    /// Unanswered questions for measures.
    private var measurePackets: Set<Int32> = []
    /// Connections in a row that ended with one of them unanswered.
    private var closesAtMeasures = 0
    private var load = Load()

    private enum Leave: Equatable {
        case member
        case asked(Int32)
        /// Boot time since when nothing was received.
        case left(since: Int64)
    }

    init(
        log: any EventLog, topics: LogTopics, group: ShareGroup, leavesWhenStopping: Bool, killMark: KillMark,
        book: StoredBook, metrics: IngestMetrics, logger: Logger
    ) {
        appender = PartAppender(log: log, topics: topics, logger: logger)
        self.book = book
        decoder = IngestDecoder(topics: topics)
        self.group = group
        self.leavesWhenStopping = leavesWhenStopping
        self.killMark = killMark
        self.metrics = metrics
        self.logger = logger
        if killMark.isCareful {
            logger.warning("the last run ended amid a batch; each message is watched for a while")
        }
        for culprit in killMark.culprits {
            logger.error(
                "a message that has ended this process before is passed",
                metadata: ["bytes": "\(culprit.size)", "digest": "\(String(culprit.digest, radix: 16))"])
        }
    }

    deinit { killMark.close() }

    // MARK: Connecting

    func connected(_ link: Link, sessionPresent: Bool) {
        say("connected to the cloud broker", .info, ["session": "\(sessionPresent)"])
        do {
            // A session remembers the group's earlier name, and half of the readings would come twice by it.
            let old = group.formerNames.flatMap { self.filters(link, $0) }
            if sessionPresent, link.version == .v5, !old.isEmpty { try link.unsubscribe(old) }
            try ask(for: filters(link, group.name), link)
            try askForMeasures(link)
        } catch {
            link.drop("subscribing to the homes: \(error)")
        }
        confirmations.send(on: link)
    }

    private func ask(for filters: [String], _ link: Link) throws(LinkError) {
        asked.asked(filters, by: try link.subscribe(filters))
    }

    /// Some brokers close the connection at more filters in a packet, or at more of them, than they like: then the gateways'
    /// frames have to do.
    private func askForMeasures(_ link: Link) throws(LinkError) {
        measurePackets = []
        guard closesAtMeasures < 2 else { return }
        for chunk in measureChunks(link) { measurePackets.insert(try link.subscribe(chunk)) }
    }

    /// Eight to a packet, as AWS IoT Core allows (https://docs.aws.amazon.com/general/latest/gr/iot-core.html).
    private func measureChunks(_ link: Link) -> [[String]] {
        let all = filters(link, group.name, of: Self.measures)
        return stride(from: 0, to: all.count, by: 8).map { Array(all[$0..<min($0 + 8, all.count)]) }
    }

    /// `$share` names the group, so that several replicas share the load (MQTT 5 section 4.8.2).
    private func filters(_ link: Link, _ group: String, of filters: [String] = Ingestor.filters) -> [String] {
        filters.map { link.version == .v5 && canShare ? "$share/\(group)/\($0)" : $0 }
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        let isAboutMeasures = measurePackets.remove(packetID) != nil
        if isAboutMeasures, measurePackets.isEmpty { closesAtMeasures = 0 }
        let refused = reasons.first { !$0.isSuccess }
        if refused == Self.noSharing, canShare { return shareNothing(link) }
        if asked.answered(packetID, reasons, now: Clock.bootNanoseconds) {
            metrics.subscription(asked.problem)
            if let problem = asked.problem { say("the cloud broker: \(problem)", .error) }
        } else if let refused, isAboutMeasures {
            // Gateways send them in frames then.
            say(
                "the cloud broker gives no measures but the temperature on topics of their own; those of gateways come in "
                    + "frames. Allow this user to subscribe to +/+/humidity and the like there", .notice,
                ["reason": "\(refused)"])
        }
    }

    private static let noSharing = ReasonCode(rawValue: 0x9E)

    /// A convenience of the broker's that the readings do not depend on.
    private func shareNothing(_ link: Link?) {
        canShare = false
        asked.forget()
        logger.notice("the cloud broker has no shared subscriptions: each ingestor gets everything, so run one of them")
        guard let link else { return }
        do {
            try ask(for: filters(link, group.name), link)
            try askForMeasures(link)
        } catch {
            link.drop("subscribing to the homes: \(error)")
        }
    }

    private func askAgain(_ link: Link, now: Int64) {
        let filters = asked.again(now: now)
        guard !filters.isEmpty, leave == .member else { return }
        do { try ask(for: filters, link) } catch { link.drop("subscribing to the homes: \(error)") }
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        say("no cloud broker: \(cause)", .warning)
        if after > 0, !measurePackets.isEmpty { closesAtMeasures += 1 }
        if cause.reason == Self.noSharing, canShare { shareNothing(nil) }
        asked.forget()
        metrics.subscription(nil)
        confirmations.disconnected()
        metrics.confirmations(confirmations.snapshot)
        backoff.connectionLasted(.nanoseconds(after))
        var random = SystemRandomNumberGenerator()
        return backoff.next(using: &random).wholeNanoseconds
    }

    /// On change, then once a minute with a count.
    private func say(_ text: String, _ level: Logger.Level, _ metadata: Logger.Metadata = [:]) {
        let now = Instant(nanoseconds: Clock.bootNanoseconds)
        if let line = words.say(text, now: now) { logger.log(level: level, "\(line)", metadata: metadata) }
    }

    // MARK: Messages

    func received(_ batch: [Message], on link: Link) throws {
        if case .left = leave { leave = .left(since: Clock.bootNanoseconds) }
        // A retained message is a copy of one that was delivered live; whoever retains readings would flood us.
        let messages = batch.filter { !$0.isRetained }
        killMark.begin()
        defer { killMark.end() }
        let (arrival, now) = (Clock.wall, Clock.now)
        decoder.isBusy = load.isBusy(now: now)
        defer { load.worked(from: now, to: Clock.now) }
        var part = IngestBatch(arrival: arrival)
        for index in FairOrder.order(messages.lazy.map(\.topic)) {
            let message = messages[index]
            if killMark.isCulprit(message) {
                decoder.pass(message, into: &part, now: now)
            } else {
                killMark.watch(message) { decoder.decode(message, into: &part, now: now) }
            }
            guard part.bytes >= Self.partBytes || part.events.count >= Self.partEvents else { continue }
            try keep(part, on: link)
            part = IngestBatch(arrival: arrival)
        }
        try keep(part, on: link)
    }

    /// Appends, and confirms what the log has.
    private func keep(_ part: IngestBatch, on link: Link) throws(EventLogError) {
        var left = PartAppender.Left()
        if !part.events.isEmpty {
            let started = Clock.bootNanoseconds
            do throws(EventLogError) {
                left = try appender.append(part)
                metrics.appended(since: started)
            } catch {
                metrics.failed("\(error)")
                say("the event log did not take a batch; nothing is acknowledged: \(error)", .error)
                throw error
            }
        }
        let letters = left.refused.filter { part.events[$0].topic == decoder.topics.deadLetter }.count
        metrics.ingested(
            part, tooLarge: left.tooLarge.count, refusedLetters: letters, refusedOthers: left.refused.count - letters)
        var marks = part.marks
        for index in left.tooLarge + left.refused { marks[index] = nil }
        let aside = part.events.indices.filter { part.events[$0].topic == decoder.topics.deadLetter }.compactMap {
            marks[$0]
        }
        book.settle(aside.map { RecordName(.init(home: $0.home, epoch: $0.epoch), $0.sequence) }, .deadLetters)
        confirmations.put(IngestBatch.confirmations(marks[...]))
        confirmations.send(on: link)
        metrics.confirmations(confirmations.snapshot)
    }

    // MARK: Confirmations

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
        confirmations.answered(packetID, reason)
        if !reason.isSuccess, !hasWarnedOfFailedConfirmations {
            hasWarnedOfFailedConfirmations = true
            logger.error(
                "the cloud broker refuses confirmations, homes send again. Allow this user to write +/gateway/ack there",
                metadata: ["reason": "\(reason)"])
        }
        confirmations.send(on: link)
        metrics.confirmations(confirmations.snapshot)
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        guard let link else { return nil }
        confirmations.send(on: link)
        askAgain(link, now: now)
        return asked.nextLook
    }

    // MARK: The end

    /// Leaves the group, takes what the broker had given to this member already, and sends the confirmations.
    func stopping(_ link: Link?, now: Int64) -> Bool {
        guard let link, link.isConnected else { return true }
        confirmations.send(on: link)
        switch leave {
        case .member:
            guard leavesWhenStopping, link.version == .v5 else { return confirmations.isEmpty }
            do {
                for chunk in measureChunks(link) { try link.unsubscribe(chunk) }
                leave = .asked(try link.unsubscribe(filters(link, group.name)))
            } catch {
                return true
            }
            return false
        case .asked: return false
        case .left(let since): return confirmations.isEmpty && now - since >= Self.quietNanoseconds
        }
    }

    func unsubscribed(_ packetID: Int32, on link: Link) {
        if leave == .asked(packetID) { leave = .left(since: Clock.bootNanoseconds) }
    }
}
