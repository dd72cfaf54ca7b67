/// What a writer has done and what it is doing, for metrics and readiness.
public struct InfluxStatus: Sendable, Equatable {
    /// Points the database confirmed, since the writer was made.
    public internal(set) var pointsWritten = 0
    /// Points the encoder or the database refused for good.
    public internal(set) var pointsRejected = 0
    /// Requests that were answered or failed, retries included.
    public internal(set) var requests = 0
    /// Requests that have to be sent again unchanged.
    public internal(set) var retries = 0
    /// Body bytes of those requests, as sent.
    public internal(set) var bytesSent = 0
    /// Requests on their way now.
    public internal(set) var inFlight = 0
    /// Points submitted and neither stored nor rejected yet.
    public internal(set) var heldPoints = 0
    /// From the start of a request to its answer, the latest one that stored its points.
    public internal(set) var lastLatency: Duration?
    /// CLOCK_BOOTTIME nanoseconds of the latest confirmed request.
    public internal(set) var lastSuccess: Int64?
    /// CLOCK_BOOTTIME nanoseconds of the writer's thread's last turn; it turns every ten seconds, whatever it waits for.
    public internal(set) var lastTurn: Int64?
    /// The latest reason for a retry; nil after a confirmed request.
    public internal(set) var lastError: String?
    /// Set while the data is held because somebody must act (wrong token, missing bucket, full disk, a limit), and when
    /// nothing has been taken for ``InfluxSettings/alarmAfter`` although it was tried.
    public internal(set) var alarm: String?

    public init() {}
}
