import Heating
import MQTT

/// Whether our commands come back, where nothing else says that the home broker took them: a PUBACK of MQTT 3.1.1 cannot
/// refuse, and Mosquitto answers what its ACL forbids and drops it. A pure value.
///
/// With 3.1.1 the broker gives a client its own publications back where it has subscribed to them, so a command that does not
/// come back was not delivered, or we may not read it. Which of the two nobody can tell.
struct CommandEchoes: Equatable {
    /// A broker of the house takes milliseconds.
    static let patience = Duration.seconds(20)

    /// Topics whose command has not come back, and since when it is awaited.
    private var awaited: [ExactString: Instant] = [:]
    /// Whether commands are asked for on this connection, in an order that gives every later one back.
    private var isListening = false
    private var isGranted = false
    private var hasHeard = false
    private var packetID: Int32?

    /// Commands were asked for; what is published from here on comes back once it is granted.
    mutating func subscribed(_ packetID: Int32) { (self.packetID, isListening) = (packetID, true) }

    mutating func answered(_ packetID: Int32, isGranted: Bool) {
        guard self.packetID == packetID else { return }
        self.isGranted = isGranted
        if !isGranted { (awaited, isListening) = ([:], false) }
    }

    mutating func sent(_ topic: String, now: Instant) {
        guard isListening, awaited[ExactString(topic)] == nil else { return }
        awaited[ExactString(topic)] = now
    }

    /// Something came on the topic: ours, or another's, which cannot be told apart safely.
    mutating func heard(_ topic: String) {
        awaited[ExactString(topic)] = nil
        hasHeard = true
    }

    /// Topics that have been waited for too long, in order; nil while this connection has shown nothing yet.
    func missing(now: Instant) -> [String]? {
        guard isGranted else { return nil }
        let topics = awaited.filter { now - $0.value >= Self.patience }.map(\.key).sorted()
        return topics.isEmpty && !hasHeard ? nil : topics.map(\.text)
    }

    /// When ``missing(now:)`` changes by itself.
    func nextDeadline(after now: Instant) -> Instant? {
        awaited.values.map { $0 + Self.patience }.filter { $0 > now }.min()
    }
}

extension Finding {
    static let commandsUnseenName = "commands-unseen"

    static func commandsUnseen(_ topics: [String]) -> Finding {
        Finding(
            name: commandsUnseenName, severity: .heating,
            text: .finding(
                topics.count > 1 ? .commandsUnseenMore : .commandsUnseen,
                ["topic": .text(escapingControls(topics.first ?? "")), "count": .count(topics.count - 1)]),
            advice: .finding(
                .readCommands,
                [
                    "line": .text("topic readwrite +/heatpump"),
                    "command": .text("mosquitto_sub -t '+/heatpump' -v"),
                ]))
    }
}
