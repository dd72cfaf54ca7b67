/// What a rule made of a message that holds a reading: the reading, and which device's it is.
public struct DeviceReading: Equatable, Sendable {
    public var room: Room
    public var measure: Measure
    /// In `unit`.
    public var reading: Reading
    /// The unit of a temperature; nil for other measures.
    public var unit: DeviceUnit?
    /// Kept by the broker from earlier: not live.
    public var isRetained: Bool
    /// One of the values that mean a fault: to be recorded, not to be obeyed.
    public var isFault: Bool
    /// The topic it came on.
    public var topic: String
    /// The rule's place among the rules.
    public var rule: Int
    /// The sensor's name on the wire, as far as it says one.
    public var name: String?
    /// Which of the sensors that speak on its topic; nil for one that has it for itself.
    var part: String?
    /// The contract's own payload is recorded as it is; nil for all others.
    var contractPayload: [UInt8]?

    public var time: DeviceTime { reading.time }
    public var valueText: String { reading.valueText }
    public var value: Double { reading.value }

    /// Which sensor it is: its topic, and what tells it from the others that speak there.
    public var sensor: String { part.map { "\(topic) (\($0))" } ?? topic }

    /// In °C; nil for what is no temperature.
    public var celsius: Double? { unit.map { $0.celsius(value) } }

    /// What the thermostat of `room` goes by, in °C; nil when this is recorded only.
    public var obeyed: Double? { measure == .temperature && !isFault ? celsius : nil }

    // MARK: For the journal

    /// The same reading in °C, as whoever expects a temperature without a unit must have it; of °C nothing changes.
    public var inCelsius: DeviceReading {
        guard let unit, unit != .celsius else { return self }
        var converted = self
        converted.reading.value = unit.celsius(value)
        (converted.reading.valueText, converted.unit) = ("\(converted.value)", .celsius)
        return converted
    }

    /// `<room>/<measure>`.
    public var recordTopic: String { "\(room.name)/\(measure)" }

    /// `{"timestamp":…,"value":…}`.
    public var recordPayload: [UInt8] {
        contractPayload
            ?? JSON.object(.init([("timestamp", .string(time.text)), ("value", .number(valueText))])).bytes
    }

    /// The topic it came on, unless the record's topic says it already.
    public var source: String? { topic.utf8.elementsEqual(recordTopic.utf8) ? nil : topic }

    /// `F` or `K`; nil for what everybody assumes.
    public var unitAttribute: String? { unit.flatMap { $0 == .celsius ? nil : $0.rawValue } }
}

/// Why a message is no reading.
public struct DeviceRejection: Equatable, Sendable {
    public var reason: PayloadError
    public var rule: Int
    public var topic: String
    /// The sensor's name on the wire, as far as it was found.
    public var name: String?
    public var room: Room?

    /// Nothing is wrong with such a message: it is another device's, an older one's, or says nothing new.
    public var isPassedOver: Bool {
        switch reason {
        case .retained, .unlisted: true
        case .missingValue, .empty: !isContract
        default: false
        }
    }

    /// The contract's own rule sets aside what it cannot read, as ever.
    var isContract: Bool
}

extension DeviceOutcome {
    /// The rule's place among the rules.
    public var rule: Int {
        switch self {
        case .reading(let reading): reading.rule
        case .rejected(let rejection), .passedOver(let rejection): rejection.rule
        }
    }

    /// The sensor's name on the wire, as far as it was found.
    public var name: String? {
        switch self {
        case .reading(let reading): reading.name
        case .rejected(let rejection), .passedOver(let rejection): rejection.name
        }
    }
}

/// What a rule made of a message.
public enum DeviceOutcome: Equatable, Sendable {
    case reading(DeviceReading)
    case rejected(DeviceRejection)
    /// Not a reading, and nothing is wrong with that: a lamp among the sensors, a retained message, an update without a
    /// temperature. Only a rule that never finds anything is worth a word (``DeviceTally``).
    case passedOver(DeviceRejection)
}
