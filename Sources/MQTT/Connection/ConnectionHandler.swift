/// What a connection does with what happens on it.
///
/// A handler is created on its connection's thread and every call comes on that thread, so it needs no locks for
/// its own state. A call that blocks, blocks this connection only, but the acknowledgements and pings of this
/// connection with it.
public protocol ConnectionHandler: AnyObject {
    /// The broker accepted the connection. Subscribe here; with `sessionPresent` the broker still has the
    /// subscriptions and the undelivered messages of the last connection.
    func connected(_ link: Link, sessionPresent: Bool)

    /// Messages in the order of their arrival. Returning lets the acknowledgements of the whole batch leave; throwing
    /// drops the connection, and nothing of the batch is acknowledged.
    ///
    /// Messages that were read before a connection broke are handed over too, although they cannot be acknowledged
    /// any more (a QoS 0 message would not come again); `link` then refuses to publish.
    func received(_ batch: [Message], on link: Link) throws

    /// A publication's PUBACK arrived (QoS 1) or it was written to the socket (QoS 0). Only a reason with
    /// ``ReasonCode/isDelivered`` says that somebody has it. With MQTT 3.1.1 the reason is always success.
    func published(_ packetID: Int32, reason: ReasonCode, on link: Link)

    /// The answer to a subscribe call, one reason per filter.
    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link)

    /// The answer to an unsubscribe call.
    func unsubscribed(_ packetID: Int32, on link: Link)

    /// An attempt failed or a connection ended, `after` nanoseconds of being connected (0: never was). What was
    /// published and not confirmed is forgotten and must be published again.
    ///
    /// - Returns: nanoseconds until the next attempt; not used when the connection is being reconfigured or stopped.
    func disconnected(_ cause: Disconnection, after: Int64) -> Int64

    /// Called after each wake-up, at least once a second, with or without a connection: timers, a mailbox, publishing.
    ///
    /// - Returns: boot time in nanoseconds of the next call that is wanted, or `nil`.
    func turn(_ link: Link?, now: Int64) -> Int64?

    /// Called instead of `turn` once the connection is to stop, until it returns true or the time is up. Batches
    /// and confirmations still arrive meanwhile. Afterwards a DISCONNECT is sent.
    func stopping(_ link: Link?, now: Int64) -> Bool
}

extension ConnectionHandler {
    public func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {}
    public func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {}
    public func unsubscribed(_ packetID: Int32, on link: Link) {}
    public func turn(_ link: Link?, now: Int64) -> Int64? { nil }
    public func stopping(_ link: Link?, now: Int64) -> Bool { true }
}
