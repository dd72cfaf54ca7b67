extension Store {
    func read(
        after: Int64, rows: Int, bytes: Int, topics: [String]?
    ) throws(JournalError) -> Journal.Batch {
        try perform(.other) { session throws(JournalError) in
            let start = max(after, session.firstKept - 1, 0)
            guard start < session.newest, rows > 0 else {
                let scanned = rows > 0 ? max(after, min(start, session.newest)) : after
                return Journal.Batch(records: [], scannedThrough: scanned, epoch: session.epoch)
            }
            let limits = ScanLimits(rows: rows, bytes: bytes, topics: topics)
            let scan: Scan
            do throws(JournalError) {
                scan = try session.entries.read(
                    start + 1...session.newest, limits: limits, skipsFailures: unreadableAt == start)
            } catch {
                // A disk error that is there again after the file was reopened is a bad sector, to be got past.
                unreadableAt = error.isUnreadable ? start : nil
                throw error
            }
            unreadableAt = nil
            if let range = scan.vanished(in: session) {
                throw JournalError(
                    code: .corrupt,
                    message: "\(settings.path) has lost the way to the rows \(range). The file is set "
                        + "aside and its rows copied to a fresh one; check the disk (dmesg, smartctl).")
            }
            if !scan.damaged.isEmpty || !scan.missing.isEmpty { quarantine(scan, in: session) }
            return Journal.Batch(records: scan.records, scannedThrough: scan.position, epoch: session.epoch)
        }
    }

    /// The newest rows, oldest first.
    func recent(_ count: Int) throws(JournalError) -> [Journal.Record] {
        try perform(.other) { session throws(JournalError) in
            var records: [Journal.Record] = []
            var scanned = 0
            guard count > 0 else { return [] }
            do throws(JournalError) {
                try session.entries.scanBackward { row in
                    scanned += 1
                    if case .good(let record) = row { records.append(record) }
                    return records.count < count && scanned < count + 1000
                }
            } catch {
                // What lies before a damaged page is not recent any more; the reader counts it.
                guard error.code == .corrupt else { throw error }
            }
            return records.reversed()
        }
    }

    func rejected(limit: Int) throws(JournalError) -> [Journal.Rejected] {
        try perform(.other) { session throws(JournalError) in try session.rejected.list(limit: limit) }
    }

    /// Counts missing sequences, once, and moves damaged rows to the rejected ones.
    ///
    /// A failure is only noted: what was read is good, and the gap is met again.
    private func quarantine(_ scan: Scan, in session: Session) {
        do throws(JournalError) {
            var deletable: [(sequence: Int64, payload: [UInt8])] = []
            for (sequence, row) in scan.damaged.sorted(by: { $0.key < $1.key }) {
                // The stored sequence may be what was damaged: delete only if the tree finds the damaged row there.
                if try isDamaged(sequence, in: session) { deletable.append((sequence, row.payload)) }
            }
            var quarantined = session.quarantined
            var countedThrough = session.countedThrough
            for range in scan.missing where range.upperBound > countedThrough {
                quarantined += range.upperBound - max(range.lowerBound, countedThrough + 1) + 1
                countedThrough = range.upperBound
            }
            guard quarantined > session.quarantined || !deletable.isEmpty else { return }
            let received = lastWallTime
            try session.transaction(durable: false) { () throws(JournalError) in
                for row in deletable { try session.entries.delete(row.sequence...row.sequence) }
                let evidence = deletable.prefix(100).map {
                    Journal.Rejected(topic: "", payload: $0.payload, reason: "damaged_row", receivedAt: received)
                }
                try session.rejected.insert(evidence[...])
                // A deleted newest row must not give its sequence to another.
                try session.state.set(StateName.newest, session.newest)
                try session.state.set(StateName.quarantined, quarantined)
                try session.state.set(StateName.countedThrough, countedThrough)
            }
            session.quarantined = quarantined
            session.countedThrough = countedThrough
        } catch {
            session.rejected.forget()
            settle(error)
        }
    }

    private func isDamaged(_ sequence: Int64, in session: Session) throws(JournalError) -> Bool {
        var isDamaged = false
        _ = try session.entries.scan(from: sequence) { row in
            if case .damaged(sequence, _, _) = row { isDamaged = true }
            return false
        }
        return isDamaged
    }
}
