/// A reason code of MQTT v5 (section 2.4). The return codes of MQTT 3.1.1 are translated to it.
public struct ReasonCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let success = ReasonCode(rawValue: 0x00)
    public static let disconnectWithWill = ReasonCode(rawValue: 0x04)
    public static let noMatchingSubscribers = ReasonCode(rawValue: 0x10)
    public static let unspecifiedError = ReasonCode(rawValue: 0x80)
    public static let unsupportedProtocolVersion = ReasonCode(rawValue: 0x84)
    public static let clientIDNotValid = ReasonCode(rawValue: 0x85)
    public static let badUserNameOrPassword = ReasonCode(rawValue: 0x86)
    public static let notAuthorised = ReasonCode(rawValue: 0x87)
    public static let serverUnavailable = ReasonCode(rawValue: 0x88)
    public static let serverShuttingDown = ReasonCode(rawValue: 0x8B)
    public static let sessionTakenOver = ReasonCode(rawValue: 0x8E)
    public static let packetTooLarge = ReasonCode(rawValue: 0x95)
    public static let quotaExceeded = ReasonCode(rawValue: 0x97)
    public static let retainNotSupported = ReasonCode(rawValue: 0x9A)
    public static let qosNotSupported = ReasonCode(rawValue: 0x9B)

    /// The server accepted a request (0x00...0x7F).
    public var isSuccess: Bool { rawValue < 0x80 }

    /// A PUBACK with this code means that somebody has the message. 0x10 is no error of the protocol, but the broker
    /// had no subscriber and dropped it.
    public var isDelivered: Bool { isSuccess && self != .noMatchingSubscribers }

    /// The CONNACK return code of MQTT 3.1.1 (section 3.2.2.3), as the v5 code of the same meaning.
    init(connectReturnCode code: UInt8) {
        switch code {
        case 0: self = .success
        case 1: self = .unsupportedProtocolVersion
        case 2: self = .clientIDNotValid
        case 3: self = .serverUnavailable
        case 4: self = .badUserNameOrPassword
        case 5: self = .notAuthorised
        default: self = .unspecifiedError
        }
    }
}

extension ReasonCode: CustomStringConvertible {
    /// The name in the specification with the code, as in "not authorised (0x87)".
    public var description: String {
        "\(Self.names[rawValue] ?? "unknown reason") (0x\(hexadecimal))"
    }

    private var hexadecimal: String {
        let digits = String(rawValue, radix: 16, uppercase: true)
        return digits.count < 2 ? "0" + digits : digits
    }

    private static let names: [UInt8: String] = [
        0x00: "success",
        0x01: "granted QoS 1",
        0x02: "granted QoS 2",
        0x04: "disconnect with will",
        0x10: "no matching subscribers",
        0x11: "no subscription existed",
        0x18: "continue authentication",
        0x19: "re-authenticate",
        0x80: "unspecified error",
        0x81: "malformed packet",
        0x82: "protocol error",
        0x83: "implementation specific error",
        0x84: "unsupported protocol version",
        0x85: "client identifier not valid",
        0x86: "bad user name or password",
        0x87: "not authorised",
        0x88: "server unavailable",
        0x89: "server busy",
        0x8A: "banned",
        0x8B: "server shutting down",
        0x8C: "bad authentication method",
        0x8D: "keep alive timeout",
        0x8E: "session taken over",
        0x8F: "topic filter invalid",
        0x90: "topic name invalid",
        0x91: "packet identifier in use",
        0x92: "packet identifier not found",
        0x93: "receive maximum exceeded",
        0x94: "topic alias invalid",
        0x95: "packet too large",
        0x96: "message rate too high",
        0x97: "quota exceeded",
        0x98: "administrative action",
        0x99: "payload format invalid",
        0x9A: "retain not supported",
        0x9B: "QoS not supported",
        0x9C: "use another server",
        0x9D: "server moved",
        0x9E: "shared subscriptions not supported",
        0x9F: "connection rate exceeded",
        0xA0: "maximum connect time",
        0xA1: "subscription identifiers not supported",
        0xA2: "wildcard subscriptions not supported",
    ]
}
