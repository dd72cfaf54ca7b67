import Heating

/// What a gateway last said of itself on `<home>/gateway/status`, which the broker keeps.
struct HomeReport: Equatable {
    var home: String
    var isOnline: Bool
    /// Readings that wait at home; nil if it did not say.
    var backlog: Int64?
    var version: String?
    /// When it said so, by its own clock. A will says nothing.
    var heard: Timestamp?
    /// Names of what it complains of, most urgent first.
    var findings: [String]

    /// nil for anything but a gateway's status.
    init?(topic: String, payload: [UInt8]) {
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
        guard levels.count == 3, levels[1] == "gateway", levels[2] == "status", HomeID(String(levels[0])) != nil,
            let json = try? JSON.parse(payload), let status = json["status"]?.string
        else { return nil }
        home = String(levels[0])
        isOnline = status == "online"
        backlog = json["backlog"]?.int
        version = json["version"]?.string
        heard = json["time"]?.string.flatMap { Timestamp(iso8601: $0.utf8) }
        findings = json["alarms"]?.array?.compactMap { $0["name"]?.string ?? $0.string } ?? []
    }

    /// What a person looks for first: who is away, then who complains, then who is behind.
    static func isMoreUrgent(_ left: HomeReport, _ right: HomeReport) -> Bool {
        if left.isOnline != right.isOnline { return !left.isOnline }
        if left.findings.isEmpty != right.findings.isEmpty { return !left.findings.isEmpty }
        if left.backlog ?? 0 != right.backlog ?? 0 { return left.backlog ?? 0 > right.backlog ?? 0 }
        return left.home < right.home
    }

    var json: JSON {
        var members: [(key: String, value: JSON)] = [
            ("home", .string(home)), ("status", .string(isOnline ? "online" : "offline")),
        ]
        if let backlog { members.append(("backlog", JSON(backlog))) }
        if let version { members.append(("version", .string(version))) }
        if let heard { members.append(("time", .string(heard.description))) }
        members.append(("findings", .array(findings.map { .string($0) })))
        return .object(.init(members))
    }
}

/// The list of homes in the three forms in which it is printed.
enum HomeList {
    static func table(_ homes: [HomeReport], now: Timestamp) -> String {
        var rows = [["HOME", "STATE", "HEARD", "BACKLOG", "VERSION", "FINDINGS"]]
        for home in homes.sorted(by: HomeReport.isMoreUrgent) {
            rows.append([
                shown(home.home), home.isOnline ? "online" : "offline", home.heard.map { age($0, now) } ?? "-",
                home.backlog.map(String.init) ?? "-", shown(home.version ?? "-"),
                home.findings.isEmpty ? "-" : shown(home.findings.joined(separator: " ")),
            ])
        }
        var widths = [Int](repeating: 0, count: 5)
        for row in rows { for column in widths.indices { widths[column] = max(widths[column], row[column].count) } }
        let lines = rows.map { row in
            widths.indices.map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }.joined(
                separator: "  ")
                + "  " + row[5]
        }
        let away = homes.count { !$0.isOnline }
        let waiting = homes.reduce(0) { $0 + ($1.backlog ?? 0) }
        return lines.joined(separator: "\n")
            + "\n\(homes.count) homes, \(away) offline, \(waiting) readings wait at home\n"
    }

    /// Prometheus' text, for the node exporter's textfile collector.
    static func metrics(_ homes: [HomeReport], now: Timestamp) -> String {
        let away = homes.count { !$0.isOnline }
        let complaining = homes.count { !$0.findings.isEmpty }
        let waiting = homes.reduce(0) { $0 + ($1.backlog ?? 0) }
        let oldest = homes.lazy.filter(\.isOnline).compactMap(\.heard).min()
        let age = oldest.map { max(0, (now.nanoseconds - $0.nanoseconds) / 1_000_000_000) } ?? 0
        return """
            # HELP hearth_homes Homes by what their gateway's status says.
            # TYPE hearth_homes gauge
            hearth_homes{state="online"} \(homes.count - away)
            hearth_homes{state="offline"} \(away)
            # HELP hearth_homes_with_findings Homes whose gateway complains of something.
            # TYPE hearth_homes_with_findings gauge
            hearth_homes_with_findings \(complaining)
            # HELP hearth_homes_backlog_readings Readings that wait at home.
            # TYPE hearth_homes_backlog_readings gauge
            hearth_homes_backlog_readings \(waiting)
            # HELP hearth_homes_oldest_status_seconds Age of the oldest status of a home that is online.
            # TYPE hearth_homes_oldest_status_seconds gauge
            hearth_homes_oldest_status_seconds \(age)

            """
    }

    private static func age(_ time: Timestamp, _ now: Timestamp) -> String {
        let seconds = (now.nanoseconds - time.nanoseconds) / 1_000_000_000
        switch seconds {
        case ..<0: return "ahead"
        case ..<120: return "\(seconds) s"
        case ..<7_200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3_600) h"
        default: return "\(seconds / 86_400) d"
        }
    }

    /// A name comes from outside and goes to a terminal.
    private static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
