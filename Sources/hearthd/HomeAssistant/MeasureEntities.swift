import Heating
import MQTT

/// The sensors that Home Assistant has of other measures than a room's temperature. Each has a retained topic of its own,
/// `hearth/measures/<room>/<measure>`, with the number alone.
struct MeasureEntities {
    /// A reading is worth a message this often.
    private static let pause = Duration.seconds(10)
    /// Of all rooms together; more would make a description that brokers refuse.
    private static let limit = 200
    /// Batteries and sleeping sensors speak rarely; what is older than this is unavailable there.
    private static let expiry = Duration.seconds(26 * 3600)

    private var publishedAt: [Room: [Measure: Instant]] = [:]
    private var count = 0

    var rooms: [Room] { publishedAt.keys.sorted() }

    /// - Returns: what to publish; nil when the last message is not long ago. And whether it is a new sensor.
    mutating func take(
        _ value: Double, of measure: Measure, in room: Room, now: Instant
    ) -> (publication: Publication?, isNew: Bool) {
        let last = publishedAt[room]?[measure]
        if let last, now - last < Self.pause { return (nil, false) }
        if last == nil {
            guard count < Self.limit else { return (nil, false) }
            count += 1
        }
        publishedAt[room, default: [:]][measure] = now
        return (
            Publication(topic: Self.topic(room, measure), payload: Array("\(value)".utf8), qos: 1, retain: true),
            last == nil
        )
    }

    /// The states come again with the next readings, since nobody knew the sensors before.
    mutating func repeatAll() {
        publishedAt = publishedAt.mapValues { $0.mapValues { $0 - Self.pause } }
    }

    /// - Returns: what takes the room's states from the broker.
    mutating func forget(_ room: Room) -> [Publication] {
        guard let measures = publishedAt.removeValue(forKey: room) else { return [] }
        count -= measures.count
        return measures.keys.sorted().map {
            Publication(topic: Self.topic(room, $0), payload: [], qos: 1, retain: true)
        }
    }

    private static func topic(_ room: Room, _ measure: Measure) -> String {
        "\(StateTopic.prefix)measures/\(room.name)/\(measure)"
    }

    /// The room's sensors, for the description. - Parameter id: what the room's own entities begin with.
    func entities(of room: Room, id: String) -> [(key: String, value: JSON)] {
        (publishedAt[room] ?? [:]).keys.sorted().map { measure in
            var entity: [(key: String, value: JSON)] = [
                ("p", "sensor"), ("uniq_id", .string("\(id)_\(measure)")),
                ("name", .string("\(room.displayName) \(measure.name.replacing("_", with: " "))")),
                ("stat_t", .string(Self.topic(room, measure))), ("sug_dsp_prc", 1),
                ("exp_aft", JSON(Self.expiry.components.seconds)),
                ("stat_cla", .string(measure.isTotal ? "total_increasing" : "measurement")),
            ]
            if let deviceClass = measure.deviceClass { entity.append(("dev_cla", .string(deviceClass))) }
            if !measure.unit.isEmpty { entity.append(("unit_of_meas", .string(measure.unit))) }
            return ("\(id)_\(measure)", .object(.init(entity)))
        }
    }
}

extension String {
    fileprivate func replacing(_ character: Character, with other: Character) -> String {
        String(map { $0 == character ? other : $0 })
    }
}
