import Machine

/// An accepted connection, as its handler sees it.
///
/// Belongs to the connection's thread: use it inside a handler's calls only. What is published leaves after the call
/// returned. A link whose connection has ended refuses everything with ``LinkError/Code/notConnected``.
public final class Link {
    /// The version both sides agreed on.
    public let version: ProtocolVersion
    /// QoS 1 publications that may be in flight: our limit, or the broker's Receive Maximum if that is smaller.
    public let sendMaximum: Int
    /// Largest packet the broker takes, in bytes. `nil`: it named no limit.
    public let maximumPacketSize: Int?
    /// Seconds the broker will keep our session; less than asked for if it said so.
    public let sessionExpiry: UInt32

    /// Highest QoS the broker takes; what is published above it leaves with this one.
    public let maximumQoS: UInt8
    /// Whether the broker keeps retained messages; otherwise the flag is left out.
    public let canRetain: Bool
    /// How much of the last will that was asked for the broker took.
    public let will: WillAdmission

    private var client: Client?
    private let peer: String
    private(set) var dropReason: String?
    private(set) var restsUntil: Int64 = 0

    init(_ client: Client, _ acceptance: Client.Acceptance, will: WillAdmission = .full, maximumQoS: UInt8 = 2) {
        self.client = client
        peer = client.peer
        version = client.version
        // Without the property the limit is 65 535 (MQTT v5 3.2.2.3.3).
        let receiveMaximum = acceptance.receiveMaximum.flatMap { $0 == 0 ? nil : $0 }
        sendMaximum = Int(min(receiveMaximum ?? .max, max(client.settings.sendMaximum, 1)))
        maximumPacketSize = acceptance.maximumPacketSize.map { Int($0) }
        // The property says 0 or 1; without it, 2 (MQTT v5 3.2.2.3.4 and 3.2.2.3.5).
        self.maximumQoS = min(acceptance.maximumQoS ?? 2, maximumQoS)
        canRetain = acceptance.retainAvailable != 0
        self.will = will
        sessionExpiry = acceptance.sessionExpiry ?? client.settings.sessionExpiry
    }

    /// QoS 1 publications that wait for their PUBACK.
    public var inFlight: Int { client?.unconfirmed ?? 0 }

    /// False once the connection has ended or was dropped.
    public var isConnected: Bool { client != nil && dropReason == nil }

    /// Queues a message.
    ///
    /// What the broker said it does not offer is left out: QoS above ``maximumQoS``, the retain flag without ``canRetain``.
    ///
    /// - Returns: the packet id that `published` will report.
    /// - Throws: ``LinkError``: `windowFull` with `sendMaximum` messages in flight, or that many of QoS 0 unwritten.
    @discardableResult
    public func publish(_ publication: Publication) throws(LinkError) -> Int32 {
        let client = try connectedClient()
        var publication = publication
        publication.qos = min(publication.qos, maximumQoS)
        publication.retain = publication.retain && canRetain
        let isFull =
            publication.qos == 0
            ? client.unwritten >= Int(client.settings.sendMaximum) : client.unconfirmed >= sendMaximum
        guard !isFull else { throw LinkError(.windowFull, "too many messages for \(peer) in flight") }
        return try client.publish(publication)
    }

    /// Asks for messages whose topics match one of the filters.
    ///
    /// - Parameter qos: 0 or 1; more is asked for as 1, since QoS 2 cannot wait for a commit.
    /// - Returns: the packet id that `subscribed` will report.
    @discardableResult
    public func subscribe(
        _ filters: [String], qos: UInt8 = 1, options: SubscriptionOptions = SubscriptionOptions()
    ) throws(LinkError) -> Int32 {
        try connectedClient().subscribe(filters, qos: qos, options: options)
    }

    /// Asks for no more messages of these filters. What the broker has queued for them already still comes.
    ///
    /// - Returns: the packet id that `unsubscribed` will report.
    @discardableResult
    public func unsubscribe(_ filters: [String]) throws(LinkError) -> Int32 {
        try connectedClient().unsubscribe(filters)
    }

    /// Ends the connection after the current call, without DISCONNECT and without acknowledging anything that was
    /// not acknowledged yet; `disconnected` then decides when to try again.
    public func drop(_ reason: String) {
        if dropReason == nil { dropReason = reason }
    }

    /// Does not look at the socket for so long, so that several answers that are on their way cost one wake-up. Whatever
    /// the broker says meanwhile waits; `wake()` and a due timer end it.
    public func rest(nanoseconds: Int64) { restsUntil = Clock.bootNanoseconds + nanoseconds }

    /// The connection is over: lets go of the library's instance, which closes the socket.
    func end() {
        client = nil
    }

    private func connectedClient() throws(LinkError) -> Client {
        guard let client, dropReason == nil else { throw LinkError(.notConnected, "not connected to \(peer)") }
        return client
    }
}
