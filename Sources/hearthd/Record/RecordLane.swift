import Heating
import Journal
import Logging
import MQTT
import Machine
import Synchronization

/// The lane that keeps readings: acknowledges to the home broker only what the journal's fsync has made durable.
///
/// Readings of every measure and heat-pump commands are journaled alike; whatever is neither, or cannot be understood, is set aside
/// in the journal with its reason and acknowledged, so that one bad message can neither stop the lane nor be lost.
final class RecordLane: ConnectionHandler {
    /// What the lane has done since it started; read by the control socket.
    struct Counters: Sendable {
        var recorded = 0
        /// Redeliveries of what was already on disk, recognised by packet id, topic and bytes.
        var duplicates = 0
        var retained = 0
        /// Readings that got a place beside another one with the same time.
        var sameTime = 0
        /// What rules in the file are about and holds no reading: other devices, other news.
        var passedOver = 0
        var rejected: [String: Int] = [:]  // Own names: reasons.
        /// Why the last batch was not acknowledged; nil after a good one.
        var failure: String?
    }

    private let journal: Journal
    private let onCommit: @Sendable () -> Void
    private let shared: SharedCounters
    private let findings: FindingBoard
    private let logger: Logger
    private let zone: String
    private let rules: DeviceRules
    private let window: Int
    private var times: SameTimes
    private var redelivery: RedeliveryFilter
    /// The newest row that these two know; nil before they know any.
    private var recalledThrough: Int64?
    /// Whether there may be rows that they do not know: at the start, and after a commit that may or may not have been stored.
    private var mayLackRows = true
    /// Batches in a row for whose sake the rows could not be read; about a minute of reconnections, then it goes on without.
    private static let recallLimit = 20
    private var failedRecalls = 0
    private var isSessionPresent = false
    private var counters = Counters()
    private var backoff = Backoff(base: .milliseconds(250), cap: .seconds(5))
    private var words = RepeatedWords()
    private var rivalry = Rivalry(base: .seconds(1), cap: .seconds(30), guessCap: .seconds(2))
    private var quality = DeliveryQuality()
    private var subscriptions: RecordSubscriptions
    /// Whether the broker had kept the session; nil once it is said.
    private var keptSession: Bool?
    private var overlap: OverlappingFilters
    /// What the session at the broker has subscribed to.
    private var session: SessionFilters

    final class SharedCounters: Sendable {
        private let counters = Mutex(Counters())
        var snapshot: Counters { counters.withLock { $0 } }
        func set(_ new: Counters) { counters.withLock { $0 = new } }
    }

    /// - Parameters:
    ///   - window: the Receive Maximum of this lane's connection; a broker cannot redeliver more than that.
    ///   - onCommit: called after each commit, to wake the uplink.
    init(
        journal: Journal, journalPath: String, window: Int, sensorTimeZone: String, rules: DeviceRules,
        shared: SharedCounters,
        findings: FindingBoard, logger: Logger, onCommit: @escaping @Sendable () -> Void
    ) {
        self.rules = rules
        subscriptions = rules.isBlackBoxOnly ? RecordSubscriptions() : RecordSubscriptions(readings: rules.filters)
        overlap = OverlappingFilters(subscriptions.names)
        session = SessionFilters(beside: journalPath)
        self.journal = journal
        self.onCommit = onCommit
        self.shared = shared
        self.findings = findings
        self.logger = logger
        zone = sensorTimeZone
        times = SameTimes(zone: SystemZones.rules(of: sensorTimeZone) ?? TimeZoneRules(offsetSeconds: 0))
        self.window = window
        redelivery = RedeliveryFilter(window: window, readings: rules.readingsAtMost, committed: [])
        // A disk that fails just now is asked again before the first batch.
        try? recall()
    }

    /// Looks at the newest rows, some at a time, so that what comes again is known, and the same readings get the same places as
    /// before the restart. Nothing is taken before that: a reading would get the place of another one that was acknowledged.
    private func recall() throws(JournalError) {
        guard mayLackRows else { return }
        let isFirst = recalledThrough == nil
        if isFirst {
            let capacity = RedeliveryFilter.capacity(window: window, readings: rules.readingsAtMost)
            redelivery = RedeliveryFilter(
                window: window, readings: rules.readingsAtMost, committed: try journal.recent(capacity))
        }
        var after = recalledThrough ?? max(journal.status.newest - Int64(times.limit), 0)
        while true {
            let batch = try journal.read(after: after, rows: 256)
            guard batch.scannedThrough > after else { break }
            if !isFirst { redelivery.committed(batch.records) }
            // A row that was looked at before is remembered as it was.
            for record in batch.records {
                let attributes = RecordAttributes(bytes: record.attributes)
                guard var arrival = Self.arrival(of: record.topic, record.payload, at: record.receivedAt) else {
                    continue
                }
                arrival.isTimed = attributes.origin?.isArrival != true
                times.remember(arrival, attributes.marks)
            }
            after = batch.scannedThrough
            if !isFirst { recalledThrough = after }
        }
        redelivery.reconnected(sessionPresent: isSessionPresent)
        (recalledThrough, mayLackRows, failedRecalls) = (after, false, 0)
    }

    private static func arrival(of topic: String, _ payload: [UInt8], at time: Int64) -> SameTimes.Arrival? {
        guard case .reading = RecordTopic(topic), let reading = try? Reading(payload: payload) else { return nil }
        return SameTimes.Arrival(
            topic: topic, written: reading.time.timestamp, isNaive: reading.time.isNaive, payload: payload,
            at: Timestamp(nanoseconds: time))
    }

    // MARK: ConnectionHandler

    func connected(_ link: Link, sessionPresent: Bool) {
        keptSession = sessionPresent
        isSessionPresent = sessionPresent
        redelivery.reconnected(sessionPresent: sessionPresent)
        quality.connected(maximumQoS: link.maximumQoS)
        subscriptions.connected()
        overlap.connected()
        session.connected(sessionPresent: sessionPresent, asking: subscriptions.names)
    }

    func received(_ batch: [Message], on link: Link) throws {
        let isNews = quality.saw(batch) { rules.isBlackBoxOnly || rules.takes($0) }
        if isNews { findings.settle(quality.finding, name: Finding.readingsAtQoS0, in: logger) }
        let now = Clock.wallNanoseconds
        do throws(JournalError) {
            try recall()
        } catch {
            failedRecalls += 1
            guard failedRecalls > Self.recallLimit else { throw unkept(error) }
            // Where the newest rows cannot be read at all, new ones are taken all the same.
            mayLackRows = false
        }
        var entries: [Journal.Record] = []
        entries.reserveCapacity(batch.count)
        var rejected: [Journal.Rejected] = []
        var next = counters
        // What is not kept comes again, and must not look like time going back.
        let passes = times.passes
        for message in batch {
            if message.isRetained {
                next.retained += 1
                continue
            }
            if !overlap.counts(message) {
                next.duplicates += 1
                continue
            }
            switch verdict(on: message, now: now) {
            case .keep(let kept, let reason):
                for (index, entry) in kept.enumerated() {
                    if redelivery.isRedelivery(entry.record, ofSameMessage: index > 0) {
                        next.duplicates += 1
                    } else {
                        var record = entry.record
                        if let time = entry.time { mark(&record, time, &next) }
                        entries.append(record)
                    }
                }
                if let reason { setAside(message, reason, now, &rejected, &next) }
            case .passOver: next.passedOver += 1
            case .reject(let reason): setAside(message, reason, now, &rejected, &next)
            }
        }
        do {
            try commit(entries, settingAside: rejected, now: now)
        } catch {
            times.passes = passes
            throw error
        }
        redelivery.committed(entries)
        next.recorded += entries.count
        next.failure = nil
        counters = next
        shared.set(next)
        if !entries.isEmpty { onCommit() }
    }

    private func setAside(
        _ message: Message, _ reason: String, _ now: Int64, _ rejected: inout [Journal.Rejected],
        _ counters: inout Counters
    ) {
        counters.rejected[reason, default: 0] += 1
        rejected.append(.init(topic: message.topic, payload: message.payload, reason: reason, receivedAt: now))
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        guard let answer = subscriptions.answered(packetID, reasons, now: Clock.now) else { return }
        findings.settle(answer.finding, name: "recording-refused", answer.filter, in: logger)
        if answer.finding == nil { overlap.granted(answer.filter) }
        if subscriptions.areAnswered {
            session.takeBack(on: link)
            // Not at the CONNACK: what is sent before the broker has the subscription is nobody's.
            sayRecording(link)
        }
        guard answer.filter != RecordSubscriptions.commands, let granted = reasons.first, granted.isSuccess else {
            return
        }
        guard quality.granted(granted.rawValue) else { return }
        findings.settle(quality.finding, name: Finding.readingsAtQoS0, in: logger)
    }

    private func sayRecording(_ link: Link) {
        guard subscriptions.hasReadings, let session = keptSession.take(),
            let line = words.say("recording", now: Clock.now)
        else { return }
        logger.info("\(line)", metadata: ["protocol": "\(link.version)", "session": "\(session)"])
    }

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {}

    func unsubscribed(_ packetID: Int32, on link: Link) { session.tookBack() }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        guard let link else { return nil }
        for filter in subscriptions.due(now: Clock.now) {
            do {
                let packet = try link.subscribe(
                    [filter],
                    options: .init(retainHandling: .doNotSend, identifier: OverlappingFilters.identifier(of: filter)))
                subscriptions.asked(filter, packet, now: Clock.now)
            } catch {
                link.drop("subscribing to the home broker: \(error)")
            }
        }
        return nil
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        let now = Clock.now
        if let line = words.say("\(cause)", now: now) {
            logger.warning("not recording", metadata: ["cause": "\(line)"])
        }
        let isExplained = subscriptions.ended(after: after, now: now)
        let end = Rivalry.End(cause, after: after, isExplained: isExplained)
        backoff.connectionLasted(.nanoseconds(after))
        var random = SystemRandomNumberGenerator()
        let delay = backoff.next(using: &random)
        return max(delay, rivalry.ended(end, after: .nanoseconds(after), now: now) ?? .zero).wholeNanoseconds
    }

    func stopping(_ link: Link?, now: Int64) -> Bool { true }

    private func verdict(on message: Message, now: Int64) -> RecordVerdict {
        let (hasZone, arrival) = (zone != "UTC", Timestamp(nanoseconds: now))
        guard !rules.isBlackBoxOnly else { return RecordVerdict(on: message, hasZone: hasZone, arrival: arrival) }
        return RecordVerdict(on: message, by: rules, hasZone: hasZone, arrival: arrival)
    }

    /// Gives a reading the sensors' zone, if it names none itself, and what tells it from others with the same time.
    private func mark(_ entry: inout Journal.Record, _ time: DeviceTime, _ counters: inout Counters) {
        let (marks, isKnown) = times.marks(
            SameTimes.Arrival(
                topic: entry.topic, written: time.timestamp, isNaive: time.isNaive, payload: entry.payload,
                at: Timestamp(nanoseconds: entry.receivedAt), isTimed: time.source == .device))
        if marks.nth > 0, !isKnown { counters.sameTime += 1 }
        let zone = time.isNaive ? zone : "UTC"
        guard zone != "UTC" || marks != TimeMarks() else { return }
        var attributes = RecordAttributes(bytes: entry.attributes)
        attributes.properties += RecordAttributes(zone: zone, marks: marks).properties
        entry.attributes = attributes.bytes
    }

    private func commit(_ entries: [Journal.Record], settingAside rejected: [Journal.Rejected], now: Int64) throws {
        guard !entries.isEmpty || !rejected.isEmpty else { return }
        do throws(JournalError) {
            let stored = try journal.append(entries, settingAside: rejected, now: now)
            recalledThrough = stored?.upperBound ?? recalledThrough
        } catch {
            // It may be stored all the same; what comes again is compared with what is there.
            if error.code == .io { mayLackRows = true }
            throw unkept(error)
        }
    }

    /// Tells that a batch is not acknowledged.
    private func unkept(_ error: JournalError) -> JournalError {
        counters.failure = "\(error)"
        shared.set(counters)
        if let line = words.say("\(error)", now: Clock.now) {
            logger.error("not acknowledging: the journal failed", metadata: ["error": "\(line)"])
        }
        return error
    }
}
