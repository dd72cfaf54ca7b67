import Heating

/// What Control keeps about sensors and pumps that are not the black box. Empty in a house that has none.
struct ControlDevices {
    /// One sensor, by the topic it speaks on.
    struct Sensor {
        var room: Room
        var rule: Int
        var news = NewsFilter()
        var isFaulty = false
    }

    /// More topics than this are somebody's flood.
    static let sensorLimit = 4 * ControlMailbox.roomLimit
    /// How often it is looked who is in trouble.
    static let lookPeriod = Duration.seconds(5)

    let rules: DeviceRules
    var tally: DeviceTally
    private(set) var sensors: [ExactString: Sensor] = [:]
    /// When a sensor's reading has waited long enough, or earlier; nil while none waits.
    private var newsAt: Instant?
    var rooms: [Room: RoomSensors] = [:]
    var pumps: [ControlledPump]
    /// What pumps and valves speak on.
    private let pumpTopics: Set<ExactString>
    /// What the board has of them.
    var shown: [Room: DeviceView] = [:]
    var since: Instant
    var nextLook: Instant?

    init(_ configuration: Configuration, now: Instant) {
        rules = configuration.devices.rules
        tally = DeviceTally(rules.sensors)
        pumps = configuration.devices.pumps.map { rule in
            let valves = rule.rooms.compactMap { room in
                configuration.devices.rooms[room]?.valve.map { (room, $0) }
            }
            return ControlledPump(rule, valves: Dictionary(uniqueKeysWithValues: valves), configuration, now: now)
        }
        pumpTopics = Set(pumps.flatMap(\.filters).map(ExactString.init))
        since = now
    }

    /// Neither sensors nor pumps: everything is the black box's.
    var isNone: Bool { rules.isBlackBoxOnly && pumps.isEmpty }

    /// Whether a pump or a valve speaks on the topic.
    func isPump(_ topic: String) -> Bool { !pumpTopics.isEmpty && pumpTopics.contains(ExactString(topic)) }

    mutating func keep(_ sensor: Sensor, of topic: ExactString) {
        if sensors[topic] == nil, sensors.count >= Self.sensorLimit { sensors = [:] }
        sensors[topic] = sensor
        if let due = sensor.news.nextDeadline { newsAt = min(newsAt ?? due, due) }
    }

    /// Sensors whose reading has waited long enough, with its value. They are looked through only when one may be among them.
    mutating func takeDueNews(now: Instant) -> [(topic: ExactString, sensor: Sensor, value: Double)] {
        guard let newsAt, newsAt <= now else { return [] }
        var due: [(topic: ExactString, sensor: Sensor, value: Double)] = []
        for (topic, sensor) in sensors where sensor.news.nextDeadline.map({ $0 <= now }) ?? false {
            if let value = sensors[topic]?.news.due(now: now) { due.append((topic, sensor, value)) }
        }
        self.newsAt = sensors.values.compactMap(\.news.nextDeadline).min()
        return due
    }

    /// When to look again.
    var nextDeadline: Instant? { [nextLook, newsAt].compactMap(\.self).min() }

    mutating func forget(_ room: Room) {
        rooms[room] = nil
        if !sensors.isEmpty { sensors = sensors.filter { $0.value.room != room } }
        for index in pumps.indices { pumps[index].group.set(room, calls: nil) }
    }

    func pumpIndex(of room: Room) -> Int? { pumps.firstIndex { $0.rule.rooms.contains(room) } }
}

/// A pump that is commanded in its own words, and what it said of itself.
struct ControlledPump {
    /// After a start the rooms' last decisions come one after the other: one that is not there yet may call for heat.
    static let patience = Duration.seconds(10)

    /// What is told by the temperature alone hears it again after this.
    private static let reminder = Duration.seconds(1800)

    let rule: PumpRule
    var group: PumpGroup
    var feedback: PumpFeedback
    /// The decision in force; nil before the first.
    var isOn: Bool?
    /// When the decision may change by itself.
    var heldUntil: Instant?
    /// What was published last.
    var said: [PumpRule.Command] = []
    /// When; nil: never on this connection.
    var saidAt: Instant?
    /// The temperature that its own thermostat was told, in °C, and what it said of that.
    var handed: Double?
    var setpoint: PumpFeedback
    var responses: [Room: TargetResponse] = [:]
    /// Of the rooms that have one.
    var valves: [Room: ControlledValve]
    /// Since when it should run and does not, because no valve is open yet.
    var waitsSince: Instant?

    init(_ rule: PumpRule, valves: [Room: PumpRule] = [:], _ configuration: Configuration, now: Instant) {
        self.rule = rule
        self.valves = valves.mapValues { ControlledValve(rule: $0, feedback: PumpFeedback($0)) }
        // Of one room alone the thermostat keeps the shortest times itself.
        let rooms = rule.rooms.count > 1 ? rule.rooms.map(configuration.settings(for:)) : []
        group = PumpGroup(
            rooms: rule.rooms, valves: Set(valves.keys), minOn: rule.minOn ?? rooms.map(\.minOn).max() ?? .zero,
            minOff: rule.minOff ?? rooms.map(\.minOff).max() ?? .zero, now: now)
        // Of a pump whose past is not known nobody waits for the rest.
        group.restore(isOn: false, since: now - group.minOff)
        feedback = PumpFeedback(rule)
        setpoint = PumpFeedback(hasState: rule.target?.state != nil)
    }

    /// Whether it is time to say again what was said before, to a device that does not say what it was told.
    func isDueAnew(now: Instant) -> Bool { saidAt.map { now - $0 >= Self.reminder } ?? true }

    /// What it and its valves say of themselves.
    var filters: [String] {
        rule.filters + valves.sorted { $0.key < $1.key }.flatMap(\.value.rule.filters)
    }

    /// Whether it has valves, and something was decided.
    var isMovingZone: Bool { !valves.isEmpty && (isOn != nil || waitsSince != nil) }
}

/// A room's valve.
struct ControlledValve {
    let rule: PumpRule
    var feedback: PumpFeedback
}
