import Heating
import Logging
import MQTT
import Machine

/// Which rooms there are: those in the file, those that are heard, those that the broker remembers; and how they go.
extension ControlLane {
    /// So many unnamed rooms have a place in any case, however many are in the file.
    private static let fewestPlaces = 100
    /// How often rooms are looked through that may have gone.
    private static let sweepPeriod = Duration.seconds(60)
    /// The broker gives a cleared state back within this.
    private static let echoTime = Duration.seconds(2)

    static func placesBeside(_ configuration: Configuration) -> Int {
        max(fewestPlaces, roomLimit - configuration.rooms.count)
    }

    // MARK: Coming

    /// A room has sent a value: it gets a place, if need be another's.
    func admit(_ room: Room, now: Instant, _ link: Link?) {
        guard configuration.rooms[room] == nil else { return }
        if case .admitted(let leaving?) = places.hear(room, now: now) {
            counters.tooManyRooms += 1
            remove(leaving, link)
        }
        guard rooms[room] == nil else { return }
        addRoom(room)
        if let last = remembered.removeValue(forKey: room) {
            board.set(remembered: Set(remembered.keys))
            restore(last, link)
        }
        greet(room, link)
        reportFullTable(newest: room, now: now)
    }

    /// What the rooms' weeks say at this time of the day, on the clock on the wall.
    func followWeeks(_ now: Instant, _ link: Link?) {
        let told = weeks.due(
            rooms.mapValues(\.thermostat), of: { rooms[$0]?.thermostat }, now: now, time: Clock.localTime,
            untilNextMinute: Clock.untilNextMinute)
        for (room, preset) in told { apply(.scheduled(preset), to: room, link) }
    }

    private func reportFullTable(newest: Room, now: Instant) {
        guard places.isFull, fullTableReportedAt.map({ now - $0 >= .seconds(1) }) ?? true else { return }
        fullTableReportedAt = now
        findings.report(
            Finding(
                name: "too-many-rooms", severity: .cold,
                text: .finding(
                    .tooManyRooms, ["count": .count(places.limit), "room": .text(newest.displayName)]),
                advice: .finding(.findNames, command: "mosquitto_sub -t '+/temperature' -v")))
    }

    /// Keeps what retained state says of a room that is not in the file until the room is heard, so that such messages
    /// alone take no place. What a person asked for goes on at once.
    func remember(_ last: StateTopic.Decision, _ link: Link?) {
        let room = last.room
        if let silence = last.silence, silence >= configuration.forgetAfter {
            return forget(room, because: "it has been silent for \(silence.spoken)", link)
        }
        guard remembered[room] != nil || remembered.count < Self.roomLimit else { return }
        remembered[room] = last
        board.set(remembered: Set(remembered.keys))
        nextSweep = nil
        if !last.wishes.isEmpty { promote(room, link) }
    }

    /// Gives a remembered room a place if one is free.
    func promote(_ room: Room, _ link: Link?) {
        guard let last = remembered[room],
            places.remember(room, heardAt: last.silence.map { Clock.now - $0 } ?? startedAt)
        else { return }
        remembered[room] = nil
        board.set(remembered: Set(remembered.keys))
        // Its sensor has been silent for as long as anybody listens.
        addRoom(room, silentSince: startedAt)
        restore(last, link)
        greet(room, link)
    }

    // MARK: Settings

    func adopt(_ new: Configuration, _ link: Link?) {
        let old = configuration
        configuration = new
        if old.devices != new.devices { adoptDevices(link) }
        weeks.changed()
        nextSweep = nil
        homeAssistant.adopt(new, link, &outbox)
        for room in new.rooms.keys.sorted() {
            places.remove(room)
            let isNew = rooms[room] == nil
            if isNew { addRoom(room) }
            if let last = remembered.removeValue(forKey: room) { restore(last, link) }
            if isNew { greet(room, link) }
        }
        board.set(remembered: Set(remembered.keys))
        for room in places.resize(to: Self.placesBeside(new)) { remove(room, link) }
        for room in old.rooms.keys.sorted() where new.rooms[room] == nil {
            // It counts as heard when it was, and as about to be heard otherwise: forgetting begins now.
            if case .admitted(let leaving?) = places.hear(room, now: rooms[room]?.heardAt ?? Clock.now) {
                remove(leaving, link)
            }
        }
        board.set(new)
        for room in rooms.keys.sorted() {
            apply(.settings(new.settings(for: room)), to: room, link)
            if old.temperatureUnit != new.temperatureUnit, link != nil { writeState(of: room, Clock.now) }
        }
    }

    // MARK: Going

    /// Looks whether somebody or something went: remembered rooms that nobody hears, rooms silent for too long.
    func sweep(_ now: Instant, _ link: Link?) {
        guard nextSweep.map({ $0 <= now }) ?? true else { return }
        let blindAt = startedAt + configuration.thermostat.staleAfter
        if blindAt <= now {
            // A pump may run in there, and nobody would stop it; or nobody would say that the room is cold.
            for room in remembered.keys.sorted() where !places.isFull { promote(room, link) }
        }
        for room in places.silent(since: now - configuration.forgetAfter) {
            forget(room, because: "it has been silent for \(configuration.forgetAfter.spoken)", link)
        }
        for (room, last) in remembered where forgetAt(last) <= now {
            forget(room, because: "it has been silent for \(configuration.forgetAfter.spoken)", link)
        }
        if !places.isFull { findings.resolve("too-many-rooms") }
        forgetSetAside(now: now)
        clearedAt = clearedAt.filter { now - $0.value < Self.echoTime }
        var next = now + Self.sweepPeriod
        if blindAt > now && !remembered.isEmpty { next = min(next, blindAt) }
        if let silent = places.longestSilent {
            next = min(next, max(silent + configuration.forgetAfter, now + .seconds(1)))
        }
        nextSweep = next
    }

    private func forgetAt(_ last: StateTopic.Decision) -> Instant {
        startedAt + configuration.forgetAfter - (last.silence ?? .zero)
    }

    /// Somebody took a room's retained state away: that room is not wanted.
    func stateCleared(_ message: Message, _ link: Link) {
        guard message.payload.isEmpty, let room = StateTopic.room(of: message.topic), configuration.rooms[room] == nil,
            rooms[room] != nil || remembered[room] != nil
        else { return }
        if let clearing = clearedAt[room], Clock.now - clearing < Self.echoTime { return }
        forget(room, because: "its retained state was taken away", link)
    }

    /// Removes a room that is not in the file for good: from here, from the broker, from Home Assistant. It comes back when
    /// it is heard again.
    func forget(_ room: Room, because reason: String, _ link: Link?) {
        logger.notice("a room is forgotten", metadata: ["room": "\(room.displayName)", "because": "\(reason)"])
        if let thermostat = rooms[room]?.thermostat, thermostat.settings.enabled, thermostat.status.isOn == true {
            // Nobody would stop it later.
            command(false, reason: "the room is forgotten: \(reason)", isRefresh: false, room, link)
        }
        remove(room, link)
    }

    /// Takes everything away that was kept of a room.
    private func remove(_ room: Room, _ link: Link?) {
        places.remove(room)
        var hasState = rooms.removeValue(forKey: room)?.hasState ?? false
        deadlines.set(room, nil)
        if remembered.removeValue(forKey: room) != nil {
            hasState = true
            board.set(remembered: Set(remembered.keys))
        }
        board.remove(room)
        devices.forget(room)
        forgetSetAside(of: room, now: Clock.now)
        homeAssistant.forget(room)
        if hasState, uncleared.count < Self.roomLimit { uncleared.insert(room) }
        if link != nil { clearStates() }
    }

    /// Takes the states of rooms that went from the broker.
    func clearStates() {
        for room in uncleared where rooms[room] == nil {
            if clearedAt.count >= Self.roomLimit { clearedAt = [:] }
            clearedAt[room] = Clock.now
            outbox.offer(StateTopic.cleared(room), as: .state)
        }
        uncleared = []
    }
}
