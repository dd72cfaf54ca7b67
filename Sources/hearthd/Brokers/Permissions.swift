import Heating
import MQTT

/// What a broker lets us do, kind by kind, learnt from its answers and from when it closes.
///
/// A convenience never decides over the essential: some brokers close the connection at a message that an ACL forbids
/// (Mosquitto 2.0.11 with MQTT v5, AWS IoT), and what was sent and not answered then is suspected, conveniences first. A suspect
/// is withheld for a while that grows, and tried again alone. A decision only: it sends nothing.
struct Permissions {
    /// What may be allowed or not.
    enum Kind: Hashable {
        /// The subscription to the sensors.
        case readings
        /// Commands to one heat pump, by their topic.
        case command(String)
        /// Retained state asked for after a start.
        case restoring
        /// What others command the pumps.
        case pumps
        /// What Home Assistant commands.
        case wishes
        /// What the cloud says became of this home's records.
        case account
        /// `online` and `offline`.
        case status
        /// The rooms' retained state.
        case state
        /// What Home Assistant is told about the devices.
        case discovery
        /// What it was told before, to take back what is true no longer.
        case descriptions

        var isEssential: Bool {
            switch self {
            case .readings, .command: true
            case .restoring, .pumps, .wishes, .account, .status, .state, .discovery, .descriptions: false
            }
        }

        /// Published as a retained message.
        var isRetained: Bool {
            switch self {
            case .status, .state, .discovery: true
            case .readings, .command, .restoring, .pumps, .wishes, .account, .descriptions: false
            }
        }
    }

    struct Pending: Equatable {
        var kind: Kind
        var topic: String
        var since: Instant
        /// Answered in a way that does not say whether it was taken: it counts as taken from here on.
        var settlesAt: Instant?

        /// Whether it may be why the broker closes now, and other conveniences wait for it.
        func isOpen(_ now: Instant) -> Bool { now < settlesAt ?? since + Permissions.answerTime }
    }

    /// What was learnt.
    enum Lesson: Equatable {
        /// Refused with a reason, or the connection is closed at it again and again (nil).
        case refused(Kind, topic: String, ReasonCode?)
        case allowed(Kind, topic: String)
    }

    private struct Withheld {
        var until: Instant
        var times: Int
        /// Closes at which nothing else was suspected.
        var proofs: Int
    }

    /// An answer that took longer than this explains no close, and holds nothing up.
    private static let answerTime = Duration.seconds(10)
    /// How soon after an answer without a reason (MQTT 3.1.1, QoS 0) a broker closes that did not take it.
    private static let settlingTime = Duration.milliseconds(200)
    private static let waits: [Duration] = [2, 10, 60, 600, 3600].map { .seconds($0) }
    /// How long a convenience waits that was refused, or closed at, so many times in a row.
    static func wait(afterRefusal times: Int) -> Duration {
        waits[min(max(times, 1), waits.count) - 1]
    }
    /// For commands. Once or twice may be the network: they are not held back for it.
    private static let waitsAfterClose: [Duration] = [0, 0, 1, 2, 5].map { .seconds($0) }
    private static let waitsAfterRefusal: [Duration] = [1, 2, 5, 10, 30].map { .seconds($0) }
    /// Closes with one suspect alone before it is said.
    private static let proofsNeeded = 2
    /// Pumps of more rooms than this are not remembered as refused: names come from the wire.
    private static let limit = 2 * ControlMailbox.roomLimit

    private var pending: [Int32: Pending] = [:]
    private var withheld: [Kind: Withheld] = [:]
    private var refusedAt: Instant?
    /// Conveniences that were answered well on this connection.
    private var proven: Set<Kind> = []

    /// Of how many kinds something is remembered.
    var remembered: Int { withheld.count + proven.count }

    /// Whether something of the kind may be sent now. A convenience that was not answered yet on this connection waits until
    /// nothing else is unanswered, so that a close tells what it was about.
    func allows(_ kind: Kind, now: Instant) -> Bool {
        // Without the readings there is nothing else to do.
        if kind == .readings { return true }
        if let withheld = withheld[kind], now < withheld.until { return false }
        if kind.isEssential || proven.contains(kind) { return true }
        return !pending.values.contains { $0.isOpen(now) }
    }

    /// When a kind that is withheld now may be tried again.
    func retry(of kind: Kind) -> Instant? { withheld[kind]?.until }

    /// The next end of a wait after `now`.
    func nextRetry(after now: Instant) -> Instant? {
        let ends = withheld.values.map(\.until) + pending.values.compactMap(\.settlesAt)
        return ends.filter { $0 > now }.min()
    }

    func isPending(_ packetID: Int32) -> Bool { pending[packetID] != nil }

    /// Something that was sent and not answered, or refused a moment ago, may explain a close now: Mosquitto 2.0.11 refuses
    /// a publication first and closes then.
    func explainsClose(now: Instant) -> Bool {
        if let refusedAt, now - refusedAt < Self.answerTime { return true }
        return pending.values.contains { $0.isOpen(now) }
    }

    /// Whether to come back at once after a close now: what is blamed is withheld then, or has been blamed once at most, so that it
    /// costs no storm.
    func returnsAtOnce(now: Instant) -> Bool {
        pending.values.contains { sent in
            sent.isOpen(now) && (!sent.kind.isEssential || withheld[sent.kind]?.times ?? 0 < 2)
        }
    }

    mutating func sent(_ packetID: Int32, _ kind: Kind, topic: String, now: Instant) {
        pending[packetID] = Pending(kind: kind, topic: topic, since: now)
    }

    /// A PUBACK or SUBACK.
    ///
    /// - Parameters:
    ///   - refusal: its reason, if it refuses.
    ///   - isTold: the answer would say so if it refused. A PUBACK of MQTT 3.1.1 cannot, and at QoS 0 there is none: Mosquitto
    ///     2.0.11 answers what its ACL forbids, and closes behind it.
    mutating func answered(_ packetID: Int32, refusal: ReasonCode?, isTold: Bool = true, now: Instant) -> Lesson? {
        if refusal == nil && !isTold {
            pending[packetID]?.settlesAt = now + Self.settlingTime
            return nil
        }
        guard let sent = pending.removeValue(forKey: packetID) else { return nil }
        guard let refusal else { return took(sent) }
        proven.remove(sent.kind)
        refusedAt = now
        withhold(sent.kind, now, Self.waitsAfterRefusal)
        return .refused(sent.kind, topic: sent.topic, refusal)
    }

    /// Counts as taken what was answered without a word and not followed by a close.
    ///
    /// - Returns: the packets, and what was learnt.
    mutating func settle(now: Instant) -> (packets: [Int32], lessons: [Lesson]) {
        let settled = pending.filter { $0.value.settlesAt.map { $0 <= now } ?? false }
        for packetID in settled.keys { pending[packetID] = nil }
        return (Array(settled.keys), settled.values.compactMap { took($0) })
    }

    private mutating func took(_ sent: Pending) -> Lesson? {
        // Of an essential kind nobody asks, and there is one for each room that was ever heard.
        if !sent.kind.isEssential { proven.insert(sent.kind) }
        return withheld.removeValue(forKey: sent.kind) == nil ? nil : .allowed(sent.kind, topic: sent.topic)
    }

    /// The connection ended.
    ///
    /// - Parameter byPeer: the broker's side closed it, without a reason or with one about what we sent.
    mutating func closed(byPeer: Bool, now: Instant) -> [Lesson] {
        let recent = pending.values.filter { $0.isOpen(now) }
        pending = [:]
        proven = []
        guard byPeer else { return [] }
        let conveniences = recent.filter { !$0.kind.isEssential }
        let suspects = conveniences.isEmpty ? recent : conveniences
        let isAlone = Set(suspects.map(\.kind)).count == 1
        var lessons: [Lesson] = []
        for (kind, sent) in Dictionary(suspects.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first }) {
            withhold(kind, now, Self.waitsAfterClose)
            guard isAlone || kind.isEssential else { continue }
            withheld[kind]?.proofs += 1
            if let proofs = withheld[kind]?.proofs, proofs >= Self.proofsNeeded {
                lessons.append(.refused(kind, topic: sent.topic, nil))
            }
        }
        return lessons
    }

    /// - Parameter essentialWaits: how long an essential kind is held back, the first time and so on.
    private mutating func withhold(_ kind: Kind, _ now: Instant, _ essentialWaits: [Duration]) {
        let waits = kind.isEssential ? essentialWaits : Self.waits
        if withheld.count >= Self.limit { withheld = withheld.filter { !$0.key.isEssential || $0.value.until > now } }
        let before = withheld[kind]
        let times = (before?.times ?? 0) + 1
        withheld[kind] = Withheld(
            until: now + waits[min(times, waits.count) - 1], times: times, proofs: before?.proofs ?? 0)
    }
}
