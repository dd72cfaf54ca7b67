import Heating

/// What was found, for people: room by room, each with the table to paste, then what can be switched, then what needs a word.
func deviceList(_ devices: [OfferedDevice], style: Style) -> [String] {
    var lines: [String] = []
    let sensors = devices.filter { $0.isSensor && !$0.isUnclear }
    var rooms: [ExactString] = []
    for sensor in sensors where !rooms.contains(ExactString(sensor.room ?? "")) {
        rooms.append(ExactString(sensor.room ?? ""))
    }
    for room in rooms.sorted() {
        let title = room.text.isEmpty ? "left out" : printableName(room.text)
        lines += ["", style.paint(title, .bold)]
        for sensor in sensors where ExactString(sensor.room ?? "") == room { lines += entry(sensor, style) }
    }
    let pumps = devices.filter { !$0.isSensor && !$0.isUnclear }
    if !pumps.isEmpty {
        lines += ["", style.paint("can be switched; say which one is a heat pump, and what it heats", .bold)]
        for pump in pumps {
            lines += entry(pump, style)
            if pump.standing == .new, pump.rooms.isEmpty {
                lines.append("  to have it: hearth devices --write --pump '\(printable(pump.name))=ROOM,ROOM'")
            }
        }
    }
    let unclear = devices.filter(\.isUnclear)
    if !unclear.isEmpty {
        lines += ["", style.paint("found, and not understood", .bold)]
        for device in unclear {
            guard case .unclear(let why) = device.standing else { continue }
            lines.append("  \(printableName(device.name)) on \(printable(device.topic)): \(printable(why))")
        }
    }
    return lines
}

private func entry(_ device: OfferedDevice, _ style: Style) -> [String] {
    let value =
        device.celsius.map { "\(fixedText($0, digits: 1)) °C" } ?? (device.isSensor ? "has said nothing yet" : "")
    let known = device.standing == .known ? "in your configuration already" : ""
    let about = [printableName(device.name), device.kind, printable(device.topic), value, known].filter { !$0.isEmpty }
    let line = "  " + about.joined(separator: " · ")
    guard device.standing == .new else { return [line] }
    // As a file must have it: a name that steers a terminal is an escape in TOML already, or shown as one.
    let isWhole = device.isSensor ? device.room != nil : !device.rooms.isEmpty
    return [line] + (isWhole ? device.table : device.lines).map { "    " + printableJSON($0) }
}

extension OfferedDevice {
    var isUnclear: Bool { if case .unclear = standing { true } else { false } }
}
