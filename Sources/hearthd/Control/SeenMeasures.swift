import Heating

/// The last reading of every measure that is no temperature of a room: recorded, not obeyed, and shown to people.
struct SeenMeasures: Sendable {
    struct Value: Equatable, Sendable {
        /// In the measure's own unit; temperatures in °C.
        var value: Double
        var at: Instant
    }

    /// More than these are somebody's flood.
    static let limit = 4 * ControlMailbox.roomLimit

    private(set) var rooms: [Room: [Measure: Value]] = [:]
    private var count = 0

    /// Takes a reading. What means a fault is not shown.
    mutating func take(_ value: Double, of measure: Measure, in room: Room, now: Instant) {
        if rooms[room]?[measure] == nil {
            guard count < Self.limit else { return }
            count += 1
        }
        rooms[room, default: [:]][measure] = Value(value: value, at: now)
    }

    mutating func forget(_ room: Room) {
        count -= rooms.removeValue(forKey: room)?.count ?? 0
    }

    /// Room by room, and in each by name.
    var inOrder: [(room: Room, measure: Measure, value: Value)] {
        rooms.sorted { $0.key < $1.key }.flatMap { room, measures in
            measures.sorted { $0.key < $1.key }.map { (room, $0.key, $0.value) }
        }
    }
}
