import Heating
import Logging
import MQTT
import Machine
import Synchronization

/// The lane that keeps the house right: a reading becomes a command in milliseconds.
///
/// It lives on the thread of its own connection to the home broker and touches neither disk nor journal nor cloud.
/// It listens to live readings only: a clean session has no replayed messages, and retained ones are not asked for.
/// After a restart it takes its last decisions from its own retained state on the home broker.
final class ControlLane: ConnectionHandler {
    /// Rooms that are not in the file and beyond this many are somebody's flood, not a house.
    static let roomLimit = ControlMailbox.roomLimit
    /// A decorrelated-jitter reconnect is for a cloud; the home broker is on this box and control is waiting for it.
    private static let reconnectNanoseconds: Int64 = 250_000_000
    /// The broker closed at something that was sent: readings are missed until the lane is back, without that.
    private static let returnNanoseconds: Int64 = 10_000_000
    /// The state of a room that speaks is written again after this, so that a restart knows that it spoke.
    private static let statePeriod = Duration.seconds(3600)

    var configuration: Configuration
    private let mailbox: ControlMailbox
    /// Where a mode that Home Assistant sets is kept; it comes back through the mailbox.
    let settings: HouseSettings
    let board: ControlBoard
    let findings: FindingBoard
    let logger: Logger
    var rooms: [Room: ControlledRoom] = [:]
    var places: RoomPlaces
    /// What retained state says of rooms that are not in the file, until they are heard.
    var remembered: [Room: StateTopic.Decision] = [:]
    /// Rooms whose retained state was cleared from here, and when: the broker gives the message back.
    var clearedAt: [Room: Instant] = [:]
    /// Rooms that went while there was no broker to take their state from.
    var uncleared: Set<Room> = []
    /// When rooms are looked through that may have gone; nil: at the next turn.
    var nextSweep: Instant?
    var fullTableReportedAt: Instant?
    var counters = ControlBoard.Counters()
    private var setAside = SetAsideTable()
    var ownCommands = OwnCommands()
    private var isCloudUp = false
    /// Retained state is taken as ours only until the first live reading: the broker sends it before any.
    var isRestoring = true
    let startedAt = Clock.now
    var weeks = WeekRounds()
    /// When each room wants a turn, so that not every message costs a look at every room.
    var deadlines = RoomDeadlines()
    var homeAssistant: HomeAssistant
    var outbox: HomeOutbox
    /// Sensors and pumps that are not the black box; none in most houses.
    var devices: ControlDevices
    private var words = RepeatedWords()
    var switchWords = SwitchWords(perHour: 120)
    private var rivalry = Rivalry(base: .seconds(1), cap: .seconds(30), guessCap: .seconds(2))

    init(
        configuration: Configuration, mailbox: ControlMailbox, board: ControlBoard, findings: FindingBoard,
        settings: HouseSettings, logger: Logger
    ) {
        self.configuration = configuration
        self.mailbox = mailbox
        self.board = board
        self.findings = findings
        self.settings = settings
        self.logger = logger
        places = RoomPlaces(limit: Self.placesBeside(configuration))
        homeAssistant = HomeAssistant(configuration)
        outbox = HomeOutbox(findings: findings, logger: logger)
        devices = ControlDevices(configuration, now: startedAt)
        board.set(configuration)
        for room in configuration.rooms.keys { addRoom(room) }
    }

    // MARK: ConnectionHandler

    func connected(_ link: Link, sessionPresent: Bool) {
        if let line = words.say("connected to the home broker", now: Clock.now) {
            logger.info("\(line)", metadata: ["protocol": "\(link.version)"])
        }
        outbox.connected(link, now: Clock.now)
        for index in devices.pumps.indices { devices.pumps[index].saidAt = nil }
        // In this order: the broker sends retained state before the second subscription brings the first reading.
        if isRestoring { askForState(link) }
        follow(link)
        for room in rooms.keys.sorted() { apply(.reconnected, to: room, link) }
        homeAssistant.connected(link, &outbox)
        outbox.offer(StateTopic.online(true), as: .status)
    }

    func received(_ batch: [Message], on link: Link) throws {
        for message in batch {
            if !devices.isNone, takeDevice(message, link) { continue }
            if homeAssistant.isDescription(message) { continue }
            if message.isRetained {
                restore(message, link)
            } else if let command = homeAssistant.command(message) {
                obey(command, link)
            } else if homeAssistant.isBirth(message) {
                homeAssistant.wasBorn(now: Clock.now)
            } else if let topic = HomeTopic(message.topic) {
                switch topic {
                case .temperature(let room): reading(message, in: room, link)
                case .heatpump(let room): foreignCommand(message, in: room, link)
                }
            } else if homeAssistant.isForCommands(message.topic) {
                reject("bad_wish")
            } else if message.topic.hasPrefix(StateTopic.prefix) {
                stateCleared(message, link)
            } else if !devices.rules.hears(message.topic) {
                reject("not_a_room")
            }
        }
        board.set(counters)
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        let posted = mailbox.take()
        if let new = posted.configuration { adopt(new, link) }
        if let isUp = posted.cloudLink {
            isCloudUp = isUp
            for room in rooms.keys.sorted() { apply(.cloudLink(isUp: isUp), to: room, link) }
        }
        for (room, wish) in posted.ordered { apply(wish, to: room, link) }
        for room in posted.forgotten.sorted() where configuration.rooms[room] == nil {
            forget(room, because: "somebody said so", link)
        }
        let now = Instant(nanoseconds: now)
        if weeks.isDue(now: now) { followWeeks(now, link) }
        deadlines.refresh(now: now) { rooms.compactMapValues(\.nextDeadline) }
        for room in deadlines.due(now: now) {
            turn(room, now, link)
            deadlines.set(room, rooms[room]?.nextDeadline)
        }
        sweep(now, link)
        var due = [deadlines.next?.nanoseconds, weeks.next?.nanoseconds]
        if link != nil { clearStates() }
        due.append(nextSweep?.nanoseconds)
        if !devices.isNone { due.append(turnDevices(now, link)?.nanoseconds) }
        if link != nil { due.append(describe(posted.gateway, now)?.nanoseconds) }
        due.append(outbox.flush(link, now: now)?.nanoseconds)
        if !rivalry.isSeen(now: now) { findings.resolveAll("another-gateway") }
        return due.compactMap(\.self).min()
    }

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
        outbox.published(packetID, reason: reason, on: link, now: Clock.now)
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        outbox.subscribed(packetID, reasons: reasons, now: Clock.now)
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        let now = Clock.now
        let end = Rivalry.End(cause, after: after, isExplained: outbox.explainsClose(now: now))
        let returnsAtOnce = after > 0 && outbox.returnsAtOnce(now: now)
        outbox.disconnected(cause, after: after, now: now)
        if let line = words.say("\(cause)", now: now) {
            logger.warning("no home broker", metadata: ["cause": "\(line)"])
        }
        guard let wait = rivalry.ended(end, after: .nanoseconds(after), now: now) else {
            return returnsAtOnce ? Self.returnNanoseconds : Self.reconnectNanoseconds
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

    /// Listens to the sensors, to who else commands the pumps, and to rooms' states that somebody takes away.
    private func follow(_ link: Link) {
        ownCommands.reset()
        let now = Clock.now
        let others = SubscriptionOptions(noLocal: true, retainHandling: .doNotSend)
        if devices.rules.isBlackBoxOnly {
            outbox.subscribe(
                ["+/temperature"], as: .readings, qos: 0, options: .init(retainHandling: .doNotSend), on: link,
                now: now)
        }
        followDevices(link, now: now)
        outbox.subscribe(["+/heatpump"], as: .pumps, qos: 0, options: others, on: link, now: now)
        guard !isRestoring else { return }
        outbox.subscribe([StateTopic.filter], as: .restoring, qos: 0, options: others, on: link, now: now)
    }

    private func reading(_ message: Message, in room: Room, _ link: Link) {
        isRestoring = false
        let now = Clock.now
        do throws(PayloadError) {
            let reading = try LiveReading(payload: message.payload)
            admit(room, now: now, link)
            counters.readings += 1
            take(reading, in: room, now: now, link)
        } catch {
            reject(error.rawValue)
            setAside.add(error.rawValue, message.payload, in: room, now: now)
            board.set(setAside: setAside.rooms)
        }
    }

    /// What is a fault by its value says nothing about the sensor's clock; what is no news decides nothing.
    private func take(_ reading: LiveReading, in room: Room, now: Instant, _ link: Link?) {
        if setAside.heardValid(in: room, now: now) { board.set(setAside: setAside.rooms) }
        guard var state = rooms[room] else { return }
        state.heardAt = now
        let verdict = state.thermostat.accepts(reading.value) ? state.news.take(reading, now: now) : .decides
        rooms[room] = state
        switch verdict {
        case .decides: decide(reading.value, in: room, now: now, link)
        case .waits: show(room)
        case .ignored(let why):
            counters.ignored[why.rawValue, default: 0] += 1
            show(room)
        }
    }

    /// What is due in one room.
    private func turn(_ room: Room, _ now: Instant, _ link: Link?) {
        if let value = rooms[room]?.news.due(now: now) { decide(value, in: room, now: now, link) }
        let isRepeatDue = rooms[room]?.foreign.isRepeatDue(now: now) ?? false
        apply(isRepeatDue ? .reconnected : .tick, to: room, link)
    }

    func apply(_ wish: ControlMailbox.Wish, to room: Room, _ link: Link?) {
        if rooms[room] == nil { promote(room, link) }
        guard rooms[room] != nil else { return reject("no_such_room") }
        logger.info(
            "somebody asked", metadata: ["room": "\(room)", "for": "\(wish.text(in: configuration.temperatureUnit))"])
        switch wish.what {
        case .pump(let isOn): apply(.override(on: isOn, for: wish.duration, source: wish.source), to: room, link)
        case .hold(let target): apply(.hold(target, for: wish.end, source: wish.source), to: room, link)
        case .release: apply(.clearOverride(source: wish.source), to: room, link)
        case .releaseHold: apply(.clearHold, to: room, link)
        case .releaseOverride: apply(.endOverride, to: room, link)
        case .keep: keep(room, wish, link)
        }
    }

    func addRoom(_ room: Room, silentSince start: Instant? = nil) {
        let thermostat = Thermostat(settings: configuration.settings(for: room), now: start ?? Clock.now)
        rooms[room] = ControlledRoom(thermostat: thermostat)
        weeks.came(room)
        homeAssistant.describeAgain()
        show(room)
    }

    /// Tells a new room that the cloud is there. After what retained state says of it: from here on it may decide.
    func greet(_ room: Room, _ link: Link?) {
        if isCloudUp { apply(.cloudLink(isUp: true), to: room, link) }
    }

    func reject(_ reason: String) {
        counters.rejected[reason, default: 0] += 1
    }

    /// Forgets what was set aside: of one room, or what stopped coming.
    func forgetSetAside(of room: Room? = nil, now: Instant) {
        let before = setAside.rooms
        if let room { setAside.remove(room) } else { setAside.prune(now: now) }
        if setAside.rooms != before { board.set(setAside: setAside.rooms) }
    }

    // MARK: Effects

    /// Lets one thermostat decide, then says so on the home broker.
    func apply(_ event: Thermostat.Event, to room: Room, _ link: Link?) {
        guard let state = rooms[room] else { return }
        var thermostat = state.thermostat
        let now = Clock.now
        let before = thermostat.status
        let actions = thermostat.handle(event, now: now)
        rooms[room]?.thermostat = thermostat
        for case .command(let isOn, let reason, let isRefresh) in actions {
            command(isOn, reason: reason.text(in: configuration.temperatureUnit), isRefresh: isRefresh, room, link)
        }
        let after = thermostat.status
        show(room)
        if !devices.pumps.isEmpty {
            let isOther =
                before.limits != after.limits || before.override != after.override
                || before.isOn != after.isOn
            if isOther { retarget(room, link) }
            if after.lastReadingAt == now { follow(room, after, now) }
        }
        var isOld = false
        if case .reading = event { isOld = state.statedAt.map { now - $0 >= Self.statePeriod } ?? true }
        guard link != nil,
            !before.showsTheSame(as: after) || isOld || homeAssistant.wantsState(of: room, after, now: now),
            isWorthAState(room, after)
        else { return }
        writeState(of: room, now)
    }

    /// Puts what is known about the room where others see it.
    func show(_ room: Room) {
        deadlines.set(room, rooms[room]?.nextDeadline)
        guard let state = rooms[room] else { return }
        board.update(room, state.view(isConfigured: configuration.rooms[room] != nil))
    }
}
