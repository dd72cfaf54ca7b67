import Heating
import Journal

extension ForwardSnapshot {
    /// Below this share of free space the disk is worth a word.
    private static let lowDiskShare = 0.05

    /// What is wrong with recording and forwarding now, most urgent first.
    var findings: [Finding] {
        (journalFindings + certificateFindings + cloudFindings + recordLinkFindings + laneFindings).ordered
    }

    private var journalFindings: [Finding] {
        var findings: [Finding] = []
        if let error = state.journalError {
            findings.append(
                .init(
                    name: "journal-unavailable", severity: .recording, text: "nothing is recorded: \(error)",
                    advice: "Heating goes on. Readings wait at the home broker; it is tried again every 2 seconds."))
        }
        if let failure = record.failure {
            findings.append(
                .init(
                    name: "not-recording", severity: .recording, text: "readings are not acknowledged: \(failure)",
                    advice: "Readings wait at the home broker. Free disk space or check the disk: journalctl -u hearthd"
                ))
        }
        guard let journal else { return findings }
        findings += journal.alarms.map {
            Finding(name: "journal", severity: .recording, subject: $0, text: $0, advice: "Details: hearth journal")
        }
        if let removal = journal.removal {
            findings.append(
                .init(
                    name: "journal-file-removed", severity: .recording, text: removal,
                    advice: "Find out what touches \(journal.path): while hearthd runs the file is its own. Restart "
                        + "hearthd when you know, and this message goes."))
        }
        if journal.dropped > 0 {
            findings.append(
                .init(
                    name: "readings-dropped", severity: .recording,
                    text: "\(journal.dropped) readings were dropped because the journal was full",
                    advice: "Raise journal.max_size, or restore the cloud link sooner."))
        }
        if journal.quarantined > 0 {
            findings.append(
                .init(
                    name: "rows-quarantined", severity: .recording,
                    text: "\(journal.quarantined) damaged rows were taken out of the journal",
                    advice: "The disk or card returns wrong data: replace it soon."))
        }
        if let disk = files.disk, disk.total > 0, Double(disk.free) < Double(disk.total) * Self.lowDiskShare {
            findings.append(
                .init(
                    name: "disk-low", severity: .recording,
                    text: "the journal's disk is nearly full (\(spokenSize(disk.free)) free)",
                    advice: "Free some space; the journal has a reserve, then readings wait at the home broker."))
        }
        return findings
    }

    private var certificateFindings: [Finding] { files.certificates.compactMap { $0.finding(at: wall) } }

    private var cloudFindings: [Finding] {
        guard let refusal = uplink.refusal, backlog > 0 else { return [] }
        let home = state.configuration.home.name
        return [
            Finding(
                name: "cloud-refuses", severity: .forwarding,
                text: "the cloud broker does not take all records: \(refusal)",
                advice: "Readings wait in the journal. Let something subscribe to \(home)/+/temperature and "
                    + "\(home)/+/heatpump there, and check this home's ACL.")
        ]
    }

    /// Control tells of a broker that is away; this is for the one that only this connection cannot reach.
    private var recordLinkFindings: [Finding] {
        guard let link = links.first, !link.isConnected, link.detail != LinkView.waiting, link.state != "connecting"
        else {
            return []
        }
        return [
            Finding(
                name: "record-not-connected", severity: .recording,
                text: "nothing is recorded: \(link.peer): \(link.detail)",
                advice: "Readings wait at the home broker if it keeps them for an absent client. Check [local], and: "
                    + "systemctl status mosquitto")
        ]
    }
}
