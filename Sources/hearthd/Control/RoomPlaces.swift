import Heating

/// Which rooms that are not in the file have a place at Control, a pure value.
///
/// Rooms in the file are not in here: their places are their own. Of the others a newcomer that is really heard always
/// gets one, if need be that of the room that has been heard least: never in this run, then once, then longest ago. So
/// neither a flood of made-up names nor retained messages keep a sensor from being followed.
struct RoomPlaces {
    /// What a room that was heard costs others.
    enum Admission: Equatable {
        case known
        case admitted(inPlaceOf: Room?)
    }

    private enum Standing: Equatable {
        /// From retained state alone.
        case remembered
        case heardOnce
        case heard
    }

    private struct Place {
        var standing: Standing
        var heardAt: Instant
    }

    private(set) var limit: Int
    private var places: [Room: Place] = [:]
    /// Those with the least standing, oldest first; those that have risen or left since are still among them.
    private var remembered = Queue()
    private var newcomers = Queue()

    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { places.count }
    var isFull: Bool { places.count >= limit }

    /// Whether so many names are heard that a room's place may be gone with the next one, and this one was heard once.
    func isFleeting(_ room: Room) -> Bool { isFull && places[room]?.standing == .heardOnce }

    /// A live reading of the room came.
    mutating func hear(_ room: Room, now: Instant) -> Admission {
        if let place = places[room] {
            let standing: Standing = place.standing == .remembered ? .heardOnce : .heard
            places[room] = Place(standing: standing, heardAt: now)
            if standing == .heardOnce { newcomers.append(room) }
            return .known
        }
        let leaving = isFull ? leastHeard() : nil
        if let leaving { remove(leaving) }
        places[room] = Place(standing: .heardOnce, heardAt: now)
        newcomers.append(room)
        return .admitted(inPlaceOf: leaving)
    }

    /// Takes a room in that only retained state knows, if a place is free.
    /// - Parameter heardAt: when it was last heard, before the restart.
    mutating func remember(_ room: Room, heardAt: Instant) -> Bool {
        guard places[room] == nil, !isFull else { return false }
        places[room] = Place(standing: .remembered, heardAt: heardAt)
        remembered.append(room)
        return true
    }

    mutating func remove(_ room: Room) { places[room] = nil }

    /// Adapts to another number of places.
    /// - Returns: the rooms that lost theirs.
    mutating func resize(to new: Int) -> [Room] {
        limit = max(1, new)
        var leaving: [Room] = []
        while places.count > limit, let room = leastHeard() {
            remove(room)
            leaving.append(room)
        }
        return leaving
    }

    /// The rooms that were last heard at `instant` or before.
    func silent(since instant: Instant) -> [Room] {
        places.filter { $0.value.heardAt <= instant }.keys.sorted()
    }

    /// When the room that has been silent longest was heard.
    var longestSilent: Instant? { places.values.map(\.heardAt).min() }

    private mutating func leastHeard() -> Room? {
        if let room = remembered.first(where: { places[$0]?.standing == .remembered }) { return room }
        if let room = newcomers.first(where: { places[$0]?.standing == .heardOnce }) { return room }
        return places.min { ($0.value.heardAt, $0.key) < ($1.value.heardAt, $1.key) }?.key
    }

    /// First in, first out, without a cost that grows with the number of rooms.
    private struct Queue {
        private var rooms: [Room] = []
        private var start = 0

        mutating func append(_ room: Room) { rooms.append(room) }

        /// The first that fits; those before it are dropped.
        mutating func first(where fits: (Room) -> Bool) -> Room? {
            while start < rooms.count, !fits(rooms[start]) { start += 1 }
            if start > 64, start * 2 > rooms.count {
                rooms.removeFirst(start)
                start = 0
            }
            return start < rooms.count ? rooms[start] : nil
        }
    }
}
