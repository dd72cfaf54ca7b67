import GatewayClient
import Heating

/// `hearth status` as lines of text: what is wrong first, then rooms, links and figures.
struct StatusText {
    let status: Status
    let width: Int
    let style: Style
    /// For the times at which something ends.
    var now = wallClock()

    func lines() -> [String] {
        let sections = [heading, alarms, rooms, measures, links, figures].filter { !$0.isEmpty }
        return Array(sections.joined(separator: [""]))
    }

    // MARK: - What is wrong

    private var heading: [String] {
        let version = status.version.map { "hearthd \(printable($0))" }
        let uptime = status.uptimeSeconds.map { "up \(durationText($0))" }
        let about = [version, uptime].compactMap { $0 }.joined(separator: ", ")
        let name = wrapped("\(printableName(status.home ?? "home unknown")): \(about)", width: width)
        let problems = status.problems
        return name.map { style.paint($0, .bold) }
            + (problems.isEmpty
                ? [style.paint("all is well", .green)]
                : wrapped(problems.joined(separator: "; "), width: width).map { style.paint($0, .yellow) })
    }

    private var alarms: [String] {
        var lines = status.alarms.flatMap {
            alarm($0.name, $0.text, advice: $0.advice, $0.severity <= .recording ? .red : .yellow)
        }
        if let error = status.configurationError {
            lines += alarm("configuration", error, advice: "correct the file, then: sudo systemctl reload hearthd")
        }
        return lines
    }

    private func alarm(_ name: String, _ text: String, advice: String, _ colour: Style.Colour = .red) -> [String] {
        let finding = wrapped("\(printable(name)): \(printable(text))", width: width - 2)
        let action = advice.isEmpty ? [] : wrapped("what to do: \(printable(advice))", width: width - 2)
        return finding.enumerated().map { style.paint(($0 == 0 ? "! " : "  ") + $1, colour) } + action.map { "  " + $0 }
    }

    // MARK: - Rooms and links

    private var rooms: [String] {
        guard !status.rooms.isEmpty else {
            return ["No room has sent a temperature yet. Sensors publish to <room>/temperature on the home broker."]
                .flatMap { wrapped($0, width: width) }
        }
        var table = Table([
            .init(title: "ROOM", widest: 20), .init(title: "TEMP", alignsRight: true), .init(title: "AGE", widest: 12),
            .init(title: "PUMP"), .init(title: "FOR", widest: 12), .init(title: "WHY"),
        ])
        table.rows = status.rooms.map { room in
            [
                .init(name: room.name, .bold), .init(temperatureText(room.temperature, status.temperatureUnit)),
                .init(room.readingAgeSeconds.map(durationText) ?? "-", room.isStale ? .red : .plain),
                .init(room.isPumpOn.map(pumpText) ?? "-", room.isPumpOn == true ? .cyan : .plain),
                .init(room.pumpSeconds.map(durationText) ?? "-"),
                .init(room.explanation(now: now, alarms: status.alarms, unit: status.temperatureUnit)),
            ]
        }
        return table.lines(width: width, style: style)
    }

    private var measures: [String] {
        guard !status.measures.isEmpty else { return [] }
        var table = Table([
            .init(title: "ROOM", widest: 20), .init(title: "MEASURE", widest: 24),
            .init(title: "VALUE", alignsRight: true), .init(title: "AGE", widest: 12),
        ])
        table.rows = status.measures.map { one in
            [
                .init(name: one.room, .bold), .init(one.nameText), .init(one.valueText),
                .init(one.ageSeconds.map(durationText) ?? "-"),
            ]
        }
        return table.lines(width: width, style: style)
    }

    private var links: [String] {
        guard !status.links.isEmpty else { return [] }
        var table = Table([
            .init(title: "LINK"), .init(title: "STATE"), .init(title: "FOR", widest: 12),
            .init(title: "BROKER", widest: 28),
            .init(title: "DETAIL"),
        ])
        table.rows = status.links.map { link in
            [
                .init(name: link.name), .init(link.state.rawValue, link.state == .connected ? .green : .yellow),
                .init(link.timeText), .init(name: link.peer),
                .init(link.detail.isEmpty ? link.protocolName ?? "" : link.detail),
            ]
        }
        return table.lines(width: width, style: style)
    }

    // MARK: - Figures

    private var figures: [String] {
        var fields = [Field("Backlog", status.backlog)]
        if let confirmation = status.uplink.map(confirmationText), !confirmation.isEmpty {
            fields.append(Field("", confirmation))
        }
        fields.append(Field("Journal", status.journal.map(journalText) ?? "not open"))
        if let recording = status.recording {
            fields.append(Field("Recording", recordingText(recording), recording.isAway ? .yellow : .plain))
        }
        if let disk = status.disk { fields.append(Field("Disk", diskText(disk))) }
        fields.append(Field("Readings", countersText))
        return Field.lines(fields, width: width, style: style)
    }

    private var countersText: String {
        let counters = status.counters
        var parts = [
            "\(groupedText(counters.readings ?? 0)) received",
            "\(groupedText(counters.recorded ?? 0)) recorded with commands",
        ]
        if let duplicates = counters.duplicates, duplicates > 0 {
            parts.append("\(groupedText(duplicates)) delivered twice")
        }
        let rejected = counters.rejected.filter { $0.count > 0 }
        if !rejected.isEmpty {
            parts.append("\(groupedText(total(rejected))) set aside (\(reasonsText(rejected)))")
        }
        if let absurd = counters.absurdTimes, absurd > 0 {
            parts.append("\(groupedText(absurd)) with a time that cannot be")
        }
        parts.append(countText(counters.commands ?? 0, "pump command"))
        return parts.joined(separator: ", ")
    }
}

extension Table.Cell {
    /// A cell with a name, in which no character goes unseen.
    init(name: String, _ colour: Style.Colour = .plain) {
        self.init(printable: printableName(name), colour)
    }
}
