import Heating
import Logging
import MQTT
import Machine

/// What the pumps on the home broker are told, from here and by others.
extension ControlLane {
    func command(_ isOn: Bool, reason: String, isRefresh: Bool, _ room: Room, _ link: Link?) {
        let wall = Clock.wall
        if !isRefresh {
            board.add(.init(time: wall, pumpOn: isOn, reason: reason), for: room)
            let now = Clock.now
            if let unsaid = rooms[room]?.switchWords.say(now: now), let others = switchWords.say(now: now) {
                var metadata: Logger.Metadata = ["room": "\(room)", "on": "\(isOn)", "reason": "\(reason)"]
                if unsaid > 0 { metadata["unsaid"] = "\(unsaid)" }
                if others > 0 { metadata["unsaidOfOthers"] = "\(others)" }
                logger.info("heat pump", metadata: metadata)
            }
        }
        if !devices.pumps.isEmpty { commandPump(isOn, saysAgain: isRefresh, of: room, link) }
        // Without a link nothing is lost: the command is said again on reconnecting.
        guard let link else { return }
        counters.commands += 1
        let stamp = wall.description
        let publication = Publication(
            topic: HomeTopic.heatpump(room).string, payload: HeatPumpCommand(isOn: isOn).payload, qos: 1,
            userProperties: [.init("timestamp", stamp), .init("reason", reason)])
        let now = Clock.now
        ownCommands.send(isOn, to: room, stamp: stamp, now: now)
        outbox.command(publication, on: link, now: now)
    }

    /// Somebody else told the pump something: ours is said again, if it was otherwise.
    func foreignCommand(_ message: Message, in room: Room, _ link: Link) {
        outbox.heardCommand(message.topic)
        guard let state = rooms[room], state.thermostat.settings.enabled,
            let isOn = try? HeatPumpCommand(payload: message.payload).isOn
        else { return }
        let stamp = message.userProperties.first { $0.name == "timestamp" }?.value
        let hasProperties = link.version == .v5
        guard !ownCommands.isOwn(isOn, in: room, stamp: stamp, hasProperties: hasProperties) else { return }
        let now = Clock.now
        let before = state.foreign.recent(now: now)
        rooms[room]?.foreign.hear(isOn, against: state.thermostat.status.isOn, now: now)
        if before == nil {
            logger.warning(
                "somebody else commands a heat pump",
                metadata: ["room": "\(room.displayName)", "on": "\(isOn)"])
        }
        show(room)
        if rooms[room]?.foreign.isRepeatDue(now: now) == true { apply(.reconnected, to: room, link) }
    }
}
