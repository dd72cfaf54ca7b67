import Heating
import Journal

/// Something a person should know, with what to do about it.
struct Alarm: Equatable, Sendable {
    /// Stable name for machines, `journal-damaged`.
    var name: String
    var text: String
    var advice: String

    var json: JSON { ["name": .string(name), "text": .string(text), "advice": .string(advice)] }
}

extension StatusReport {
    /// Below this share of free space the disk is worth a word.
    private static let lowDiskShare = 0.05

    /// What is wrong now, most urgent first.
    var alarms: [Alarm] { heatingAlarms + journalAlarms + certificateAlarms + linkAlarms }

    private var heatingAlarms: [Alarm] {
        var alarms: [Alarm] = []
        for (room, view) in control.rooms.sorted(by: { $0.key < $1.key }) where view.status.isStale {
            alarms.append(
                .init(
                    name: "room-blind", text: "no reading from \(room.displayName): \(view.status.reason)",
                    advice: "Check the sensor's power and its connection to the home broker."))
        }
        for (room, view) in control.rooms.sorted(by: { $0.key < $1.key }) {
            guard let problem = view.status.pumpProblem else { continue }
            alarms.append(
                .init(
                    name: "pump-not-responding", text: "\(room.displayName) \(problem)",
                    advice: "Check the heat pump and its connection to the home broker; an open window can do this too."
                ))
        }
        if let problem = state.configurationError {
            alarms.append(
                .init(
                    name: "configuration-rejected", text: "the last reload kept the old settings: \(problem)",
                    advice: "Mend the file, then: systemctl reload hearthd"))
        }
        return alarms
    }

    private var journalAlarms: [Alarm] {
        var alarms: [Alarm] = []
        if let error = state.journalError {
            alarms.append(
                .init(
                    name: "journal-unavailable", text: "nothing is recorded: \(error)",
                    advice: "Heating goes on. Readings wait at the home broker; it is tried again every 2 seconds."))
        }
        if let failure = record.failure {
            alarms.append(
                .init(
                    name: "not-recording", text: "readings are not acknowledged: \(failure)",
                    advice: "Readings wait at the home broker. Free disk space or check the disk: journalctl -u hearthd"
                ))
        }
        guard let journal else { return alarms }
        alarms += journal.alarms.map {
            Alarm(name: "journal", text: $0, advice: "Details: hearth journal")
        }
        if journal.dropped > 0 {
            alarms.append(
                .init(
                    name: "readings-dropped",
                    text: "\(journal.dropped) readings were dropped because the journal was full",
                    advice: "Raise journal.max_size, or restore the cloud link sooner."))
        }
        if journal.quarantined > 0 {
            alarms.append(
                .init(
                    name: "rows-quarantined", text: "\(journal.quarantined) damaged rows were taken out of the journal",
                    advice: "The disk or card returns wrong data: replace it soon."))
        }
        if let disk, disk.total > 0, Double(disk.free) < Double(disk.total) * Self.lowDiskShare {
            alarms.append(
                .init(
                    name: "disk-low", text: "the journal's disk is nearly full (\(disk.free >> 20) MiB free)",
                    advice: "Free some space; the journal has a reserve, then readings wait at the home broker."))
        }
        return alarms
    }

    private var certificateAlarms: [Alarm] { certificates.compactMap { $0.alarm(at: wall) } }

    private var linkAlarms: [Alarm] { homeBrokerAlarms + cloudAlarms }

    private var cloudAlarms: [Alarm] {
        guard let refusal = uplink.refusal, backlog > 0 else { return [] }
        let home = state.configuration.home.name
        return [
            Alarm(
                name: "cloud-refuses", text: "the cloud broker does not take all records: \(refusal)",
                advice: "Readings wait in the journal. Let something subscribe to \(home)/+/temperature and "
                    + "\(home)/+/heatpump there, and check this home's ACL.")
        ]
    }

    private var homeBrokerAlarms: [Alarm] {
        let missing = links.filter { !$0.isConnected && $0.name != "uplink" && $0.detail != LinkView.waiting }
        guard let first = missing.first else { return [] }
        return [
            Alarm(
                name: "no-home-broker",
                text:
                    "no connection to the home broker at \(first.peer) (\(missing.map(\.name).joined(separator: ", ")))",
                advice: "Check it: systemctl status mosquitto")
        ]
    }
}
