import Heating
import Journal
import MQTT

extension StatusReport {
    /// Below this share of free space the disk is worth a word.
    private static let lowDiskShare = 0.05

    /// What is wrong now, most urgent first.
    var findings: [Finding] {
        (heatingFindings + journalFindings + certificateFindings + linkFindings + gateway.controlFindings.snapshot
            + gateway.recordFindings.snapshot + gateway.uplinkFindings.snapshot).ordered
    }

    private var heatingFindings: [Finding] {
        var findings: [Finding] = []
        for (room, view) in control.rooms.sorted(by: { $0.key < $1.key }) where view.status.isStale {
            findings.append(
                .init(
                    name: "room-blind", severity: .cold, subject: room.name, room: room,
                    text: "no reading from \(room.displayName): \(view.status.reason)",
                    advice: "Check the sensor's power and its connection to the home broker."))
        }
        for (room, view) in control.rooms.sorted(by: { $0.key < $1.key }) {
            guard let problem = view.status.pumpProblem else { continue }
            findings.append(
                .init(
                    name: "pump-not-responding", severity: .cold, subject: room.name, room: room,
                    text: "\(room.displayName) \(problem)",
                    advice: "Check the heat pump and its connection to the home broker; an open window can do this too."
                ))
        }
        if let problem = state.configurationError {
            findings.append(
                .init(
                    name: "configuration-rejected", severity: .heating,
                    text: "the last reload kept the old settings: \(problem)",
                    advice: "Mend the file, then: systemctl reload hearthd"))
        }
        return findings
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
        if let disk, disk.total > 0, Double(disk.free) < Double(disk.total) * Self.lowDiskShare {
            findings.append(
                .init(
                    name: "disk-low", severity: .recording,
                    text: "the journal's disk is nearly full (\(disk.free >> 20) MiB free)",
                    advice: "Free some space; the journal has a reserve, then readings wait at the home broker."))
        }
        return findings
    }

    private var certificateFindings: [Finding] { certificates.compactMap { $0.finding(at: wall) } }

    private var linkFindings: [Finding] { homeBrokerFindings + cloudFindings }

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

    /// The home broker is there and throws Control out, and a finding says for what.
    private var isExplained: Bool {
        let causes = ["commands-refused", "readings-refused", "another-gateway"]
        guard gateway.controlFindings.snapshot.contains(where: { causes.contains($0.name) }) else { return false }
        guard case .waiting(_, let last) = gateway.control.state else { return gateway.control.isConnected }
        return last.kind == .lost || last.kind == .disconnectedByBroker
    }

    private var homeBrokerFindings: [Finding] {
        let missing = links.filter { !$0.isConnected && $0.name != "uplink" && $0.detail != LinkView.waiting }
        guard let first = missing.first, !isExplained else { return [] }
        return [
            Finding(
                name: "no-home-broker", severity: .cold,
                text:
                    "no connection to the home broker at \(first.peer) (\(missing.map(\.name).joined(separator: ", ")))",
                advice: "Check it: systemctl status mosquitto")
        ]
    }
}
