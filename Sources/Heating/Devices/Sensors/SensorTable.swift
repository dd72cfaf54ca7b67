/// What `[[sensors]]`, `[kinds.NAME]` and the built-in kinds say of a sensor, before it is checked. Nil: not said, and then
/// the kind's word counts.
public struct SensorTable: Equatable, Sendable {
    /// The topics, see ``TopicPattern``.
    public var topic: String?
    /// Where the number is, see ``JSONPath``.
    public var value: String?
    /// Where the time is: ISO 8601, or seconds, milliseconds, microseconds or nanoseconds since 1970. Nil: no time.
    public var time: String?
    /// `C`, `F`, `K`, or `@` and a path to a text that says it.
    public var unit: String?
    /// What is measured: `temperature`, which is obeyed, or another name, which is recorded.
    public var measure: String?
    /// `ignore` or `use`.
    public var retained: String?
    /// The room, where nothing on the wire names it.
    public var room: String?
    /// Where in the payload the sensor's name is, when the topic does not say it.
    public var roomAt: String?
    /// Names on the wire and the rooms they mean; an empty room is none.
    public var rooms: [(wire: String, room: String)]?
    /// What a name means that `rooms` does not list: `room`, a room of that name, or `ignore`.
    public var unlisted: String?
    /// Topics that are never a sensor's.
    public var except: [String]?
    /// Members that `*` in a path passes over.
    public var ignore: [String]?
    /// Values in °C, or of a measure that is no temperature, that mean a fault: not obeyed; of another measure recorded all the same.
    public var discard: [Double]?
    /// Without a reading for this long this one sensor is silent; nil: as long as the room's.
    public var staleAfter: Duration?
    /// Topic and path of other measures, for who names only the measure.
    public var measures: [String: Place] = [:]  // Own names: measures.
    /// The payload is the contract's own, `{"timestamp", "value"}`, and is recorded byte for byte.
    public var isContract: Bool?

    public struct Place: Equatable, Sendable {
        public var topic: String?
        public var value: String?
        public var unit: String?

        public init(topic: String? = nil, value: String? = nil, unit: String? = nil) {
            (self.topic, self.value, self.unit) = (topic, value, unit)
        }
    }

    public init() {}

    /// With `kind` for everything that is not said here.
    public func over(_ kind: SensorTable) -> SensorTable {
        var table = self
        // A kind knows where each of its measures is; what is written here wins all the same.
        let measure = measure ?? kind.measure ?? "temperature"
        let place = measures[measure] ?? kind.measures[measure]
        let usual = kind.place(of: measure, isKnown: place != nil)
        table.topic = topic ?? place?.topic ?? usual.topic
        table.value = value ?? place?.value ?? usual.value
        table.unit = unit ?? place?.unit ?? kind.unit
        table.time = time ?? kind.time
        table.measure = measure
        table.retained = retained ?? kind.retained
        table.room = room ?? kind.room
        table.roomAt = roomAt ?? kind.roomAt
        table.rooms = rooms ?? kind.rooms
        table.unlisted = unlisted ?? kind.unlisted
        table.except = except ?? kind.except
        table.ignore = ignore ?? kind.ignore
        // A kind's fault values are its own measure's.
        table.discard = discard ?? (measure == kind.measure ?? "temperature" ? kind.discard : nil)
        table.staleAfter = staleAfter ?? kind.staleAfter
        table.measures = kind.measures.merging(measures) { $1 }
        // Only the contract's own form is recorded as it is.
        let isAltered =
            table.value != kind.value || table.time != kind.time || (table.unit ?? "C") != "C" || roomAt != nil
        table.isContract = isContract ?? (isAltered ? false : kind.isContract)
        return table
    }

    /// Where a measure is that has no place of its own here: never where the kind's own one is. In the contract's form on a topic
    /// of its name, in a message that holds all measures under its name; otherwise somebody has to say the topic.
    private func place(of measure: String, isKnown: Bool) -> Place {
        guard measure != self.measure ?? "temperature" else { return Place(topic: topic, value: value) }
        if isContract == true { return Place(topic: "{room}/\(measure)", value: value) }
        guard value ?? "" == "" else { return Place(topic: topic, value: measure) }
        return Place(topic: isKnown ? topic : nil, value: value)
    }

    public static func == (left: SensorTable, right: SensorTable) -> Bool {
        left.topic == right.topic && left.value == right.value && left.time == right.time && left.unit == right.unit
            && left.measure == right.measure && left.retained == right.retained && left.room == right.room
            && left.roomAt == right.roomAt && left.unlisted == right.unlisted && left.except == right.except
            && left.ignore == right.ignore && left.discard == right.discard && left.staleAfter == right.staleAfter
            && left.measures == right.measures && left.isContract == right.isContract
            && (left.rooms ?? []).elementsEqual(right.rooms ?? []) { $0.wire == $1.wire && $0.room == $1.room }
    }
}

/// What is wrong with a table, and under which key.
public struct DeviceTableError: Error, Equatable, Sendable {
    public var key: String
    /// Without the key: `must be …`.
    public var message: String

    public init(_ key: String, _ message: String) {
        (self.key, self.message) = (key, message)
    }
}
