/// What the next attempt asks the broker for, and whether it follows at once, from how the last ones ended.
///
/// A value that is told what happened; times are boot times in nanoseconds.
struct AttemptChoices: Equatable {
    /// Attempts in a row that nobody is asked about: another version, another will.
    private static let immediateLimit = 3

    private(set) var version: VersionChoice
    private(set) var will: WillChoice
    private(set) var family = FamilyChoice()
    private var qos = QoSChoice()
    /// Attempts made at once since the last connection or the last wait.
    private var immediate = 0

    init(_ settings: ConnectionSettings) {
        version = VersionChoice(settings)
        will = WillChoice(settings.will)
    }

    /// Other settings count from now on: what was learned of the broker is forgotten.
    mutating func forget(_ settings: ConnectionSettings) {
        version = VersionChoice(settings)
        will = WillChoice(settings.will)
        qos = QoSChoice()
        family = FamilyChoice()
    }

    /// Highest QoS to publish at.
    func maximumQoS(now: Int64) -> UInt8 { qos.maximum(now: now) }

    /// An attempt is about to be made.
    mutating func begin(now: Int64) { version.begin(now: now) }

    /// Nobody answered the TCP handshake over this family; `nil` where it is not known which one was tried.
    mutating func unanswered(over tried: AddressFamily?) { family.unanswered(over: tried) }

    /// The broker sent its CONNACK.
    mutating func accepted(now: Int64) {
        version.accepted(now: now)
        will.accepted()
        immediate = 0
    }

    /// A connection ended that had been accepted; ``failed(_:wasConnected:atConnect:now:)`` follows.
    ///
    /// - Parameters:
    ///   - isSuspicious: MQTT 3.1.1; the peer closed while publications of QoS 1 were unanswered, and none had been answered.
    ///   - brief: the connection lasted for moments only.
    mutating func ended(isSuspicious: Bool, brief: Bool, now: Int64) {
        qos.ended(isSuspicious: isSuspicious, brief: brief, now: now)
    }

    /// An attempt or a connection ended.
    ///
    /// - Parameter atConnect: the peer closed after the CONNECT and before a CONNACK, or sent none in time.
    /// - Returns: whether the next attempt is made at once: the same broker may well take the other version now, or the
    ///   connection without the will.
    mutating func failed(_ cause: Disconnection, wasConnected: Bool, atConnect: Bool, now: Int64) -> Bool {
        let hasOtherVersion = version.failed(cause, atConnect: atConnect, now: now)
        let hasOtherWill = !hasOtherVersion && will.failed(cause, atConnect: atConnect)
        guard !wasConnected, hasOtherVersion || hasOtherWill, immediate < Self.immediateLimit else {
            immediate = 0
            return false
        }
        immediate += 1
        return true
    }
}

/// Over which of a name's addresses the next attempt goes.
struct FamilyChoice: Equatable {
    /// `nil`: over whichever the name has.
    private(set) var only: AddressFamily?

    /// Nothing answered over IPv6: it is left out next time. Nothing over the family alone: both are tried again.
    mutating func unanswered(over tried: AddressFamily?) { only = only == nil && tried == .ipv6 ? .ipv4 : nil }
}
