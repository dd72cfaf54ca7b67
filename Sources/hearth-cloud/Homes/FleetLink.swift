import Heating
import Logging
import MQTT
import Machine

/// Follows what the cloud broker keeps on `+/gateway/status`. A handler on its connection's thread.
final class FleetLink: ConnectionHandler {
    static let filter = "+/gateway/status"
    /// The broker sends what it keeps at once; a pause this long in that is the end of it.
    private static let quiet: Int64 = 250_000_000
    private static let askAgain: Int64 = 5_000_000_000

    private let fleet: Fleet
    private let logger: Logger
    /// Boot time of the last that the broker had kept, since the subscription stands; nil once all has come.
    private var keptAt: Int64?
    /// When to ask again for what was refused: somebody may have given the right, and no broker tells.
    private var askAt: Int64?
    private var backoff = Backoff(base: .milliseconds(500), cap: .seconds(5))
    private var words = RepeatedWords()

    init(_ fleet: Fleet, logger: Logger) {
        self.fleet = fleet
        self.logger = logger
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        say("connected to the cloud broker", .info)
        fleet.begin()
        ask(link)
    }

    private func ask(_ link: Link) {
        askAt = nil
        do { try link.subscribe([Self.filter]) } catch { link.drop("subscribing to \(Self.filter): \(error)") }
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        guard let refused = reasons.first(where: { !$0.isSuccess }) else {
            keptAt = Clock.bootNanoseconds
            return fleet.report(nil)
        }
        askAt = Clock.bootNanoseconds + Self.askAgain
        let problem =
            "it does not let this user subscribe to \(Self.filter), \(refused). Give it the right to read that there; "
            + "asked again until then"
        fleet.report(problem)
        say("the cloud broker: \(problem)", .error)
    }

    func received(_ batch: [Message], on link: Link) throws {
        let now = Clock.bootNanoseconds
        if keptAt != nil, batch.contains(where: \.isRetained) { keptAt = now }
        fleet.take(batch, now: now)
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        guard let link else { return nil }
        if let due = askAt, due <= now { ask(link) }
        guard let kept = keptAt else { return askAt }
        guard now - kept >= Self.quiet else { return kept + Self.quiet }
        keptAt = nil
        fleet.end()
        return askAt
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        say("no cloud broker: \(cause)", .warning)
        (keptAt, askAt) = (nil, nil)
        fleet.report(nil)
        backoff.connectionLasted(.nanoseconds(after))
        var random = SystemRandomNumberGenerator()
        return backoff.next(using: &random).wholeNanoseconds
    }

    /// On change, then once a minute with a count.
    private func say(_ text: String, _ level: Logger.Level) {
        let now = Instant(nanoseconds: Clock.bootNanoseconds)
        if let line = words.say(text, now: now) { logger.log(level: level, "\(line)") }
    }
}
