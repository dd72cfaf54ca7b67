/// What happens when the journal has reached `maxBytes` and only unconfirmed rows are left.
public enum WhenFull: String, Sendable, CaseIterable {
    /// The oldest unconfirmed rows make room; they are counted in ``JournalStatus/dropped``.
    case dropOldest = "drop-oldest"
    /// ``Journal/append(_:settingAside:advancing:now:)`` throws `.limit`; whoever delivers the rows keeps them.
    case stopAccepting = "stop-accepting"
}

extension Journal {
    /// A cursor, and the sequence that it moves to.
    public typealias CursorMove = (cursor: String, through: Int64)

    /// How a journal is kept. Sizes are in bytes.
    public struct Settings: Sendable, Equatable {
        /// The database file; its write-ahead log lies beside it as `<path>-wal`.
        public var path: String
        /// Bound on the database and its log together; at least ``Journal/minimumBytes``.
        public var maxBytes: Int64
        public var whenFull: WhenFull
        /// How long rows that every cursor has passed are kept, by `receivedAt`.
        public var history: Duration
        /// Page size of a new file: a power of two, 512 to 65 536. An existing file keeps its own. Small pages write the
        /// fewest bytes for commits of one row, and large ones are hardly faster for commits of many.
        public var pageSize: Int
        /// Disk space held back so that commits go on when another program fills the disk; 0 for none. At most an
        /// eighth of `maxBytes` is used.
        public var reserveBytes: Int
        /// Size of the write-ahead log, which is grown once and then reused in place. At most a quarter of `maxBytes`
        /// is used. A batch must fit into it.
        public var logBytes: Int
        /// Name of the SQLite VFS; for fault injection.
        package var vfs: String?
        /// How earlier layouts become this one; others than the released steps are for tests.
        var migrations = Migrations.released

        public init(
            path: String, maxBytes: Int64 = 512 << 20, whenFull: WhenFull = .dropOldest,
            history: Duration = .seconds(86_400),
            pageSize: Int = 1024, reserveBytes: Int = 4 << 20, logBytes: Int = 4 << 20
        ) {
            self.path = path
            self.maxBytes = maxBytes
            self.whenFull = whenFull
            self.history = history
            self.pageSize = pageSize
            self.reserveBytes = reserveBytes
            self.logBytes = logBytes
        }
    }

    /// The smallest `maxBytes` that leaves room for the log, the reserve and some rows.
    public static let minimumBytes: Int64 = 512 << 10

    /// The most sequences of one row.
    public static let longestSpan = 1 << 16

    /// One row, to be appended or as it was.
    public struct Record: Sendable, Equatable {
        /// The last one, when it takes several; 0 until the journal has given it one.
        public var sequence: Int64
        public var topic: String
        public var payload: [UInt8]
        /// Opaque to the journal; may be empty.
        public var attributes: [UInt8]
        /// The packet identifier of the delivery, to recognise a redelivery after a restart; 0 if there is none.
        public var packetID: UInt16
        /// Wall time in nanoseconds since 1970.
        public var receivedAt: Int64
        /// How many sequences the row takes, 1 to ``Journal/longestSpan``: more than one when the caller has put several
        /// things into one payload and counts each. Cursors may stop between them.
        public var span: Int

        /// The first sequence of the row.
        public var firstSequence: Int64 { sequence - Int64(span) + 1 }

        public init(
            sequence: Int64 = 0, topic: String, payload: [UInt8], attributes: [UInt8] = [], packetID: UInt16 = 0,
            receivedAt: Int64, span: Int = 1
        ) {
            self.sequence = sequence
            self.topic = topic
            self.payload = payload
            self.attributes = attributes
            self.packetID = packetID
            self.receivedAt = receivedAt
            self.span = span
        }
    }

    /// Input that could not be accepted, kept for people to look at.
    public struct Rejected: Sendable, Equatable {
        /// Lossy: bytes that are not UTF-8 are replaced.
        public var topic: String
        /// The first ``keptBytes`` bytes.
        public var payload: [UInt8]
        /// A short stable word, used as the name of the count.
        public var reason: String
        public var receivedAt: Int64

        /// How much of a payload is kept.
        public static let keptBytes = 4096

        public init(topic: String, payload: [UInt8], reason: String, receivedAt: Int64) {
            self.topic = topic
            self.payload = payload
            self.reason = reason
            self.receivedAt = receivedAt
        }
    }

    /// The answer to ``Journal/read(after:rows:bytes:topics:)``.
    public struct Batch: Sendable, Equatable {
        /// In ascending sequence.
        public var records: [Record]
        /// The last sequence looked at, never below `after`. Rows of other topics and damaged rows are behind it, so
        /// a reader goes on from here.
        public var scannedThrough: Int64
        /// The journal's epoch when this was read; a new one means that the sequences before say nothing any more.
        public var epoch: String
    }
}
