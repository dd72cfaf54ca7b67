import Heating
import MQTT
import Machine

/// What people set without the file: calls that change it wait for the disk, but not for long.
extension VarlinkService {
    /// Less than the five seconds for which `hearth` waits.
    private static let patience = Duration.seconds(2)

    func set(_ parameters: JSON) -> VarlinkOutcome {
        guard let members = parameters["settings"]?.object?.members, !members.isEmpty else {
            return .reply(invalid("settings", "must be an object with at least one setting"))
        }
        return change(parameters, members.map { ($0.key, $0.value) })
    }

    func reset(_ parameters: JSON) -> VarlinkOutcome {
        let names = parameters["keys"]?.array.map { $0.compactMap(\.string) }
        let isHouse = parameters["all"]?.bool == true
        let known = SettingKey.allCases.filter { !isHouse || !$0.isOfRoomsOnly }.map(\.rawValue)
        return change(parameters, (names ?? known).map { ($0, .null) })
    }

    private func change(_ parameters: JSON, _ changes: [(key: String, value: JSON)]) -> VarlinkOutcome {
        var place: Room?
        if parameters["all"]?.bool != true {
            switch room(parameters) {
            case .failure(let reply): return .reply(reply)
            case .success(let found): place = found
            }
        }
        let number: Int64?
        do throws(KeptSettings.Refusal) {
            number = try gateway.settings.change(place, changes)
        } catch {
            return .reply(.refusal("InvalidSetting", error.sentence))
        }
        if changes.contains(where: {
            $0.key == SettingKey.mode.rawValue && $0.value.string == Thermostat.Mode.off.rawValue
        }) {
            endSwitching(parameters)
        }
        gateway.control.wake()
        let settings = SettingsReport(gateway.snapshot, gateway.controlBoard.snapshot)
        let reply: JSON = place.map { settings.room($0) } ?? ["settings": .array(settings.house)]
        guard let number else { return .reply(.parameters(kept(reply, problem: nil))) }
        return .asked(.kept(number, since: Clock.now, reply: reply))
    }

    /// What is switched off is off, also where somebody had switched the pump on by hand: an override ranks above the mode.
    private func endSwitching(_ parameters: JSON) {
        guard case .success(let rooms) = rooms(parameters) else { return }
        for room in rooms {
            _ = gateway.post(.init(what: .releaseOverride, end: nil, source: source(parameters) ?? .cli), for: room)
        }
    }

    /// The reply to a change once the disk has answered, or has not for too long.
    func kept(_ number: Int64, _ since: Instant, _ reply: JSON) -> VarlinkReply? {
        switch gateway.settingsFile.outcome(of: number) {
        case .kept: return .parameters(kept(reply, problem: nil))
        case .failed(let problem):
            // A path and the system's words.
            return .parameters(kept(reply, problem: Sentence(SettingSentence.inFile, ["problem": .text(problem)])))
        case nil:
            guard Clock.now - since >= Self.patience else { return nil }
            return .parameters(kept(reply, problem: .refusal(.diskSilent)))
        }
    }

    private func kept(_ reply: JSON, problem: Sentence?) -> JSON {
        let members = reply.object?.members.map { ($0.key, $0.value) } ?? []
        return .object(
            .init(
                members + [
                    ("kept", .bool(problem == nil)), ("problem", JSON(problem) { .string($0.text) }),
                    ("say", JSON(problem) { $0.json }),
                ]))
    }
}

/// What people may set, with what it is and who said so.
struct SettingsReport {
    private let state: HouseSettings.State
    private let known: [Room]
    private let unit: TemperatureUnit

    init(_ state: HouseSettings.State, _ board: ControlBoard.Contents) {
        self.state = state
        unit = state.configuration.temperatureUnit
        known = Set(board.rooms.keys).union(state.configuration.rooms.keys).union(state.kept.rooms.keys).sorted()
    }

    var json: JSON {
        [
            "temperatureUnit": .string(unit.rawValue), "file": .string(state.configuration.settingsFile),
            "house": .array(house), "rooms": .array(known.map { room($0) }),
        ]
    }

    var house: [JSON] {
        SettingKey.allCases.filter { !$0.isOfRoomsOnly }.map { key in
            let origin: SettingOrigin =
                state.kept.house.has(key) ? .kept : state.file.written.house.contains(key) ? .file : .builtIn
            return entry(key, value(key, nil, state.configuration.thermostat), origin)
        }
    }

    func room(_ room: Room) -> JSON {
        let settings = state.configuration.settings(for: room)
        return [
            "room": .string(room.name),
            "settings": .array(SettingKey.allCases.map { entry($0, value($0, room, settings), origin($0, room)) }),
        ]
    }

    private func origin(_ key: SettingKey, _ room: Room) -> SettingOrigin {
        if state.kept.rooms[room]?.has(key) == true { return .kept }
        if state.file.written.rooms[room]?.contains(key) == true { return .file }
        if state.kept.house.has(key) { return .house }
        return state.file.written.house.contains(key) ? .file : .builtIn
    }

    private func entry(_ key: SettingKey, _ value: JSON, _ origin: SettingOrigin) -> JSON {
        ["key": .string(key.rawValue), "value": value, "origin": .string(origin.rawValue)]
    }

    private func value(_ key: SettingKey, _ room: Room?, _ settings: Thermostat.Settings) -> JSON {
        switch key {
        case .mode: .string(settings.mode.rawValue)
        case .target: value(settings.setpoint)
        case .band: JSON(unit.shown(difference: settings.band))
        case .schedule: .array(settings.schedule.entries.map(value))
        case .frost, .eco, .comfort: key.preset.map { value(settings.setpoint(of: $0)) } ?? .null
        case .name: JSON(room) { .string(state.configuration.name(of: $0)) }
        case .order: JSON(room.flatMap { state.configuration.order[$0] }) { JSON($0) }
        }
    }

    private func value(_ setpoint: Thermostat.Setpoint) -> JSON {
        switch setpoint {
        case .target(let target): JSON(unit.number(target))
        case .limits(let low, let high): ["onBelow": JSON(unit.number(low)), "offAbove": JSON(unit.number(high))]
        }
    }

    private func value(_ entry: Schedule.Entry) -> JSON {
        [
            "days": .array(entry.days.map { .string($0) }), "time": .string(entry.time),
            "preset": .string(entry.preset.rawValue),
        ]
    }
}
