import Heating
import Logging
import MQTT
import Synchronization

/// The lane that keeps the house right: a reading becomes a command in milliseconds.
///
/// It lives on the thread of its own connection to the home broker and touches neither disk nor journal nor cloud.
/// It listens to live readings only: a clean session has no replayed messages, and retained ones are not asked for.
/// After a restart it takes its last decisions from its own retained state on the home broker.
final class ControlLane: ConnectionHandler {
    /// Rooms beyond this many are somebody's flood, not a house.
    static let roomLimit = ControlMailbox.roomLimit
    /// A decorrelated-jitter reconnect is for a cloud; the home broker is on this box and control is waiting for it.
    private static let reconnectNanoseconds: Int64 = 250_000_000
    /// How often what Record saw is looked at while nothing is controlled.
    private static let observeNanoseconds: Int64 = 500_000_000

    private var configuration: Configuration
    private let mailbox: ControlMailbox
    private let board: ControlBoard
    private let findings: FindingBoard
    private let logger: Logger
    private var rooms: [Room: Thermostat] = [:]
    private var counters = ControlBoard.Counters()
    /// Retained state is taken as ours only until the first live reading: the broker sends it before any.
    private var isRestoring = true
    private var scheduleClock = ScheduleClock()
    /// When the schedules are looked at again; nil: at the next turn.
    private var nextSchedule: Instant?
    private var homeAssistant: HomeAssistant
    private var outbox: HomeOutbox
    private var words = RepeatedWords()
    private var rivalry = Rivalry(base: .seconds(1), cap: .seconds(30), guessCap: .seconds(2))

    init(
        configuration: Configuration, mailbox: ControlMailbox, board: ControlBoard, findings: FindingBoard,
        logger: Logger
    ) {
        self.configuration = configuration
        self.mailbox = mailbox
        self.board = board
        self.findings = findings
        self.logger = logger
        homeAssistant = HomeAssistant(configuration)
        outbox = HomeOutbox(findings: findings, logger: logger)
        for room in configuration.rooms.keys { addRoom(room) }
        mailbox.wantsObservations.store(!configuration.controlsAnything, ordering: .relaxed)
    }

    // MARK: ConnectionHandler

    func connected(_ link: Link, sessionPresent: Bool) {
        if let line = words.say("connected to the home broker", now: Clock.now) {
            logger.info("\(line)", metadata: ["protocol": "\(link.version)"])
        }
        outbox.connected(link, now: Clock.now)
        // In this order: the broker sends retained state before the second subscription brings the first reading.
        if isRestoring { askForState(link) }
        follow(link)
        for room in rooms.keys.sorted() { apply(.reconnected, to: room, link) }
        homeAssistant.connected(link, &outbox)
        outbox.offer(StateTopic.online(true), as: .status)
    }

    /// Some brokers (RabbitMQ) give no retained messages to a filter with wildcards, so each known room is asked for too.
    private func askForState(_ link: Link) {
        let own = SubscriptionOptions(noLocal: true)
        outbox.subscribe([StateTopic.filter], as: .restoring, qos: 0, options: own, on: link, now: Clock.now)
        let topics = rooms.keys.sorted().map(StateTopic.topic(of:))
        guard !topics.isEmpty else { return }
        outbox.subscribe(topics, as: .restoring, qos: 0, options: own, on: link, now: Clock.now)
    }

    func received(_ batch: [Message], on link: Link) throws {
        for message in batch {
            if message.isRetained {
                restore(message, link)
            } else if let wish = homeAssistant.wish(message) {
                apply(wish.wish, to: wish.room, link)
            } else if homeAssistant.isBirth(message) {
                homeAssistant.wasBorn(now: Clock.now)
            } else if case .temperature(let room) = HomeTopic(message.topic) {
                reading(message, in: room, link)
            } else if !message.topic.hasPrefix(StateTopic.prefix) {
                reject("not_a_room")
            }
        }
        board.set(counters)
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        let posted = mailbox.take()
        if let new = posted.configuration { adopt(new, link) }
        if let isUp = posted.cloudLink {
            for room in rooms.keys.sorted() { apply(.cloudLink(isUp: isUp), to: room, link) }
        }
        for (room, wish) in posted.ordered { apply(wish, to: room, link) }
        observe(posted.observations, link)
        let now = Instant(nanoseconds: now)
        followSchedules(now, link)
        for (room, thermostat) in rooms {
            if let due = thermostat.nextDeadline, due <= now { apply(.tick, to: room, link) }
        }
        var due = [rooms.values.compactMap(\.nextDeadline).min()?.nanoseconds, nextSchedule?.nanoseconds]
        due.append(homeAssistant.announce(rooms.mapValues(\.settings), now: now, link, &outbox)?.nanoseconds)
        due.append(outbox.flush(link, now: now)?.nanoseconds)
        if !rivalry.isSeen(now: now) { findings.resolveAll("another-gateway") }
        if !configuration.controlsAnything { due.append(now.nanoseconds + Self.observeNanoseconds) }
        return due.compactMap(\.self).min()
    }

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
        outbox.published(packetID, reason: reason, now: Clock.now)
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        outbox.subscribed(packetID, reasons: reasons, now: Clock.now)
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        let now = Clock.now
        let end = Rivalry.End(cause, after: after, isExplained: outbox.explainsClose(now: now))
        outbox.disconnected(cause, after: after, now: now)
        if let line = words.say("\(cause)", now: now) {
            logger.warning("no home broker", metadata: ["cause": "\(line)"])
        }
        guard let wait = rivalry.ended(end, after: .nanoseconds(after), now: now) else {
            return Self.reconnectNanoseconds
        }
        let broker = "the home broker \(configuration.local.address)"
        findings.report(.anotherGateway(configuration.home, at: broker, severity: .cold))
        return wait.wholeNanoseconds
    }

    func stopping(_ link: Link?, now: Int64) -> Bool {
        guard let link else { return true }
        _ = try? link.publish(StateTopic.online(false))
        return true
    }

    // MARK: Readings and wishes

    /// Listens to the sensors, unless there is nothing to control: then a second copy of every reading would only cost
    /// the broker and this process their time.
    private func follow(_ link: Link) {
        guard configuration.controlsAnything else { return }
        outbox.subscribe(
            ["+/temperature"], as: .readings, qos: 0, options: .init(retainHandling: .doNotSend), on: link,
            now: Clock.now)
    }

    private func reading(_ message: Message, in room: Room, _ link: Link) {
        isRestoring = false
        do throws(PayloadError) {
            reading(try Reading(payload: message.payload).value, in: room, link)
        } catch {
            reject(error.rawValue)
        }
    }

    private func reading(_ value: Double, in room: Room, _ link: Link?) {
        guard rooms[room] != nil || rooms.count < Self.roomLimit else { return reject("too_many_rooms") }
        if rooms[room] == nil { addRoom(room) }
        counters.readings += 1
        apply(.reading(value), to: room, link)
    }

    private func observe(_ observations: [Room: Double], _ link: Link?) {
        guard !observations.isEmpty, !configuration.controlsAnything else { return }
        for (room, value) in observations { reading(value, in: room, link) }
        board.set(counters)
    }

    private func restore(_ message: Message, _ link: Link) {
        guard isRestoring,
            let last = StateTopic.decision(topic: message.topic, payload: message.payload, now: Clock.wall)
        else {
            counters.retained += 1
            return
        }
        let room = last.room
        guard rooms[room] != nil || rooms.count < Self.roomLimit else { return }
        if rooms[room] == nil { addRoom(room) }
        guard rooms[room]?.status.isOn == nil else { return }
        logger.info("took the last decision from the home broker", metadata: ["room": "\(room)", "on": "\(last.isOn)"])
        apply(.restored(on: last.isOn, demand: last.demand), to: room, link)
        if let wish = last.wish { apply(wish, to: room, link) }
        // The pump may have missed the last words of the process before this one.
        apply(.reconnected, to: room, link)
    }

    private func apply(_ wish: ControlMailbox.Wish, to room: Room, _ link: Link?) {
        guard rooms[room] != nil else { return reject("no_such_room") }
        logger.info("override", metadata: ["room": "\(room)", "source": "\(wish.source)"])
        switch wish.what {
        case .pump(let isOn): apply(.override(on: isOn, for: wish.duration, source: wish.source), to: room, link)
        case .hold(let target): apply(.hold(target, for: wish.duration, source: wish.source), to: room, link)
        case .release: apply(.clearOverride(source: wish.source), to: room, link)
        }
    }

    private func adopt(_ new: Configuration, _ link: Link?) {
        let didControl = configuration.controlsAnything
        configuration = new
        (nextSchedule, homeAssistant.isAnnounced) = (nil, false)
        mailbox.wantsObservations.store(!new.controlsAnything, ordering: .relaxed)
        if let link, new.controlsAnything != didControl {
            link.drop("the sensors are followed differently from now on")
        }
        for room in new.rooms.keys where rooms[room] == nil && rooms.count < Self.roomLimit { addRoom(room) }
        for room in rooms.keys.sorted() { apply(.settings(new.settings(for: room)), to: room, link) }
    }

    private func addRoom(_ room: Room) {
        let settings = configuration.settings(for: room)
        let thermostat = Thermostat(settings: settings, now: Clock.now)
        rooms[room] = thermostat
        (nextSchedule, homeAssistant.isAnnounced) = (nil, false)
        board.update(room, status: thermostat.status, settings: settings)
    }

    private func reject(_ reason: String) {
        counters.rejected[reason, default: 0] += 1
    }

    // MARK: Schedules

    /// Tells the thermostats what their week says, once a minute. While nobody knows what time it is, as on a box without
    /// a battery before it has seen the network, no schedule counts and the rooms have their own limits.
    private func followSchedules(_ now: Instant, _ link: Link?) {
        guard nextSchedule.map({ $0 <= now }) ?? true else { return }
        let scheduled = rooms.filter { !$0.value.settings.schedule.isEmpty || $0.value.status.scheduled != nil }
        let minute = Duration.seconds(60)
        nextSchedule = scheduled.isEmpty ? now + minute * 60 : now + min(minute, Clock.untilNextMinute)
        guard !scheduled.isEmpty else { return }
        let time = Clock.localTime.map { scheduleClock.follow($0) }
        for (room, thermostat) in scheduled {
            let preset = time.flatMap { thermostat.settings.schedule.preset(at: $0) }
            if preset != thermostat.status.scheduled { apply(.scheduled(preset), to: room, link) }
        }
    }

    // MARK: Effects

    /// Lets one thermostat decide, then says so on the home broker.
    private func apply(_ event: Thermostat.Event, to room: Room, _ link: Link?) {
        guard var thermostat = rooms[room] else { return }
        let now = Clock.now
        let before = thermostat.status
        let actions = thermostat.handle(event, now: now)
        rooms[room] = thermostat
        for case .command(let isOn, let reason, let isRefresh) in actions {
            command(isOn, reason: reason.description, isRefresh: isRefresh, room, link)
        }
        let after = thermostat.status
        board.update(room, status: after, settings: thermostat.settings)
        guard link != nil, !before.showsTheSame(as: after) || homeAssistant.wantsState(of: room, after, now: now) else {
            return
        }
        outbox.offer(StateTopic.state(of: room, after, now: now), as: .state)
    }

    private func command(_ isOn: Bool, reason: String, isRefresh: Bool, _ room: Room, _ link: Link?) {
        if !isRefresh {
            board.add(.init(time: Clock.wall, pumpOn: isOn, reason: reason), for: room)
            logger.info("heat pump", metadata: ["room": "\(room)", "on": "\(isOn)", "reason": "\(reason)"])
        }
        // Without a link nothing is lost: the command is said again on reconnecting.
        guard let link else { return }
        counters.commands += 1
        let publication = Publication(
            topic: HomeTopic.heatpump(room).string, payload: HeatPumpCommand(isOn: isOn).payload, qos: 1,
            userProperties: [.init("timestamp", Clock.wall.description), .init("reason", reason)])
        outbox.command(publication, on: link, now: Clock.now)
    }
}
