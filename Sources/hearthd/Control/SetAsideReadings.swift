import Heating

/// Messages of one sensor's topic that Control could not use, for whoever must mend the sensor.
struct SetAsideReadings: Equatable, Sendable {
    /// Characters of a message that are shown.
    private static let sampleLength = 80
    /// Longer messages are kept as far as they are shown.
    private static let payloadLimit = 8192

    /// ``PayloadError``'s name.
    var reason: String
    /// The last one, as a whole where a path in it may have to be named.
    private(set) var payload: [UInt8]
    var count: Int
    var lastAt: Instant
    /// Usable readings and others take turns: the sensor is not dumb, only odd at times.
    var isMixed = false
    /// Usable readings came since.
    var isOver = false

    init(reason: String, _ payload: [UInt8], now: Instant) {
        (self.reason, self.payload, count, lastAt) = (reason, Self.kept(payload), 1, now)
    }

    mutating func again(_ reason: String, _ payload: [UInt8], now: Instant) {
        (self.reason, self.payload, count, lastAt, isOver) = (reason, Self.kept(payload), count + 1, now, false)
    }

    /// The start of the last one.
    var sample: String {
        guard !payload.isEmpty else { return "(empty)" }
        let text = String(decoding: payload.prefix(Self.sampleLength * 4), as: UTF8.self)
        return String(text.unicodeScalars.prefix(Self.sampleLength).map(Character.init))
    }

    private static func kept(_ payload: [UInt8]) -> [UInt8] {
        payload.count <= payloadLimit ? payload : Array(payload.prefix(sampleLength * 4))
    }
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
            known[room] = SetAsideReadings(reason: reason, payload, now: now)
            return
        }
        if entry.isOver { entry.isMixed = now - entry.lastAt < Self.probation }
        entry.again(reason, payload, now: now)
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
}
