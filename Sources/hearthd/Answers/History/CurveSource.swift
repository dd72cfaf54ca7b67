import Heating

/// What a curve is of: a room's temperature, or what one of its devices measures outdoors.
struct CurveSource: Hashable, Comparable, Sendable {
    var room: Room
    var measure = Measure.temperature

    /// More sensors outdoors than these are not kept; one is drawn.
    static let outdoorLimit = 8

    var isOutdoors: Bool { measure != .temperature }

    /// Which of the sensors outdoors the house goes by: one that somebody named `outdoor` before a heat pump's own, then by room.
    static func outdoors(of sources: some Sequence<CurveSource>) -> CurveSource? {
        sources.filter(\.isOutdoors).min { ($0.rank, $0.room) < ($1.rank, $1.room) }
    }

    private var rank: Int { Measure.outdoors.firstIndex(of: measure) ?? Measure.outdoors.count }

    static func < (left: CurveSource, right: CurveSource) -> Bool {
        (left.room, left.measure) < (right.room, right.measure)
    }

    /// Whether there is room for a further source beside those that are there: neither rooms nor sensors outdoors keep the
    /// others out.
    func fits(beside sources: some Sequence<CurveSource>) -> Bool {
        var count = 0
        for source in sources where source.isOutdoors == isOutdoors { count += 1 }
        return count < (isOutdoors ? Self.outdoorLimit : History.roomLimit)
    }
}

/// What a record of the journal says for curves.
enum CurveRecord: Equatable {
    /// A reading, in °C.
    case temperature(Double, of: Measure, in: Room)
    /// A command to a room's heat pump.
    case pump(Bool, in: Room)

    /// In °C; it is neither colder nor warmer where anybody lives. Heat pumps write -78 and -128 for a sensor that is not
    /// connected (MQTT-Topics.md of heishamon/HeishaMon).
    static let plausibleOutdoors = -70.0...70.0

    /// nil for what is in no curve: other measures, readings that mean a fault, what cannot be understood.
    init?(topic: String, payload: [UInt8], attributes: [UInt8]) {
        switch RecordTopic(topic) {
        case .reading(let room, let measure) where measure == .temperature || Measure.outdoors.contains(measure):
            guard let value = try? Reading(payload: payload).value else { return nil }
            let isOutdoors = measure != .temperature
            if isOutdoors, RecordAttributes(bytes: attributes).isFault || !Self.plausibleOutdoors.contains(value) {
                return nil
            }
            self = .temperature(value, of: measure, in: room)
        case .heatpump(let room):
            guard let command = try? HeatPumpCommand(payload: payload) else { return nil }
            self = .pump(command.isOn, in: room)
        case .reading, nil: return nil
        }
    }
}
