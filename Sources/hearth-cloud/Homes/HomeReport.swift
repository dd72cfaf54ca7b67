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

    /// Of what a gateway says so much is kept: names come from outside.
    private static let (findingLimit, textLimit) = (32, 64)
    /// More than any home has, so that what somebody makes up has a sum.
    private static let backlogLimit: Int64 = 1_000_000_000_000

    /// nil for anything but a gateway's status.
    init?(topic: String, payload: [UInt8]) {
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
        guard levels.count == 3, levels[1] == "gateway", levels[2] == "status", HomeID(String(levels[0])) != nil,
            let json = try? JSON.parse(payload), let status = json["status"]?.string
        else { return nil }
        home = String(levels[0])
        isOnline = status == "online"
        backlog = (json["backlog"]?.int).map { min(max(0, $0), Self.backlogLimit) }
        version = (json["version"]?.string).map(Self.shortened)
        heard = json["time"]?.string.flatMap { Timestamp(iso8601: $0.utf8) }
        findings = (json["alarms"]?.array ?? []).prefix(Self.findingLimit).compactMap {
            ($0["name"]?.string ?? $0.string).map(Self.shortened)
        }
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= textLimit ? text : String(decoding: text.utf8.prefix(textLimit), as: UTF8.self)
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
                shown(home.home), home.isOnline ? "online" : "offline",
                home.age(now).map { age(seconds: $0 / 1_000_000_000) } ?? "-",
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

    static func age(seconds: Int64) -> String {
        switch seconds {
        case ..<0: return "ahead"
        case ..<120: return "\(seconds) s"
        case ..<7_200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3_600) h"
        default: return "\(seconds / 86_400) d"
        }
    }

    /// A name comes from outside and goes to a terminal or a page.
    static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
