import Heating
import Journal

extension ForwardSnapshot {
    /// What this side knows of its own health, for `hearth doctor`.
    var checks: [Check] {
        links.map(\.check) + [journalCheck, diskCheck] + files.secrets + files.certificates.map { $0.check(at: wall) }
    }

    private var journalCheck: Check {
        if let error = state.journalError {
            return Check(
                name: "journal", state: .error, detail: error,
                advice: "Check \(state.configuration.journal.path), its directory's owner and the disk.")
        }
        guard let journal else { return Check(name: "journal", state: .warning, detail: "opening") }
        if let failure = record.failure ?? journal.lastError {
            return Check(name: "journal", state: .error, detail: failure, advice: "Check the disk: dmesg, df -h")
        }
        if !journal.alarms.isEmpty || journal.quarantined > 0 {
            return Check(
                name: "journal", state: .warning,
                detail: (journal.alarms + ["\(journal.quarantined) rows quarantined"]).joined(separator: "; "),
                advice: "The damaged file was kept beside the new one. Replace a failing disk or card.")
        }
        let used = "\(spokenSize(journal.usedBytes)) of \(spokenSize(journal.maxBytes))"
        return Check(name: "journal", state: .ok, detail: "\(backlog) waiting for the cloud, \(used)")
    }

    private var diskCheck: Check {
        guard let disk = files.disk else {
            return Check(
                name: "disk", state: .error, detail: "the journal's directory cannot be examined",
                advice: "Create it and give it to the user hearthd runs as.")
        }
        let detail = "\(spokenSize(disk.free)) free of \(spokenSize(disk.total))"
        let need = max(64 << 20, (state.configuration.journal.maxSize - (journal?.fileBytes ?? 0)))
        guard disk.free < need else { return Check(name: "disk", state: .ok, detail: detail) }
        return Check(
            name: "disk", state: .warning, detail: "\(detail): less than the journal may still grow",
            advice: "Free some space or lower journal.max_size.")
    }
}
