import Heating

/// `[[sensors]]`, `[[pumps]]`, `[kinds.NAME]` and what rooms say of their devices; in the main file and in `devices.d`.
extension ConfigurationReader {
    private static let times = Duration.seconds(1) ... .seconds(7 * 86400)

    /// Reads the devices of this file and of `fragments`, whose problems become this reader's.
    mutating func devices(_ fragments: [DeviceFile]) -> Devices {
        var devices = Devices()
        var others = fragments.map { ConfigurationReader(text: $0.text, file: $0.file, environment: [:]) }
        readKinds(into: &devices)
        for index in others.indices { others[index].readKinds(into: &devices) }
        var written = WrittenTables()
        readDevices(into: &devices, &written)
        for index in others.indices {
            others[index].readDevices(into: &devices, &written)
            others[index].reportUnknownKeys()
            adopt(others[index].problems)
        }
        heatByValve(&devices)
        let ownMeasures = Set(devices.sensors.map(\.measure).filter { !$0.isCommon })
        if ownMeasures.count > Measure.othersLimit {
            report(
                ["sensors"],
                "have \(ownMeasures.count) measures with names of your own, and no more than \(Measure.othersLimit) are taken: "
                    + "use one name for what is the same in all rooms")
        }
        return devices
    }

    // MARK: Kinds

    private mutating func readKinds(into devices: inout Devices) {
        for name in tableNames(["kinds"]) {
            let path = ["kinds", name]
            let like = string(path + ["like"])
            let sensor = sensorTable(path)
            let pump = pumpTable(path)
            if DeviceKind.builtIn(name) != nil || devices.kinds.contains(where: { $0.name == name }) {
                report(path, "is a kind already; give yours another name")
                continue
            }
            let base = like.flatMap { kind(named: $0, in: devices, path + ["like"]) }
            let whole = DeviceKind(
                name: name, documentation: base?.documentation ?? "", sensor: sensor.over(base?.sensor ?? .init()),
                pump: pump.over(base?.pump ?? .init()))
            check(whole, path)
            devices.kinds.append(.init(name: name, like: like, sensor: sensor, pump: pump, kind: whole))
        }
    }

    /// Reports a kind that there is not, with those there are.
    private mutating func kind(named name: String, in devices: Devices, _ path: [String]) -> DeviceKind? {
        if let kind = DeviceKind.builtIn(name) ?? devices.kinds.first(where: { $0.name == name })?.kind { return kind }
        let names = DeviceKind.builtIn.map(\.name) + devices.kinds.map(\.name)
        let near = nearest(name, among: names).map { "; did you mean \"\($0)\"?" }
        report(path, "there is no kind \"\(name)\"\(near ?? ".") There are \(names.joined(separator: ", "))")
        return nil
    }

    // MARK: Sensors and pumps

    private mutating func readDevices(into devices: inout Devices, _ written: inout WrittenTables) {
        for index in 0..<tableCount(["sensors"]) {
            let path = ["sensors", "\(index)"]
            guard let rule = sensor(path, in: devices) else { continue }
            check(rule, path, beside: devices.sensors, written)
            devices.sensors.append(rule)
            written.sensors.append(place(of: path))
        }
        for index in 0..<tableCount(["pumps"]) {
            let path = ["pumps", "\(index)"]
            guard let pump = pump(path, rooms: nil, in: devices) else { continue }
            if devices.pumps.contains(where: { $0.name == pump.name }) {
                report(path + ["name"], "\"\(pump.name)\" is another pump's name")
            }
            if let room = pump.rooms.first(where: { devices.pump(of: $0) != nil }) {
                report(
                    path + ["rooms"], "\(room.displayName) has a pump already, \(devices.pump(of: room)?.name ?? "")")
            }
            checkCommands(of: pump, path, &written)
            devices.pumps.append(pump)
        }
        for name in tableNames(["rooms"]) {
            guard let room = Room(name) else { continue }
            let path = ["rooms", name]
            var own = devices.rooms[room] ?? .init()
            own.combine = oneOf(path + ["combine"], RoomSensors.Combine.self) ?? own.combine
            own.disagreement = number(path + ["disagreement"], in: 0.1...50) ?? own.disagreement
            own.valve = valve(of: name, in: devices, &written) ?? own.valve
            if own != .init() { devices.rooms[room] = own }
        }
    }

    private mutating func valve(of room: String, in devices: Devices, _ written: inout WrittenTables) -> PumpRule? {
        let path = ["rooms", room, "valve"]
        guard isPresent(path) else { return nil }
        guard isTable(path) else {
            report(path, "must be a table such as { kind = \"zigbee2mqtt\", device = \"its name\" }")
            return nil
        }
        for key in ["min_on", "min_off"] where isPresent(path + [key]) {
            report(path + [key], "belongs to the pump: write it in [[pumps]]")
        }
        guard let valve = pump(path, rooms: [room], in: devices) else { return nil }
        checkCommands(of: valve, path, &written)
        return valve
    }

    private mutating func sensor(_ path: [String], in devices: Devices) -> SensorRule? {
        let name = string(path + ["kind"]) ?? "plain"
        let table = sensorTable(path)
        guard let kind = kind(named: name, in: devices, path + ["kind"]) else { return nil }
        do throws(DeviceTableErrors) {
            return try SensorRule(kind: name, table.over(kind.sensor))
        } catch {
            report(error, below: path)
            return nil
        }
    }

    /// A valve of a room that no pump in the file heats is that room's pump.
    private mutating func heatByValve(_ devices: inout Devices) {
        for (room, own) in devices.rooms.sorted(by: { $0.key < $1.key }) {
            guard let valve = own.valve, devices.pump(of: room) == nil else { continue }
            if devices.pumps.contains(where: { $0.name == valve.name }) {
                report(
                    ["rooms", room.name, "valve"],
                    "\"\(valve.name)\" is a pump's name: write [[pumps]] with another")
            }
            var table = valve.table
            table.name = valve.name
            if let pump = try? PumpRule(kind: valve.kind, table) { devices.pumps.append(pump) }
            devices.rooms[room]?.valve = nil
            if devices.rooms[room] == .init() { devices.rooms[room] = nil }
        }
    }

    private mutating func pump(_ path: [String], rooms: [String]?, in devices: Devices) -> PumpRule? {
        let name = string(path + ["kind"]) ?? "plain"
        var table = pumpTable(path)
        table.rooms = rooms ?? table.rooms
        guard let kind = kind(named: name, in: devices, path + ["kind"]) else { return nil }
        do throws(DeviceTableErrors) {
            return try PumpRule(kind: name, table.over(kind.pump))
        } catch {
            report(error, below: path)
            return nil
        }
    }

    /// A device that is told a target needs a room that has one.
    mutating func checkTargets(_ devices: Devices, _ settings: (Room) -> Thermostat.Settings) {
        for pump in devices.pumps where pump.needsTarget {
            for room in pump.rooms where !settings(room).enabled {
                report(
                    ["pumps"],
                    "\"\(pump.name)\" is told a target, and \(room.displayName) has none, since its thermostat is off: "
                        + "write enabled = true in [rooms.\(room.displayName)], or take the room out")
            }
        }
    }

    mutating func report(_ errors: DeviceTableErrors, below path: [String]) {
        for error in errors.errors { report(path + [error.key], error.message) }
    }

    // MARK: Tables

    private mutating func sensorTable(_ path: [String]) -> SensorTable {
        var table = SensorTable()
        table.topic = string(path + ["topic"])
        table.value = string(path + ["value"])
        table.time = string(path + ["time"])
        table.unit = string(path + ["unit"])
        table.measure = string(path + ["measure"])
        table.retained = string(path + ["retained"])
        table.room = string(path + ["room"])
        table.roomAt = string(path + ["room_at"])
        table.unlisted = string(path + ["unlisted"])
        table.except = strings(path + ["except"])
        table.ignore = strings(path + ["ignore"])
        table.discard = numbers(path + ["discard"])
        table.staleAfter = duration(path + ["stale_after"], in: Self.times)
        // In a kind, which has no rooms, `rooms` are a sensor's names; in a pump it is a list.
        if path.first == "sensors" { table.rooms = texts(path + ["rooms"])?.map { ($0.key, $0.text) } }
        return table
    }

    private mutating func pumpTable(_ path: [String]) -> PumpTable {
        var table = PumpTable()
        if path.first == "pumps" {
            table.name = string(path + ["name"])
            table.rooms = strings(path + ["rooms"])
        }
        table.device = string(path + ["device"])
        table.command = string(path + ["command"])
        table.on = string(path + ["on"])
        table.off = string(path + ["off"])
        table.retain = bool(path + ["retain"])
        table.targetCommand = string(path + ["target_command"])
        table.targetPayload = string(path + ["target_payload"])
        table.targetUnit = string(path + ["target_unit"])
        table.targetStep = number(path + ["target_step"], in: 0.1...5)
        table.targetState = string(path + ["target_state"])
        table.targetValue = string(path + ["target_value"])
        table.mode = string(path + ["mode"])
        table.modeOn = string(path + ["mode_on"])
        table.modeOff = string(path + ["mode_off"])
        table.state = string(path + ["state"])
        table.stateValue = string(path + ["state_value"])
        table.stateOn = string(path + ["state_on"])
        table.stateOff = string(path + ["state_off"])
        table.available = string(path + ["available"])
        table.availablePath = string(path + ["available_path"])
        table.availableValue = string(path + ["available_value"])
        table.bridge = string(path + ["bridge"])
        table.power = string(path + ["power"])
        table.powerValue = string(path + ["power_value"])
        table.runningAbove = number(path + ["running_above"], in: 0...1_000_000)
        table.startingTime = duration(path + ["starting_time"], in: .zero ... .seconds(86400))
        table.onForeign = string(path + ["on_foreign"])
        table.minOn = duration(path + ["min_on"], in: .zero ... .seconds(86400))
        table.minOff = duration(path + ["min_off"], in: .zero ... .seconds(86400))
        return table
    }
}

extension Configuration {
    /// What a compressor runs and rests at least where nobody has written anything: the usual protection of heat pumps.
    private static let compressorTime = Duration.seconds(300)

    /// Gives the rooms that have a target, or whose pump is not the black box, which needs no rest, a pump's shortest times.
    ///
    /// The nearest word counts: the room's or its own pump's, whichever is longer; then the house's; then five minutes.
    mutating func protectCompressors(_ reader: ConfigurationReader) {
        written.houseTimes = reader.writtenTimes(["thermostat"])
        for room in rooms.keys {
            written.times[room] = written.houseTimes.union(reader.writtenTimes(["rooms", room.name]))
        }
        thermostat = protected(thermostat, of: nil)
        for (room, settings) in rooms { rooms[room] = protected(settings, of: room) }
        for pump in devices.pumps where !pump.isBlackBox {
            let own = pump.rooms.count == 1 ? pump : nil
            for room in pump.rooms {
                func time(_ key: String, _ settings: Duration, _ pump: Duration?) -> Duration {
                    if reader.isWritten(["rooms", room.name, key]) { return max(settings, pump ?? .zero) }
                    return pump ?? (reader.isWritten(["thermostat", key]) ? settings : Self.compressorTime)
                }
                var settings = settings(for: room)
                settings.minOn = time("min_on", settings.minOn, own?.minOn)
                settings.minOff = time("min_off", settings.minOff, own?.minOff)
                rooms[room] = settings
                // What people set above the file changes nothing of that.
                written.times[room] = ["min_on", "min_off"]
            }
        }
    }
}

extension Configuration {
    /// The settings with a compressor's shortest times, if they have a target and nothing was written.
    /// - Parameter room: nil for those of the house and of rooms that are not in the file.
    func protected(_ settings: Thermostat.Settings, of room: Room?) -> Thermostat.Settings {
        guard settings.target != nil else { return settings }
        let known = room.flatMap { written.times[$0] } ?? written.houseTimes
        var result = settings
        if !known.contains("min_on") { result.minOn = max(result.minOn, Self.compressorTime) }
        if !known.contains("min_off") { result.minOff = max(result.minOff, Self.compressorTime) }
        return result
    }
}

extension ConfigurationReader {
    fileprivate func writtenTimes(_ path: [String]) -> Set<String> {
        Set(["min_on", "min_off"].filter { isWritten(path + [$0]) })
    }
}

extension PumpRule {
    /// Whether it is told nothing but what the room's black box hears.
    fileprivate var isBlackBox: Bool {
        command == rooms.first.map { HomeTopic.heatpump($0).string } && kind == "plain" && state == nil
    }
}
