/// Where points go and how hard to try.
public struct InfluxSettings: Sendable {
    /// The write API and the place behind it.
    public enum Target: Sendable, Equatable {
        /// `/write?db=…`, InfluxDB 1.x. `retentionPolicy` nil is the database's default policy; credentials are
        /// sent as HTTP Basic authentication.
        case v1(database: String, retentionPolicy: String? = nil, username: String? = nil, password: String? = nil)
        /// `/api/v2/write?org=…&bucket=…` with `Authorization: Token …`; an empty token sends no header.
        case v2(organization: String, bucket: String, token: String)
        /// `/api/v3/write_lp?db=…` with `Authorization: Bearer …`, InfluxDB 3; an empty token sends no header.
        case v3(database: String, token: String)
    }

    /// Base address, for example `http://127.0.0.1:8086`; a path is kept as a prefix. http or https.
    public var url: String
    public var target: Target
    /// Where the server refuses the access (401, 403), the target is asked for anew, since somebody may have changed the
    /// files that its token or password came from; nil for what cannot be read now. Called on the writer's thread.
    public var renewed: (@Sendable () -> Target?)?
    /// PEM file of the certification authorities to trust; nil for the system's.
    public var caFile: String?
    /// Requests in flight. A series always uses the same lane, and a lane has one request in flight.
    public var lanes = 2
    /// Lines per request. 5 000 is InfluxDB's recommendation for both APIs.
    public var maxLines = 5_000
    /// Uncompressed bytes per request; a longer single line travels alone.
    public var maxBytes = 4 << 20
    /// The oldest line waits no longer than this for its request to fill up.
    public var linger = Duration.seconds(1)
    /// Requests' worth of lines (of `maxLines` and of `maxBytes` each) that are held; beyond it `submit` blocks.
    public var maxHeldBatches = 8
    /// gzip level of the bodies: 1 (fastest) to 9 (smallest), 0 to store without compressing. nil is 1, and 0 for
    /// a server on this machine, where compressing costs both sides time and saves nothing.
    public var compressionLevel: Int?
    public var connectTimeout = Duration.seconds(10)
    /// For the whole request; doubled after a timeout, up to four times this.
    public var requestTimeout = Duration.seconds(30)
    /// First retry after a random time up to this; each following limit is twice the one before (full jitter).
    public var backoffBase = Duration.milliseconds(500)
    /// Upper limit of the random time: how late the first retry after a recovery may be.
    public var backoffCap = Duration.seconds(3)
    /// Between attempts while somebody has to act (401, 403, 404, a full disk, a limit …), give or take a fifth.
    public var holdRetry = Duration.seconds(3)
    /// A request that has failed and been tried again for so long raises ``InfluxStatus/alarm``.
    public var alarmAfter = Duration.seconds(30)

    public init(url: String, target: Target) {
        self.url = url
        self.target = target
    }

    /// Why a text can be no ``url``; nil for one that can.
    public static func problem(ofAddress text: String) -> String? {
        do throws(InfluxError) { _ = try BaseURL(text) } catch { return error.description }
        return nil
    }
}

/// Why a call of this module failed.
public enum InfluxError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The writer was stopped before every point was stored or rejected.
    case stopped
    /// A setting cannot work; the text says which and why.
    case invalidSetting(String)
    case outOfMemory
    /// A request of ``InfluxAdmin`` got no usable answer; the text is the server's or libcurl's.
    case requestFailed(String)

    public var description: String {
        switch self {
        case .stopped: "the InfluxDB writer was stopped"
        case .invalidSetting(let text): text
        case .outOfMemory: "not enough memory for the InfluxDB client"
        case .requestFailed(let text): text
        }
    }
}
