/// Which MQTT version the next attempt speaks, from how the last ones ended.
///
/// v5 comes first. A broker that says it does not know v5 is believed: 3.1.1 from then on. Some 3.1.1 brokers close
/// at the CONNECT instead of answering, but so does a v5 broker that is just going down, and a proxy whose broker is
/// away; after a few such closes 3.1.1 is tried once, and v5 gets its turn again at the next connection. A broker that
/// has spoken v5 before has most likely not unlearned it: with 3.1.1, which may last as long as the connection, messages
/// lose their properties.
struct VersionChoice: Equatable {
    /// Closes in a row before the trial.
    private static let patience = 3
    /// The same for a broker that has spoken v5 to us.
    private static let patienceWithAcquaintance = 30

    private(set) var current: ProtocolVersion
    private let prefersVersion5: Bool
    private var isTrial = false
    private var closes = 0
    private var hasSpokenVersion5 = false

    init(_ settings: ConnectionSettings) {
        prefersVersion5 = settings.prefersVersion5
        current = prefersVersion5 ? .v5 : .v311
    }

    /// The broker sent its CONNACK.
    mutating func accepted() {
        // A trial that worked makes the next one come sooner.
        closes = isTrial ? patience - 1 : 0
        if current == .v5 { hasSpokenVersion5 = true }
    }

    /// An attempt or a connection ended.
    ///
    /// - Parameter atConnect: the peer closed after the CONNECT and before a CONNACK.
    /// - Returns: true if the next attempt should be made at once, with the other version.
    mutating func failed(_ cause: Disconnection, atConnect: Bool) -> Bool {
        guard prefersVersion5 else { return false }
        if current == .v5, cause.kind == .refused, cause.reason == .unsupportedProtocolVersion {
            current = .v311
            return true
        }
        if isTrial {
            isTrial = false
            current = .v5
        } else if current == .v5 {
            closes = atConnect ? closes + 1 : 0
            if closes >= patience {
                closes = 0
                isTrial = true
                current = .v311
            }
        }
        return false
    }

    private var patience: Int { hasSpokenVersion5 ? Self.patienceWithAcquaintance : Self.patience }
}
