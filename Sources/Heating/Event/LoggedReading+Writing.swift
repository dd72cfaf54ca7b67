/// Where a record came from, how its gateway counts it, and what that knows about it beside its bytes.
public struct Origin: Sendable {
    /// Longer epochs or zones are no gateway's; nor are longer times and reasons of a command, which would make events
    /// that no log takes.
    public static let nameLimit = 64

    public var home: HomeID
    public var sequence: Int64?
    public var epoch: String?
    /// Zone of naive timestamps, when it is not UTC.
    public var zone: String?
    /// What the gateway knows about its time.
    public var marks = TimeMarks()
    /// When a command was given, and why.
    public var timestamp: String?
    public var reason: String?
    /// The topic at home on which a device said it.
    public var source: String?
    /// What the device wrote where that is not in °C: a number of JSON, and `F` or `K`.
    public var asRead: AsRead?
    /// The value is one that means a fault of the sensor.
    public var isFault = false

    /// Of a plain producer.
    public init(home: HomeID) { self.home = home }
}

extension LoggedReading {
    /// A reading as the log has it, `raw_sensor_data` and `clean-data`: timestamp and value exactly as the sensor wrote
    /// them. ``Reader`` reads it; of the first members in this order ``WrittenReading`` makes a run.
    public static func bytes(
        of reading: Reading, _ measure: Measure = .temperature, in room: Room, _ origin: Origin
    ) -> [UInt8] {
        var members: [(key: String, value: JSON)] = [
            ("home", .string(origin.home.name)), ("room", .string(room.name)),
            ("timestamp", .string(reading.time.text)), ("value", .number(reading.valueText)),
        ]
        if let sequence = origin.sequence { members.append(("seq", JSON(sequence))) }
        if let epoch = origin.epoch { members.append(("epoch", .string(epoch))) }
        if reading.time.isNaive, let zone = origin.zone {
            members.append(("zone", .string(zone)))
            // Without a zone an hour is passed once.
            if origin.marks.isSecondPass { members.append(("fold", 1)) }
        }
        // What tells it from others of its room with the same time; the time itself stays as it was written.
        if origin.marks.nth > 0 { members.append(("nth", JSON(origin.marks.nth))) }
        if measure != .temperature { members.append(("measure", .string(measure.name))) }
        if let source = origin.source { members.append(("source", .string(source))) }
        // `value` is in °C then.
        if let asRead = origin.asRead { members.append(("read", .string(asRead.description))) }
        if origin.isFault { members.append(("fault", 1)) }
        return JSON.object(.init(members)).bytes
    }
}
