import Heating
import Logging
import MQTT
import Machine
import Synchronization

/// Tells each home, retained on `<home>/gateway/stored`, what became of its records; after a start it takes over what was
/// told before. A handler on its connection's thread.
///
/// Only the audit needs it: whatever the broker does with these messages, points are written and homes are confirmed.
final class StoredPublisher: ConnectionHandler {
    static let filter = "+/gateway/stored"
    /// Below this a smaller message helps nobody.
    private static let fewestRanges = 8

    private let book: StoredBook
    private let metrics: StoredMetrics
    private let logger: Logger
    private var flights: [Int32: HomeID] = [:]
    private var rights = StoredRights()
    /// What was published before has been asked for on this connection.
    private var hasAsked = false
    private var ranges = StoredAccount.rangeLimit
    private var backoff = Backoff(base: .milliseconds(500), cap: .seconds(30))
    private var words = RepeatedWords()

    init(book: StoredBook, metrics: StoredMetrics, logger: Logger) {
        self.book = book
        self.metrics = metrics
        self.logger = logger
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        hasAsked = false
        askToRead(link)
    }

    private func askToRead(_ link: Link) {
        guard !hasAsked, rights.allows(.read, now: now) else { return }
        do {
            // Not what this connection publishes; of a broker of MQTT 3.1.1 it hears that too, which changes nothing.
            try link.subscribe([Self.filter], options: SubscriptionOptions(noLocal: true))
            hasAsked = true
            rights.asked(.read)
        } catch {
            link.drop("subscribing to the accounts: \(error)")
        }
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        let isGranted = reasons.allSatisfy(\.isSuccess)
        hasAsked = isGranted
        learn(rights.answered(.read, isGranted: isGranted, isTold: true, now: now))
    }

    func received(_ batch: [Message], on link: Link) throws {
        for message in batch {
            guard case .stored(let home)? = CloudTopic(message.topic),
                let summary = StoredSummary(payload: message.payload)
            else { continue }
            book.merge(summary, of: home)
        }
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        for lesson in rights.settle(now: self.now) { learn(lesson) }
        guard let link else { return nil }
        askToRead(link)
        // Alone until the broker has taken one, so that a close tells what it was about.
        while link.isConnected, !rights.isOpen(.read), !rights.isOpen(.write),
            rights.allows(.write, now: self.now),
            link.inFlight < link.sendMaximum, let (home, summary) = book.next(now: now)
        {
            guard publish(summary, to: home, on: link) else { break }
        }
        return rights.nextLook(after: self.now)?.nanoseconds
    }

    /// - Returns: false when the link takes no more now.
    private func publish(_ summary: StoredSummary, to home: HomeID, on link: Link) -> Bool {
        while true {
            do throws(LinkError) {
                let packet = try link.publish(
                    Publication(
                        topic: CloudTopic.stored(home).string, payload: summary.payload(ranges: ranges), qos: 1,
                        retain: true))
                flights[packet] = home
                rights.asked(.write)
                return true
            } catch {
                if error.code == .tooLarge, ranges > Self.fewestRanges {
                    ranges /= 2
                    continue
                }
                if error.code == .tooLarge {
                    metrics.refused()
                    book.told(now: Clock.bootNanoseconds)
                    return true
                }
                book.untold([home])
                return false
            }
        }
    }

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
        guard let home = flights.removeValue(forKey: packetID) else { return }
        learn(
            rights.answered(.write, isGranted: reason.isSuccess, isTold: link.version == .v5, now: now))
        if reason.isSuccess { metrics.told() } else { metrics.refused() }
        // While nothing may be written it waits with the others; what is refused of one home alone is not tried again.
        if rights.allows(.write, now: now) {
            book.told(now: Clock.bootNanoseconds)
        } else {
            book.untold([home])
        }
        _ = turn(link, now: Clock.bootNanoseconds)
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        hasAsked = false
        book.untold(Array(flights.values))
        flights = [:]
        let byPeer =
            cause.kind == .lost
            || cause.kind == .disconnectedByBroker && cause.reason != .sessionTakenOver
        learn(rights.closed(byPeer: after > 0 && byPeer, now: now))
        say("no cloud broker for the homes' audits: \(cause)", .info)
        backoff.connectionLasted(.nanoseconds(after))
        var random = SystemRandomNumberGenerator()
        return backoff.next(using: &random).wholeNanoseconds
    }

    private var now: Instant { Instant(nanoseconds: Clock.bootNanoseconds) }

    private func learn(_ lesson: StoredRights.Lesson?) {
        switch lesson {
        case .missing(let right):
            let (does, what) =
                right == .read
                ? ("give this user", "after a restart they begin anew") : ("take from this user", "they cannot tell")
            let text =
                "the cloud broker does not \(does) what became of the homes' records: in audits \(what). Ingest and points go "
                + "on. In its ACL file, below this user: topic readwrite \(Self.filter)"
            logger.warning("\(text)")
        case .granted: logger.notice("the cloud broker takes part in the homes' audits now")
        case nil: break
        }
    }

    private func say(_ text: String, _ level: Logger.Level) {
        if let line = words.say(text, now: now) { logger.log(level: level, "\(line)") }
    }
}

/// How many accounts were told.
final class StoredMetrics: Sendable {
    private let counts = Mutex((told: 0, refused: 0))

    func told() { counts.withLock { $0.told += 1 } }
    func refused() { counts.withLock { $0.refused += 1 } }
    var snapshot: (told: Int, refused: Int) { counts.withLock { $0 } }
}
