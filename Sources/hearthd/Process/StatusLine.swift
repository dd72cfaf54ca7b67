import Heating
import MQTT

/// One line for `systemctl status`: rooms, cloud, backlog, what is wrong.
enum StatusLine {
    private static let roomsShown = 4

    static func text(_ gateway: Gateway) -> String {
        let report = StatusReport(gateway)
        var parts = [rooms(report)]
        if let uplink = report.links.first(where: { $0.name == "uplink" }) {
            parts.append(
                (uplink.isConnected ? "cloud connected" : "no cloud") + ", backlog \(report.forward.report.backlog)")
        }
        let alarms = report.findings
        if let first = alarms.first {
            parts.append("\(alarms.count == 1 ? "alarm" : "\(alarms.count) alarms"): \(first.text)")
        }
        return parts.joined(separator: "; ")
    }

    private static func rooms(_ report: StatusReport) -> String {
        let rooms = report.control.rooms.sorted { $0.key < $1.key }
        guard !rooms.isEmpty else { return "no rooms yet" }
        var words = rooms.prefix(roomsShown).map { room, view in
            let temperature = view.status.lastReading.map { "\(($0 * 10).rounded() / 10)°" } ?? "?"
            let pump = view.status.isOn.map { $0 ? " on" : " off" } ?? ""
            return "\(room.displayName) \(temperature)\(pump)\(view.status.isStale ? " (stale)" : "")"
        }
        if rooms.count > roomsShown { words.append("+\(rooms.count - roomsShown) rooms") }
        return words.joined(separator: ", ")
    }
}
