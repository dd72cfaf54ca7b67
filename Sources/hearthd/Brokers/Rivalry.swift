import Heating
import MQTT

/// Whether another gateway uses this one's name at a broker, and how long to stand back then.
///
/// A broker ends the connection of the one that was there when a second client comes with its identifier (MQTT v5
/// 3.1.4-3): with reason 0x8E where it says so, otherwise by closing. Of two that come back at once each would be ended
/// by the other for ever, so the one that was taken over waits longer each time.
struct Rivalry {
    /// How a connection or an attempt ended, as far as it matters here.
    enum End: Equatable {
        /// The broker said that another client has the name.
        case takenOver
        /// The broker's side closed an accepted connection, and nothing that we sent explains it.
        case closed
        /// There was no connection.
        case noConnection
        case other
    }

    /// How long the finding stays after the last sign.
    static let memory = Duration.seconds(3600)
    /// A connection that was closed sooner than this may have been taken over.
    private static let brief = Duration.seconds(20)
    /// Such closes in a row, with no failed attempt between them: a broker that restarts is away in between.
    private static let suspicious = 4

    private let base: Duration
    private let cap: Duration
    /// The longest wait where the broker only closed: it may have another reason.
    private let guessCap: Duration
    private var closes = 0
    private var signs = 0
    private var lastSign: Instant?

    init(base: Duration, cap: Duration, guessCap: Duration) {
        self.base = base
        self.cap = cap
        self.guessCap = guessCap
    }

    /// - Returns: how long to wait; nil when it was no sign of a rival.
    mutating func ended(_ end: End, after: Duration, now: Instant) -> Duration? {
        if let lastSign, now - lastSign >= Self.memory { (signs, self.lastSign) = (0, nil) }
        switch end {
        case .takenOver: break
        case .closed where after < Self.brief:
            closes += 1
            guard closes >= Self.suspicious || signs > 0 else { return nil }
        case .noConnection, .closed:
            closes = 0
            return nil
        case .other: return nil
        }
        lastSign = now
        signs += 1
        let wait = base.wholeNanoseconds << Int64(min(signs - 1, 30))
        let most = end == .takenOver ? cap : guessCap
        return .nanoseconds(min(most.wholeNanoseconds, wait < 0 ? .max : wait))
    }

    /// Whether there was a sign within the hour.
    func isSeen(now: Instant) -> Bool { lastSign.map { now - $0 < Self.memory } ?? false }
}

extension Rivalry.End {
    /// - Parameter isExplained: something that was sent and not answered may be why the broker closed.
    init(_ cause: Disconnection, after: Int64, isExplained: Bool) {
        self =
            switch (cause.kind, cause.reason) {
            case (_, .sessionTakenOver?): .takenOver
            case (_, _) where after == 0: .noConnection
            case (.lost, nil): isExplained ? .other : .closed
            default: .other
            }
    }
}

extension Finding {
    /// Another gateway has this one's name.
    static func anotherGateway(_ home: HomeID, at broker: String, severity: Severity) -> Finding {
        Finding(
            name: "another-gateway", severity: severity, subject: broker,
            text: .finding(.anotherGateway, ["home": .text(home.displayName), "peer": .text(broker)]),
            advice: .finding(.ownHome, ["line": .text("home = \"…\"")]))
    }
}
