import GatewayClient

/// `hearth journal` as lines of text: what waits, what it takes, what was lost and why.
struct JournalText {
    let report: JournalReport
    /// For the backlog's rate and the commits per hour; the journal alone does not know them.
    let status: Status
    let width: Int
    let style: Style

    func lines() -> [String] {
        let sections = [figures, setAside].filter { !$0.isEmpty }
        return Array(sections.joined(separator: [""]))
    }

    private var figures: [String] {
        guard let journal = report.journal else {
            return wrapped(
                "The journal is not open. Readings wait in the home broker. See: hearth doctor; journalctl -u hearthd",
                width: width)
        }
        var fields = journal.path.map { [Field("File", printable($0))] } ?? []
        fields.append(Field("Backlog", status.backlog))
        if status.uplink?.oldestSeconds == nil, let oldest = report.oldestUnconfirmedSeconds {
            fields.append(Field("Oldest", "\(durationText(oldest)) unconfirmed"))
        }
        fields.append(Field("Kept", keptText))
        fields.append(Field("Size", sizesText(journal)))
        fields.append(Field("Commits", commitsText(journal)))
        fields.append(loss("Dropped", journal.dropped, "reading", "because the journal was full"))
        fields.append(loss("Damaged", journal.quarantined, "row", "quarantined: wrong checksum"))
        fields.append(Field("Set aside", setAsideText(journal.setAside)))
        if let error = journal.lastError { fields.append(Field("Error", printable(error), .red)) }
        if let epoch = journal.epoch { fields.append(Field("Epoch", printable(epoch))) }
        return Field.lines(fields, width: width, style: style)
    }

    private var keptText: String {
        guard let newest = report.newest, newest > 0 else { return "nothing yet" }
        let confirmed = report.lowWatermark.map { ", confirmed up to \(groupedText($0))" } ?? ""
        return "records \(report.firstKept.map(groupedText) ?? "?") to \(groupedText(newest))\(confirmed)"
    }

    private func sizesText(_ journal: JournalFigures) -> String {
        var text = "\(journal.usedBytes.map(sizeText) ?? "?") used of \(journal.maxBytes.map(sizeText) ?? "?")"
        let files = [journal.fileBytes.map { "file \(sizeText($0))" }, journal.walBytes.map { "log \(sizeText($0))" }]
            .compactMap { $0 }
        if !files.isEmpty { text += "; on disk: \(files.joined(separator: ", "))" }
        return text
    }

    /// With the rate, because every commit is an fsync and a card survives only so many.
    private func commitsText(_ journal: JournalFigures) -> String {
        var text = journal.commits.map(groupedText) ?? "?"
        if let commits = journal.commits, let uptime = status.uptimeSeconds, uptime >= 60 {
            text += " since start (\(rateText(Double(commits) / uptime * 3_600, unit: "hour")))"
        }
        if let last = journal.lastCommitMilliseconds { text += ", the last took \(fixedText(last, digits: 1)) ms" }
        return text
    }

    private func loss(_ label: String, _ count: Int64?, _ noun: String, _ why: String) -> Field {
        guard let count else { return Field(label, "unknown") }
        return count > 0 ? Field(label, "\(countText(count, noun)) \(why)", .red) : Field(label, "none")
    }

    private func setAsideText(_ counts: [ReasonCount]) -> String {
        let counts = counts.filter { $0.count > 0 }
        return counts.isEmpty ? "none" : "\(countText(total(counts), "message")): \(reasonsText(counts))"
    }

    private var setAside: [String] {
        guard !report.setAside.isEmpty else { return [] }
        var table = Table([
            .init(title: "SET ASIDE", widest: 14), .init(title: "TOPIC", widest: 20),
            .init(title: "REASON", widest: 18),
            .init(title: "MESSAGE"),
        ])
        table.rows = report.setAside.map { message in
            [
                .init(message.ageSeconds.map { "\(durationText($0)) ago" } ?? "-"), .init(name: message.topic),
                .init(message.reason, .yellow), .init(message.payload),
            ]
        }
        return table.lines(width: width, style: style)
    }
}
