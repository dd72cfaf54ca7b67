import GatewayClient
import Heating

/// `hearth watch` in a pipe: one line for each thing that changed, each with its time.
struct WatchLog {
    private struct Entry {
        /// What the entry is about: "room office".
        var key: ExactString
        /// A line is due when this changes.
        var text: String
        /// Added to the line, but not a reason for one.
        var remark = ""
    }

    private var previous: [ExactString: String] = [:]
    private var backlogAt: Double?

    /// The lines to append for a new status. The first status names everything.
    mutating func lines(for status: Status, at time: String, now: Timestamp = wallClock()) -> [String] {
        var current = status.rooms.map { room in
            let explanation = room.explanation(now: now, alarms: status.alarms, unit: status.temperatureUnit)
            let remark = explanation.isEmpty ? "" : " (\(printable(explanation)))"
            return Entry(
                key: ExactString("room \(printableName(room.name))"), text: Self.text(room, status.temperatureUnit),
                remark: remark)
        }
        current += status.links.map { link in
            let detail = link.detail.isEmpty ? "" : ": \(printable(link.detail))"
            return Entry(key: ExactString("link \(printableName(link.name))"), text: "\(link.state.rawValue)\(detail)")
        }
        current += status.alarms.map { alarm in
            let subject = alarm.subject.isEmpty ? "" : " \(printableName(alarm.subject))"
            return Entry(key: ExactString("alarm \(printableName(alarm.name))\(subject)"), text: printable(alarm.text))
        }
        if let error = status.configurationError {
            current.append(Entry(key: ExactString("alarm configuration"), text: printable(error)))
        }
        if isBacklogDue(status) {
            current.append(Entry(key: ExactString("backlog"), text: status.backlog))
        }
        return changes(to: current).map { "\(time) \($0)" }
    }

    /// A line for the reader when the daemon cannot be reached, once per reason.
    mutating func lines(for error: VarlinkError, at time: String) -> [String] {
        let text = error.explanation
        guard previous.updateValue(text, forKey: ExactString("hearthd")) != text else { return [] }
        return ["\(time) hearthd: \(text); trying again"]
    }

    private mutating func changes(to current: [Entry]) -> [String] {
        var lines: [String] = []
        if previous.removeValue(forKey: ExactString("hearthd")) != nil { lines.append("hearthd: reachable again") }
        for entry in current where previous.updateValue(entry.text, forKey: entry.key) != entry.text {
            lines.append("\(entry.key): \(entry.text)\(entry.remark)")
        }
        let keys = Set(current.map(\.key) + [ExactString("backlog")])
        for key in previous.keys.filter({ !keys.contains($0) }).sorted() {
            previous[key] = nil
            lines.append("\(key): gone")
        }
        return lines
    }

    /// The backlog moves with every reading: a line each ten seconds is enough.
    private mutating func isBacklogDue(_ status: Status) -> Bool {
        guard let uptime = status.uptimeSeconds else { return true }
        if let backlogAt, uptime >= backlogAt, uptime < backlogAt + 10 { return false }
        backlogAt = uptime
        return true
    }

    /// Without ages, which change each second.
    private static func text(_ room: RoomStatus, _ unit: TemperatureUnit) -> String {
        var text = "\(temperatureText(room.temperature, unit)), pump \(pumpText(room.isPumpOn))"
        if room.isStale { text += ", no fresh reading" }
        if let override = room.override {
            text += ", switched \(pumpText(override.isPumpOn)) \(printable(sourceText(override.source)))"
        } else if let hold = room.hold {
            text += ", holds \(printable(targetText(hold.target, unit))), set \(printable(sourceText(hold.source)))"
        }
        return text
    }
}
