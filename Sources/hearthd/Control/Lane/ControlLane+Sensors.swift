import Heating
import Logging
import MQTT
import Machine

/// Sensors that are not the black box: their readings take the same way as the black box's from the room on.
extension ControlLane {
    /// What every sensor in the file is heard on, and what pumps say of themselves.
    func followDevices(_ link: Link, now: Instant) {
        if !devices.rules.isBlackBoxOnly {
            let kept = devices.rules.sensors.filter { $0.retained == .use }.map(\.topic.filter)
            // Each in a packet of its own, so that a refusal names its filter.
            for filter in devices.rules.filters {
                let handling: SubscriptionOptions.RetainHandling =
                    kept.contains { TopicPattern.covers(filter, $0) } ? .send : .doNotSend
                outbox.subscribe(
                    [filter], as: .readings, qos: 0, options: .init(retainHandling: handling), on: link, now: now)
            }
        }
        var seen: Set<ExactString> = []
        for filter in devices.pumps.flatMap(\.filters) where seen.insert(ExactString(filter)).inserted {
            // Retained too: whether it is reachable is said once and kept.
            outbox.subscribe([filter], as: .pumps, qos: 0, options: .init(noLocal: true), on: link, now: now)
        }
    }

    /// The devices in the file are others: everything about them begins anew, with a connection that asks for theirs.
    func adoptDevices(_ link: Link?) {
        devices = ControlDevices(configuration, now: Clock.now)
        board.forgetDevices()
        for name in Self.deviceFindings { findings.resolveAll(name) }
        for (room, state) in rooms {
            guard let index = devices.pumpIndex(of: room), let isOn = state.thermostat.status.isOn else { continue }
            devices.pumps[index].group.set(room, calls: isOn)
        }
        link?.drop(LinkSentence.otherDevices.rawValue)
    }

    static let deviceFindings = [
        "device-rule-silent", "device-readings-set-aside", "sensor-fault", "sensors-disagree",
        "pump-offline",
        "pump-unconfirmed", "pump-power", "pump-waits-for-valve", "target-not-followed",
    ]

    /// - Returns: whether the message was a device's; all others are looked at as if there were no devices.
    func takeDevice(_ message: Message, _ link: Link) -> Bool {
        let isPumps = devices.isPump(message.topic)
        if !isPumps, devices.rules.isBlackBox(message.topic) { return false }
        guard !message.topic.hasPrefix(StateTopic.prefix), !homeAssistant.isBirth(message) else { return false }
        let isPump = isPumps && hearPump(message, link)
        if case .heatpump? = HomeTopic(message.topic) { return isPump }
        return takeReading(message, link) || isPump
    }

    private func takeReading(_ message: Message, _ link: Link) -> Bool {
        guard !devices.rules.isBlackBoxOnly, !devices.rules.isBlackBox(message.topic) else { return false }
        let wall = Clock.wall
        let outcomes = devices.rules.read(
            topic: message.topic, payload: message.payload, isRetained: message.isRetained, arrival: wall)
        guard !outcomes.isEmpty else { return false }
        let now = Clock.now
        for outcome in outcomes {
            devices.tally.count(outcome, payload: message.payload, now: now)
            switch outcome {
            case .reading(let reading): take(reading, wall: wall, now: now, link)
            case .rejected(let rejection): reject(rejection.reason.rawValue)
            case .passedOver: if message.isRetained { counters.retained += 1 }
            }
        }
        return true
    }

    private func take(_ reading: DeviceReading, wall: Timestamp, now: Instant, _ link: Link) {
        guard reading.measure == .temperature, let celsius = reading.celsius else { return see(reading, now) }
        if [.missing, .absurd].contains(reading.time.source) {
            counters.replacedTimes[reading.time.source.rawValue, default: 0] += 1
        }
        // What the broker kept says nothing about what it still has to send.
        if !reading.isRetained { isRestoring = false }
        admit(reading.room, now: now, link)
        guard rooms[reading.room] != nil else { return }
        counters.readings += 1
        if !reading.isRetained { rooms[reading.room]?.heardAt = now }
        let key = ExactString(reading.sensor)
        var sensor = devices.sensors[key] ?? .init(room: reading.room, rule: reading.rule)
        sensor.isFaulty = reading.isFault
        guard !reading.isFault else {
            devices.keep(sensor, of: key)
            findings.report(.sensorFault(reading))
            show(reading.room)
            return
        }
        let isBelievable = rooms[reading.room]?.thermostat.accepts(celsius) == true
        report(
            isBelievable ? nil : .sensorFault(reading, advice: .finding(.brokenSensor)), name: "sensor-fault",
            reading.sensor)
        let time = reading.time.source == .device ? reading.time.timestamp : nil
        let verdict =
            reading.isRetained || !isBelievable
            ? .decides : sensor.news.take(.init(value: celsius, timestamp: time), now: now)
        devices.keep(sensor, of: key)
        switch verdict {
        case .decides:
            // A time without a zone tells no age.
            let age = reading.time.isNaive ? nil : time.map { $0.age(at: wall) }
            hear(
                celsius, from: reading.sensor, rule: reading.rule, isRetained: reading.isRetained,
                age: age, in: reading.room, now: now, link)
        case .waits: show(reading.room)
        case .ignored(let why):
            counters.ignored[why.rawValue, default: 0] += 1
            show(reading.room)
        }
    }

    /// What is no temperature is shown and decides nothing.
    private func see(_ reading: DeviceReading, _ now: Instant) {
        guard !reading.isFault else { return }
        let value = reading.celsius ?? reading.value
        counters.readings += 1
        board.see(value, of: reading.measure, in: reading.room, now: now)
        homeAssistant.saw(value, of: reading.measure, in: reading.room, now: now, &outbox)
    }

    /// The room's sensors together decide. What the room takes for a fault is none of them: the mean of 18 and of a broken
    /// sensor's 85 would be a temperature.
    private func hear(
        _ celsius: Double, from topic: String, rule: Int, isRetained: Bool = false, age: Duration? = nil,
        in room: Room, now: Instant, _ link: Link?
    ) {
        guard rooms[room]?.thermostat.accepts(celsius) == true else {
            return apply(.reading(celsius), to: room, link)
        }
        let said = configuration.devices.rooms[room]
        var sensors =
            devices.rooms[room] ?? RoomSensors(combine: said?.combine ?? .mean, disagreement: said?.disagreement)
        let settings = configuration.settings(for: room)
        let own = devices.rules.sensors.indices.contains(rule) ? devices.rules.sensors[rule].staleAfter : nil
        let counts = sensors.heard(
            celsius, from: topic, rule: rule, isRetained: isRetained, age: age,
            staleAfter: own ?? settings.staleAfter, now: now)
        devices.rooms[room] = sensors
        guard counts, let value = sensors.value(now: now), let silentAt = sensors.silentAt(now: now) else {
            return show(room)
        }
        apply(.reading(value), to: room, link)
        // The room is blind when its last sensor is. After the reading, for before it the old one may be too old already.
        guard var rules = rooms[room]?.thermostat.settings, rules.staleAfter != silentAt - now else { return }
        rules.staleAfter = silentAt - now
        apply(.settings(rules), to: room, link)
    }

    /// A black box's reading: of a room that has other sensors too it is one of several.
    func decide(_ value: Double, in room: Room, now: Instant, _ link: Link?) {
        guard devices.rooms[room] != nil else { return apply(.reading(value), to: room, link) }
        hear(
            value, from: HomeTopic.temperature(room).string, rule: devices.rules.sensors.count - 1, in: room, now: now,
            link)
    }

    /// What is due of sensors and pumps.
    /// - Returns: when to look again.
    func turnDevices(_ now: Instant, _ link: Link?) -> Instant? {
        for (topic, sensor, value) in devices.takeDueNews(now: now) {
            hear(value, from: topic.text, rule: sensor.rule, in: sensor.room, now: now, link)
        }
        turnPumps(now, link)
        if devices.nextLook.map({ $0 <= now }) ?? true {
            devices.nextLook = now + ControlDevices.lookPeriod
            reportSensors(now)
        }
        return (pumpDeadlines(now) + [devices.nextDeadline].compactMap(\.self)).min()
    }

    private func reportSensors(_ now: Instant) {
        reportRules(now)
        reportListed(now)
        for (room, sensors) in devices.rooms {
            let outliers = sensors.outliers(now: now)
            report(outliers.isEmpty ? nil : .disagreement(room, outliers), name: "sensors-disagree", room.name)
        }
    }

    /// Devices that somebody has given a room, and that are not understood by a rule that reads others.
    private func reportListed(_ now: Instant) {
        let troubled = Dictionary(
            devices.tally.troubledDevices(now: now).map { ($0.device, $0.entry) },
            uniquingKeysWith: { first, _ in first })
        for device in devices.tally.devices.keys {
            let rule = devices.rules.sensors[device.rule]
            let finding = troubled[device].flatMap { entry in
                entry.last.map {
                    Finding.troubled(
                        rule, device.rule, device, isListed: devices.tally.isListed(device), entry, $0, devices.rules)
                }
            }
            reportReading(finding, Finding.subject(of: device, rule))
        }
    }

    private func reportReading(_ finding: Finding?, _ subject: String) {
        for name in ["device-rule-silent", "device-readings-set-aside"] {
            report(finding?.name == name ? finding : nil, name: name, subject)
        }
    }

    private func reportRules(_ now: Instant) {
        let troubled = Dictionary(
            devices.tally.troubled(now: now).map { ($0.rule, $0.entry) }, uniquingKeysWith: { first, _ in first })
        for (index, rule) in devices.rules.sensors.enumerated() where !devices.rules.isBuiltIn(index) {
            let entry = devices.tally.entries[index]
            let isUnheard =
                entry.readings + entry.rejected + entry.passedOver == 0
                && now - devices.since >= rule.staleAfter ?? configuration.thermostat.staleAfter
            let subject = Finding.subject(of: rule, index)
            let trouble = troubled[index]?.last.map {
                Finding.troubled(rule, index, nil, entry, $0, devices.rules)
            }
            reportReading(isUnheard ? Finding.silent(rule, index) : trouble, subject)
        }
    }

    func report(_ finding: Finding?, name: String, _ subject: String) {
        guard let finding else {
            findings.resolve(name, subject)
            return
        }
        guard findings.report(finding) else { return }
        logger.log(
            level: finding.severity == .cold ? .error : .warning, "\(finding.text)",
            metadata: ["advice": "\(finding.advice)"])
    }
}
