import Heating

/// Where a home's dashboard is.
struct GrafanaAddress: Equatable, Sendable {
    private let base: String

    /// nil for anything but an address of http or https.
    init?(_ text: String) {
        let isWeb = text.hasPrefix("https://") || text.hasPrefix("http://")
        guard isWeb, !text.hasSuffix("//"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("?"),
            !text.contains("#")
        else { return nil }
        base = text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// By the uid that cloud/dashboards/grafana gives it.
    func dashboard(of home: String) -> String { "\(base)/d/hearth-home?var-home=\(Self.encoded(home))" }

    /// RFC 3986 section 2.3: all but the unreserved.
    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let character = Character(UnicodeScalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || "-._~".contains(character) {
                result.append(character)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}

/// The homes as a page: one table, most urgent first, that fetches and runs nothing. All that comes from a gateway is escaped.
struct FleetPage {
    static let headers: [(name: String, value: String)] = [
        ("content-type", "text/html; charset=utf-8"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store"),
    ]

    /// In any order.
    var homes: [Fleet.Home]
    /// Why this may not be all, or not be true any more.
    var problems: [String]
    var grafana: GrafanaAddress?

    var html: [UInt8] {
        var html = Self.opening
        html.reserveCapacity(1000 + 300 * homes.count)
        for problem in problems { html += "<p class=problem role=alert>\(Self.text(problem))</p>\n" }
        html += "<p>\(summary)</p>\n<table>\n<thead><tr><th scope=col>Home<th scope=col>State<th scope=col>Heard"
        html += "<th scope=col>Waiting readings<th scope=col>Version<th scope=col>Findings</tr></thead>\n<tbody>\n"
        for home in homes.sorted(by: Fleet.Home.isMoreUrgent) { append(home, to: &html) }
        html += "</tbody>\n</table>\n"
        return Array(html.utf8)
    }

    private var summary: String {
        let silent = homes.count(where: \.isSilent)
        let offline = homes.count { !$0.report.isOnline }
        let complaining = homes.count { !$0.report.findings.isEmpty }
        let waiting = homes.reduce(0) { $0 + ($1.report.backlog ?? 0) }
        return "\(homes.count) homes, \(offline) offline, \(silent) silent, \(complaining) with findings, "
            + "\(waiting) readings wait at home"
    }

    private func append(_ home: Fleet.Home, to html: inout String) {
        let report = home.report
        let name = "<bdi>\(Self.text(report.home))</bdi>"
        let state = home.isSilent ? "silent" : report.isOnline ? "online" : "offline"
        html += home.isAway ? "<tr class=away><td>" : report.findings.isEmpty ? "<tr><td>" : "<tr class=finding><td>"
        if let grafana {
            html += "<a href=\"\(Self.text(grafana.dashboard(of: report.home)))\">\(name)</a>"
        } else {
            html += name
        }
        html += "<td>\(state)<td>\(home.age.map { HomeList.age(seconds: $0) } ?? "")"
        html += "<td>\(report.backlog.map { "\($0)" } ?? "")<td>\(Self.text(report.version ?? ""))"
        html += "<td>\(report.findings.map { Self.text($0) }.joined(separator: ", "))</tr>\n"
    }

    /// As text of the page or of an attribute in quotation marks.
    static func text(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy {
            $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "&") && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">")
                && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'")
        }
        if isPlain { return text }
        var escaped = ""
        for scalar in HomeList.shown(text).unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static let opening = """
        <!doctype html>
        <html lang=en>
        <meta charset=utf-8>
        <meta name=viewport content="width=device-width">
        <title>Homes</title>
        <style>
        :root { color-scheme: light dark; font: 1rem/1.4 system-ui, sans-serif }
        body { margin: 1rem }
        table { border-collapse: collapse }
        th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8886; vertical-align: top }
        td:nth-child(4) { text-align: right; font-variant-numeric: tabular-nums }
        .away td:nth-child(2), .finding td:nth-child(6), .away td:nth-child(6), .problem { font-weight: bold; color: light-dark(#a00, #f88) }
        </style>
        <h1>Homes</h1>

        """
}
