import Glibc
import Heating
import Journal

/// One line of `hearth doctor`.
struct Check: Sendable {
    enum State: String, Sendable { case ok, warning, error }
    var name: String
    var state: State
    var detail: String
    /// What to do; empty when all is well.
    var advice = ""

    var json: JSON {
        ["name": .string(name), "state": .string(state.rawValue), "detail": .string(detail), "advice": .string(advice)]
    }
}

/// What the daemon can see of its own health: configuration, brokers, clock, disk, permissions.
struct Doctor {
    /// Nobody runs this program before its first commit; an earlier clock has not been set.
    private static let earliestSaneClock: Int64 = 1_767_225_600_000_000_000  // 2026-01-01T00:00:00Z
    private let report: StatusReport

    init(_ gateway: Gateway) { report = StatusReport(gateway) }

    var checks: [Check] {
        [configuration] + links + [clock, journal, disk] + secrets + certificates + sensors
    }

    private var configuration: Check {
        guard let error = report.state.configurationError else {
            return Check(
                name: "configuration", state: .ok, detail: "home \(report.state.configuration.home.displayName)")
        }
        return Check(
            name: "configuration", state: .error, detail: error, advice: "Mend the file, then: systemctl reload hearthd"
        )
    }

    private var links: [Check] {
        report.links.map { link in
            if link.isConnected { return Check(name: link.name, state: .ok, detail: "connected to \(link.peer)") }
            let isCloud = link.name == "uplink"
            return Check(
                name: link.name, state: isCloud ? .warning : .error, detail: "\(link.peer): \(link.detail)",
                advice: isCloud
                    ? "Heating goes on and readings are kept. Check the internet and [cloud] in the configuration."
                    : "Check the home broker (systemctl status mosquitto) and [local] in the configuration.")
        }
    }

    private var clock: Check {
        if report.wall.nanoseconds < Self.earliestSaneClock {
            return Check(
                name: "clock", state: .warning, detail: "the box believes it is \(report.wall)",
                advice: "Heating does not depend on it, timestamps of commands do: timedatectl set-ntp true")
        }
        // systemd-timesyncd touches this file when it has set the clock (systemd-timesyncd.service(8)).
        let isSynchronised = access("/run/systemd/timesync/synchronized", F_OK) == 0
        return Check(name: "clock", state: .ok, detail: "\(report.wall)" + (isSynchronised ? ", synchronised" : ""))
    }

    private var journal: Check {
        if let error = report.state.journalError {
            return Check(
                name: "journal", state: .error, detail: error,
                advice: "Check \(report.state.configuration.journal.path), its directory's owner and the disk.")
        }
        guard let journal = report.journal else { return Check(name: "journal", state: .warning, detail: "opening") }
        if let failure = report.record.failure ?? journal.lastError {
            return Check(name: "journal", state: .error, detail: failure, advice: "Check the disk: dmesg, df -h")
        }
        if !journal.alarms.isEmpty || journal.quarantined > 0 {
            return Check(
                name: "journal", state: .warning,
                detail: (journal.alarms + ["\(journal.quarantined) rows quarantined"]).joined(separator: "; "),
                advice: "The damaged file was kept beside the new one. Replace a failing disk or card.")
        }
        let used = "\(journal.usedBytes >> 20) of \(journal.maxBytes >> 20) MiB"
        return Check(name: "journal", state: .ok, detail: "\(report.backlog) waiting for the cloud, \(used)")
    }

    private var disk: Check {
        guard let disk = report.disk else {
            return Check(
                name: "disk", state: .error, detail: "the journal's directory cannot be examined",
                advice: "Create it and give it to the user hearthd runs as.")
        }
        let detail = "\(disk.free >> 20) MiB free of \(disk.total >> 20)"
        let need = max(64 << 20, (report.state.configuration.journal.maxSize - (report.journal?.fileBytes ?? 0)))
        guard disk.free < need else { return Check(name: "disk", state: .ok, detail: detail) }
        return Check(
            name: "disk", state: .warning, detail: "\(detail): less than the journal may still grow",
            advice: "Free some space or lower journal.max_size.")
    }

    /// Files with secrets: readable by us, and by nobody else.
    private var secrets: [Check] {
        let brokers = [("local", report.state.configuration.local), ("cloud", report.state.configuration.cloud)]
        return brokers.flatMap { name, broker in
            [broker.passwordFile, broker.tls?.key].compactMap { $0 }.map { file in
                var information = stat()
                guard access(file, R_OK) == 0, stat(file, &information) == 0 else {
                    return Check(
                        name: "\(name) secret", state: .error,
                        detail: "\(file): \(String(cString: strerror(errno)))",
                        advice: "Make it readable for the user hearthd runs as, or use LoadCredential=.")
                }
                guard information.st_mode & 0o077 == 0 else {
                    return Check(
                        name: "\(name) secret", state: .warning, detail: "\(file) is readable by others",
                        advice: "chmod 600 \(file)")
                }
                return Check(name: "\(name) secret", state: .ok, detail: file)
            }
        }
    }

    private var certificates: [Check] { report.certificates.map { $0.check(at: report.wall) } }

    private var sensors: [Check] {
        if report.control.rooms.isEmpty {
            return [
                Check(
                    name: "sensors", state: .warning, detail: "no reading has arrived yet",
                    advice:
                        "Sensors publish to <room>/temperature on the home broker: mosquitto_sub -t '+/temperature' -v")
            ]
        }
        return report.control.rooms.sorted { $0.key < $1.key }.map { room, view in
            view.status.isStale
                ? Check(
                    name: room.displayName, state: .error, detail: view.status.reason.description,
                    advice: "Check the sensor's power and its connection to the home broker.")
                : Check(
                    name: room.displayName, state: .ok, detail: "\(view.status.lastReading.map { "\($0)°" } ?? "new")")
        }
    }
}
