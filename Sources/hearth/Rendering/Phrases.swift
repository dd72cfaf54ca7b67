import GatewayClient

/// The sentences about parts of a status that several commands print.

func temperatureText(_ celsius: Double?) -> String {
    celsius.map { "\(fixedText($0, digits: 1)) °C" } ?? "-"
}

func pumpText(_ isOn: Bool?) -> String {
    switch isOn {
    case true: "on"
    case false: "off"
    case nil: "unknown"
    }
}

extension RoomStatus {
    /// The daemon's reason, and when an override or a waiting time ends.
    var explanation: String {
        var parts = reason.isEmpty ? [] : [reason]
        if let override {
            if reason.isEmpty { parts.append("override \(pumpText(override.isPumpOn)) by \(override.source)") }
            if let left = override.secondsLeft { parts.append("ends in \(durationText(left))") }
        } else if let hold {
            if reason.isEmpty { parts.append("\(hold.target) by \(hold.source)") }
            if let left = hold.secondsLeft { parts.append("ends in \(durationText(left))") }
        }
        if let waitingSeconds { parts.append("waits \(durationText(waitingSeconds)) for the compressor") }
        return parts.joined(separator: "; ")
    }
}

extension LinkStatus {
    /// How long it has been so; a waiting link's time runs towards its next attempt.
    var timeText: String {
        guard let seconds, state != .stopped else { return "-" }
        return state == .waiting ? "\(durationText(seconds)) more" : durationText(seconds)
    }
}

extension Status {
    /// What a person should know first; empty when all is well.
    var problems: [String] {
        var problems: [String] = []
        let alarmCount = alarms.count + (configurationError == nil ? 0 : 1)
        if alarmCount > 0 { problems.append(countText(Int64(alarmCount), "alarm")) }
        let blind = rooms.filter(\.isStale).map { printableName($0.name) }
        if !blind.isEmpty { problems.append("no fresh reading from \(blind.joined(separator: ", "))") }
        for link in links where link.state != .connected {
            let consequence =
                switch link.name {
                case "control": "rooms are not heated by reading"
                case "record": "readings wait in the home broker"
                case "uplink": "heating goes on, readings are kept here"
                default: link.state.rawValue
                }
            problems.append("\(printable(link.name)) is not connected (\(consequence))")
        }
        if journal?.lastError != nil { problems.append("the journal reports an error") }
        return problems
    }
}

extension Status {
    /// The backlog in words. It is the journal's: while that is not open, nobody knows it.
    var backlog: String {
        journal == nil ? "unknown until the journal is open" : uplink.map(backlogText) ?? "unknown"
    }
}

/// "41 233 readings, oldest 38 min; 18/s, done in 38 min".
private func backlogText(_ uplink: UplinkStatus) -> String {
    guard let backlog = uplink.backlog else { return "unknown" }
    guard backlog > 0 else { return "none, the cloud has confirmed everything" }
    var text = countText(backlog, "reading")
    if let oldest = uplink.oldestSeconds { text += ", oldest \(durationText(oldest))" }
    if let rate = uplink.ratePerSecond { text += rate > 0 ? "; \(rateText(rate))" : "; nothing is leaving" }
    if let rest = uplink.secondsToDrain { text += ", done in \(durationText(rest))" }
    return text
}

/// What is under way, and whose confirmation counts; empty when nothing is known.
func confirmationText(_ uplink: UplinkStatus) -> String {
    var parts: [String] = []
    if let inFlight = uplink.inFlight, inFlight > 0 { parts.append("\(groupedText(inFlight)) under way") }
    if let resent = uplink.resent, resent > 0 { parts.append("\(groupedText(resent)) sent again") }
    switch uplink.confirm {
    case "ingestor": parts.append("confirmed by the ingestor, end to end")
    case "broker": parts.append("confirmed by the cloud broker only: what its memory loses is lost")
    default: break
    }
    return parts.joined(separator: ", ")
}

func journalText(_ journal: JournalStatus) -> String {
    var text = "\(journal.usedBytes.map(sizeText) ?? "?") of \(journal.maxBytes.map(sizeText) ?? "?")"
    var losses: [String] = []
    if let dropped = journal.dropped, dropped > 0 {
        losses.append("\(countText(dropped, "reading")) lost: it was full")
    }
    if let damaged = journal.quarantined, damaged > 0 { losses.append(countText(damaged, "damaged row")) }
    text += ", " + (losses.isEmpty ? "nothing lost" : losses.joined(separator: ", "))
    if let error = journal.lastError { text += "; last error: \(printable(error))" }
    return text
}

func diskText(_ disk: DiskStatus) -> String {
    guard let free = disk.freeBytes else { return "unknown" }
    guard let total = disk.totalBytes, total > 0 else { return "\(sizeText(free)) free" }
    let share = fixedText(Double(free) / Double(total) * 100, digits: 0)
    return "\(sizeText(free)) of \(sizeText(total)) free (\(share) %)"
}

/// The sum, which stays at the largest number rather than overflow.
func total(_ counts: [ReasonCount]) -> Int64 {
    counts.reduce(0) { sum, entry in
        let (result, overflow) = sum.addingReportingOverflow(entry.count)
        return overflow ? .max : result
    }
}
