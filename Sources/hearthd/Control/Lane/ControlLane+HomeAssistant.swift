import Heating
import MQTT
import Machine

/// What Home Assistant asks for and is told.
extension ControlLane {
    /// What Home Assistant's card sent. A mode is a setting, which comes back with the next turn.
    func obey(_ command: HomeAssistant.Command, _ link: Link) {
        if rooms[command.room] == nil { promote(command.room, link) }
        guard rooms[command.room] != nil else { return reject("no_such_room") }
        if let mode = command.mode { settings.set(mode, of: command.room) }
        if let wish = command.wish { apply(wish, to: command.room, link) }
    }

    /// A pump that somebody switched off is under the thermostat again, and what counts now is held.
    func keep(_ room: Room, _ wish: ControlMailbox.Wish, _ link: Link?) {
        guard let thermostat = rooms[room]?.thermostat else { return }
        if thermostat.status.override?.isOn == false { apply(.endOverride, to: room, link) }
        guard thermostat.status.hold == nil else { return }
        apply(.hold(thermostat.presentTarget, for: wish.end, source: wish.source), to: room, link)
    }

    /// Tells Home Assistant what is due.
    func describe(_ gateway: GatewayState?, _ now: Instant) -> Instant? {
        if let gateway, let state = homeAssistant.show(gateway, now: now) { outbox.offer(state, as: .state) }
        let (publications, next) = homeAssistant.announce(now: now) { roomsToDescribe }
        for publication in publications { outbox.offer(publication, as: .discovery) }
        for room in homeAssistant.takeDueStates(now: now) { writeState(of: room, now) }
        return next
    }

    /// All rooms that are known, for Home Assistant.
    private var roomsToDescribe: [Room: RoomToDescribe] {
        Set(rooms.keys).union(remembered.keys).reduce(into: [:]) { described, room in
            described[room] = .init(settings: configuration.settings(for: room), name: configuration.name(of: room))
        }
    }
}
