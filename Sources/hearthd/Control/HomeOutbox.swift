import Heating
import Logging
import MQTT

/// What Control sends to the home broker: commands at once, conveniences (state, status, discovery) when they are allowed and
/// nothing essential is unanswered. What the broker does not let through becomes a finding with the line to write.
///
/// Belongs to Control's thread.
struct HomeOutbox {
    private typealias Kind = Permissions.Kind

    private struct Waiting {
        var kind: Permissions.Kind
        var publication: Publication
    }

    private struct Subscription {
        var kind: Permissions.Kind
        var filters: [String]
        var qos: UInt8
        var options: SubscriptionOptions
    }

    /// One for each retained topic of a house of the most rooms, and some.
    private static let limit = 2 * ControlMailbox.roomLimit + 16

    private let findings: FindingBoard
    private let logger: Logger
    private var permissions = Permissions()
    /// The newest publication of each topic that has not been sent.
    private var waiting: [ExactString: Waiting] = [:]
    /// Sent, and not answered.
    private var unanswered: [Int32: Waiting] = [:]
    private var subscriptions: [Subscription] = []
    /// Where MQTT cannot refuse a command; nil with a version that can.
    private var echoes: CommandEchoes?

    init(findings: FindingBoard, logger: Logger) {
        self.findings = findings
        self.logger = logger
    }

    /// Something that was sent may be why the broker closes.
    func explainsClose(now: Instant) -> Bool { permissions.explainsClose(now: now) }

    /// A close now has a cause that can be left out next time.
    func returnsAtOnce(now: Instant) -> Bool { permissions.returnsAtOnce(now: now) }

    // MARK: Out

    mutating func connected(_ link: Link, now: Instant) {
        subscriptions = []
        echoes = link.version == .v311 ? CommandEchoes() : nil
        if echoes == nil { findings.resolveAll(Finding.commandsUnseenName) }
        report(link.limitFinding, name: "home-broker-limits")
    }

    /// Asks for messages now, or as soon as it is allowed.
    mutating func subscribe(
        _ filters: [String], as kind: Permissions.Kind, qos: UInt8, options: SubscriptionOptions = .init(),
        on link: Link,
        now: Instant
    ) {
        let subscription = Subscription(kind: kind, filters: filters, qos: qos, options: options)
        // What is asked for after a start is asked for before the readings, and alone only once it was suspected.
        let isFirst = kind == .restoring && permissions.retry(of: kind) == nil
        guard isFirst || permissions.allows(kind, now: now), ask(subscription, link, now) else {
            subscriptions.append(subscription)
            return
        }
    }

    /// A command leaves at once, unless the broker has just refused or closed at its like.
    mutating func command(_ publication: Publication, on link: Link, now: Instant) {
        let entry = Waiting(kind: .command(publication.topic), publication: publication)
        waiting[ExactString(publication.topic)] = nil
        guard permissions.allows(entry.kind, now: now), send(entry, link, now) else {
            waiting[ExactString(publication.topic)] = entry
            return
        }
    }

    /// A convenience leaves when it may; of a topic only the newest does.
    mutating func offer(_ publication: Publication, as kind: Permissions.Kind) {
        guard waiting[ExactString(publication.topic)] != nil || waiting.count < Self.limit else { return }
        waiting[ExactString(publication.topic)] = Waiting(kind: kind, publication: publication)
    }

    /// Sends what may be sent now.
    /// - Returns: when to look again.
    mutating func flush(_ link: Link?, now: Instant) -> Instant? {
        settle(now)
        let echoesDue = link == nil ? nil : judgeEchoes(now)
        guard let link, !waiting.isEmpty || !subscriptions.isEmpty else { return echoesDue }
        for subscription in subscriptions where mayAsk(subscription, now) {
            guard ask(subscription, link, now) else { break }
            subscriptions.removeAll { $0.filters == subscription.filters }
        }
        let isUrgent: (Waiting, Waiting) -> Bool = { $0.kind.isEssential && !$1.kind.isEssential }
        for entry in waiting.values.sorted(by: isUrgent) where permissions.allows(entry.kind, now: now) {
            guard send(entry, link, now) else { break }
            waiting[ExactString(entry.publication.topic)] = nil
        }
        return [permissions.nextRetry(after: now), echoesDue].compactMap(\.self).min()
    }

    /// A command came on a pump's topic, from us or another.
    mutating func heardCommand(_ topic: String) { echoes?.heard(topic) }

    private func judgeEchoes(_ now: Instant) -> Instant? {
        guard let echoes else { return nil }
        if let missing = echoes.missing(now: now) {
            report(missing.isEmpty ? nil : .commandsUnseen(missing), name: Finding.commandsUnseenName)
        }
        return echoes.nextDeadline(after: now)
    }

    /// What was refused on this connection is asked for again when its wait is over.
    private func mayAsk(_ subscription: Subscription, _ now: Instant) -> Bool {
        permissions.allows(subscription.kind, now: now)
            && permissions.retry(of: subscription.kind).map { $0 <= now } ?? true
    }

    private mutating func send(_ entry: Waiting, _ link: Link, _ now: Instant) -> Bool {
        do throws(LinkError) {
            let packet: Int32
            do throws(LinkError) {
                packet = try link.publish(entry.publication)
            } catch {
                // A broker of small packets: better a command without its reason than none.
                guard error.code == .tooLarge, !entry.publication.userProperties.isEmpty else { throw error }
                var bare = entry.publication
                bare.userProperties = []
                packet = try link.publish(bare)
            }
            permissions.sent(packet, entry.kind, topic: entry.publication.topic, now: now)
            unanswered[packet] = entry
            // A pump's own words are not subscribed to.
            if case .command(let topic) = entry.kind, HomeTopic(topic) != nil { echoes?.sent(topic, now: now) }
            return true
        } catch {
            if error.code == .windowFull || error.code == .notConnected { return false }
            learn(.refused(entry.kind, topic: entry.publication.topic, nil), detail: error.message)
            // It will not become sendable by waiting.
            return true
        }
    }

    private mutating func ask(_ subscription: Subscription, _ link: Link, _ now: Instant) -> Bool {
        guard
            let packet = try? link.subscribe(
                subscription.filters, qos: subscription.qos, options: subscription.options)
        else { return false }
        let topic = subscription.filters.first ?? ""
        permissions.sent(packet, subscription.kind, topic: topic, now: now)
        if subscription.kind == .pumps { echoes?.subscribed(packet) }
        return true
    }

    // MARK: In

    mutating func published(_ packetID: Int32, reason: ReasonCode, on link: Link, now: Instant) {
        let lesson = permissions.answered(
            packetID, refusal: reason.isSuccess ? nil : reason, isTold: link.tellsRefusals, now: now)
        if !permissions.isPending(packetID) { unanswered[packetID] = nil }
        if let lesson { learn(lesson) }
    }

    private mutating func settle(_ now: Instant) {
        let (packets, lessons) = permissions.settle(now: now)
        for packetID in packets { unanswered[packetID] = nil }
        for lesson in lessons { learn(lesson) }
    }

    mutating func subscribed(_ packetID: Int32, reasons: [ReasonCode], now: Instant) {
        let refusal = reasons.first { !$0.isSuccess }
        echoes?.answered(packetID, isGranted: refusal == nil)
        guard let lesson = permissions.answered(packetID, refusal: refusal, now: now) else { return }
        learn(lesson)
        // The ACL may be mended while the connection stands.
        if case .refused(.readings, let filter, _) = lesson {
            subscriptions.append(
                Subscription(
                    kind: .readings, filters: [filter], qos: 0, options: .init(retainHandling: .doNotSend)))
        }
    }

    mutating func disconnected(_ cause: Disconnection, after: Int64, now: Instant) {
        let isTakeOver = cause.reason == .sessionTakenOver
        let byPeer = after > 0 && !isTakeOver && (cause.kind == .lost || cause.kind == .disconnectedByBroker)
        for lesson in permissions.closed(byPeer: byPeer, now: now) { learn(lesson) }
        // Commands are said again by the thermostats; of the rest the newest words are still true.
        for entry in unanswered.values
        where !entry.kind.isEssential && waiting[ExactString(entry.publication.topic)] == nil {
            waiting[ExactString(entry.publication.topic)] = entry
        }
        waiting = waiting.filter { !$0.value.kind.isEssential }
        (unanswered, subscriptions) = ([:], [])
    }

    private func learn(_ lesson: Permissions.Lesson, detail: String = "") {
        switch lesson {
        case .allowed(let kind, let topic):
            guard findings.resolve(Finding.name(of: kind), Finding.subject(of: kind, topic)) else { return }
            logger.notice("the home broker takes it now", metadata: ["topic": "\(topic)"])
        // Where there is no Home Assistant nobody misses it.
        case .refused(.descriptions, _, _): return
        case .refused(let kind, let topic, let reason):
            let why = detail.isEmpty ? .sentence(.refused(because: reason)) : Sentence.Value.text(detail)
            let mayBeRetained = reason == nil && detail.isEmpty && kind.isRetained
            report(
                .refused(kind, topic: topic, why: why, mayBeRetained: mayBeRetained), name: Finding.name(of: kind))
        }
    }

    private func report(_ finding: Finding?, name: String) {
        guard let finding else { return findings.resolveAll(name) }
        guard findings.report(finding) else { return }
        let metadata: Logger.Metadata = ["advice": "\(finding.advice)"]
        logger.log(level: finding.severity == .cold ? .error : .warning, "\(finding.text)", metadata: metadata)
    }
}

extension Finding {
    /// The name of what it means that a kind is refused.
    static func name(of kind: Permissions.Kind) -> String {
        switch kind {
        case .readings: "readings-refused"
        case .command: "commands-refused"
        case .restoring, .pumps, .wishes, .account, .status, .state, .discovery, .descriptions: "home-broker-restricts"
        }
    }

    /// One finding for all rooms' states, one for each pump.
    static func subject(of kind: Permissions.Kind, _ topic: String) -> String {
        switch kind {
        case .restoring, .state: "hearth/rooms/+"
        case .discovery: devices(topic)
        case .readings, .command, .pumps, .wishes, .account, .status, .descriptions: topic
        }
    }

    /// Of a device's description, all of them: `homeassistant/device/+/config`.
    private static func devices(_ topic: String) -> String {
        var levels = topic.split(separator: "/", omittingEmptySubsequences: false)
        if levels.count >= 2 { levels[levels.count - 2] = "+" }
        return levels.joined(separator: "/")
    }

    /// - Parameter mayBeRetained: perhaps the broker minds only that the message is to be kept.
    static func refused(
        _ kind: Permissions.Kind, topic: String, why: Sentence.Value, mayBeRetained: Bool = false
    ) -> Finding {
        let room = HomeTopic(topic).map(\.room)
        let (sentence, line): (FindingSentence, String) =
            switch kind {
            case .readings:
                (.noReadings, "topic read \(topic)")
            case .command:
                (.noCommands, room == nil ? "topic write \(topic)" : "topic write +/heatpump")
            case .restoring:
                (.noState, "topic readwrite hearth/#")
            case .pumps:
                (.noOthers, "topic read \(topic)")
            case .wishes, .account:
                (.noHomeAssistantCommands, "topic read hearth/#")
            case .status, .state:
                (.stateHidden, "topic readwrite hearth/#")
            case .descriptions:
                (.notTakenBack, "topic read \(topic)")
            case .discovery:
                (.notAnnounced, "topic write \(devices(topic))")
            }
        return Finding(
            name: name(of: kind), severity: kind.isEssential ? .cold : .notice, subject: subject(of: kind, topic),
            room: room,
            text: .finding(
                sentence, ["topic": .text(topic), "why": why, "room": .text(room?.displayName ?? topic)]),
            advice: .finding(mayBeRetained ? .homeACLOrRetain : .homeACL, ["line": .text(line)]))
    }
}

extension Link {
    /// Whether the answer to a publication says whether it was taken.
    var tellsRefusals: Bool { version == .v5 && maximumQoS > 0 }

    /// What of the connection the broker does not offer; nil when it offers everything.
    var limits: [(what: FindingSentence, line: String)] {
        var limits: [(what: FindingSentence, line: String)] = []
        if !canRetain { limits.append((.noRetained, "retain_available true")) }
        if maximumQoS == 0 { limits.append((.noQoS1, "max_qos 2")) }
        if will == .none { limits.append((.noWill, "topic write on the will's topic in the ACL file")) }
        return limits
    }

    fileprivate var limitFinding: Finding? {
        guard !limits.isEmpty else { return nil }
        return Finding(
            name: "home-broker-limits", severity: .notice,
            text: .finding(.homeLimits, ["limits": Sentence.list(limits.map { .finding($0.what) })]),
            advice: .finding(
                .homeConfiguration, ["lines": .text(limits.map(\.line).joined(separator: "; "))]))
    }
}
