import Heating
import Journal
import Logging
import MQTT
import Synchronization

/// The lane that keeps readings: acknowledges to the home broker only what the journal's fsync has made durable.
///
/// Temperatures and heat-pump commands are journaled alike; whatever is neither, or cannot be understood, is set aside
/// in the journal with its reason and acknowledged, so that one bad message can neither stop the lane nor be lost.
final class RecordLane: ConnectionHandler {
    /// What the lane has done since it started; read by the control socket.
    struct Counters: Sendable {
        var recorded = 0
        /// Redeliveries of what was already on disk, recognised by packet id, topic and bytes.
        var duplicates = 0
        var retained = 0
        var rejected: [String: Int] = [:]
        /// Why the last batch was not acknowledged; nil after a good one.
        var failure: String?
    }

    private let journal: Journal
    private let mailbox: ControlMailbox
    private let onCommit: @Sendable () -> Void
    private let shared: SharedCounters
    private let findings: FindingBoard
    private let logger: Logger
    private let naiveAttributes: [UInt8]
    private var redelivery: RedeliveryFilter
    private var counters = Counters()
    private var backoff = Backoff(base: .milliseconds(250), cap: .seconds(5))
    private var words = RepeatedWords()
    private var rivalry = Rivalry(base: .seconds(1), cap: .seconds(30), guessCap: .seconds(2))
    private var quality = DeliveryQuality()
    private var subscriptions = RecordSubscriptions()

    final class SharedCounters: Sendable {
        private let counters = Mutex(Counters())
        var snapshot: Counters { counters.withLock { $0 } }
        func set(_ new: Counters) { counters.withLock { $0 = new } }
    }

    /// - Parameters:
    ///   - window: the Receive Maximum of this lane's connection; a broker cannot redeliver more than that.
    ///   - mailbox: Control's, for the newest readings while it does not follow the sensors itself.
    ///   - onCommit: called after each commit, to wake the uplink.
    init(
        journal: Journal, window: Int, sensorTimeZone: String, shared: SharedCounters, mailbox: ControlMailbox,
        findings: FindingBoard, logger: Logger, onCommit: @escaping @Sendable () -> Void
    ) {
        self.journal = journal
        self.mailbox = mailbox
        self.onCommit = onCommit
        self.shared = shared
        self.findings = findings
        self.logger = logger
        naiveAttributes = RecordAttributes(zone: sensorTimeZone).bytes
        // A failing read here only costs duplicates, which everything downstream tolerates.
        redelivery = RedeliveryFilter(window: window, committed: (try? journal.recent(window)) ?? [])
    }

    // MARK: ConnectionHandler

    func connected(_ link: Link, sessionPresent: Bool) {
        if let line = words.say("recording", now: Clock.now) {
            logger.info("\(line)", metadata: ["protocol": "\(link.version)", "session": "\(sessionPresent)"])
        }
        redelivery.reconnected(sessionPresent: sessionPresent)
        quality.connected(maximumQoS: link.maximumQoS)
        subscriptions.connected()
    }

    func received(_ batch: [Message], on link: Link) throws {
        if quality.saw(batch) { report(quality.finding, name: Finding.readingsAtQoS0) }
        let now = Clock.wallNanoseconds
        var entries: [Journal.Entry] = []
        entries.reserveCapacity(batch.count)
        var rejected: [Journal.Rejected] = []
        var next = counters
        let isObserved = mailbox.wantsObservations.load(ordering: .relaxed)
        var observations: [Room: Double] = [:]
        for message in batch {
            if message.isRetained {
                next.retained += 1
                continue
            }
            switch RecordLane.classify(message, naive: naiveAttributes) {
            case .keep(let attributes, let reading):
                if isObserved, let reading { observations[reading.room] = reading.value }
                let entry = Journal.Entry(
                    topic: message.topic, payload: message.payload, attributes: attributes,
                    packetID: message.packetID, receivedAt: now)
                if redelivery.isRedelivery(entry) {
                    next.duplicates += 1
                } else {
                    entries.append(entry)
                }
            case .reject(let reason):
                next.rejected[reason, default: 0] += 1
                rejected.append(
                    .init(topic: message.topic, payload: message.payload, reason: reason, receivedAt: now))
            }
        }
        try commit(entries, settingAside: rejected, now: now)
        redelivery.committed(entries)
        next.recorded += entries.count
        next.failure = nil
        counters = next
        shared.set(next)
        if !entries.isEmpty { onCommit() }
        if !observations.isEmpty { mailbox.post(observations: observations) }
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        guard let answer = subscriptions.answered(packetID, reasons, now: Clock.now) else { return }
        report(answer.finding, name: "recording-refused", answer.filter)
        guard answer.filter == RecordSubscriptions.readings, let granted = reasons.first, granted.isSuccess else {
            return
        }
        if quality.granted(granted.rawValue) { report(quality.finding, name: Finding.readingsAtQoS0) }
    }

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {}

    func turn(_ link: Link?, now: Int64) -> Int64? {
        guard let link else { return nil }
        for filter in subscriptions.due(now: Clock.now) {
            do {
                let packet = try link.subscribe([filter], options: .init(retainHandling: .doNotSend))
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

    private func report(_ finding: Finding?, name: String, _ subject: String = "") {
        guard let finding else {
            findings.resolve(name, subject)
            return
        }
        guard findings.report(finding) else { return }
        logger.warning("\(finding.text)", metadata: ["advice": "\(finding.advice)"])
    }

    func stopping(_ link: Link?, now: Int64) -> Bool { true }

    // MARK: Deciding

    enum Verdict: Equatable {
        case keep(attributes: [UInt8], reading: Observation?)
        case reject(String)
    }

    struct Observation: Equatable {
        var room: Room
        var value: Double
    }

    /// Whether a message is kept, and with which attributes. A pump command's `timestamp` and `reason` user properties
    /// travel with it; a naive reading gets the sensors' zone (`naive`).
    static func classify(_ message: Message, naive: [UInt8]) -> Verdict {
        switch HomeTopic(message.topic) {
        case .temperature(let room):
            do throws(PayloadError) {
                let reading = try Reading(payload: message.payload)
                return .keep(
                    attributes: reading.isNaive ? naive : [], reading: Observation(room: room, value: reading.value))
            } catch {
                return .reject(error.rawValue)
            }
        case .heatpump:
            guard (try? HeatPumpCommand(payload: message.payload)) != nil else { return .reject("bad_command") }
            return .keep(attributes: RecordAttributes(userProperties: message.userProperties).bytes, reading: nil)
        case nil:
            return .reject("unknown_topic")
        }
    }

    private func commit(_ entries: [Journal.Entry], settingAside rejected: [Journal.Rejected], now: Int64) throws {
        guard !entries.isEmpty || !rejected.isEmpty else { return }
        do throws(JournalError) {
            _ = try journal.append(entries, settingAside: rejected, now: now)
        } catch {
            counters.failure = "\(error)"
            shared.set(counters)
            if let line = words.say("\(error)", now: Clock.now) {
                logger.error("not acknowledging: the journal could not commit", metadata: ["error": "\(line)"])
            }
            throw error
        }
    }
}
