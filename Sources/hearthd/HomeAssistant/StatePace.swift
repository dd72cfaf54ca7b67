import Heating

/// Paces the states of rooms of which only the temperature changed: at most one per room and period, and the newest reading
/// is told in the end also when no other follows it. A sensor may be silent for an hour after two readings in a second. Pure.
struct StatePace: Equatable {
    let period: Duration
    private var toldAt: [Room: Instant] = [:]
    /// Rooms whose newest reading came too soon after one that was told.
    private var owed: Set<Room> = []

    init(period: Duration) { self.period = period }

    /// The room has a new reading. Whether it is to be told now; otherwise it will be due.
    mutating func isToBeTold(_ room: Room, now: Instant) -> Bool {
        if let last = toldAt[room], now - last < period {
            owed.insert(room)
            return false
        }
        toldAt[room] = now
        owed.remove(room)
        return true
    }

    /// Rooms whose newest reading is to be told now.
    mutating func takeDue(now: Instant) -> [Room] {
        owed.sorted().filter { isToBeTold($0, now: now) }
    }

    /// When the next one is due.
    var next: Instant? { owed.map { (toldAt[$0] ?? .zero) + period }.min() }

    mutating func forget(_ room: Room) {
        toldAt[room] = nil
        owed.remove(room)
    }

    /// Whoever listens has to be told all of it again.
    mutating func beginAgain() { toldAt = [:] }
}
