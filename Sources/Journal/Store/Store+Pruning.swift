import Machine

extension Store {
    /// At most this many blocks are deleted per call, so that nobody waits long.
    private static let blocksPerCall = 8
    /// Less than a block is deleted at most this often.
    private static let partialInterval: Int64 = 60_000_000_000

    /// Deletes rows that every cursor has passed and that are older than `history`, in large ranges from the head.
    func pruneHistory(in session: Session, now: Int64) throws(JournalError) {
        let (cutoff, overflow) = now.subtractingReportingOverflow(settings.history.clampedNanoseconds)
        guard !overflow else { return }
        for _ in 0..<Self.blocksPerCall {
            let low = min(session.lowWatermark, session.newest)
            let end = session.firstKept + blockRows(session) - 1
            guard end <= low else { break }
            guard let row = try session.entries.first(from: end), row.receivedAt <= cutoff else { break }
            try deleteBlock(through: end, in: session)
        }
        let boot = Clock.bootNanoseconds
        if let prunedPartlyAt, boot - prunedPartlyAt < Self.partialInterval { return }
        prunedPartlyAt = boot
        let end = min(session.lowWatermark, session.newest, session.firstKept + blockRows(session) - 1)
        guard let last = try lastReceived(by: cutoff, in: session.firstKept, through: end, session) else { return }
        try deleteBlock(through: last, in: session)
    }

    /// The last sequence of a range that arrived by `cutoff`, by bisection; arrival follows sequence but for jumps of
    /// the clock, and those only shift the edge within history.
    private func lastReceived(
        by cutoff: Int64, in first: Int64, through last: Int64, _ session: Session
    ) throws(JournalError) -> Int64? {
        var good = first - 1
        var bad = last + 1
        while bad - good > 1 {
            let middle = good + (bad - good) / 2
            if let row = try session.entries.first(from: middle), row.receivedAt <= cutoff {
                good = middle
            } else {
                bad = middle
            }
        }
        return good >= first ? good : nil
    }

    /// Rows of one delete: about a two-hundredth of the journal, so that most pages become free as a whole.
    private func blockRows(_ session: Session) -> Int64 {
        let bytes = min(max(layout.databaseBytes / 200, 32 << 10), 512 << 10)
        let rows = max(1, session.newest - session.firstKept + 1)
        let average = max(16, session.usedBytes / rows)
        return min(max(bytes / average, 16), 4096)
    }

    /// Deletes one block from the head, not beyond `limit`. Unconfirmed rows in it are counted as dropped, in the same
    /// transaction. Not durable by itself: rows that come back after a power cut are merely deleted again.
    func deleteBlock(through limit: Int64, in session: Session) throws(JournalError) {
        let first = session.firstKept
        let end = min(first + blockRows(session) - 1, limit)
        let low = session.lowWatermark
        var dropped = session.dropped
        try session.transaction(durable: false) { () throws(JournalError) in
            if first <= low { try session.entries.delete(first...min(end, low)) }
            if end > low {
                try session.entries.delete(max(first, low + 1)...end)
                dropped += session.connection.changes
                try session.state.set(StateName.dropped, dropped)
            }
            try session.state.set(StateName.floor, end)
            try writeCursors(in: session)
        }
        cursorsWereSaved(at: Clock.bootNanoseconds)
        session.dropped = dropped
        session.firstKept = end + 1
        refreshOldest(session)
        try checkpointWhenDue(session)
    }
}
