import Heating

/// What the charts show, as comma-separated values (RFC 4180): a row for each room and step that has anything.
enum HistoryTable {
    static let spans = "span is hour, day, week, month or year"

    /// The span that a query names; nil for anything else.
    static func span(_ query: String) -> String? {
        guard query.hasPrefix("span=") else { return nil }
        let name = String(query.dropFirst(5))
        return ["hour", "day", "week", "month", "year"].contains(name) ? name : nil
    }

    /// The last column, the mean outdoors, is there where something is measured outdoors.
    /// - Parameter history: as the control socket's `History` answers. Times are UTC, temperatures °C.
    static func csv(_ history: JSON) -> String {
        let outdoor = history["outdoor"]?["temperature"]?.array
        var rows = ["time,room,mean,lowest,highest,pump_on_percent,starts" + (outdoor == nil ? "" : ",outdoor")]
        let start = history["start"]?.double ?? 0
        let step = history["step"]?.double ?? 0
        for room in history["rooms"]?.array ?? [] {
            let name = quoted(room["room"]?.string ?? "")
            let columns = ["temperature", "low", "high", "pump", "starts"].map { room[$0]?.array ?? [] }
            for index in 0..<(columns.map(\.count).max() ?? 0) {
                var cells = columns.map { index < $0.count ? $0[index] : .null }
                guard cells.contains(where: { !$0.isNull }) else { continue }
                if let share = cells[3].double { cells[3] = JSON((share * 1000).rounded() / 10) }
                if let outdoor { cells.append(index < outdoor.count ? outdoor[index] : .null) }
                let time = Timestamp(nanoseconds: Int64(start + step * Double(index)) * 1_000_000_000)
                rows.append(
                    ([time.description, name] + cells.map { $0.isNull ? "" : $0.serialized() }).joined(separator: ","))
            }
        }
        return rows.joined(separator: "\r\n") + "\r\n"
    }

    /// A name may be anything. One that a spreadsheet would take for a formula gets a quote in front
    /// (https://owasp.org/www-community/attacks/CSV_Injection).
    private static func quoted(_ name: String) -> String {
        let plain = escapingControls(name)
        let safe = plain.first.map { "=+-@".contains($0) } == true ? "'" + plain : plain
        return "\"" + safe.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
