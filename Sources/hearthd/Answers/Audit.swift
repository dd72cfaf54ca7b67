import Heating
import Journal

/// One part of `hearth audit`: a run of the journal's sequences against what the cloud has confirmed.
///
/// Looks at no more than ``rowsPerCall`` rows, so that the control socket answers others soon; the caller goes on
/// from `scannedThrough`.
struct Audit {
    static let rowsPerCall = 2048
    /// What arrived within this time may well be on its way.
    private static let settleNanoseconds: Int64 = 10_000_000_000

    struct Failure: Error {
        var message: String
    }

    let json: JSON

    init(_ report: ForwardSnapshot, seconds: Int64, after: Int64?) throws(Failure) {
        guard let journal = report.state.journal, let status = report.journal else {
            throw Failure(message: report.state.journalError ?? "the journal is not open yet")
        }
        if report.isStuck { throw Failure(message: "the disk does not answer") }
        do throws(JournalError) {
            let cutoff = report.wall.nanoseconds - seconds * 1_000_000_000
            var start = after
            if start == nil { start = try Self.firstRow(of: journal, since: cutoff) - 1 }
            json = try Self.part(of: journal, after: start ?? 0, report, status)
        } catch {
            throw Failure(message: "\(error)")
        }
    }

    private static func part(
        of journal: Journal, after start: Int64, _ report: ForwardSnapshot, _ status: JournalStatus
    ) throws(JournalError) -> JSON {
        let batch = try journal.read(after: start, rows: rowsPerCall)
        let present = SequenceRanges(batch.records.map { $0.sequence...$0.sequence })
        // Never below the first kept: what lies before it has left the journal, confirmed or dropped.
        let from = max(start + 1, status.firstKept)
        let missing = from <= batch.scannedThrough ? present.gaps(in: from...batch.scannedThrough) : []
        let settled = batch.records.last { $0.receivedAt <= report.wall.nanoseconds - settleNanoseconds }
        return [
            "epoch": .string(batch.epoch), "confirm": .string(report.state.configuration.uplink.confirm.rawValue),
            "first": JSON(start + 1), "scannedThrough": JSON(batch.scannedThrough),
            "settledThrough": settled.map { JSON($0.sequence) } ?? .null, "newest": JSON(status.newest),
            "records": JSON(batch.records.count), "missing": SequenceRanges(missing).json,
            "more": .bool(batch.scannedThrough < status.newest && batch.scannedThrough > start),
            "confirmedThrough": JSON(max(status.lowWatermark, report.uplink.confirmedThrough)),
            "confirmedAbove": SequenceRanges(report.uplink.confirmedAbove).json,
            "lost": SequenceRanges(report.uplink.lost).json,
            "dropped": JSON(status.dropped), "quarantined": JSON(status.quarantined),
            "confirmedEarlier": JSON(min(report.uplink.confirmedEarlier, batch.scannedThrough)),
            "account": account(report, start + 1, batch.scannedThrough),
        ]
    }

    /// What the cloud says became of the records of this part; null when it says nothing of this journal.
    private static func account(_ report: ForwardSnapshot, _ first: Int64, _ last: Int64) -> JSON {
        guard let account = report.uplink.stored else { return .null }
        var members: [(key: String, value: JSON)] = [("toldFrom", JSON(account.toldFrom))]
        for fate in StoredAccount.Fate.allCases where first <= last {
            members.append((fate.rawValue, account[fate].intersection(first...last).json))
        }
        return .object(.init(members))
    }

    /// The first row that arrived at or after `cutoff`; one after the newest when there is none.
    static func firstRow(of journal: Journal, since cutoff: Int64) throws(JournalError) -> Int64 {
        var low = journal.status.firstKept
        var high = journal.status.newest + 1
        while low < high {
            let middle = low + (high - low) / 2
            let row = try journal.read(after: middle - 1, rows: 1).records.first
            if let row, row.receivedAt < cutoff { low = row.sequence + 1 } else { high = middle }
        }
        return low
    }
}
