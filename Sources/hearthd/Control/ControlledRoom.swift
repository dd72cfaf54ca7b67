import Heating

/// All that Control keeps about one room.
struct ControlledRoom {
    var thermostat: Thermostat
    var news = NewsFilter()
    var foreign = ForeignCommands()
    /// Live readings, valid or not, came last at this time.
    var heardAt: Instant?
    /// When the retained state was last written.
    var statedAt: Instant?
    /// The broker has a state of it, from here or from before a restart.
    var hasState = false
    var switchWords = SwitchWords(perHour: 8)

    /// When this room wants a turn.
    var nextDeadline: Instant? {
        [thermostat.nextDeadline, news.nextDeadline, foreign.nextDeadline].compactMap(\.self).min()
    }

    /// What is shown of it.
    func view(isConfigured: Bool) -> ControlBoard.RoomView {
        .init(
            status: thermostat.status, settings: thermostat.settings, isConfigured: isConfigured, heardAt: heardAt,
            foreign: foreign)
    }
}

/// When rooms want a turn. What is set is exact; all rooms are looked through once a second besides, and less often where they
/// are hundreds, so that one that was changed without a word is late by no more than that.
struct RoomDeadlines {
    private static let period = Duration.seconds(1)
    private static let periodOfEach = Duration.milliseconds(10)

    private var instants: [Room: Instant] = [:]
    private var refreshedAt: Instant?
    /// The earliest of them; nil: it has to be looked for.
    private var earliest: Instant?

    mutating func set(_ room: Room, _ instant: Instant?) {
        let before = instants[room]
        guard before != instant else { return }
        instants[room] = instant
        guard let known = earliest else { return }
        if let instant, instant <= known { earliest = instant } else if before == known { earliest = nil }
    }

    mutating func refresh(now: Instant, _ all: () -> [Room: Instant]) {
        if let refreshedAt, now - refreshedAt < max(Self.period, Self.periodOfEach * instants.count) {
            return
        }
        (instants, refreshedAt, earliest) = (all(), now, nil)
    }

    /// Looks at the rooms only when one of them is due.
    mutating func due(now: Instant) -> [Room] {
        guard let next, next <= now else { return [] }
        return instants.filter { $0.value <= now }.map(\.key)
    }

    var next: Instant? {
        mutating get {
            earliest = earliest ?? instants.values.min()
            return earliest
        }
    }
}

/// Which switches are worth a line of the log, of one pump and of all together: a pump that is switched without end must not
/// fill a card, nor rooms without end. The rooms' history has them all.
struct SwitchWords {
    private let perHour: Int

    private var saidAt: [Instant] = []
    private var unsaid = 0

    init(perHour: Int) { self.perHour = perHour }

    /// A pump was switched.
    ///
    /// - Returns: how many were left out since the last line; nil to say nothing.
    mutating func say(now: Instant) -> Int? {
        saidAt.removeAll { now - $0 >= .seconds(3600) }
        guard saidAt.count < perHour else {
            unsaid += 1
            return nil
        }
        saidAt.append(now)
        defer { unsaid = 0 }
        return unsaid
    }
}
