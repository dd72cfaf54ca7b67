/// Which MQTT version the next attempt speaks, from how the last ones ended.
///
/// v5 comes first. A broker that says it does not know v5 is believed, for an hour. Some close at the CONNECT instead, some
/// do not answer it: then 3.1.1 is tried at once. v5 gets its turn again at the next connection; where it met silence, which
/// costs seconds, only after a rest that grows.
///
/// A link that was cut at its very first CONNECT looks the same, and with 3.1.1, which may last for months, messages lose their
/// properties. So one failure is a suspicion only: once the connection has lasted for a while it is renewed with v5. Failing
/// again is proof, and from then on v5 waits for a connection that ends by itself. A v5 broker that is just going down, or a
/// proxy whose broker is away, closes too, so a broker that has spoken v5 before is given more time.
struct VersionChoice: Equatable {
    /// Failures at the CONNECT in a row before the other version, for a broker that has spoken v5 to us.
    private static let patienceWithAcquaintance = 30
    /// The same where it gave no answer, which costs the whole time of an attempt.
    private static let patienceWithSilence = 4
    private static let firstRest = 60 * nanosecondsPerSecond
    private static let longestRest = 3600 * nanosecondsPerSecond
    private let suspicion: Int64

    private(set) var current: ProtocolVersion
    private let isFixed: Bool
    private var hasSpokenVersion5 = false
    /// Failures at the CONNECT in a row with the current version.
    private var failures = 0
    /// How long v5 rests once 3.1.1 was accepted, and until when (boot time). Not at all the first time: what was silent may
    /// have been the network, and that connection would lack v5's properties for as long as it lasts.
    private var rest: Int64 = 0
    private var restsUntil: Int64 = 0
    /// Why 3.1.1 was chosen, while it has not been accepted yet.
    private var trial: Trial?
    /// Whether 3.1.1 has been accepted in v5's place since v5 was accepted last.
    private var isConfirmed = false
    /// When to renew the connection with v5 (boot time): what the broker speaks is a suspicion only.
    private(set) var renewal: Int64?

    private enum Trial { case refused, silent, closed, unreadable }

    init(_ settings: ConnectionSettings) {
        isFixed = settings.protocolPolicy != .auto
        current = settings.protocolPolicy == .version311 ? .v311 : .v5
        suspicion = settings.suspicionTime
    }

    /// Whether an answer to the CONNECT is awaited for a few seconds only, since silence may be the answer to v5.
    var isImpatient: Bool { !isFixed && current == .v5 && !hasSpokenVersion5 }

    /// An attempt is about to be made.
    mutating func begin(now: Int64) {
        renewal = nil
        guard !isFixed, current == .v311, trial == nil, now >= restsUntil else { return }
        current = .v5
        failures = 0
    }

    /// The broker sent its CONNACK.
    mutating func accepted(now: Int64) {
        failures = 0
        guard current == .v5 else {
            if let trial {
                beginRest(now, after: trial)
                if !isConfirmed { suspect(now, after: trial) }
                isConfirmed = true
            }
            trial = nil
            return
        }
        hasSpokenVersion5 = true
        isConfirmed = false
        rest = 0
    }

    /// An attempt or a connection ended.
    ///
    /// - Parameter atConnect: the peer closed after the CONNECT and before a CONNACK, or sent none in time.
    /// - Returns: true if the next attempt should be made at once, with the other version.
    mutating func failed(_ cause: Disconnection, atConnect: Bool, now: Int64) -> Bool {
        guard !isFixed else { return false }
        if current == .v5, cause.reason == .unsupportedProtocolVersion && cause.kind == .refused {
            return turnTo311(.refused)
        }
        if current == .v5, cause.hint == .withoutProperties { return turnTo311(.unreadable) }
        if current == .v311, cause.kind == .refused, cause.reason == .unsupportedProtocolVersion {
            return turnToVersion5()
        }
        guard atConnect else {
            // Another kind of failure says nothing about versions; a broker that is away may come back as another.
            if trial != nil { _ = turnToVersion5() }
            failures = 0
            return false
        }
        failures += 1
        guard current == .v5 else {
            // Neither was taken: both get their turn again, at the pace of the attempts.
            _ = turnToVersion5()
            return false
        }
        let isSilent = cause.kind == .timeout
        let patience = isSilent ? Self.patienceWithSilence : Self.patienceWithAcquaintance
        guard failures >= (hasSpokenVersion5 ? patience : 1) else { return false }
        return turnTo311(isSilent ? .silent : .closed)
    }

    private mutating func turnTo311(_ reason: Trial) -> Bool {
        (current, trial, failures) = (.v311, reason, 0)
        return true
    }

    private mutating func turnToVersion5() -> Bool {
        (current, trial, failures) = (.v5, nil, 0)
        return true
    }

    private mutating func suspect(_ now: Int64, after trial: Trial) {
        switch trial {
        case .refused, .unreadable: renewal = nil
        case .closed: renewal = now + suspicion
        case .silent: renewal = now + 10 * suspicion
        }
    }

    private mutating func beginRest(_ now: Int64, after trial: Trial) {
        switch trial {
        case .refused: restsUntil = now + Self.longestRest
        case .closed: restsUntil = now
        case .silent, .unreadable:
            restsUntil = now + rest
            rest = rest == 0 ? Self.firstRest : min(rest * 4, Self.longestRest)
        }
    }
}
