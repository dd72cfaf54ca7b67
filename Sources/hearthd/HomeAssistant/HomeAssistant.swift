import Heating
import MQTT
import Machine

/// Home Assistant's side of Control: device-based MQTT discovery, and the commands that it sends.
///
/// One device for the gateway (``GatewayDescription``) and one per room (``RoomDescription``). Facts:
/// https://www.home-assistant.io/integrations/mqtt/ (discovery, birth message). It works on the home broker alone and keeps
/// nothing that a restart needs: what was described before, by another home's name too, is read back from the broker.
struct HomeAssistant {
    /// Rooms beyond this many are nobody's house.
    private static let roomLimit = 100
    /// A temperature, or a backlog, is worth a message this often.
    private static let period = Duration.seconds(10)
    private static let commandSuffixes = ["/mode/set", "/target/set", "/preset/set", "/forced/set"]
    private static let rooms = "hearth/rooms/"
    /// However many rooms come and go, the descriptions are not written more often.
    private static let pause = Duration.seconds(1)
    /// The broker gives back within this what it holds.
    private static let lookTime = Duration.milliseconds(500)
    /// Rooms that only retained state knows are known by then: what is still described and not there has gone.
    private static let patience = Duration.seconds(5)

    private var settings: Configuration.HomeAssistant { didSet { topics = Topics(settings) } }
    private var topics: Topics
    private var unit: TemperatureUnit
    private var hasCloud: Bool
    private let home: HomeID
    /// Descriptions that the broker holds, by topic.
    private var held: [ExactString: AnnouncedDevice] = [:]
    private var measures = MeasureEntities()
    /// What takes measures of rooms that went from the broker.
    private var cleared: [Publication] = []
    private var step = Step.nothing
    /// When the next step may be done.
    private var stepAt = Instant.zero
    /// From here on what the broker holds and is not true is taken away.
    private var removeAt: Instant?
    private var pace = StatePace(period: Self.period)
    private var gatewayState: GatewayState?
    private var gatewayStateAt: Instant?

    /// What is to be described next. The gateway first: the rooms refer to it.
    private enum Step { case gateway, rooms, nothing }

    /// Every message is compared with these, so they are made once.
    private struct Topics {
        let birth: String
        let descriptions: String

        init(_ settings: Configuration.HomeAssistant) {
            (birth, descriptions) = (settings.prefix + "/status", settings.prefix + "/device/")
        }
    }

    init(_ configuration: Configuration) {
        settings = configuration.homeAssistant
        topics = Topics(settings)
        unit = configuration.temperatureUnit
        hasCloud = configuration.isCloudEnabled
        home = configuration.home
    }

    /// The gateway's identifier for Home Assistant.
    private var gateway: String { "hearth_\(Self.identifier(home.name))" }
    private func topic(_ device: String) -> String { "\(settings.prefix)/device/\(device)/config" }

    // MARK: In

    mutating func connected(_ link: Link, _ outbox: inout HomeOutbox) {
        let now = Clock.now
        met(now: now)
        // Also where discovery is off: what was described before must go.
        outbox.subscribe(
            [topics.descriptions + "+/config"], as: .descriptions, qos: 0, options: .init(noLocal: true), on: link,
            now: now)
        listen(link, &outbox)
    }

    /// The broker is there: first it says what it holds.
    mutating func met(now: Instant) {
        (step, stepAt, removeAt) = (.gateway, now + Self.lookTime, now + Self.patience)
        gatewayStateAt = nil
        pace.beginAgain()
    }

    private func listen(_ link: Link, _ outbox: inout HomeOutbox) {
        guard settings.discovery else { return }
        // Commands are never retained by Home Assistant; one that somebody retained is not asked for.
        let filters = Self.commandSuffixes.map { Self.rooms + "+" + $0 } + [topics.birth]
        outbox.subscribe(
            filters, as: .wishes, qos: 1, options: .init(retainHandling: .doNotSend), on: link, now: Clock.now)
    }

    /// A reload changed something; the name of the home stays until the next start.
    mutating func adopt(_ configuration: Configuration, _ link: Link?, _ outbox: inout HomeOutbox) {
        let old = settings
        (settings, unit) = (configuration.homeAssistant, configuration.temperatureUnit)
        hasCloud = configuration.isCloudEnabled
        (step, removeAt) = (.gateway, Clock.now)
        if let link, settings.discovery, old != settings { listen(link, &outbox) }
    }

    /// Rooms or their settings have changed.
    mutating func describeAgain() { if step == .nothing { step = .gateway } }

    /// Whether the message is a device's description; if it is one of ours it is remembered.
    mutating func isDescription(_ message: Message) -> Bool {
        guard message.topic.hasPrefix(topics.descriptions) else { return false }
        let topic = ExactString(message.topic)
        if let device = AnnouncedDevice(message.payload) {
            if held.count < Self.roomLimit * 2 { held[topic] = held[topic] ?? device }
        }
        return true
    }

    /// Whether Home Assistant says that it has started.
    func isBirth(_ message: Message) -> Bool {
        settings.discovery && message.topic == topics.birth && message.payload == Array("online".utf8)
    }

    /// A while later, or every device would describe itself at once.
    mutating func wasBorn(now: Instant) {
        (step, stepAt) = (.gateway, now + .milliseconds(Int64.random(in: 200...3000)))
        gatewayStateAt = nil
        pace.beginAgain()
    }

    /// What its card sends.
    struct Command: Equatable {
        var room: Room
        /// The room's mode, a setting.
        var mode: Thermostat.Mode?
        var what: ControlMailbox.Wish.What?

        /// Until it is changed; a forced run ends by itself.
        var wish: ControlMailbox.Wish? {
            what.map { what in
                let isSwitching = if case .pump = what { true } else { false }
                return .init(what: what, end: isSwitching ? nil : .untilChanged, source: .homeAssistant)
            }
        }
    }

    /// nil for every message that is no command.
    func command(_ message: Message) -> Command? {
        guard settings.discovery, message.topic.hasPrefix(Self.rooms),
            let suffix = Self.commandSuffixes.first(where: { message.topic.hasSuffix($0) }),
            let room = Room(message.topic.dropFirst(Self.rooms.count).dropLast(suffix.count)),
            let text = String(validating: message.payload, as: UTF8.self)
        else { return nil }
        switch (suffix, text) {
        case ("/mode/set", "auto"): return Command(room: room, mode: .auto, what: .release)
        case ("/mode/set", "heat"): return Command(room: room, mode: .auto, what: .keep)
        case ("/mode/set", "off"): return Command(room: room, mode: .off, what: .releaseOverride)
        case ("/forced/set", "ON"): return Command(room: room, what: .pump(isOn: true))
        case ("/forced/set", "OFF"): return Command(room: room, what: .releaseOverride)
        // Home Assistant offers it beside the presets of any device.
        case ("/preset/set", "none"): return Command(room: room, what: .releaseHold)
        case ("/preset/set", _), ("/target/set", _):
            let what = ControlMailbox.Wish.What(text, in: unit)
            guard case .hold? = what else { return nil }
            return Command(room: room, what: what)
        default: return nil
        }
    }

    /// Whether commands come on the topic, understood or not.
    func isForCommands(_ topic: String) -> Bool {
        settings.discovery && topic.hasPrefix(Self.rooms) && Self.commandSuffixes.contains { topic.hasSuffix($0) }
    }

    // MARK: Out

    /// Whether a room's state is to be published although only its temperature changed.
    mutating func wantsState(of room: Room, _ status: Thermostat.Status, now: Instant) -> Bool {
        guard settings.discovery, status.lastReadingAt == now else { return false }
        return pace.isToBeTold(room, now: now)
    }

    /// Rooms whose state is due although nothing happened: their newest reading came soon after another one.
    mutating func takeDueStates(now: Instant) -> [Room] { settings.discovery ? pace.takeDue(now: now) : [] }

    /// A reading of another measure. Its sensor is described when it is new.
    mutating func saw(
        _ value: Double, of measure: Measure, in room: Room, now: Instant, _ outbox: inout HomeOutbox
    ) {
        guard settings.discovery else { return }
        let (publication, isNew) = measures.take(value, of: measure, in: room, now: now)
        if isNew { describeAgain() }
        if let publication { outbox.offer(publication, as: .state) }
    }

    /// The room is gone, and its device with it.
    mutating func forget(_ room: Room) {
        cleared += measures.forget(room)
        pace.forget(room)
        describeAgain()
        removeAt = removeAt ?? .zero
    }

    /// What the gateway is told of itself, every few seconds.
    /// - Returns: what to publish; nil when nothing is worth it.
    mutating func show(_ state: GatewayState, now: Instant) -> Publication? {
        guard settings.discovery else { return nil }
        let isDue = gatewayStateAt.map { now - $0 >= Self.period } ?? true
        guard state.isNews(after: gatewayState) || gatewayStateAt == nil || (isDue && state != gatewayState) else {
            return nil
        }
        (gatewayState, gatewayStateAt) = (state, now)
        return state.publication
    }

    /// Describes what is due, and takes away what is there and true no longer. For a broker that is there.
    /// - Parameter rooms: all that are known. Asked only when it matters.
    /// - Returns: what to publish, and when to look again; nil for no time of its own.
    mutating func announce(
        now: Instant, rooms: () -> [Room: RoomToDescribe]
    ) -> (publications: [Publication], next: Instant?) {
        var publications = cleared
        cleared = []
        if step != .nothing, stepAt <= now { publications = describe(now, rooms) }
        if let due = removeAt, due <= now, step == .nothing {
            removeAt = nil
            publications += takeAway(rooms)
        }
        let times = [step == .nothing ? nil : stepAt, removeAt, settings.discovery ? pace.next : nil]
        return (publications, times.compactMap(\.self).filter { $0 > now }.min())
    }

    private mutating func takeAway(_ rooms: () -> [Room: RoomToDescribe]) -> [Publication] {
        guard !held.isEmpty else { return [] }
        var described = Set<ExactString>()
        if settings.discovery {
            described = Set(rooms().keys.map { ExactString(topic(deviceID(of: $0))) } + [ExactString(topic(gateway))])
        }
        let gone = held.keys.filter { !described.contains($0) }.sorted()
        for topic in gone { held[topic] = nil }
        return gone.map { Publication(topic: $0.text, payload: [], qos: 1, retain: true) }
    }

    private func deviceID(of room: Room) -> String { "\(gateway)_\(Self.identifier(room.name))" }

    private mutating func describe(_ now: Instant, _ rooms: () -> [Room: RoomToDescribe]) -> [Publication] {
        stepAt = now + Self.pause
        guard settings.discovery else {
            step = .nothing
            return []
        }
        switch step {
        case .nothing: return []
        case .gateway:
            let description = GatewayDescription(home: home, gateway: gateway, page: settings.page, hasCloud: hasCloud)
            let (publication, isWhole) = device(gateway, description.device, description.components)
            // What an older version had described here goes before it comes elsewhere.
            if isWhole { (step, stepAt) = (.rooms, now + .milliseconds(100)) }
            return [publication]
        case .rooms:
            // Entities are unavailable to Home Assistant until it knows them, so the states come again.
            pace.beginAgain()
            measures.repeatAll()
            let devices = rooms().sorted { $0.key < $1.key }.prefix(Self.roomLimit).map { room, facts in
                let description = RoomDescription(
                    room: room, name: facts.name, rules: facts.settings, unit: unit, gateway: gateway,
                    page: settings.page)
                let id = deviceID(of: room)
                return device(id, description.device, description.components + measures.entities(of: room, id: id))
            }
            if devices.allSatisfy(\.isWhole) { step = .nothing }
            return devices.map(\.publication)
        }
    }

    /// A device's retained description. It is not whole when it first names components that go, and must be said once more
    /// without them.
    private mutating func device(
        _ id: String, _ device: JSON, _ components: [(key: String, value: JSON)]
    ) -> (publication: Publication, isWhole: Bool) {
        let topic = topic(id)
        let removals = held[ExactString(topic)]?.removals(beside: components) ?? []
        held[ExactString(topic)] = AnnouncedDevice(components: components)
        let message: JSON = [
            "dev": device, "o": ["name": "Hearth", "sw": .string(Version.current)],
            "avty_t": .string(StateTopic.gateway), "qos": 1, "cmps": .object(.init(components + removals)),
        ]
        return (Publication(topic: topic, payload: message.bytes, qos: 1, retain: true), removals.isEmpty)
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

/// What of a room goes into its description.
struct RoomToDescribe: Equatable {
    var settings: Thermostat.Settings
    var name: String
}
