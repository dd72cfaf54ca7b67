import Journal
import Machine

/// What was confirmed, on its way into the journal. Belongs to the uplink's thread.
struct KeptConfirmations {
    private let journal: Journal
    /// Confirmed, and not yet noted by the journal.
    private var unkept: [ClosedRange<Int64>] = []
    /// When the journal is asked to write down what it noted, boot time: after the last confirmation nothing else may come.
    private var noteAt: Int64?

    init(_ journal: Journal) { self.journal = journal }

    /// Tells the journal; what it does not take now is told the next time.
    mutating func keep(_ confirmed: [ClosedRange<Int64>]) throws(JournalError) {
        unkept += confirmed
        guard !unkept.isEmpty else { return }
        try journal.confirm(unkept, cursor: UplinkLane.cursor, now: Clock.wallNanoseconds)
        unkept = []
        noteAt = Clock.bootNanoseconds + 1_050_000_000
    }

    /// - Returns: when to look again.
    mutating func note(now: Int64) throws(JournalError) -> Int64? {
        guard let due = noteAt else { return nil }
        guard now >= due else { return due }
        noteAt = nil
        try journal.confirm([], cursor: UplinkLane.cursor, now: Clock.wallNanoseconds)
        return nil
    }

    /// The journal was replaced: what was confirmed of the old one means nothing to the new one.
    mutating func forget() { unkept = [] }
}
