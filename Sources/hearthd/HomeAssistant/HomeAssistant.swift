import Heating
import MQTT
import Machine

/// Home Assistant's side of Control: device-based MQTT discovery, and the commands that it sends.
///
/// One device per gateway, for each room a climate, a temperature, the heat pump and a problem; all of them read the
/// retained state under `hearth/rooms/`. Facts: https://www.home-assistant.io/integrations/mqtt/ (discovery, birth
/// message) and the pages of the platforms. It works on the home broker alone and keeps nothing that a restart needs.
struct HomeAssistant {
    /// Rooms beyond this many would make a message that brokers refuse.
    private static let roomLimit = 100
    /// A temperature is worth a message this often.
    private static let stateNanoseconds: Int64 = 10_000_000_000
    private static let commandSuffixes = ["/mode/set", "/target/set", "/preset/set"]
    private static let rooms = "hearth/rooms/"

    private let isEnabled: Bool
    private let prefix: String
    private let home: HomeID
    /// Whether the broker has the newest description; cleared when the rooms or their settings change.
    var isAnnounced = false
    /// When to describe ourselves again after Home Assistant started: a while later, or every device would at once.
    private var announceAt: Instant?
    private var publishedAt: [Room: Instant] = [:]
    private var measures = MeasureEntities()
    /// Rooms that went since the last description.
    private var leaving: Set<Room> = []
    private var announcedAt: Instant?
    /// However many rooms come and go, the description is not written more often.
    private static let announcePause = Duration.seconds(1)

    init(_ configuration: Configuration) {
        isEnabled = configuration.homeAssistant.discovery
        prefix = configuration.homeAssistant.prefix
        home = configuration.home
    }

    // MARK: In

    mutating func connected(_ link: Link, _ outbox: inout HomeOutbox) {
        isAnnounced = false
        guard isEnabled else { return }
        // Commands are never retained by Home Assistant; one that somebody retained is not asked for.
        let filters = Self.commandSuffixes.map { Self.rooms + "+" + $0 } + [prefix + "/status"]
        outbox.subscribe(
            filters, as: .wishes, qos: 1, options: .init(retainHandling: .doNotSend), on: link, now: Clock.now)
    }

    /// Whether Home Assistant says that it has started.
    func isBirth(_ message: Message) -> Bool {
        isEnabled && message.topic == prefix + "/status" && message.payload == Array("online".utf8)
    }

    mutating func wasBorn(now: Instant) {
        announceAt = now + .milliseconds(Int64.random(in: 200...3000))
    }

    /// A person's wish, from Home Assistant's card; nil for every other message.
    func wish(_ message: Message) -> (room: Room, wish: ControlMailbox.Wish)? {
        guard isEnabled, message.topic.hasPrefix(Self.rooms),
            let suffix = Self.commandSuffixes.first(where: { message.topic.hasSuffix($0) }),
            let room = Room(message.topic.dropFirst(Self.rooms.count).dropLast(suffix.count)),
            let text = String(validating: message.payload, as: UTF8.self)
        else { return nil }
        let what: ControlMailbox.Wish.What?
        switch (suffix, text) {
        case ("/mode/set", "auto"): what = .release
        case ("/mode/set", "heat"): what = .pump(isOn: true)
        case ("/mode/set", "off"): what = .pump(isOn: false)
        case ("/mode/set", _): what = nil
        // Home Assistant offers it beside the presets of any device.
        case ("/preset/set", "none"): what = .releaseHold
        default: what = ControlMailbox.Wish.What(text).flatMap { if case .hold = $0 { $0 } else { nil } }
        }
        return what.map { (room, ControlMailbox.Wish(what: $0, duration: nil, source: .homeAssistant)) }
    }

    // MARK: Out

    /// Whether a room's state is to be published although only its temperature changed.
    mutating func wantsState(of room: Room, _ status: Thermostat.Status, now: Instant) -> Bool {
        guard isEnabled, status.lastReadingAt == now else { return false }
        if let last = publishedAt[room], (now - last).wholeNanoseconds < Self.stateNanoseconds { return false }
        publishedAt[room] = now
        return true
    }

    /// A reading of another measure. Its sensor is described when it is new.
    mutating func saw(
        _ value: Double, of measure: Measure, in room: Room, now: Instant, _ outbox: inout HomeOutbox
    ) {
        guard isEnabled else { return }
        let (publication, isNew) = measures.take(value, of: measure, in: room, now: now)
        if isNew { isAnnounced = false }
        if let publication { outbox.offer(publication, as: .state) }
    }

    /// The room is gone: its entities go with the next description.
    mutating func forget(_ room: Room) {
        publishedAt[room] = nil
        guard isEnabled else { return }
        if leaving.count < Self.roomLimit { leaving.insert(room) }
        isAnnounced = false
    }

    /// Publishes the description if it is due.
    /// - Returns: when to look again; nil for no time of its own.
    mutating func announce(
        _ settings: [Room: Thermostat.Settings], now: Instant, _ link: Link?, _ outbox: inout HomeOutbox
    ) -> Instant? {
        guard isEnabled, link != nil, !settings.isEmpty || !leaving.isEmpty || !measures.rooms.isEmpty else {
            return nil
        }
        if isAnnounced {
            guard let due = announceAt else { return nil }
            guard due <= now else { return due }
        }
        if let last = announcedAt, now - last < Self.announcePause { return last + Self.announcePause }
        (isAnnounced, announceAt, announcedAt) = (true, nil, now)
        // Entities are unavailable to Home Assistant until it knows them, so the states come again.
        publishedAt = [:]
        measures.repeatAll()
        guard leaving.isEmpty else {
            // Once with what goes, then without: of a topic the outbox keeps only the newest message.
            outbox.offer(discovery(settings, removing: leaving), as: .discovery)
            for room in leaving where settings[room] == nil {
                for cleared in measures.forget(room) { outbox.offer(cleared, as: .state) }
            }
            (leaving, isAnnounced) = ([], false)
            return now + Self.announcePause
        }
        outbox.offer(discovery(settings), as: .discovery)
        return nil
    }

    /// The retained description of the whole device. Abbreviations as Home Assistant's list has them. Without any room there
    /// is no device: the description is empty.
    /// - Parameter gone: rooms whose entities shall go. A component that is only left out stays; one that says nothing but its
    ///   platform is removed (https://www.home-assistant.io/integrations/mqtt/, "Removing discovered components").
    func discovery(_ settings: [Room: Thermostat.Settings], removing gone: Set<Room> = []) -> Publication {
        let device = Self.identifier(home.name)
        let topic = "\(prefix)/device/hearth_\(device)/config"
        if settings.isEmpty && gone.isEmpty && measures.rooms.isEmpty {
            return Publication(topic: topic, payload: [], qos: 1, retain: true)
        }
        var components: [(key: String, value: JSON)] = []
        for room in settings.keys.sorted().prefix(Self.roomLimit) {
            guard let rules = settings[room] else { continue }
            components += entities(of: room, rules, device: device)
        }
        for room in measures.rooms where settings[room] != nil || !gone.contains(room) {
            components += measures.entities(of: room, id: "\(device)_\(Self.identifier(room.name))")
        }
        for room in gone.sorted() where settings[room] == nil {
            let own = measures.entities(of: room, id: "\(device)_\(Self.identifier(room.name))")
            components += (entities(of: room, .init(), device: device) + own).map { id, entity in
                (id, .object(.init([("p", entity["p"] ?? .null)])))
            }
        }
        let message: JSON = [
            "dev": [
                "ids": [.string("hearth_\(device)")], "name": .string("Heating \(home.displayName)"), "mf": "Hearth",
                "mdl": "hearthd", "sw": .string(Version.current),
            ],
            "o": ["name": "Hearth", "sw": .string(Version.current)],
            "avty_t": .string(StateTopic.gateway), "qos": 1,
            "cmps": .object(.init(components)),
        ]
        return Publication(topic: topic, payload: message.bytes, qos: 1, retain: true)
    }

    private func entities(
        of room: Room, _ rules: Thermostat.Settings, device: String
    ) -> [(key: String, value: JSON)] {
        let id = "\(device)_\(Self.identifier(room.name))"
        let name = room.displayName
        let state = Self.rooms + room.name
        let expiry = JSON(max(60, rules.staleAfter.components.seconds))
        return [
            (
                "\(id)_climate",
                [
                    "p": "climate", "uniq_id": .string("\(id)_climate"), "name": .string(name),
                    "modes": ["auto", "heat", "off"],
                    "mode_stat_t": .string(state), "mode_stat_tpl": "{{ value_json.mode }}",
                    "mode_cmd_t": .string(state + "/mode/set"),
                    "temp_stat_t": .string(state), "temp_stat_tpl": "{{ value_json.target }}",
                    "temp_cmd_t": .string(state + "/target/set"),
                    "curr_temp_t": .string(state), "curr_temp_tpl": "{{ value_json.temperature }}",
                    "act_t": .string(state), "act_tpl": "{{ value_json.action }}",
                    "pr_modes": .array(Preset.allCases.map { .string($0.rawValue) }),
                    "pr_mode_stat_t": .string(state), "pr_mode_val_tpl": "{{ value_json.preset }}",
                    "pr_mode_cmd_t": .string(state + "/preset/set"),
                    "min_temp": JSON(rules.frostBelow), "max_temp": 35, "temp_step": 0.5, "precision": 0.1,
                    "temp_unit": "C",
                ]
            ),
            (
                "\(id)_temperature",
                [
                    "p": "sensor", "uniq_id": .string("\(id)_temperature"), "name": .string("\(name) temperature"),
                    "dev_cla": "temperature", "stat_cla": "measurement", "unit_of_meas": "°C",
                    "stat_t": .string(state), "val_tpl": "{{ value_json.temperature }}", "exp_aft": expiry,
                ]
            ),
            (
                "\(id)_pump",
                [
                    "p": "binary_sensor", "uniq_id": .string("\(id)_pump"), "name": .string("\(name) heat pump"),
                    "dev_cla": "running", "stat_t": .string(state), "val_tpl": "{{ value_json.pump }}",
                    "pl_on": "on", "pl_off": "off", "json_attr_t": .string(state),
                ]
            ),
            (
                "\(id)_problem",
                [
                    "p": "binary_sensor", "uniq_id": .string("\(id)_problem"), "name": .string("\(name) problem"),
                    "dev_cla": "problem", "ent_cat": "diagnostic", "stat_t": .string(state),
                    "val_tpl": "{{ value_json.problem }}",
                ]
            ),
        ]
    }

    /// Letters, digits, `-` and `_` only, and different for different names.
    static func identifier(_ name: String) -> String {
        name.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "_" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
    }
}
