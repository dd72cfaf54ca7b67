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
        let rooms = report.control.rooms
        guard !rooms.isEmpty else { return "no rooms yet" }
        var words = first(rooms).map { room, view in
            let temperature = view.status.lastReading.map { "\(($0 * 10).rounded() / 10)°" } ?? "?"
            let pump = view.status.isOn.map { $0 ? " on" : " off" } ?? ""
            return "\(room.displayName) \(temperature)\(pump)\(view.status.isStale ? " (stale)" : "")"
        }
        if rooms.count > roomsShown { words.append("+\(rooms.count - roomsShown) rooms") }
        return words.joined(separator: ", ")
    }

    /// The first ones by name, without putting a thousand in order every few seconds.
    private static func first(_ rooms: [Room: ControlBoard.RoomView]) -> [(key: Room, value: ControlBoard.RoomView)] {
        var names: [Room] = []
        for room in rooms.keys where names.count < roomsShown || room < names[names.count - 1] {
            names.insert(room, at: names.firstIndex { room < $0 } ?? names.count)
            if names.count > roomsShown { names.removeLast() }
        }
        return names.compactMap { room in rooms[room].map { (room, $0) } }
    }
}
