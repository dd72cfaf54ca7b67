/// The topics of the home broker that Hearth reads and writes.
public enum HomeTopic: Hashable, Sendable {
    /// `<room>/temperature`, sensor to gateway.
    case temperature(Room)
    /// `<room>/heatpump`, gateway to pump.
    case heatpump(Room)

    /// Nil for a topic that is neither, such as Hearth's own `hearth/…`.
    public init?(_ topic: String) {
        let levels = levels(of: topic, atMost: 2)
        guard levels.count == 2, let room = Room(levels[0]) else { return nil }
        switch levels[1] {
        case "temperature": self = .temperature(room)
        case "heatpump": self = .heatpump(room)
        default: return nil
        }
    }

    public var string: String {
        switch self {
        case .temperature(let room): room.name + "/temperature"
        case .heatpump(let room): room.name + "/heatpump"
        }
    }

    public var room: Room {
        switch self {
        case .temperature(let room), .heatpump(let room): room
        }
    }
}

/// The topic under which a record is kept in the journal, and travels behind the home's name: what the home broker has,
/// and `<room>/<measure>` beside it.
public enum RecordTopic: Hashable, Sendable {
    /// `<room>/temperature`, or another measure's name.
    case reading(Room, Measure)
    /// `<room>/heatpump`.
    case heatpump(Room)

    public init?(_ topic: String) {
        let levels = levels(of: topic, atMost: 2)
        guard levels.count == 2, let room = Room(levels[0]) else { return nil }
        if levels[1] == "heatpump" {
            self = .heatpump(room)
        } else if let measure = Measure(levels[1]) {
            self = .reading(room, measure)
        } else {
            return nil
        }
    }

    public var room: Room {
        switch self {
        case .reading(let room, _), .heatpump(let room): room
        }
    }

    /// Of a reading that is no temperature.
    public var otherMeasure: Measure? {
        if case .reading(_, let measure) = self, measure != .temperature { measure } else { nil }
    }
}

/// The topics of the cloud broker.
public enum CloudTopic: Hashable, Sendable {
    /// `<home>/<room>/temperature`: the sensor's bytes, unchanged.
    case temperature(HomeID, Room)
    /// `<home>/<room>/<measure>`: of another measure.
    case measure(HomeID, Room, Measure)
    /// `<home>/<room>/heatpump`: a command that was given at home.
    case heatpump(HomeID, Room)
    /// `<home>/<room>/heatpump/set`: a command from the cloud.
    case heatpumpSet(HomeID, Room)
    /// `<home>/frame`: many journal records in one message (``Frame``).
    case frame(HomeID)
    /// `<home>/gateway/ack`: what the event log has (``Acknowledgement``).
    case ack(HomeID)
    /// `<home>/gateway/stored`: retained, what became of the home's records (``StoredSummary``).
    case stored(HomeID)
    /// `<home>/gateway/status`: retained, the last will says offline.
    case status(HomeID)

    /// Where a record of the home broker goes in the cloud.
    public init(_ home: HomeID, _ topic: HomeTopic) {
        switch topic {
        case .temperature(let room): self = .temperature(home, room)
        case .heatpump(let room): self = .heatpump(home, room)
        }
    }

    public init?(_ topic: String) {
        let levels = levels(of: topic, atMost: 4)
        guard levels.count >= 2, let home = HomeID(levels[0]) else { return nil }
        switch (levels.count, levels[1], levels.last) {
        case (2, "frame", _): self = .frame(home)
        case (3, "gateway", "ack"): self = .ack(home)
        case (3, "gateway", "stored"): self = .stored(home)
        case (3, "gateway", "status"): self = .status(home)
        case (3, let name, "temperature"):
            guard let room = Room(name) else { return nil }
            self = .temperature(home, room)
        case (3, let name, "heatpump"):
            guard let room = Room(name) else { return nil }
            self = .heatpump(home, room)
        case (3, let name, let last?):
            guard let room = Room(name), let measure = Measure(last) else { return nil }
            self = .measure(home, room, measure)
        case (4, let name, "set"):
            guard levels[2] == "heatpump", let room = Room(name) else { return nil }
            self = .heatpumpSet(home, room)
        default: return nil
        }
    }

    public var string: String {
        switch self {
        case .temperature(let home, let room): "\(home.name)/\(room.name)/temperature"
        case .measure(let home, let room, let measure): "\(home.name)/\(room.name)/\(measure)"
        case .heatpump(let home, let room): "\(home.name)/\(room.name)/heatpump"
        case .heatpumpSet(let home, let room): "\(home.name)/\(room.name)/heatpump/set"
        case .frame(let home): "\(home.name)/frame"
        case .ack(let home): "\(home.name)/gateway/ack"
        case .stored(let home): "\(home.name)/gateway/stored"
        case .status(let home): "\(home.name)/gateway/status"
        }
    }

    public var home: HomeID {
        switch self {
        case .temperature(let home, _), .measure(let home, _, _), .heatpump(let home, _), .heatpumpSet(let home, _),
            .frame(let home), .ack(let home), .stored(let home), .status(let home):
            home
        }
    }
}

/// Splits at every `/`; more levels than `limit` come back as one more, so that the count tells.
/// Works on bytes: as `Character`s a slash followed by a combining mark would not be a slash.
private func levels(of topic: String, atMost limit: Int) -> [Substring] {
    topic.utf8.split(separator: UInt8(ascii: "/"), maxSplits: limit, omittingEmptySubsequences: false)
        .map { Substring($0) }
}
