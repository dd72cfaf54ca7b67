import GatewayClient
import Heating

/// The sentences about parts of a status that several commands print.

/// - Parameter unit: the house's, in which the daemon's numbers are.
func temperatureText(_ degrees: Double?, _ unit: TemperatureUnit = .celsius) -> String {
    degrees.map { "\(fixedText($0, digits: 1)) \(unit.symbol)" } ?? "-"
}

func pumpText(_ isOn: Bool?) -> String {
    switch isOn {
    case true: "on"
    case false: "off"
    case nil: "unknown"
    }
}

/// Who asked, in the page's words.
func sourceText(_ source: String) -> String {
    Thermostat.Source(rawValue: source)?.words ?? "by \(source)"
}

/// A preset's name, or a temperature with its unit.
func targetText(_ target: String, _ unit: TemperatureUnit = .celsius) -> String {
    Double(target).map { temperatureText($0, unit) } ?? target
}

extension RoomStatus {
    /// Why the pump is as it is, what somebody asked for and until when, and what is wrong with the room. Not printable
    /// yet.
    func explanation(now: Timestamp, alarms: [Alarm] = [], unit: TemperatureUnit = .celsius) -> String {
        // The reason of a blind room is its alarm.
        let own = alarms.filter { $0.room == name && (reason.isEmpty || !$0.text.contains(reason)) }
        let isTold = own.contains { $0.name == "room-blind" } && reason.hasPrefix("no reading for")
        var parts = reason.isEmpty || isTold || repeatsWish ? [] : [reason]
        if let mode = mode(now: now, unit: unit) { parts.append(mode) }
        if let waiting {
            parts.append(waiting)
        } else if let waitingSeconds {
            parts.append("waits \(durationText(waitingSeconds)) for the compressor")
        }
        if let discarded, discarded > 0, temperature == nil || isStale {
            parts.append("\(countText(discarded, "reading")) discarded as a sensor's fault")
        }
        parts += own.map { "alarm: \($0.text)" }
        if own.isEmpty, let pumpProblem { parts.append("alarm: \(pumpProblem)") }
        return parts.joined(separator: "; ")
    }

    /// What a person asked for says more than the reason that repeats it.
    private var repeatsWish: Bool {
        override != nil && ["switched", "override"].contains { reason.hasPrefix($0) }
            || isOff && reason.hasSuffix("is switched off")
    }

    /// Whose word counts, if it is not simply the room's own setpoint, and until when.
    func mode(now: Timestamp, unit: TemperatureUnit = .celsius) -> String? {
        if let override {
            return "switched \(pumpText(override.isPumpOn)) \(sourceText(override.source)) "
                + endText(override.secondsLeft, now: now)
        }
        if isOff {
            let later = hold.map { "; \(targetText($0.target, unit)) is kept for later" } ?? ""
            return "switched off until it is changed\(later)"
        }
        if let hold {
            let then = scheduled.map { "; the schedule says \($0)" } ?? ""
            return "holds \(targetText(hold.target, unit)), set \(sourceText(hold.source)), "
                + endText(hold.secondsLeft, now: now) + then
        }
        return (scheduled ?? preset).map { "\($0) by the schedule" }
    }
}

/// "until 13:26, in 59 min", with the date when that is not today's; nil seconds have no end.
func endText(_ secondsLeft: Double?, now: Timestamp) -> String {
    guard let secondsLeft else { return "until it is changed" }
    let end = now.later(by: secondsLeft).flatMap { ShownTime(now: now).minute($0) } ?? "?"
    return "until \(end), in \(durationText(secondsLeft))"
}

extension Timestamp {
    /// Nil beyond the calendar.
    func later(by seconds: Double) -> Timestamp? {
        guard let whole = Int64(exactly: seconds.rounded()) else { return nil }
        let (length, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
        let (end, overflowed) = nanoseconds.addingReportingOverflow(length)
        return overflow || overflowed ? nil : Timestamp(nanoseconds: end)
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
        if let worst = alarms.min(by: { $0.severity < $1.severity }), worst.name == "no-home-broker" {
            problems.append("nothing is heating: \(printable(worst.text))")
        }
        let alarmCount = alarms.count + (configurationError == nil ? 0 : 1)
        if alarmCount > 0 { problems.append(countText(Int64(alarmCount), "alarm")) }
        let blind = rooms.filter(\.isStale).map { printableName($0.name) }
        if !blind.isEmpty { problems.append("no fresh reading from \(blind.joined(separator: ", "))") }
        for link in links where link.state != .connected {
            let (what, consequence) =
                switch link.name {
                case "control": ("the home broker", "rooms are not heated by reading")
                case "record": ("recording", "readings wait in the home broker")
                case "uplink": ("the cloud", "heating goes on, readings are kept here")
                default: (printable(link.name), link.state.rawValue)
                }
            problems.append("\(what) is not connected (\(consequence))")
        }
        if journal?.lastError != nil { problems.append("the journal reports an error") }
        return problems
    }
}

extension Status {
    /// The backlog in words. It is the journal's: while that is not open, nobody knows it.
    var backlog: String {
        journal == nil
            ? "unknown until the journal is open"
            : uplink.map { backlogText($0, isConnected: isCloudConnected) } ?? "unknown"
    }

    private var isCloudConnected: Bool {
        links.first { $0.name == "uplink" }.map { $0.state == .connected } ?? true
    }
}

/// "41 233 readings, oldest 38 min; 18/s, done in 38 min".
private func backlogText(_ uplink: UplinkStatus, isConnected: Bool) -> String {
    guard uplink.isEnabled else { return "none: there is no cloud (cloud.enabled is false), readings stay on this box" }
    guard let backlog = uplink.backlog else { return "unknown" }
    guard backlog > 0 else { return isConnected ? "none, the cloud has confirmed everything" : "none" }
    var text = countText(backlog, "reading")
    if let oldest = uplink.oldestSeconds { text += ", oldest \(durationText(oldest))" }
    // What left before the connection was lost says nothing about the time that it will take.
    guard isConnected else { return text + "; they leave when the cloud is connected" }
    if let rate = uplink.ratePerSecond { text += rate > 0 ? "; \(rateText(rate))" : "; nothing is leaving" }
    if let rest = uplink.secondsToDrain { text += ", done in \(durationText(rest))" }
    return text
}

/// What is under way, and whose confirmation counts; empty when nothing is known.
func confirmationText(_ uplink: UplinkStatus) -> String {
    guard uplink.isEnabled else { return "" }
    var parts: [String] = []
    if let inFlight = uplink.inFlight, inFlight > 0 { parts.append("\(groupedText(inFlight)) under way") }
    if let resent = uplink.resent, resent > 0 {
        parts.append("\(groupedText(resent)) sent again to be sure, none counts twice")
    }
    switch uplink.confirm {
    case "ingestor": parts.append("kept here until the cloud has them on disk")
    case "broker": parts.append("confirmed by the cloud broker only: what its memory loses is lost")
    default: break
    }
    return parts.joined(separator: ", ")
}

func journalText(_ journal: JournalFigures) -> String {
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

/// How the process is that records and forwards.
func recordingText(_ recording: RecordingStatus) -> String {
    let time = recording.seconds.map { " for \(durationText($0))" } ?? ""
    var text = recording.pid == nil ? "not running\(time)" : "running\(time)"
    if recording.pid != nil, recording.isAway, let silence = recording.silentSeconds {
        text += ", silent for \(durationText(silence))"
    }
    if let restarts = recording.restarts, restarts > 0 { text += ", started again \(countText(restarts, "time"))" }
    if let end = recording.lastEnd { text += "; it \(printable(end))" }
    return text
}
