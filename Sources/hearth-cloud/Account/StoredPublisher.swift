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
    /// What was published before has been asked for on this connection.
    private var isSubscribed = false
    private var ranges = StoredAccount.rangeLimit
    private var backoff = Backoff(base: .milliseconds(500), cap: .seconds(30))
    private var words = RepeatedWords()

    init(book: StoredBook, metrics: StoredMetrics, logger: Logger) {
        self.book = book
        self.metrics = metrics
        self.logger = logger
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        isSubscribed = false
        do {
            // Not what this connection publishes; of a broker of MQTT 3.1.1 it hears that too, which changes nothing.
            try link.subscribe([Self.filter], options: SubscriptionOptions(noLocal: true))
        } catch {
            link.drop("subscribing to the accounts: \(error)")
        }
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        isSubscribed = true
        if let refused = reasons.first(where: { !$0.isSuccess }) {
            say(
                "the cloud broker refuses to tell what became of the homes' records (\(refused)): after a restart audits "
                    + "begin anew. Allow this user to read \(Self.filter) there", .warning)
        }
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
        guard let link, isSubscribed else { return nil }
        while link.isConnected, link.inFlight < link.sendMaximum, let (home, summary) = book.next(now: now) {
            guard publish(summary, to: home, on: link) else { return nil }
        }
        return nil
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
        guard flights.removeValue(forKey: packetID) != nil else { return }
        if reason.isSuccess {
            metrics.told()
        } else {
            metrics.refused()
            say(
                "the cloud broker does not take what became of the homes' records (\(reason)): their audits cannot tell. "
                    + "Allow this user to write \(Self.filter) there", .warning)
        }
        book.told(now: Clock.bootNanoseconds)
        _ = turn(link, now: Clock.bootNanoseconds)
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        isSubscribed = false
        book.untold(Array(flights.values))
        flights = [:]
        say("no cloud broker for the homes' audits: \(cause)", .info)
        backoff.connectionLasted(.nanoseconds(after))
        var random = SystemRandomNumberGenerator()
        return backoff.next(using: &random).wholeNanoseconds
    }

    private func say(_ text: String, _ level: Logger.Level) {
        let now = Instant(nanoseconds: Clock.bootNanoseconds)
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
