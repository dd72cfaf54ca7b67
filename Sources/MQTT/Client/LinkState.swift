/// Why an attempt failed or a connection ended, in words that say what to do next.
public struct Disconnection: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// A file the settings name (password, certificate, key) cannot be used.
        case configuration
        /// The host name could not be resolved.
        case nameResolution
        /// TCP could not connect.
        case unreachable
        /// The attempt did not reach its CONNACK in time.
        case timeout
        case tls
        /// The broker refused the CONNECT; see `reason`.
        case refused
        /// The peer closed the connection, or the network did.
        case lost
        /// The broker ended the connection with a DISCONNECT; see `reason`.
        case disconnectedByBroker
        /// No answer to a ping.
        case keepAlive
        /// The peer sent bytes that are not MQTT, or break its rules.
        case protocolError
        /// `received` threw; nothing of that batch was acknowledged.
        case handlerFailed
        /// The handler called ``Link/drop(_:)``.
        case dropped
        /// New settings are in force.
        case reconfigured
    }

    public let kind: Kind
    /// One sentence for the operator, ``sentence`` in English. Contains no secret.
    public let message: String
    public let sentence: DisconnectionSentence
    /// What stands in its braces.
    public let values: [NamedValue]
    /// The broker's reason, where it gave one.
    public let reason: ReasonCode?
    /// What the next attempt should do differently.
    let hint: Hint?

    enum Hint: Sendable {
        /// The peer's v5 properties are unreadable.
        case withoutProperties
    }

    /// In words of the caller's.
    public init(_ kind: Kind, _ message: String, reason: ReasonCode? = nil) {
        self.init(kind, .ownWords, ["words": .text(message)], reason: reason)
    }

    init(
        _ kind: Kind, _ sentence: DisconnectionSentence, _ values: KeyValuePairs<String, Value> = [:],
        reason: ReasonCode? = nil, hint: Hint? = nil
    ) {
        self.kind = kind
        self.sentence = sentence
        self.values = values.map { NamedValue(name: $0.key, value: $0.value) }
        message = Self.text(sentence, self.values)
        self.reason = reason
        self.hint = hint
    }

    public var description: String { message }
}

/// Where a connection stands, for a status display. All times are boot time in nanoseconds.
public enum LinkState: Sendable, Equatable {
    /// How far an attempt has come.
    public enum Phase: String, Sendable {
        /// Asking the resolver. The only phase that can block the connection's thread.
        case resolving
        case tcp
        case tls
        /// CONNECT sent, waiting for the CONNACK.
        case mqtt
    }

    /// Not started yet.
    case idle
    case connecting(since: Int64, phase: Phase)
    case connected(since: Int64, version: ProtocolVersion)
    case waiting(until: Int64, lastError: Disconnection)
    case stopped
}

/// A call on a ``Link`` that could not be carried out.
public struct LinkError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// The link belongs to a connection that has ended.
        case notConnected
        /// As many publications as allowed wait for their confirmation; try again after the next `published`.
        case windowFull
        /// Larger than the broker's Maximum Packet Size.
        case tooLarge
        /// The topic, filter or a property cannot be sent: empty, wildcard, control character or too long.
        case invalid
        /// The broker does not offer this quality of service.
        case qosNotSupported
        case outOfMemory
    }

    public let code: Code
    public let message: String

    public var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
