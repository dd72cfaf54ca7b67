import Heating
import Logging
import MQTT

/// What the uplink asks of the cloud broker beside taking records: confirmations, commands, and room for the gateway's
/// status. What is refused of it becomes a finding with the line to write; records go on.
///
/// Belongs to the uplink's thread.
struct CloudCourtesy {
    /// A busy link waits this long for a moment in which a close would be the status message's doing.
    private static let patience = Duration.seconds(5)

    private let home: HomeID
    private let asksForConfirmations: Bool
    private let findings: FindingBoard
    private let logger: Logger
    private var permissions = Permissions()
    private var connectedAt: Instant?

    init(_ configuration: Configuration, findings: FindingBoard, logger: Logger) {
        home = configuration.home
        asksForConfirmations = configuration.uplink.confirm == .ingestor
        self.findings = findings
        self.logger = logger
    }

    private var commands: String { "\(home.name)/+/heatpump/set" }
    private var confirmations: String { CloudTopic.ack(home).string }
    private var account: String { CloudTopic.stored(home).string }

    mutating func connected(_ link: Link, now: Instant) throws(LinkError) {
        connectedAt = now
        let options = SubscriptionOptions(retainHandling: .doNotSend)
        if asksForConfirmations {
            let packet = try link.subscribe([confirmations], options: options)
            permissions.sent(packet, .readings, topic: confirmations, now: now)
        }
        if permissions.retry(of: .wishes).map({ $0 <= now }) ?? true {
            let packet = try link.subscribe([commands], options: options)
            permissions.sent(packet, .wishes, topic: commands, now: now)
        }
        if asksForConfirmations, permissions.retry(of: .account).map({ $0 <= now }) ?? true {
            let packet = try link.subscribe([account])
            permissions.sent(packet, .account, topic: account, now: now)
        }
        findings.settle(limits(of: link), name: "cloud-broker-limits", in: logger)
    }

    /// Something that was sent may be why the broker closes.
    func explainsClose(now: Instant) -> Bool { permissions.explainsClose(now: now) }

    mutating func allowsStatus(isBusy: Bool, now: Instant) -> Bool {
        for lesson in permissions.settle(now: now).lessons { learn(lesson) }
        guard permissions.allows(.status, now: now) else { return false }
        return !isBusy || connectedAt.map { now - $0 >= Self.patience } ?? false
    }

    mutating func publish(_ status: Publication, on link: Link, now: Instant) {
        guard let packet = try? link.publish(status) else { return }
        permissions.sent(packet, .status, topic: status.topic, now: now)
    }

    /// - Returns: whether the packet was one of ours.
    mutating func published(_ packetID: Int32, reason: ReasonCode, on link: Link, now: Instant) -> Bool {
        guard permissions.isPending(packetID) else { return false }
        let lesson = permissions.answered(
            packetID, refusal: reason.isSuccess ? nil : reason, isTold: link.tellsRefusals, now: now)
        if let lesson { learn(lesson) }
        return true
    }

    mutating func subscribed(_ packetID: Int32, reasons: [ReasonCode], now: Instant) {
        let refusal = reasons.first { !$0.isSuccess }
        if let lesson = permissions.answered(packetID, refusal: refusal, now: now) { learn(lesson) }
    }

    mutating func disconnected(_ cause: Disconnection, after: Int64, now: Instant) {
        let byPeer = cause.kind == .lost || cause.kind == .disconnectedByBroker && cause.reason != .sessionTakenOver
        for lesson in permissions.closed(byPeer: after > 0 && byPeer, now: now) { learn(lesson) }
    }

    private func learn(_ lesson: Permissions.Lesson) {
        switch lesson {
        case .allowed(let kind, let topic):
            if findings.resolve(name(of: kind), topic) {
                logger.notice("the cloud broker takes it now", metadata: ["topic": "\(topic)"])
            }
        case .refused(let kind, let topic, let reason):
            let why = Sentence.refused(because: reason)
            findings.settle(finding(kind, topic, why), name: name(of: kind), topic, in: logger)
        }
    }

    private func name(of kind: Permissions.Kind) -> String {
        kind.isEssential ? "confirmations-refused" : "cloud-broker-restricts"
    }

    private func finding(_ kind: Permissions.Kind, _ topic: String, _ why: Sentence) -> Finding {
        let sentence: FindingSentence =
            switch kind {
            case .readings: .noConfirmations
            case .wishes: .cloudCannotCommand
            case .account: .noAccount
            default: .statusUnseen
            }
        let access = kind == .status ? "write" : "read"
        return Finding(
            name: name(of: kind), severity: kind.isEssential ? .forwarding : .notice, subject: topic,
            text: .finding(sentence, ["topic": .text(topic), "why": .sentence(why)]),
            advice: .finding(.cloudACL, ["line": .text("topic \(access) \(topic)")]))
    }

    private func limits(of link: Link) -> Finding? {
        let limits = link.limits
        guard !limits.isEmpty else { return nil }
        let isUnsafe = link.maximumQoS == 0 && !asksForConfirmations
        return Finding(
            name: "cloud-broker-limits", severity: isUnsafe ? .forwarding : .notice,
            text: .finding(
                isUnsafe ? .cloudLimitsUnsafe : .cloudLimits,
                ["limits": Sentence.list(limits.map { .finding($0.what) })]),
            advice: .finding(
                .cloudConfiguration, ["lines": .text(limits.map(\.line).joined(separator: "; "))]))
    }
}
