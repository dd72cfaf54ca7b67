import Glibc
import Heating

/// One line of `hearth doctor`.
struct Check: Sendable {
    enum State: String, Sendable { case ok, warning, error }
    var name: String
    var state: State
    var detail: String
    /// What to do; empty when all is well.
    var advice: String

    init(name: String, state: State, detail: String, advice: String = "") {
        (self.name, self.state, self.detail, self.advice) = (name, state, detail, advice)
    }

    /// As the child sent it.
    init?(_ json: JSON) {
        guard let name = json["name"]?.string, let state = json["state"]?.string.flatMap(State.init(rawValue:)) else {
            return nil
        }
        self.init(
            name: name, state: state, detail: json["detail"]?.string ?? "", advice: json["advice"]?.string ?? "")
    }

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
        [configuration] + report.links.filter { $0.name == "control" }.map(\.check) + forwarding + [clock] + sensors
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

    /// The recording side's own checks, or that it is not there.
    private var forwarding: [Check] {
        if let finding = report.forwardFinding {
            return [Check(name: "recording", state: .error, detail: finding.text, advice: finding.advice)]
        }
        return report.forward.report.at == nil
            ? [Check(name: "recording", state: .warning, detail: "starting")] : report.forward.report.checks
    }

    private var clock: Check {
        if report.wall.nanoseconds < Self.earliestSaneClock {
            return Check(
                name: "clock", state: .warning, detail: "the box believes it is \(report.wall)",
                advice: "Heating does not depend on it, timestamps of commands do: timedatectl set-ntp true")
        }
        // systemd-timesyncd touches this file when it has set the clock (systemd-timesyncd.service(8)).
        let isSynchronised = access("/run/systemd/timesync/synchronized", F_OK) == 0
        let second = Timestamp(nanoseconds: report.wall.nanoseconds / 1_000_000_000 * 1_000_000_000)
        return Check(name: "clock", state: .ok, detail: "\(second)" + (isSynchronised ? ", synchronised" : ""))
    }

    private var sensors: [Check] {
        if report.control.rooms.isEmpty {
            return [
                Check(
                    name: "sensors", state: .warning, detail: "no reading has arrived yet",
                    advice:
                        "Sensors publish to <room>/temperature on the home broker: mosquitto_sub -t '+/temperature' -v")
            ]
        }
        let unit = report.state.configuration.temperatureUnit
        return report.control.rooms.sorted { $0.key < $1.key }.map { room, view in
            view.status.isStale
                ? Check(
                    name: room.displayName, state: .error, detail: view.status.reason.text(in: unit),
                    advice: "Check the sensor's power and its connection to the home broker.")
                : Check(
                    name: room.displayName, state: .ok,
                    detail: view.status.lastReading.map { "\(unit.text($0)) \(unit.symbol)" } ?? "new")
        }
    }
}
