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
                    name: "journal-unavailable", severity: .recording,
                    text: .finding(.noJournal, ["problem": .text("\(error)")]),
                    advice: .finding(.waitsEvery2Seconds)))
        }
        if let failure = record.failure {
            findings.append(
                .init(
                    name: "not-recording", severity: .recording,
                    text: .finding(.notAcknowledged, ["problem": .text("\(failure)")]),
                    advice: .finding(.freeOrCheckDisk, command: "journalctl -u hearthd")))
        }
        guard let journal else { return findings }
        findings += journal.alarms.map {
            Finding(
                name: "journal", severity: .recording, subject: $0,
                text: .finding(.journalSays, ["problem": .text($0)]),
                advice: .finding(.details, command: "hearth journal"))
        }
        if let removal = journal.removal {
            findings.append(
                .init(
                    name: "journal-file-removed", severity: .recording,
                    text: .finding(.journalSays, ["problem": .text(removal)]),
                    advice: .finding(.whoTouches, ["file": .text(journal.path)])))
        }
        if journal.dropped > 0 {
            findings.append(
                .init(
                    name: "readings-dropped", severity: .recording,
                    text: .finding(.dropped, ["count": .count(journal.dropped)]), advice: .finding(.raiseSize)))
        }
        if journal.quarantined > 0 {
            findings.append(
                .init(
                    name: "rows-quarantined", severity: .recording,
                    text: .finding(.quarantined, ["count": .count(journal.quarantined)]),
                    advice: .finding(.replaceDisk)))
        }
        if let disk = files.disk, disk.total > 0, Double(disk.free) < Double(disk.total) * Self.lowDiskShare {
            findings.append(
                .init(
                    name: "disk-low", severity: .recording,
                    text: .finding(.diskLow, ["size": .text(spokenSize(disk.free))]), advice: .finding(.freeSpace)))
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
                text: .finding(.cloudRefuses, ["problem": .text(refusal)]),
                advice: .finding(
                    .letSubscribe,
                    ["readings": .text("\(home)/+/temperature"), "commands": .text("\(home)/+/heatpump")]))
        ]
    }

    /// Control tells of a broker that is away; this is for the one that only this connection cannot reach.
    private var recordLinkFindings: [Finding] {
        guard let link = links.first, !link.isConnected, let said = link.said, said != LinkView.waiting,
            link.state != "connecting"
        else {
            return []
        }
        return [
            Finding(
                name: "record-not-connected", severity: .recording,
                text: .finding(.recordAway, ["peer": .text(link.peer), "problem": .sentence(said)]),
                advice: .finding(.checkLocal, command: "systemctl status mosquitto"))
        ]
    }
}
