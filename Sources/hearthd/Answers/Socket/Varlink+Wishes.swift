import Heating
import MQTT

/// What people ask for, room by room or for the whole house.
extension VarlinkService {
    private static let longestSeconds: Int64 = 366 * 86_400

    func override(_ parameters: JSON) -> VarlinkReply {
        let unit = gateway.snapshot.configuration.temperatureUnit
        guard let pump = parameters["pump"]?.string, let what = ControlMailbox.Wish.What(pump, in: unit) else {
            return notAWish(parameters["pump"]?.string ?? "", unit)
        }
        let seconds = parameters["seconds"]?.int
        if let seconds, seconds <= 0 || seconds > Self.longestSeconds {
            return invalid("seconds", "must be between 1 and \(Self.longestSeconds)")
        }
        let isUntilChanged = parameters["untilChanged"]?.bool ?? false
        if isUntilChanged, seconds != nil { return invalid("untilChanged", "and seconds exclude each other") }
        if isUntilChanged, case .pump = what {
            return invalid("untilChanged", "is for presets and temperatures: a switched pump always has an end")
        }
        guard let source = source(parameters) else { return invalid("source", "must be cli or page") }
        if what == .release { releaseModes(parameters) }
        return toRooms(parameters) { room in
            wish(what, seconds.map { .seconds($0) }, isUntilChanged, source, for: room)
        } answer: { rooms, wish in
            let left: JSON = what == .release ? nil : JSON(wish.duration) { JSON($0.components.seconds) }
            let settings = gateway.snapshot.configuration
            return [
                ("pump", .string(what.number(in: unit) ?? pump)), ("secondsLeft", left),
                ("temperatureUnit", .string(unit.rawValue)),
                ("isOff", .bool(rooms.contains { settings.settings(for: $0).mode == .off })),
            ]
        }
    }

    private func notAWish(_ text: String, _ unit: TemperatureUnit) -> VarlinkReply {
        let symbol = Sentence.Value.text(unit.symbol)
        if let (celsius, meant) = ControlMailbox.Wish.What.meantCelsius(text, in: unit) {
            return refused(
                .notFahrenheit,
                [
                    "value": unit.value(celsius), "unit": symbol, "celsius": TemperatureUnit.celsius.value(celsius),
                    "line": .text(meant),
                ])
        }
        let (low, high) = (ControlMailbox.Wish.What.lowest, Thermostat.Settings.highestTarget)
        return refused(.pump, ["low": unit.value(low), "high": unit.value(high), "unit": symbol])
    }

    /// "auto" means that the room heats by its temperature and its schedule: it is not off either.
    private func releaseModes(_ parameters: JSON) {
        guard case .success(let rooms) = rooms(parameters) else { return }
        if parameters["all"]?.bool == true, gateway.snapshot.configuration.thermostat.mode == .off {
            _ = try? gateway.settings.change(nil, [(SettingKey.mode.rawValue, "auto")])
        }
        for room in rooms { gateway.settings.set(.auto, of: room) }
    }

    /// Who asks, by `source`; nil for somebody that cannot be.
    func source(_ parameters: JSON) -> Thermostat.Source? {
        guard let name = parameters["source"], !name.isNull else { return .cli }
        return name.string.flatMap(Thermostat.Source.init(rawValue:)).flatMap { [.cli, .page].contains($0) ? $0 : nil }
    }

    private func wish(
        _ what: ControlMailbox.Wish.What, _ duration: Duration?, _ isUntilChanged: Bool, _ source: Thermostat.Source,
        for room: Room
    ) -> ControlMailbox.Wish {
        let length = duration ?? gateway.snapshot.configuration.settings(for: room).overrideTTL
        return .init(what: what, end: isUntilChanged ? .untilChanged : .after(length), source: source)
    }

    /// Posts a wish for the room that is meant, or for all that have a thermostat, and answers.
    private func toRooms(
        _ parameters: JSON, wish: (Room) -> ControlMailbox.Wish,
        answer: ([Room], ControlMailbox.Wish) -> [(key: String, value: JSON)]
    ) -> VarlinkReply {
        let rooms: [Room]
        switch self.rooms(parameters) {
        case .failure(let reply): return reply
        case .success(let found): rooms = found
        }
        let configuration = gateway.snapshot.configuration
        let enabled = rooms.filter { configuration.settings(for: $0).enabled }
        guard let first = enabled.first else {
            let disabled = rooms.first.map { Sentence.refusal(.disabled, ["room": .text($0.displayName)]) }
            return .refusal("ThermostatDisabled", disabled ?? .refusal(.noRoomYet))
        }
        for room in enabled where !gateway.post(wish(room), for: room) { return refused(.tooMany) }
        let members: [(key: String, value: JSON)] =
            [
                ("room", parameters["all"]?.bool == true ? .null : .string(first.name)),
                ("rooms", .array(enabled.map { .string($0.name) })),
            ] + answer(enabled, wish(first)) + [
                ("isReachable", .bool(StatusReport(gateway).links.first?.isConnected ?? false))
            ]
        return .parameters(.object(.init(members)))
    }

    private func refused(
        _ sentence: RefusalSentence, _ values: KeyValuePairs<String, Sentence.Value> = [:]
    ) -> VarlinkReply {
        .refusal("InvalidParameter", in: "org.varlink.service", .refusal(sentence, values))
    }

    enum RoomsOrReply {
        case success([Room])
        case failure(VarlinkReply)
    }

    /// The room that a call names, or with `all` every room.
    func rooms(_ parameters: JSON) -> RoomsOrReply {
        if parameters["all"]?.bool == true {
            guard parameters["room"].map(\.isNull) ?? true else {
                return .failure(invalid("room", "and all exclude each other"))
            }
            return .success(gateway.controlBoard.snapshot.rooms.keys.sorted())
        }
        switch room(parameters) {
        case .failure(let reply): return .failure(reply)
        case .success(let room): return .success([room])
        }
    }

    func forget(_ parameters: JSON) -> VarlinkReply {
        switch room(parameters) {
        case .failure(let reply): return reply
        case .success(let room):
            let configuration = gateway.snapshot.configuration
            guard configuration.rooms[room] == nil else {
                let places = configuration.places(of: room).joined(separator: ", ")
                return .refusal(
                    "RoomInFile", .refusal(.roomInFile, ["room": .text(room.displayName), "line": .text(places)]))
            }
            guard gateway.mailbox.post(forgetting: room) else { return refused(.tooMany) }
            gateway.settings.forget(room)
            gateway.control.wake()
            return .parameters(["room": .string(room.name)])
        }
    }
}
