/// One room's readings in a window: a time counts once, the last value standing.
///
/// Sensors speak in the order of time, so that is how they are kept; what came behind another is beside them, so that no
/// order that anyone sends makes a reading cost more than a search.
struct RoomReadings: Sendable {
    private var ordered: [(time: Int64, value: Double)] = []
    private var strays: [Int64: Double] = [:]

    var count: Int { ordered.count + strays.count }

    mutating func add(_ value: Double, at time: Int64) -> HomeWindows.Verdict {
        guard let last = ordered.last, time <= last.time else {
            guard count < HomeWindows.readingLimit else { return .tooMany }
            ordered.append((time, value))
            return .counted
        }
        let place = place(of: time)
        let isOrdered = ordered[place].time == time
        let known = isOrdered ? ordered[place].value : strays[time]
        guard count < HomeWindows.readingLimit else { return known == value ? .duplicate : .tooMany }
        if isOrdered { ordered[place].value = value } else { strays[time] = value }
        return known == value ? .duplicate : .counted
    }

    /// In the order of time.
    var values: [Double] {
        guard !strays.isEmpty else { return ordered.map(\.value) }
        return (ordered + strays.map { ($0.key, $0.value) }).sorted { $0.time < $1.time }.map(\.value)
    }

    /// Of the first that is not before `time`; there is one.
    private func place(of time: Int64) -> Int {
        var (low, high) = (0, ordered.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if ordered[middle].time < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// The rooms of a window with their readings.
struct RoomTable: Sendable {
    private var rooms: [Room] = []
    private var indices: [Room: Int] = [:]
    /// Where a room's readings are.
    var readings: [RoomReadings] = []
    /// Rooms speak in turn: the one after the last is asked for next, mostly.
    private var guess = 0

    /// Where the room's readings are, or will be; nil when there are too many rooms.
    mutating func index(of room: Room) -> Int? {
        if guess < rooms.count, rooms[guess] == room { return turned(guess) }
        if let known = indices[room] { return turned(known) }
        guard rooms.count < HomeWindows.roomLimit else { return nil }
        indices[room] = rooms.count
        rooms.append(room)
        readings.append(RoomReadings())
        return turned(rooms.count - 1)
    }

    /// By the rooms' names.
    var inOrder: [RoomReadings] {
        rooms.indices.sorted { rooms[$0] < rooms[$1] }.map { readings[$0] }
    }

    private mutating func turned(_ index: Int) -> Int {
        guess = index + 1 < rooms.count ? index + 1 : 0
        return index
    }
}
