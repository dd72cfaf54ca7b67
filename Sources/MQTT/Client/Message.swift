/// A name and a value of an MQTT v5 message; names may repeat, the order is kept.
public struct UserProperty: Sendable, Equatable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A message as the broker delivered it.
public struct Message: Sendable, Equatable {
    /// Not empty; valid UTF-8 (the C library refuses anything else and drops the connection).
    public var topic: String
    public var payload: [UInt8]
    public var qos: UInt8
    /// The broker had stored it before we subscribed.
    public var isRetained: Bool
    /// 0 for QoS 0. A broker repeats an unacknowledged message with the same packet id.
    public var packetID: UInt16
    /// Empty with MQTT 3.1.1.
    public var userProperties: [UserProperty]
    /// The identifiers of the subscriptions that this copy is for (v5, 3.3.2.3.8); empty where none were given.
    public var subscriptions: [UInt32]

    public init(
        topic: String, payload: [UInt8], qos: UInt8 = 1, isRetained: Bool = false, packetID: UInt16 = 0,
        userProperties: [UserProperty] = [], subscriptions: [UInt32] = []
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.isRetained = isRetained
        self.packetID = packetID
        self.userProperties = userProperties
        self.subscriptions = subscriptions
    }
}

/// A message to publish.
public struct Publication: Sendable, Equatable {
    public var topic: String
    public var payload: [UInt8]
    /// 0 or 1.
    public var qos: UInt8
    public var retain: Bool
    /// Left out when the connection speaks MQTT 3.1.1.
    public var userProperties: [UserProperty]
    /// Seconds after which the broker may drop it undelivered. Left out with MQTT 3.1.1.
    public var messageExpiry: UInt32?

    public init(
        topic: String, payload: [UInt8], qos: UInt8 = 1, retain: Bool = false, userProperties: [UserProperty] = [],
        messageExpiry: UInt32? = nil
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.userProperties = userProperties
        self.messageExpiry = messageExpiry
    }
}

/// Subscription options of MQTT v5 (3.8.3.1); a 3.1.1 connection drops them.
public struct SubscriptionOptions: Sendable, Equatable {
    public enum RetainHandling: UInt8, Sendable {
        case send = 0
        case sendIfNew = 1
        case doNotSend = 2
    }

    /// Do not deliver what this client published itself.
    public var noLocal: Bool
    /// Keep the retain flag of forwarded messages instead of clearing it.
    public var retainAsPublished: Bool
    /// Whether the broker sends its retained messages for this subscription.
    public var retainHandling: RetainHandling
    /// Told with each message that comes for it, 1...268 435 455; left out where the broker does not take one.
    public var identifier: UInt32?

    public init(
        noLocal: Bool = false, retainAsPublished: Bool = false, retainHandling: RetainHandling = .send,
        identifier: UInt32? = nil
    ) {
        self.identifier = identifier
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
    }

    var bits: Int32 {
        (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | Int32(retainHandling.rawValue) << 4
    }
}
