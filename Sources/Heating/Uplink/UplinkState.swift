/// Decides what of the journal is sent to the cloud, sent again, and confirmed. Pure: the lane that owns it reads the
/// journal, publishes, and reports back what it did and what arrived.
///
/// - Within a connection everything unconfirmed is sent in order, from the low watermark, once; after a disconnection
///   that starts over, leaving out what was confirmed.
/// - Only the peer confirms: the ingestor by acknowledged ranges, or (``Confirmation/broker``) the broker by PUBACK.
///   Acknowledgements may be late, repeated, out of order, of another journal, or for what was never sent.
/// - What stays unconfirmed is sent again: after `resendAfter`, doubling per flight up to `resendLimit`, as long as
///   something sent later was confirmed. When nothing is confirmed at all, one flight at a time goes as a probe, so a
///   dead ingestor does not fill the broker's queue with copies of the whole window.
/// - When the broker says that nobody subscribes, sending stops there and resumes there, in order, once somebody does.
///   A record that is refused meanwhile is left for later, and the next one asks after the same wait.
public struct UplinkState: Sendable {
    public enum Confirmation: String, CaseIterable, Sendable { case ingestor, broker }

    public struct Settings: Equatable, Sendable {
        public var confirm: Confirmation
        /// Most records sent and not yet confirmed.
        public var windowRecords: Int
        /// Most messages published and not yet answered by the broker; the broker's own limit may be lower.
        public var windowFlights: Int
        /// Most records of one frame (``Frame/recordLimit`` is the format's own bound).
        public var frameRecords: Int
        /// About how many bytes of records go in one frame.
        public var frameBytes: Int
        /// With more rows than this unsent they travel in frames; only when the ingestor confirms.
        public var frameWhenBehind: Int
        /// How long after the broker's answer a flight may be sent again.
        public var resendAfter: Duration
        public var resendLimit: Duration
        /// How long to wait when the broker says that nobody subscribes; doubles up to `holdLimit`.
        public var holdAfter: Duration
        public var holdLimit: Duration
        /// How long the broker may leave every publication unanswered before the connection is given up.
        public var answerTimeout: Duration
        /// Readings per second while a backlog drains; 0 means as fast as the link takes.
        public var maxRate: Int

        public init(
            confirm: Confirmation = .ingestor, windowRecords: Int = 32_768, windowFlights: Int = 64,
            frameRecords: Int = 500, frameBytes: Int = 256 * 1024, frameWhenBehind: Int = 50,
            resendAfter: Duration = .seconds(30), resendLimit: Duration = .seconds(600),
            holdAfter: Duration = .seconds(1), holdLimit: Duration = .seconds(10),
            answerTimeout: Duration = .seconds(60), maxRate: Int = 0
        ) {
            self.confirm = confirm
            self.windowRecords = windowRecords
            self.windowFlights = windowFlights
            self.frameRecords = frameRecords
            self.frameBytes = frameBytes
            self.frameWhenBehind = frameWhenBehind
            self.resendAfter = resendAfter
            self.resendLimit = resendLimit
            self.holdAfter = holdAfter
            self.holdLimit = holdLimit
            self.answerTimeout = answerTimeout
            self.maxRate = maxRate
        }
    }

    /// A run of the journal to publish.
    public struct Batch: Equatable, Sendable {
        /// Read from the first sequence on and stop at the last, which may lie beyond the journal's end.
        public var range: ClosedRange<Int64>
        /// Publish at most this many rows: one message each, or one frame of them all.
        public var rows: Int
        /// Stop reading after about this many bytes.
        public var bytes: Int
        public var asFrame: Bool
        /// A flight of this connection that goes again.
        public var isResend: Bool

        /// What to pass to the journal's `read(after:)`.
        public var after: Int64 { range.lowerBound - 1 }
    }

    public enum Action: Equatable, Sendable {
        /// Read and publish this, then call ``UplinkState/sent(_:scanned:flight:now:)`` per message, or
        /// ``UplinkState/skipped(_:)`` for a run without rows, and ask again.
        case send(Batch)
        /// Nothing to do before this instant, or (nil) before the next event.
        case wait(until: Instant?)
        /// The broker answers nothing: drop the connection and connect anew.
        case reconnect
    }

    /// What a PUBACK says.
    public enum BrokerAnswer: Equatable, Sendable {
        case delivered
        /// "No matching subscribers" (0x10): the broker has dropped the message.
        case nobody
        /// "Packet too large" (0x95): the same message will never be taken.
        case tooLarge
        /// Any other refusal (0x80 and up).
        case refused
    }

    public struct Counters: Equatable, Sendable {
        /// Records handed to the link, each time counted.
        public var sent = 0
        /// Of those, records that had been sent before.
        public var resent = 0
        /// Publications that the broker refused.
        public var refused = 0
        /// Heat-pump commands that nobody at the cloud reads; they count as delivered where the broker confirms.
        public var unread = 0
        /// Acknowledgements for another journal's epoch.
        public var foreignAcks = 0
        /// Acknowledgements that told nothing new.
        public var staleAcks = 0
        /// Acknowledgements that reached beyond what was sent; the excess was ignored.
        public var clippedAcks = 0

        public init() {}
    }

    public var settings: Settings {
        didSet { bucket = TokenBucket(rate: settings.maxRate, now: .zero) }
    }
    /// The journal's epoch.
    public let epoch: String
    /// Everything up to here is confirmed, or gone from the journal.
    public internal(set) var lowWatermark: Int64
    /// The journal's last sequence.
    public internal(set) var newest: Int64
    public internal(set) var counters = Counters()

    /// Confirmed sequences above the low watermark.
    var confirmed = SequenceRanges()
    /// What the peer has confirmed above the low watermark, where something before it is still open.
    public var confirmedAbove: SequenceRanges { confirmed }
    /// Sequences that were given up without a confirmation since this value was made: the journal dropped them or no
    /// longer has them. The newest ``lostRangesKept`` ranges.
    public internal(set) var lost = SequenceRanges()
    public static let lostRangesKept = 256
    /// Confirmed sequences that the lane has not yet passed to the journal.
    var untaken = SequenceRanges()
    /// Runs of one row each that the broker takes in no form.
    var oversized: [ClosedRange<Int64>] = []
    /// Most records of one frame, as far as known from the broker's refusals.
    var frameRows = Int.max
    /// Frames taken since the bound was last changed.
    var framesTaken = 0
    /// The broker closed the connection for the size of something up to here: until it is passed, one message at a time
    /// goes, so that the next close says which.
    var suspectThrough: Int64 = 0
    /// The frame that the broker refused for its size before it closed the connection. Only in there messages are small.
    var refusedFrame: RefusedFrame?
    /// Connections that were closed in a row with frames unanswered.
    var closes = 0
    /// The last sequence ever published by this process; an acknowledgement cannot mean more.
    var sentThrough: Int64
    /// The last sequence published on, or skipped by, this connection.
    var position: Int64
    /// Meaningful while connected.
    var link = Link()
    public internal(set) var isConnected = false
    var bucket: TokenBucket

    /// What lives as long as a connection.
    struct Link: Sendable {
        var sendMaximum = 1
        var flights = Flights()
        /// Unanswered publications: packet id to the first sequence of the flight.
        var unanswered: [Int32: Int64] = [:]
        /// The broker's last answer, or the first publication since nothing was unanswered.
        var silentSince = Instant.zero
        /// When the latest-sent of the confirmed flights was sent: what was sent before it is probably lost.
        var latestConfirmedSend: Instant?
        /// While nobody subscribes.
        var hold: Hold?
        /// The last frame, or record, that was too large for the broker.
        var refused: RefusedFrame?
        var probeDelay = Duration.zero
        var probeAt = Instant.zero
    }

    struct RefusedFrame: Sendable {
        var range: ClosedRange<Int64>
        /// Most rows of one message with what is in it.
        var rows: Int
    }

    struct Hold: Sendable {
        var delay: Duration
        var until: Instant
    }

    /// - Parameters:
    ///   - lowWatermark: the journal's cursor of the uplink.
    ///   - newest: the journal's last sequence.
    ///   - confirmed: what the journal knows as confirmed above its cursor.
    public init(
        settings: Settings = Settings(), epoch: String, lowWatermark: Int64, newest: Int64,
        confirmed: [ClosedRange<Int64>] = []
    ) {
        self.settings = settings
        self.epoch = epoch
        self.lowWatermark = lowWatermark
        self.newest = max(newest, lowWatermark)
        sentThrough = lowWatermark
        position = lowWatermark
        bucket = TokenBucket(rate: settings.maxRate, now: .zero)
        if newest > lowWatermark {
            self.confirmed = SequenceRanges(confirmed).intersection((lowWatermark + 1)...newest)
        }
    }

    /// Sequences not yet confirmed (gaps that were not read yet count as rows).
    public var unconfirmed: Int64 {
        max(0, newest - lowWatermark - Int64(confirmed.count))
    }

    /// Records published on this connection and not yet confirmed.
    public var inFlightRecords: Int { link.flights.rows }

    /// Publications the broker has not answered.
    public var unansweredPublications: Int { link.unanswered.count }

    /// Whether the broker has refused something for its size on this connection. Mosquitto closes the connection then
    /// (2.0.11, `process_bad_message` in handle_publish.c); each such close leaves less to ask.
    public var hasRefusedSize: Bool { link.refused != nil }

    /// Runs, of one row each, that were found too large since the last call: the lane sets the row aside and calls
    /// ``skipped(_:)``.
    public mutating func takeOversized() -> [ClosedRange<Int64>] {
        defer { oversized = [] }
        return oversized
    }

    /// What was confirmed since the last call, for the journal.
    public mutating func takeConfirmed() -> [ClosedRange<Int64>] {
        defer { untaken = SequenceRanges() }
        return untaken.ranges
    }
}
