import Heating
import Logging
import MQTT

/// Zones: rooms with valves of their own and the pump that heats them, moved in ``ZoneOrder``.
extension ControlLane {
    /// Moves valves and pump towards the decision as far as may be now. What has to wait goes on with the next word of a
    /// device, or with time.
    func driveZone(
        _ index: Int, _ decision: PumpGroup.Decision, _ group: PumpGroup, saysAgain: Bool,
        _ now: Instant, _ link: Link?
    ) {
        // Without a broker nothing moves; what was decided is decided again when it is back.
        guard let link else { return }
        var isStoppedEarly = false
        // Each device moves once at most, and one more time asks whether that allows anything.
        for _ in 0...devices.pumps[index].valves.count + 1 {
            let pump = devices.pumps[index]
            var standing = pump.feedback.standing(now: now)
            standing.told = pump.isOn
            let steps = ZoneOrder.steps(
                to: decision, pump: standing,
                valves: pump.valves.mapValues { $0.feedback.standing(now: now) },
                isOpenAnyway: pump.valves.count < pump.rule.rooms.count)
            guard !steps.isEmpty, !isStoppedEarly else { break }
            for step in steps {
                switch step {
                case .valve(let room, let isOpen): sayValve(isOpen, index, room, now, link)
                case .pump(let isOn):
                    isStoppedEarly = !isOn && decision.isOn
                    devices.pumps[index].isOn = isOn
                    say(index, now, link)
                }
            }
        }
        let isOn = devices.pumps[index].isOn
        if isOn == decision.isOn {
            devices.pumps[index].group = group
        } else if isStoppedEarly {
            logger.error(
                "a heat pump is stopped: every valve of its rooms is closed",
                metadata: ["pump": "\(devices.pumps[index].rule.name)"])
            // Its shortest rest begins.
            devices.pumps[index].group.restore(isOn: false, since: now)
        }
        let waits = decision.isOn && isOn != true
        devices.pumps[index].waitsSince = waits ? devices.pumps[index].waitsSince ?? now : nil
        guard saysAgain else { return }
        for (room, valve) in devices.pumps[index].valves {
            if let told = valve.feedback.standing(now: now).told {
                sayValve(told, index, room, now, link)
            }
        }
        say(index, now, link)
    }

    private func sayValve(_ isOpen: Bool, _ index: Int, _ room: Room, _ now: Instant, _ link: Link) {
        guard let valve = devices.pumps[index].valves[room] else { return }
        let target = rooms[room]?.thermostat.deviceTarget(isSwitched: true)
        publish(valve.rule.commands(isOn: isOpen, target: target, room: room), now, link)
        devices.pumps[index].valves[room]?.feedback.told(isOpen, now: now)
    }

    func repeatValves(_ index: Int, _ now: Instant, _ link: Link?) {
        guard let link else { return }
        for room in devices.pumps[index].valves.keys.sorted() {
            guard let told = devices.pumps[index].valves[room]?.feedback.repeats(now: now) else {
                continue
            }
            sayValve(told, index, room, now, link)
        }
    }

    /// Somebody else turned a valve: a wish of that room alone, or to be put right.
    func turned(_ isOpen: Bool, _ index: Int, _ room: Room, _ now: Instant, _ link: Link) {
        guard let rule = devices.pumps[index].valves[room]?.rule else { return }
        logger.warning(
            "somebody else turned a valve",
            metadata: ["room": "\(room.displayName)", "open": "\(isOpen)"])
        guard rule.onForeign == .override else {
            devices.pumps[index].valves[room]?.feedback.reassert(now: now)
            return
        }
        devices.pumps[index].valves[room]?.feedback.adopt(isOpen, now: now)
        guard rooms[room] != nil else { return }
        apply(
            ControlMailbox.Wish(what: .pump(isOn: isOpen), end: nil, source: .device), to: room, link
        )
    }
}
