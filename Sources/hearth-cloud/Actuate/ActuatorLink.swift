import Heating
import Logging
import MQTT
import Machine
import Synchronization

/// What the actuator's reader hands to its link.
final class ActuatorQueue: Sendable {
    private let pending = Mutex(PendingDecisions())

    var waiting: (count: Int, replaced: Int) { pending.withLock { ($0.count, $0.replaced) } }

    func put(_ decision: Actuator.Decision, for place: Actuator.Place) {
        pending.withLock { $0.put(decision, for: place) }
    }

    func takeFirst() -> (place: Actuator.Place, decision: Actuator.Decision)? {
        pending.withLock { $0.takeFirst() }
    }
}

/// Publishes decisions on `<home>/<room>/heatpump/set`, the newest per room, one after the other. A handler on its
/// connection's thread.
///
/// Each command names its end, a few repetitions away: a home whose cloud falls silent decides for itself then. Never
/// retained, so that nobody who comes later takes it for new.
final class ActuatorLink: ConnectionHandler {
    private let queue: ActuatorQueue
    /// How long a command counts at home.
    private let validity: Duration
    /// A pause after each command, to show what a slow way to the homes does.
    private let pause: Duration
    private let counter: PublishedCounter
    private let logger: Logger
    private var nextAt: Int64 = 0
    private var backoff = Backoff(base: .milliseconds(500), cap: .seconds(5))
    private var words = RepeatedWords()

    init(queue: ActuatorQueue, validity: Duration, pause: Duration, counter: PublishedCounter, logger: Logger) {
        self.queue = queue
        self.validity = validity
        self.pause = pause
        self.counter = counter
        self.logger = logger
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        say("connected to the cloud broker", .info)
    }

    func received(_ batch: [Message], on link: Link) throws {}

    func turn(_ link: Link?, now: Int64) -> Int64? {
        guard let link else { return nil }
        while now >= nextAt, link.inFlight < link.sendMaximum, let (place, decision) = queue.takeFirst() {
            let command = HeatPumpCommand(isOn: decision.isOn, duration: validity)
            let publication = Publication(
                topic: CloudTopic.heatpumpSet(place.home, place.room).string, payload: command.payload, qos: 1,
                userProperties: [.init("timestamp", Clock.wall.description), .init("reason", decision.reason)])
            do {
                try link.publish(publication)
                counter.add()
            } catch {
                // It is decided and sent again with the next repetition.
                say("publishing a command: \(error)", .warning)
                return nil
            }
            if pause > .zero { nextAt = now + pause.wholeNanoseconds }
        }
        return nextAt > now ? nextAt : nil
    }

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
        guard !reason.isSuccess else { return }
        say(
            "the cloud broker refuses commands, \(reason). Write into its ACL file, below the actuator's user: topic write"
                + " +/+/heatpump/set", .error)
    }

    private func say(_ text: String, _ level: Logger.Level) {
        let now = Instant(nanoseconds: Clock.bootNanoseconds)
        if let line = words.say(text, now: now) { logger.log(level: level, "\(line)") }
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        say("no cloud broker: \(cause)", .warning)
        backoff.connectionLasted(.nanoseconds(after))
        var random = SystemRandomNumberGenerator()
        return backoff.next(using: &random).wholeNanoseconds
    }
}
