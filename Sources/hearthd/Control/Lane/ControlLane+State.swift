import Heating
import Logging
import MQTT
import Machine

/// The rooms' retained state on the home broker: taken back after a start, written while the house is heated.
extension ControlLane {
    /// Some brokers (RabbitMQ) give no retained messages to a filter with wildcards, so each known room is asked for too.
    func askForState(_ link: Link) {
        let own = SubscriptionOptions(noLocal: true)
        outbox.subscribe([StateTopic.filter], as: .restoring, qos: 0, options: own, on: link, now: Clock.now)
        let topics = rooms.keys.sorted().map(StateTopic.topic(of:))
        guard !topics.isEmpty else { return }
        outbox.subscribe(topics, as: .restoring, qos: 0, options: own, on: link, now: Clock.now)
    }

    func restore(_ message: Message, _ link: Link) {
        guard isRestoring,
            let last = StateTopic.decision(
                topic: message.topic, payload: message.payload, now: Clock.now, wall: Clock.wall)
        else {
            counters.retained += 1
            return
        }
        if rooms[last.room] != nil { restore(last, link) } else { remember(last, link) }
    }

    func restore(_ last: StateTopic.Decision, _ link: Link?) {
        let room = last.room
        rooms[room]?.hasState = true
        guard let state = rooms[room], state.thermostat.status.isOn == nil else { return }
        if let isOn = last.isOn {
            logger.info("took the last decision from the home broker", metadata: ["room": "\(room)", "on": "\(isOn)"])
            if let since = last.since {
                board.add(.init(time: since, pumpOn: isOn, reason: "before the restart: \(last.reason)"), for: room)
            }
            // A room that is not in the file is restored when it is heard, which may be later.
            let lasting = last.lasting.map { $0 + (Clock.now - last.foundAt) }
            apply(.restored(on: isOn, demand: last.demand, lasting: lasting), to: room, link)
        }
        for wish in last.wishes { apply(wish, to: room, link) }
        // The pump may have missed the last words of the process before this one.
        apply(.reconnected, to: room, link)
    }

    /// Whether the broker is to keep the room's state: not of a name that is gone in a moment, whose state would have to be taken
    /// back at once. Of a running pump, and of what somebody asked for, a restart must know all the same.
    func isWorthAState(_ room: Room, _ status: Thermostat.Status) -> Bool {
        !places.isFleeting(room) || status.isOn == true || status.hold != nil || status.override != nil
            || rooms[room]?.hasState == true
    }

    /// Writes the room's retained state.
    func writeState(of room: Room, _ now: Instant) {
        guard let state = rooms[room] else { return }
        rooms[room]?.statedAt = now
        rooms[room]?.hasState = true
        outbox.offer(
            StateTopic.state(
                of: room, state.thermostat.status, configuration.temperatureUnit, heardAt: state.heardAt, now: now,
                wall: Clock.wall),
            as: .state)
    }
}
