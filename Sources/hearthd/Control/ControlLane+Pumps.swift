import Heating
import Logging
import MQTT
import Machine

/// Pumps that are commanded in their own words. The contract's form is published beside it in any case.
extension ControlLane {
    /// A room's thermostat has spoken: its pump is on while one of its rooms calls.
    func commandPump(_ isOn: Bool, saysAgain: Bool, of room: Room, _ link: Link?) {
        guard let index = devices.pumpIndex(of: room) else { return }
        devices.pumps[index].group.set(room, calls: isOn)
        drive(index, saysAgain: saysAgain, Clock.now, link)
    }

    private func drive(_ index: Int, saysAgain: Bool = false, _ now: Instant, _ link: Link?) {
        var pump = devices.pumps[index]
        let frosty = pump.rule.rooms.filter {
            if case .frost? = rooms[$0]?.thermostat.status.reason { true } else { false }
        }
        let decision = pump.group.decide(frost: Set(frosty), now: now)
        pump.heldUntil = decision.heldUntil
        let patient = startedAt + ControlledPump.patience
        let isUnknown = pump.rule.rooms.contains { rooms[$0]?.thermostat.status.isOn == nil }
        if !decision.isOn, pump.isOn == nil, isUnknown, pump.rule.rooms.count > 1, now < patient {
            pump.heldUntil = patient
            devices.pumps[index] = pump
            return
        }
        let isNew = pump.isOn != decision.isOn
        pump.isOn = decision.isOn
        devices.pumps[index] = pump
        if isNew || saysAgain { say(index, now, link) }
    }

    /// Publishes the device's own words for the decision in force.
    private func say(_ index: Int, _ now: Instant, _ link: Link?) {
        guard let isOn = devices.pumps[index].isOn, let link else { return }
        let commands = words(for: devices.pumps[index], isOn)
        for command in commands {
            let publication = Publication(
                topic: command.topic, payload: command.payload, qos: 1, retain: command.isRetained)
            outbox.command(publication, on: link, now: now)
        }
        devices.pumps[index].said = commands
        devices.pumps[index].feedback.told(isOn, now: now)
    }

    /// The warmest wish of the rooms that call counts, as the target.
    private func words(for pump: ControlledPump, _ isOn: Bool) -> [PumpRule.Command] {
        let calling = pump.rule.rooms.filter { rooms[$0]?.thermostat.status.isOn == true }
        let targets = (calling.isEmpty ? pump.rule.rooms : calling).compactMap { rooms[$0]?.thermostat.status }
            .map { $0.target ?? ($0.limits.onBelow + $0.limits.offAbove) / 2 }
        return pump.rule.commands(isOn: isOn, target: targets.max(), room: calling.first)
    }

    /// The room's limits are others: who is told a target is told again.
    func retarget(_ room: Room, _ link: Link?) {
        guard let index = devices.pumpIndex(of: room), devices.pumps[index].rule.needsTarget,
            let isOn = devices.pumps[index].isOn, words(for: devices.pumps[index], isOn) != devices.pumps[index].said
        else { return }
        say(index, Clock.now, link)
    }

    // MARK: What it says of itself

    /// - Returns: whether the message is one of a pump about itself.
    func hearPump(_ message: Message, _ link: Link) -> Bool {
        let now = Clock.now
        var isPump = false
        let topic = ExactString(message.topic)
        for index in devices.pumps.indices {
            let rule = devices.pumps[index].rule
            if let state = rule.state, ExactString(state.topic) == topic {
                isPump = true
                if let isOn = state.read(message.payload) { hear(isOn, index, message.isRetained, now, link) }
            }
            if let available = rule.available, ExactString(available.topic) == topic {
                isPump = true
                if let isThere = available.read(message.payload) {
                    _ = devices.pumps[index].feedback.heard(isAvailable: isThere, now: now)
                }
            }
            if let power = rule.power, ExactString(power.topic) == topic {
                isPump = true
                if let watts = rule.watts(message.payload) { devices.pumps[index].feedback.heard(watts: watts) }
            }
        }
        return isPump
    }

    private func hear(_ isOn: Bool, _ index: Int, _ isRetained: Bool, _ now: Instant, _ link: Link) {
        let event = devices.pumps[index].feedback.heard(isOn: isOn, isRetained: isRetained, now: now)
        guard case .foreign? = event else { return }
        let rule = devices.pumps[index].rule
        logger.warning(
            "somebody else switched a heat pump", metadata: ["pump": "\(rule.name)", "on": "\(isOn)"])
        guard rule.onForeign == .override else {
            devices.pumps[index].feedback.reassert(now: now)
            return
        }
        devices.pumps[index].feedback.adopt(isOn, now: now)
        let wish = ControlMailbox.Wish(what: .pump(isOn: isOn), end: nil, source: .device)
        for room in rule.rooms where rooms[room] != nil { apply(wish, to: room, link) }
    }

    // MARK: Time

    func turnPumps(_ now: Instant, _ link: Link?) {
        for index in devices.pumps.indices {
            if let held = devices.pumps[index].heldUntil, held <= now { drive(index, now, link) }
            if link != nil, devices.pumps[index].feedback.repeats(now: now) != nil { say(index, now, link) }
            report(devices.pumps[index], now)
        }
    }

    func pumpDeadlines(_ now: Instant) -> [Instant] {
        devices.pumps.flatMap { [$0.heldUntil, $0.feedback.nextDeadline(now: now)].compactMap(\.self) }
    }

    private func report(_ pump: ControlledPump, _ now: Instant) {
        let problem = pump.feedback.problem(now: now)
        let name = problem.map(Finding.name(of:))
        for other in ["pump-offline", "pump-unconfirmed", "pump-power"] {
            report(
                other == name ? problem.map { .pump(pump.rule, $0, now) } : nil, name: other, pump.rule.name)
        }
    }
}
