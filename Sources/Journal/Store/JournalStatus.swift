/// What the journal is doing, as of its last finished operation.
public struct JournalStatus: Sendable, Equatable {
    public var epoch = ""
    public var path = ""
    /// The highest sequence given out; 0 when there was none yet.
    public var newest: Int64 = 0
    /// The lowest sequence still stored; `newest + 1` when there is none. The row that has it may begin below.
    public var firstKept: Int64 = 1
    /// Every cursor has passed this sequence. Rows at and below it are history.
    public var lowWatermark: Int64 = 0
    /// Sequences above the low watermark; includes the gaps that damaged rows left.
    public var unconfirmedRows: Int64 = 0
    /// Arrival of the oldest row above the low watermark, wall nanoseconds; nil when there is none.
    public var oldestUnconfirmedAt: Int64?
    /// Bytes of database pages in use, without the reserve.
    public var usedBytes: Int64 = 0
    public var fileBytes: Int64 = 0
    public var walBytes: Int64 = 0
    public var maxBytes: Int64 = 0
    /// Bytes held back for a full disk.
    public var reserveBytes: Int64 = 0
    /// Unconfirmed rows that made room for newer ones, since the file was made.
    public var dropped: Int64 = 0
    /// Sequences of rows that failed their checksum or could not be read, since the file was made. Those that are found
    /// after all, when the file is set aside and its rows are copied, stay counted.
    public var quarantined: Int64 = 0
    /// Rejected input by reason, since the file was made.
    public var setAside: [String: Int64] = [:]  // Own names: reasons.
    /// How often the file or its log was removed or replaced while in use and put back, since the start.
    public var removals: Int64 = 0
    /// What happened then, a sentence; nil if nothing did.
    public var removal: String?
    /// Transactions that were made durable since the start.
    public var commits: Int64 = 0
    /// How long the last of them took, nanoseconds.
    public var commitNanosecondsLast: Int64 = 0
    /// Since when an operation has been waiting for the disk, CLOCK_BOOTTIME nanoseconds; nil when idle. A value that
    /// stays for seconds means that the disk hangs.
    public var busySince: Int64?
    /// Why the last operation failed; nil after a good one.
    public var lastError: String?
    /// What a person should look at, each a sentence with the next step.
    public var alarms: [String] = []
}
