import Machine

extension Store {
    /// Confirmations are written after this long, or after this many rows: losing one in a crash only means that
    /// its rows are sent again, and everything downstream tolerates that. Few enough rows that a process which lives
    /// for a quarter of a second at a time still gets on.
    static let cursorInterval: Int64 = 1_000_000_000
    static let cursorRows: Int64 = 256

    func cursor(_ name: String) throws(JournalError) -> Int64 {
        try perform(.other) { session throws(JournalError) in session.cursors[name] ?? 0 }
    }

    /// What is confirmed above a cursor.
    func confirmedAbove(_ name: String) throws(JournalError) -> [ClosedRange<Int64>] {
        try perform(.other) { session throws(JournalError) in
            (confirmed[name]?.ranges ?? []).compactMap { range in
                range.lowerBound <= session.newest
                    ? range.lowerBound...min(range.upperBound, session.newest) : nil
            }
        }
    }

    /// Moves a cursor forward, durably; creates it when it does not exist.
    func advance(_ name: String, through: Int64) throws(JournalError) {
        try perform(.other) { session throws(JournalError) in
            let target = advanced(name, through: through, newest: session.newest, in: session)
            guard target != session.cursors[name] else { return }
            try session.transaction(durable: true) { () throws(JournalError) in
                try session.state.set(StateName.cursorPrefix + name, target)
            }
            commits += 1
            session.cursors[name] = target
            refreshOldest(session)
            maintain(session)
        }
    }

    func removeCursor(_ name: String) throws(JournalError) {
        try perform(.other) { session throws(JournalError) in
            guard session.cursors[name] != nil else { return }
            try session.transaction(durable: true) { () throws(JournalError) in
                try session.state.removeValue(StateName.cursorPrefix + name)
                try session.state.removeValue(StateName.confirmedPrefix + name)
            }
            session.cursors[name] = nil
            confirmed[name] = nil
            unsavedCursors.remove(name)
            refreshOldest(session)
        }
    }

    /// Notes confirmed ranges, moves the cursor over the contiguous prefix, and deletes history that is old enough.
    func confirm(_ ranges: [ClosedRange<Int64>], cursor name: String, now: Int64) throws(JournalError) {
        try perform(.other, now: now) { session throws(JournalError) in
            let bottom = max(session.cursors[name] ?? 0, session.firstKept - 1)
            var pending = confirmed[name] ?? ConfirmedRanges()
            for range in ranges {
                let low = max(range.lowerBound, bottom + 1)
                let high = min(range.upperBound, session.newest)
                if low <= high { pending.insert(low...high) }
            }
            let through = pending.takePrefix(after: bottom)
            if pending != confirmed[name] ?? ConfirmedRanges() { unsavedCursors.insert(name) }
            confirmed[name] = pending
            if through != session.cursors[name] {
                unsavedRows += through - (session.cursors[name] ?? 0)
                unsavedCursors.insert(name)
                session.cursors[name] = through
            }
            try pruneHistory(in: session, now: now)
            if areCursorsDue(Clock.bootNanoseconds) { try saveCursors(in: session, durable: false) }
            refreshOldest(session)
            maintain(session)
        }
    }

    /// Where a cursor ends up: never backwards, never beyond what exists.
    func advanced(_ name: String, through: Int64, newest: Int64, in session: Session) -> Int64 {
        max(session.cursors[name] ?? 0, min(through, newest))
    }

    // MARK: Writing cursors

    func areCursorsDue(_ boot: Int64) -> Bool {
        !unsavedCursors.isEmpty && (unsavedRows >= Self.cursorRows || boot - cursorsSavedAt >= Self.cursorInterval)
    }

    /// Within a transaction of the caller, who calls ``cursorsWereSaved(at:)`` when it has succeeded.
    func writeCursors(in session: Session) throws(JournalError) {
        for name in unsavedCursors {
            try session.state.set(StateName.cursorPrefix + name, session.cursors[name] ?? 0)
            let above = confirmed[name]?.stored ?? ""
            if above.isEmpty {
                try session.state.removeValue(StateName.confirmedPrefix + name)
            } else {
                try session.state.set(StateName.confirmedPrefix + name, above)
            }
        }
        try session.state.set(StateName.newest, session.newest)
    }

    func cursorsWereSaved(at boot: Int64) {
        unsavedCursors = []
        unsavedRows = 0
        cursorsSavedAt = boot
    }

    func saveCursors(in session: Session, durable: Bool) throws(JournalError) {
        try session.transaction(durable: durable) { () throws(JournalError) in try writeCursors(in: session) }
        cursorsWereSaved(at: Clock.bootNanoseconds)
    }

    /// Looks the oldest unconfirmed row up when the low watermark has moved. Failures are the reader's to meet.
    func refreshOldest(_ session: Session) {
        let low = session.lowWatermark
        if let oldestUnconfirmed, oldestUnconfirmed.above == low { return }
        let receivedAt = low < session.newest ? (try? session.entries.first(from: low + 1))?.receivedAt : nil
        oldestUnconfirmed = (low, receivedAt)
    }
}
