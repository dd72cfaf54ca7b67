import Heating

/// The devices as TOML, the kinds' own words filled in, the way `--check-config` prints them.
extension Devices {
    var lines: [String] {
        var lines: [String] = []
        for own in kinds {
            lines += ["", "[kinds.\(quoted(own.name))]"]
            if let like = own.like { lines.append("like = \(quoted(like))") }
            lines += keys(of: own.sensor) + keys(of: own.pump)
        }
        for sensor in sensors {
            lines += ["", "[[sensors]]", "kind = \(quoted(sensor.kind))"] + keys(of: sensor.table)
        }
        for pump in pumps { lines += ["", "[[pumps]]"] + keys(of: pump, withName: true) }
        return lines
    }

    /// What a room says of its sensors.
    func keys(of room: Room) -> [String] {
        var lines: [String] = []
        if let combine = rooms[room]?.combine { lines.append("combine = \(quoted(combine.rawValue))") }
        if let disagreement = rooms[room]?.disagreement { lines.append("disagreement = \(disagreement)") }
        return lines
    }

    func valve(of room: Room) -> [String] {
        guard let valve = rooms[room]?.valve else { return [] }
        return ["", "[rooms.\(quoted(room.name)).valve]"] + keys(of: valve, withName: false)
    }

    private func keys(of pump: PumpRule, withName: Bool) -> [String] {
        var lines = ["kind = \(quoted(pump.kind))"]
        if withName {
            lines += ["name = \(quoted(pump.name))", "rooms = \(list(pump.rooms.map(\.name)))"]
        }
        return lines + keys(of: pump.table)
    }

    func keys(of table: SensorTable) -> [String] {
        var lines = texts([
            ("topic", table.topic), ("value", table.value), ("time", table.time), ("unit", table.unit),
            ("measure", table.measure), ("retained", table.retained), ("room", table.room), ("room_at", table.roomAt),
            ("unlisted", table.unlisted),
        ])
        if let except = table.except { lines.append("except = \(list(except))") }
        if let ignore = table.ignore { lines.append("ignore = \(list(ignore))") }
        if let discard = table.discard { lines.append("discard = \(discard)") }
        if let staleAfter = table.staleAfter { lines.append("stale_after = \(quoted(milliseconds(staleAfter)))") }
        if let rooms = table.rooms {
            let pairs = rooms.map { "\(quoted($0.wire)) = \(quoted($0.room))" }
            lines.append("rooms = { \(pairs.joined(separator: ", ")) }")
        }
        return lines
    }

    func keys(of table: PumpTable) -> [String] {
        var lines = texts([
            ("device", table.device), ("command", table.command), ("on", table.on), ("off", table.off),
            ("target_command", table.targetCommand), ("target_payload", table.targetPayload),
            ("target_unit", table.targetUnit), ("target_state", table.targetState),
            ("target_value", table.targetValue), ("mode", table.mode), ("mode_on", table.modeOn),
            ("mode_off", table.modeOff), ("state", table.state),
            ("state_value", table.stateValue), ("state_on", table.stateOn), ("state_off", table.stateOff),
            ("available", table.available), ("available_path", table.availablePath),
            ("available_value", table.availableValue), ("bridge", table.bridge), ("power", table.power),
            ("power_value", table.powerValue),
            ("starting_time", table.startingTime.map(milliseconds)), ("on_foreign", table.onForeign),
            ("min_on", table.minOn.map(milliseconds)),
            ("min_off", table.minOff.map(milliseconds)),
        ])
        if let step = table.targetStep { lines.append("target_step = \(step)") }
        if let retain = table.retain { lines.append("retain = \(retain)") }
        if let runningAbove = table.runningAbove { lines.append("running_above = \(runningAbove)") }
        return lines
    }

    private func texts(_ pairs: [(String, String?)]) -> [String] {
        pairs.compactMap { key, text in text.map { "\(key) = \(quoted($0))" } }
    }

    private func list(_ texts: [String]) -> String { "[\(texts.map(quoted).joined(separator: ", "))]" }

    private func quoted(_ text: String) -> String { JSON.string(text).serialized() }

    private func milliseconds(_ duration: Duration) -> String {
        let whole = duration.wholeNanoseconds / 1_000_000
        return whole % 1000 == 0 ? "\(whole / 1000)s" : "\(whole)ms"
    }
}
