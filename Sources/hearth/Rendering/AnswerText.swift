import GatewayClient
import Heating

/// The texts of `doctor`, `why` and `override`.

/// One line per check, and below it what to do.
func checkLines(_ checks: [DoctorCheck], width: Int, style: Style) -> [String] {
    checks.flatMap { check in
        let label = style.paint(padded(check.state.rawValue, to: 9), check.state.colour)
        let indent = String(repeating: " ", count: 9)
        // Line breaks of a checked program's output stay; everything else is escaped.
        let detail = "\(check.name): \(check.detail)".split(separator: "\n", omittingEmptySubsequences: false)
            .flatMap { wrapped(printable($0), width: width - 9) }
        let advice = check.advice.isEmpty ? [] : wrapped("what to do: \(printable(check.advice))", width: width - 9)
        return detail.enumerated().map { ($0 == 0 ? label : indent) + $1 } + advice.map { indent + $0 }
    }
}

/// "All 7 checks passed." or what did not.
func checkSummary(_ checks: [DoctorCheck]) -> String {
    let errors = checks.count { $0.state == .error }
    let warnings = checks.count { $0.state == .warning }
    let parts = [
        errors > 0 ? countText(Int64(errors), "error") : nil,
        warnings > 0 ? countText(Int64(warnings), "warning") : nil,
    ]
    .compactMap { $0 }
    return parts.isEmpty
        ? "All \(countText(Int64(checks.count), "check")) passed."
        : "\(parts.joined(separator: ", ")) in \(countText(Int64(checks.count), "check"))."
}

extension DoctorCheck.State {
    fileprivate var colour: Style.Colour {
        switch self {
        case .ok: .green
        case .warning: .yellow
        case .error: .red
        }
    }
}

/// What its heat pump and its valve say of themselves.
private func deviceLines(_ room: RoomStatus) -> [String] {
    let pump = room.device.map { ("heat pump \(printableName($0.name))", $0.text((on: "runs", off: "rests"))) }
    let valve = room.valve.map { ("valve", $0.text((on: "open", off: "closed"))) }
    return [pump, valve].compactMap(\.self).filter { !$0.1.isEmpty }.map { "\($0.0): \($0.1)" }
}

/// The state of a room now, and what led to it.
///
/// - Parameter clock: writes the daemon's ISO 8601 time in the reader's time zone.
func whyLines(
    room: RoomStatus?, measures: [MeasureStatus] = [], alarms: [Alarm] = [], decisions: [Decision],
    unit: TemperatureUnit = .celsius, width: Int, style: Style, now: Timestamp = wallClock(),
    clock: (String) -> String
) -> [String] {
    var lines: [String] = []
    if let room {
        var line =
            "\(printableName(room.name)): \(temperatureText(room.temperature, unit)), pump \(pumpText(room.isPumpOn))"
        if let seconds = room.pumpSeconds { line += " for \(durationText(seconds))" }
        let explanation = room.explanation(now: now, alarms: alarms, unit: unit)
        if !explanation.isEmpty { line += ": \(printable(explanation))" }
        lines += wrapped(line, width: width)
        for alarm in alarms
        where !alarm.advice.isEmpty && alarm.room.map({ $0.utf8.elementsEqual(room.name.utf8) }) ?? false {
            lines += wrapped("what to do: \(printable(alarm.advice))", width: width).map { style.paint($0, .red) }
        }
        if let low = room.onBelow, let high = room.offAbove {
            let target = room.target.map { "heats to \(temperatureText($0, unit)): " } ?? ""
            lines.append(
                "\(target)starts below \(temperatureText(low, unit)), stops above \(temperatureText(high, unit))")
        }
        let others = measures.filter { $0.room.utf8.elementsEqual(room.name.utf8) }
        if !others.isEmpty {
            let text = others.map { "\($0.nameText) \($0.valueText)" }.joined(separator: ", ")
            lines += wrapped("also measured: \(printable(text))", width: width)
        }
        lines += deviceLines(room).flatMap { wrapped($0, width: width) }
        lines.append("")
    }
    guard !decisions.isEmpty else {
        let isTold = room?.isPumpOn != nil
        return lines + [isTold ? "No command since hearthd started." : "No command has been given to this pump yet."]
    }
    var table = Table([.init(title: "TIME"), .init(title: "PUMP"), .init(title: "WHY")])
    table.rows = decisions.map { decision in
        [
            .init(clock(decision.time)), .init(pumpText(decision.isPumpOn), decision.isPumpOn == true ? .cyan : .plain),
            .init(decision.reason),
        ]
    }
    return lines + table.lines(width: width, style: style)
}

/// What an override does and when it ends. `end` is the time on the reader's clock.
func overrideText(_ reply: OverrideReply, end: String?) -> String {
    let room = reply.isAll ? "every room" : printableName(reply.room)
    let place = reply.isAll ? "--all" : printableName(reply.room)
    guard reply.pump != "auto" else { return "\(room): automatic again, heated by its temperature" }
    let isPump = ["on", "off"].contains(reply.pump)
    let what = isPump ? "switched \(printable(reply.pump))" : "holds \(printable(targetText(reply.pump, reply.unit)))"
    let later = reply.isOff && !isPump ? "; it is switched off, so this counts when it is automatic again" : ""
    guard let left = reply.secondsLeft else {
        return "\(room): \(what) until it is changed: hearth resume \(place)\(later)"
    }
    let late =
        reply.isReachable ? "" : "; the home broker is not connected, so the pump hears it when that is back"
    let until = end.map { " until \($0)" } ?? ""
    return "\(room): \(what)\(until), for \(durationText(left)), then automatic again\(later)\(late)"
}
