import Heating
import Logging
import MQTT
import Machine

/// Pumps, and the valves of their rooms, that are commanded in their own words. The contract's form is published beside it
/// in any case.
extension ControlLane {
    /// A room's thermostat has spoken: its pump is on while one of its rooms calls.
    func commandPump(_ isOn: Bool, saysAgain: Bool, of room: Room, _ link: Link?) {
        guard let index = devices.pumpIndex(of: room) else { return }
        devices.pumps[index].group.set(room, calls: isOn)
        drive(index, saysAgain: saysAgain, Clock.now, link)
    }

    func drive(_ index: Int, saysAgain: Bool = false, _ now: Instant, _ link: Link?) {
        let pump = devices.pumps[index]
        let frosty = pump.rule.rooms.filter {
            if case .frost? = rooms[$0]?.thermostat.status.reason { true } else { false }
        }
        var group = pump.group
        let decision = group.decide(frost: Set(frosty), now: now)
        devices.pumps[index].heldUntil = decision.heldUntil
        let patient = startedAt + ControlledPump.patience
        let isUnknown = pump.rule.rooms.contains { rooms[$0]?.thermostat.status.isOn == nil }
        if !decision.isOn, pump.isOn == nil, isUnknown, pump.rule.rooms.count > 1, now < patient {
            devices.pumps[index].heldUntil = patient
            return
        }
        if pump.valves.isEmpty {
            devices.pumps[index].isOn = decision.isOn
            devices.pumps[index].group = group
            if pump.isOn != decision.isOn || saysAgain { say(index, now, link) }
        } else {
            driveZone(index, decision, group, saysAgain: saysAgain, now, link)
        }
    }

    // MARK: Words

    /// Publishes the device's own words for the decision in force.
    func say(_ index: Int, _ now: Instant, _ link: Link?) {
        guard let isOn = devices.pumps[index].isOn, let link else { return }
        let pump = devices.pumps[index]
        let target = target(of: pump)
        let commands = pump.rule.commands(isOn: isOn, target: target, room: caller(of: pump))
        // What is told by the temperature alone runs on a battery: it is not told again what it knows.
        guard pump.rule.isSwitched || commands != pump.said || pump.isDueAnew(now: now) else {
            return
        }
        publish(commands, now, link)
        devices.pumps[index].said = commands
        devices.pumps[index].saidAt = now
        if pump.rule.isSwitched || pump.rule.state == nil { devices.pumps[index].feedback.told(isOn, now: now) }
        let isHanded =
            pump.rule.target.map { told in commands.contains { $0.topic == told.topic } } ?? false
        guard isHanded, pump.handed != target else { return }
        devices.pumps[index].handed = target
        devices.pumps[index].setpoint.toldAnew(now: now)
    }

    func publish(_ commands: [PumpRule.Command], _ now: Instant, _ link: Link) {
        for command in commands {
            let publication = Publication(
                topic: command.topic, payload: command.payload, qos: 1, retain: command.isRetained)
            outbox.command(publication, on: link, now: now)
        }
    }

    private func callers(of pump: ControlledPump) -> [Room] {
        pump.rule.rooms.filter { rooms[$0]?.thermostat.status.isOn == true }
    }

    private func caller(of pump: ControlledPump) -> Room? { callers(of: pump).first }

    /// The warmest wish of the rooms that call counts.
    private func target(of pump: ControlledPump) -> Double? {
        let calling = callers(of: pump)
        return (calling.isEmpty ? pump.rule.rooms : calling).compactMap {
            rooms[$0]?.thermostat.deviceTarget(isSwitched: pump.rule.isSwitched)
        }.max()
    }

    /// The room's wish is another: who is told a target is told again.
    func retarget(_ room: Room, _ link: Link?) {
        guard let index = devices.pumpIndex(of: room), devices.pumps[index].rule.needsTarget,
            let isOn = devices.pumps[index].isOn
        else { return }
        let pump = devices.pumps[index]
        let words = pump.rule.commands(isOn: isOn, target: target(of: pump), room: caller(of: pump))
        if words != pump.said { say(index, Clock.now, link) }
    }

    /// The readings judge whether a device with a thermostat of its own obeys.
    func follow(_ room: Room, _ status: Thermostat.Status, _ now: Instant) {
        guard let index = devices.pumpIndex(of: room), devices.pumps[index].rule.needsTarget,
            let value = status.lastReading, let settings = rooms[room]?.thermostat.settings
        else { return }
        let pump = devices.pumps[index]
        let target = pump.isOn == true || !pump.rule.isSwitched ? target(of: pump) : nil
        devices.pumps[index].responses[room, default: TargetResponse()].observe(
            value, target: target, onBelow: status.limits.onBelow, window: settings.responseTime, now: now
        )
        let problem = devices.pumps[index].responses[room]?.problem
        report(
            problem.map { .notFollowed(room, $0, configuration.temperatureUnit) }, name: "target-not-followed",
            room.name)
    }

    // MARK: What it says of itself

    /// - Returns: whether the message is one of a pump or a valve about itself.
    func hearPump(_ message: Message, _ link: Link) -> Bool {
        let now = Clock.now
        var isPump = false
        for index in devices.pumps.indices {
            let rule = devices.pumps[index].rule
            let own = devices.pumps[index].feedback.hear(message, as: rule, now: now)
            if case .foreign(let isOn)? = own.event { switched(isOn, index, now, link) }
            var isAbout = own.isAbout || hearTarget(message, index, now, link)
            for room in devices.pumps[index].valves.keys.sorted() {
                guard var valve = devices.pumps[index].valves[room] else { continue }
                let heard = valve.feedback.hear(message, as: valve.rule, now: now)
                isAbout = isAbout || heard.isAbout
                devices.pumps[index].valves[room] = valve
                if case .foreign(let isOpen)? = heard.event { turned(isOpen, index, room, now, link) }
            }
            isPump = isPump || isAbout
            if isAbout, !devices.pumps[index].valves.isEmpty { drive(index, now, link) }
        }
        if isPump { showPumps() }
        return isPump
    }

    /// What a device says that it was told; another temperature is somebody's wish.
    /// - Returns: whether the message is about that.
    private func hearTarget(_ message: Message, _ index: Int, _ now: Instant, _ link: Link) -> Bool {
        let rule = devices.pumps[index].rule
        guard let target = rule.target, let state = target.state,
            ExactString(state.topic) == ExactString(message.topic)
        else { return false }
        guard let said = target.celsius(message.payload), let handed = devices.pumps[index].handed
        else { return true }
        let event = devices.pumps[index].setpoint.heard(
            isOn: target.isSame(said, handed), isRetained: message.isRetained, now: now)
        guard case .foreign? = event else { return true }
        logger.warning(
            "somebody else set a temperature", metadata: ["pump": "\(rule.name)", "target": "\(said)"])
        guard rule.onForeign == .override, (-20.0...50.0).contains(said) else {
            devices.pumps[index].setpoint.reassert(now: now)
            return true
        }
        let wish = ControlMailbox.Wish(
            what: .hold(.temperature((said * 10).rounded() / 10)), end: nil, source: .device)
        for room in rule.rooms where rooms[room] != nil { apply(wish, to: room, link) }
        // It has said so already.
        if let now = devices.pumps[index].handed, target.isSame(said, now) {
            _ = devices.pumps[index].setpoint.heard(isOn: true, now: Clock.now)
        }
        return true
    }

    private func switched(_ isOn: Bool, _ index: Int, _ now: Instant, _ link: Link) {
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
            let held = devices.pumps[index].heldUntil.map { $0 <= now } ?? false
            // Valves open and pumps stop in their own time.
            if held || (link != nil && devices.pumps[index].isMovingZone) {
                drive(index, now, link)
            }
            if link != nil, devices.pumps[index].feedback.repeats(now: now) != nil {
                say(index, now, link)
            }
            if link != nil, devices.pumps[index].setpoint.repeats(now: now) != nil {
                devices.pumps[index].saidAt = nil
                say(index, now, link)
            }
            repeatValves(index, now, link)
            let pump = devices.pumps[index]
            report(pump.feedback.problem(now: now), of: pump.rule, as: .pump)
            report(pump.setpoint.problem(now: now), of: pump.rule, as: .setpoint)
            for room in pump.valves.keys.sorted() {
                guard let valve = pump.valves[room] else { continue }
                report(valve.feedback.problem(now: now), of: valve.rule, as: .valve)
            }
            let waits = pump.waitsSince.map { now - $0 >= PumpFeedback.patience } ?? false
            report(waits ? .waiting(pump.rule) : nil, name: "pump-waits-for-valve", pump.rule.name)
        }
        showPumps()
    }

    private func showPumps() {
        let views = DeviceView.all(devices.pumps)
        guard views != devices.shown else { return }
        devices.shown = views
        board.set(devices: views)
    }

    func pumpDeadlines(_ now: Instant) -> [Instant] {
        devices.pumps.flatMap { pump in
            let complaint = pump.waitsSince.map { $0 + PumpFeedback.patience }.flatMap {
                $0 > now ? $0 : nil
            }
            return [
                pump.heldUntil, complaint, pump.feedback.nextDeadline(now: now),
                pump.setpoint.nextDeadline(now: now),
            ].compactMap(\.self) + pump.valves.values.compactMap { $0.feedback.nextDeadline(now: now) }
        }
    }

    private func report(
        _ problem: PumpFeedback.Problem?, of rule: PumpRule, as part: Finding.HeatingPart
    ) {
        let name = problem.map(Finding.name(of:))
        for other in ["pump-offline", "pump-unconfirmed", "pump-power"] {
            let finding = other == name ? problem.map { Finding.device(rule, part, $0) } : nil
            report(finding, name: other, part.subject(rule))
        }
    }
}

extension PumpFeedback {
    /// Takes a message if it is about the device.
    /// - Returns: what it means, and whether it is about the device at all.
    mutating func hear(_ message: Message, as rule: PumpRule, now: Instant) -> (
        event: Event?, isAbout: Bool
    ) {
        let topic = ExactString(message.topic)
        var event: Event?
        var isAbout = false
        if let state = rule.state, ExactString(state.topic) == topic {
            isAbout = true
            if let isOn = state.read(message.payload) {
                event = heard(isOn: isOn, isRetained: message.isRetained, now: now)
            }
        }
        if let available = rule.available, ExactString(available.topic) == topic {
            isAbout = true
            if let isThere = available.read(message.payload) { _ = heard(isAvailable: isThere, now: now) }
        }
        if let bridge = rule.bridge, ExactString(bridge.topic) == topic {
            isAbout = true
            if let isThere = bridge.read(message.payload) { _ = heard(isAvailable: isThere, ofBridge: true, now: now) }
        }
        if let power = rule.power, ExactString(power.topic) == topic {
            isAbout = true
            if let watts = rule.watts(message.payload) { heard(watts: watts) }
        }
        return (event, isAbout)
    }
}
