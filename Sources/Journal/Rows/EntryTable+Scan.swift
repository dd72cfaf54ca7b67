import CSQLite

/// What one pass over the rows found.
struct Scan {
    var records: [Journal.Record] = []
    /// The last sequence that was looked at.
    var position: Int64
    /// Sequences that were given out and are not there: rows that are damaged, on lost pages, or gone without a trace.
    var missing: [ClosedRange<Int64>] = []
    /// Rows that failed their checksum, by the sequence they claim.
    var damaged: [Int64: (span: Int, payload: [UInt8])] = [:]

    /// A range that is missing without a trace although its rows must be somewhere: more of them than one leaf page can
    /// hold, or appended since the file was opened. The tree has lost the way to them; the rows may well be intact.
    func vanished(in session: Session) -> ClosedRange<Int64>? {
        missing.first { range in
            guard range.upperBound > session.countedThrough else { return false }
            let traces = damaged.reduce(0) { $0 + (range.contains($1.key) ? $1.value.span : 0) }
            let traceless = range.count - min(traces, range.count)
            return traceless > session.pageSize / 20 || (traceless > 0 && range.upperBound > session.newestAtOpening)
        }
    }
}

/// How much one pass may collect and look at.
struct ScanLimits {
    /// In sequences, but always one row.
    var rows: Int
    var bytes: Int
    var topics: [String]?
    /// Rows looked at, so that a topic that is rare does not hold the journal for long.
    var scanned = 2_000
    var damaged = 1_000
}

extension EntryTable {
    /// Reads the rows in `range` in order, verifies each, and gets past what is damaged.
    ///
    /// - Parameter skipsFailures: whether a read that the disk refused is treated like a damaged page.
    func read(
        _ range: ClosedRange<Int64>, limits: ScanLimits, skipsFailures: Bool = false
    ) throws(JournalError) -> Scan {
        var scan = Scan(position: range.lowerBound - 1)
        var bytesLeft = max(limits.bytes, 0)
        var scanned = 0
        var isStopped = false
        // Sequences are dense: whatever lies between two good rows is missing.
        var lastGood = scan.position
        var taken = 0
        func pass(_ sequence: Int64, _ span: Int) {
            let first = sequence - Int64(span) + 1
            if first > lastGood + 1 { scan.missing.append(lastGood + 1...first - 1) }
            (scan.position, lastGood) = (sequence, sequence)
            isStopped = taken >= limits.rows || scanned >= limits.scanned || bytesLeft == 0
        }
        while !isStopped, scan.position < range.upperBound {
            do throws(JournalError) {
                let atEnd = try self.scan(from: scan.position + 1, topics: limits.topics) { row in
                    scanned += 1
                    switch row {
                    case .damaged(let sequence, let span, let payload):
                        scan.damaged[sequence] = (span, payload)
                        isStopped = scan.damaged.count >= limits.damaged
                        // The sequence of a damaged row is not to be trusted: count on from the last good one.
                        if isStopped { scan.position += Int64(scan.damaged.count) }
                    case .good(let record):
                        // Lower ones are strays of a damaged page.
                        guard record.sequence > scan.position else { return true }
                        guard record.sequence <= range.upperBound else { isStopped = true; return false }
                        let size = record.payload.count + record.attributes.count + record.topic.utf8.count
                        let isTooMuch = size > bytesLeft || taken + record.span > limits.rows
                        if isTooMuch, !scan.records.isEmpty {
                            // It is there: only what lies before its first sequence is missing.
                            scan.position = max(lastGood, record.firstSequence - 1)
                            isStopped = true
                            return false
                        }
                        bytesLeft = max(0, bytesLeft - size)
                        taken += record.span
                        scan.records.append(record)
                        pass(record.sequence, record.span)
                    case .other(let sequence, let span):
                        guard sequence > scan.position else { return true }
                        guard sequence <= range.upperBound else { isStopped = true; return false }
                        pass(sequence, span)
                    }
                    return !isStopped
                }
                if atEnd { scan.position = range.upperBound }
            } catch {
                guard error.code == .corrupt || (skipsFailures && error.isUnreadable) else { throw error }
                let next = min(firstReadable(in: scan.position + 1...range.upperBound), range.upperBound + 1)
                scan.position = max(next - 1, scan.position + 1)
            }
        }
        scan.position = min(scan.position, range.upperBound)
        if scan.position > lastGood { scan.missing.append(lastGood + 1...scan.position) }
        return scan
    }

    /// The first sequence from which reading works again; the one after `range` when none does.
    ///
    /// A damaged leaf is some dozens of rows, tried one by one so that not one too many is lost. Behind a damaged
    /// inner page lie thousands: the step doubles, and bisecting finds the edge.
    private func firstReadable(in range: ClosedRange<Int64>) -> Int64 {
        var bad = range.lowerBound
        var step: Int64 = 1
        var tries = 0
        var candidate = bad + 1
        while candidate <= range.upperBound {
            if let found = sequence(from: candidate) {
                if candidate - bad == 1 { return max(found, candidate) }
                break
            }
            bad = candidate
            tries += 1
            if tries > 512 { step = min(step * 2, 1 << 60) }
            candidate = candidate.addingReportingOverflow(step).overflow ? .max : candidate + step
        }
        var good = min(candidate, range.upperBound + 1)
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2
            if sequence(from: middle) == nil { bad = middle } else { good = middle }
        }
        return good > range.upperBound ? good : max(good, sequence(from: good) ?? good)
    }

    /// The sequence of the first row at or after `sequence`, `Int64.max` when there is none, nil when that cannot be
    /// read.
    private func sequence(from sequence: Int64) -> Int64? {
        do throws(JournalError) { return try first(from: sequence)?.sequence ?? .max } catch { return nil }
    }
}

extension JournalError {
    /// A read failure that stays where it is: a bad sector, or a file that is too short.
    var isUnreadable: Bool {
        [SQLITE_IOERR | (1 << 8), SQLITE_IOERR | (2 << 8), SQLITE_IOERR | (33 << 8)].contains(sqliteCode)
    }
}
