import Heating

/// Messages of one sensor's topic that Control could not use, for whoever must mend the sensor.
struct SetAsideReadings: Equatable, Sendable {
    /// Characters of a message that are shown.
    static let sampleLength = 80

    /// ``PayloadError``'s name.
    var reason: String
    var sample: String
    var count: Int
    var lastAt: Instant
    /// Usable readings and others take turns: the sensor is not dumb, only odd at times.
    var isMixed = false
    /// Usable readings came since.
    var isOver = false
}

/// What was set aside, per room: bounded, since the names come from the wire. A pure value.
struct SetAsideTable {
    /// Further rooms would not be read about either.
    static let limit = 50
    /// How long what stopped coming is worth a word.
    private static let memory = Duration.seconds(600)
    /// How long a sensor that does both must be good to be believed.
    private static let probation = Duration.seconds(60)

    private var known: [Room: SetAsideReadings] = [:]

    /// What is worth a word.
    var rooms: [Room: SetAsideReadings] { known.filter { !$0.value.isOver } }

    mutating func add(_ reason: String, _ payload: [UInt8], in room: Room, now: Instant) {
        guard var entry = known[room] else {
            if known.count >= Self.limit, let oldest = known.min(by: { $0.value.lastAt < $1.value.lastAt })?.key {
                known[oldest] = nil
            }
            known[room] = SetAsideReadings(reason: reason, sample: Self.sample(of: payload), count: 1, lastAt: now)
            return
        }
        // The text is made once a second at most: what floods must not cost.
        if entry.reason != reason || now - entry.lastAt >= .seconds(1) { entry.sample = Self.sample(of: payload) }
        if entry.isOver { entry.isMixed = now - entry.lastAt < Self.probation }
        (entry.reason, entry.count, entry.lastAt, entry.isOver) = (reason, entry.count + 1, now, false)
        known[room] = entry
    }

    /// A usable reading came: what was set aside before is over, unless the sensor does both.
    /// - Returns: whether anything changed.
    mutating func heardValid(in room: Room, now: Instant) -> Bool {
        guard let entry = known[room], !entry.isOver else { return false }
        guard !entry.isMixed || now - entry.lastAt >= Self.probation else { return false }
        known[room]?.isOver = true
        return true
    }

    mutating func remove(_ room: Room) { known[room] = nil }

    /// Forgets what stopped coming.
    mutating func prune(now: Instant) {
        known = known.filter { now - $0.value.lastAt < Self.memory }
    }

    private static func sample(of payload: [UInt8]) -> String {
        let text = String(decoding: payload.prefix(SetAsideReadings.sampleLength * 4), as: UTF8.self)
        let short = String(text.unicodeScalars.prefix(SetAsideReadings.sampleLength).map(Character.init))
        return payload.isEmpty ? "(empty)" : short
    }
}
