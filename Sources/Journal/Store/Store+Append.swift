import Machine

extension Store {
    /// Appends a batch, sets rejected input aside and moves cursors, all in one transaction.
    func append(
        _ entries: [Journal.Record], settingAside rejected: [Journal.Rejected],
        advancing: [Journal.CursorMove], now: Int64
    ) throws(JournalError) -> ClosedRange<Int64>? {
        try perform(.append, now: now) { session throws(JournalError) in
            try makeRoom(for: estimate(entries, rejected, in: session), in: session)
            let started = Clock.bootNanoseconds
            let first = session.newest + 1
            let last = entries.reduce(session.newest) { $0 + Int64($1.span) }
            let topics = session.entries.topics.count
            var counts = session.rejectedCounts
            let moves = advancing.map {
                ($0.cursor, advanced($0.cursor, through: $0.through, newest: last, in: session))
            }
            guard !entries.isEmpty || !rejected.isEmpty || moves.contains(where: { session.cursors[$0] != $1 }) else {
                return nil
            }
            let isSavingCursors = areCursorsDue(started)
            let isDurable = !entries.isEmpty || !rejected.isEmpty
            do throws(JournalError) {
                try session.transaction(durable: isDurable) { () throws(JournalError) in
                    var sequence = session.newest
                    for entry in entries {
                        sequence += Int64(entry.span)
                        try session.entries.insert(entry, sequence: sequence)
                    }
                    try setAside(rejected, counts: &counts, in: session)
                    for (cursor, through) in moves { try session.state.set(StateName.cursorPrefix + cursor, through) }
                    if isSavingCursors { try writeCursors(in: session) }
                }
            } catch {
                session.entries.forgetTopics(above: topics)
                session.rejected.forget()
                throw error
            }
            if isDurable {
                commits += 1
                commitNanoseconds = Clock.bootNanoseconds - started
            }
            session.rejectedCounts = counts
            if isSavingCursors { cursorsWereSaved(at: started) }
            took(entries.first, in: session)
            session.newest = last
            for (cursor, through) in moves { session.cursors[cursor] = through }
            refreshOldest(session)
            maintain(session)
            return entries.isEmpty ? nil : first...last
        }
    }

    /// Inserts salvaged rows under the sequences they had.
    func restore(_ records: [Journal.Record], in session: Session) throws(JournalError) {
        guard let last = records.last else { return }
        try makeRoom(for: estimate(records, [], in: session), in: session)
        try session.transaction(durable: false) { () throws(JournalError) in
            for record in records { try session.entries.insert(record, sequence: record.sequence) }
        }
        session.newest = max(session.newest, last.sequence)
        try checkpointWhenDue(session)
    }

    /// Puts back the rows that the log holds behind a damaged frame.
    ///
    /// When a checkpoint had come that far, the database has their pages already. SQLite then reads older versions of
    /// some pages, inner ones too, from the sound part of the log, which hides the rows: so it counts what can be seen,
    /// and not what the counters, whose pages may be newer, say.
    func putBack(_ tail: LogTail, in session: Session) throws(JournalError) {
        let salvage = Salvage(
            tail, topics: session.entries.topics, newest: session.newest, countedThrough: session.countedThrough)
        guard salvage.state.epoch == nil || salvage.state.epoch == session.epoch else { return }
        let before = session.newestRow
        let isDamage = salvage.hasRow(above: before, inFirst: tail.settledCount)
        let result = salvage.copy(
            after: before, isNext: isDamage, stopsAtGap: !isDamage, bytes: min(128 << 10, layout.logBytes / 4)
        ) { records throws(JournalError) in
            try self.restore(records, in: session)
        }
        if let failure = result.failure { throw failure }
        // Without damage it was a batch that a power cut interrupted: kept as far as it is there, and nothing is lost.
        guard isDamage else { return }
        let newest = max(session.newest, salvage.state.newest)
        let quarantined = session.quarantined + result.lost
        try session.transaction(durable: true) { () throws(JournalError) in
            try session.state.set(StateName.newest, newest)
            try session.state.set(StateName.quarantined, quarantined)
            try session.state.set(StateName.countedThrough, newest)
        }
        (session.newest, session.quarantined, session.countedThrough) = (newest, quarantined, newest)
        notice(
            "The journal's log is damaged behind row \(before): \(result.rows) rows were recovered from it, "
                + "\(result.lost) were lost. Check the disk (dmesg, smartctl).")
    }

    /// Gives the fresh file what else was read from the damaged one, and makes all of it durable.
    func finishSalvage(_ state: Salvage.State, _ result: Salvage.Result, in session: Session) throws(JournalError) {
        let newest = max(session.newest, state.newest, state.floor)
        // While copying, room may have been made by deleting from the head.
        let floor = max(session.firstKept - 1, state.floor, (result.first ?? 1) - 1)
        let cursors = session.cursors.mapValues { min(max($0, 0), newest) }
        let dropped = session.dropped + state.dropped
        let quarantined = state.quarantined + result.lost
        try session.transaction(durable: true) { () throws(JournalError) in
            try session.state.set(StateName.newest, newest)
            try session.state.set(StateName.floor, floor)
            try session.state.set(StateName.dropped, dropped)
            try session.state.set(StateName.quarantined, quarantined)
            try session.state.set(StateName.countedThrough, newest)
            for (name, through) in cursors { try session.state.set(StateName.cursorPrefix + name, through) }
            try session.state.removeValue(StateName.salvage)
        }
        session.firstKept = floor + 1
        session.newest = newest
        session.dropped = dropped
        session.quarantined = quarantined
        session.countedThrough = newest
        session.cursors = cursors
        session.salvage = nil
    }

    private func estimate(_ entries: [Journal.Record], _ rejected: [Journal.Rejected], in session: Session) -> Estimate
    {
        var estimate = Estimate(pageSize: session.pageSize)
        for entry in entries {
            // A topic that has a number takes two bytes; a new one is stored once, which this covers as well.
            estimate.add(entry.payload.count + entry.attributes.count + entry.topic.utf8.count)
        }
        for item in rejected { estimate.add(RejectedTable.size(of: item)) }
        return estimate
    }

    private func setAside(
        _ rejected: [Journal.Rejected], counts: inout [String: Int64], in session: Session
    ) throws(JournalError) {
        guard !rejected.isEmpty else { return }
        try session.rejected.insert(rejected[...])
        var changed: Set<String> = []  // Own names: reasons.
        for item in rejected {
            // Reasons are words of the program; the bound is for the day when one contains input.
            let isKnown = counts[item.reason] != nil || counts.count < RejectedTable.maximumReasons
            let reason = isKnown ? item.reason : "other"
            counts[reason, default: 0] += 1
            changed.insert(reason)
        }
        for reason in changed {
            try session.state.set(StateName.rejectedPrefix + reason, counts[reason] ?? 0)
        }
    }

    /// Keeps `oldestUnconfirmed` without a look-up: what is appended after everything was confirmed is the oldest.
    private func took(_ first: Journal.Record?, in session: Session) {
        guard let first, oldestUnconfirmed?.receivedAt == nil, session.newest == session.lowWatermark else { return }
        oldestUnconfirmed = (session.lowWatermark, first.receivedAt)
    }
}
