/// The heat-pump control of one room, a pure value: events and the time go in, commands come out.
///
/// What decides, first match wins: a frosty room, an overheated one, an override, the mode off, the cloud (if it has the
/// authority and nobody holds another setpoint), a blind room's `onStale`, the two limits: held ones, the schedule's preset,
/// the room's own.
/// Whatever decided, `minOn` and `minOff` hold: the wish is kept and carried out when the time has passed. Nothing is
/// commanded before something decided.
///
/// The limits' own memory (`demand`) follows the valid readings alone, so that after an override or a blind spell the
/// room goes on as if there had been none.
public struct Thermostat: Equatable, Sendable {
    public enum Event: Equatable, Sendable {
        /// A live reading, in °C: never a retained or replayed one, and news (``NewsFilter``).
        case reading(Double)
        /// ``Thermostat/nextDeadline`` has come. Harmless at any other time.
        case tick
        /// What this program had commanded before it restarted, from its own retained state, and what the limits had
        /// demanded (nil: the same). `lasting`: for how long the pump has been told so, if a credible clock can say it; then
        /// a rest goes on. Otherwise the gap is unknown and the minimum times count from now. Pass it before the first
        /// reading: once this run has given a command it is ignored, and that command knew nothing of the past.
        case restored(on: Bool, demand: Bool? = nil, lasting: Duration? = nil)
        /// A command with an end: after `for`, or the settings' `overrideTTL`. The newest replaces the one before.
        /// From the cloud, when that has the authority, it ranks below a person's override at home.
        case override(on: Bool, for: Duration?, source: Source)
        /// Another setpoint, with an end like an override's or until it is changed. It ends an override that is on. Under one
        /// that is off, and in the mode off, the hold is kept for later: it starts no pump that somebody has switched off.
        case hold(Target, for: HoldEnd?, source: Source)
        /// Ends an override and a hold.
        case clearOverride(source: Source)
        /// Ends a hold alone.
        case clearHold
        /// Ends a person's override alone; a hold below it counts again.
        case endOverride
        /// What the schedule says now; nil: nothing, or nobody knows what time it is.
        case scheduled(Preset?)
        /// The home broker is back: repeat the command, the pump may have missed it.
        case reconnected
        /// The cloud's link went up or down. Counts as down until the first time.
        case cloudLink(isUp: Bool)
        case settings(Settings)
    }

    public enum Action: Equatable, Sendable {
        /// Tell the pump. `isRefresh`: it was told the same before.
        case command(on: Bool, reason: Reason, isRefresh: Bool)
    }

    /// A command that is not the limits' own, until its end.
    public struct Override: Equatable, Sendable {
        public var isOn: Bool
        public var source: Source
        public var duration: Duration
        public var until: Instant
    }

    public struct Status: Equatable, Sendable {
        /// The command in force; nil before the first.
        public var isOn: Bool?
        /// When the command in force began (after a restart: when it was restored).
        public var since: Instant?
        /// Since when the pump has certainly been as it was told, for the minimum times of the next run: later than `since`
        /// when it was told again after a gap of which nobody knows.
        public var pumpSince: Instant?
        /// What the limits alone demand; nil before the first decision.
        public var demand: Bool?
        /// The last valid reading, in °C.
        public var lastReading: Double?
        public var lastReadingAt: Instant?
        public var isStale: Bool
        /// The override in force; the cloud's command when that decides.
        public var override: Override?
        public var hold: Hold?
        public var mode: Mode
        /// The limits that count now.
        public var limits: Limits
        /// The number that was asked for, in °C; nil where limits count.
        public var target: Double?
        /// Whose setpoint that is; nil for the room's own.
        public var program: Program?
        /// The preset in force; nil for the room's own setpoint and for held temperatures.
        public var preset: Preset? { program?.preset }
        /// What the schedule says, also while something else is held.
        public var scheduled: Preset?
        public var pumpProblem: PumpProblem?
        /// Why the pump is wanted on or off now.
        public var reason: Reason
        /// The pump is wanted otherwise than commanded; when `minOn` or `minOff` will allow it.
        public var waitingUntil: Instant?
        /// Which minimum time that is.
        public var waiting: Waiting?
        /// Readings ignored as sensor faults.
        public var discarded: Int
        /// The last of them.
        public var lastDiscarded: Double?
        public var lastDiscardedAt: Instant?
        /// When the pump was started, the newest ``Thermostat/startsKept`` times.
        public var starts: [Instant]
    }

    /// How far above `frostBelow` a frosty room is heated, so that the pump does not cycle around one value.
    public static let frostBand = 0.5
    /// How far below `overheatAbove` an overheated room must come before anything may heat it again.
    public static let overheatBand = 0.5
    /// How long a room that was too warm when its last reading came still counts so while it is blind.
    public static let overheatMemory = Duration.seconds(3600)
    /// How long the cloud's last command outlives its link, so that a short break changes nothing.
    public static let cloudGrace = Duration.seconds(60)

    public private(set) var settings: Settings

    // What is known about the room.
    let startedAt: Instant
    var lastReading: Double?
    var lastReadingAt: Instant?
    var discarded = 0
    var lastDiscarded: Double?
    var lastDiscardedAt: Instant?
    var demand: Bool?
    var isFrosty = false
    var isOverheated = false
    var isStale = false
    /// `demand` is from before a restart: nothing in this run has confirmed it yet.
    var isUnconfirmed = false

    // Who else has a say.
    var manual: Override?
    var cloud: Override?
    /// The cloud's link is down, as far as anybody said.
    var isCloudAway = true
    /// When what the cloud commanded ends because its link has not been up since, as after a restart; nil otherwise.
    var cloudGraceEnd: Instant?
    var hold: Hold?
    var scheduled: Preset?
    var doubted: Doubted?

    // What the pump was told, and what it did.
    private var orders: PumpOrders
    private var response = PumpResponse()

    /// - Parameter now: from here on a missing sensor counts as silent, and the pump as stopped.
    public init(settings: Settings = Settings(), now: Instant) {
        self.settings = settings
        startedAt = now
        orders = PumpOrders(now: now)
    }

    public var status: Status {
        Status(
            isOn: orders.isOn, since: orders.since, pumpSince: orders.certainSince, demand: demand,
            lastReading: lastReading, lastReadingAt: lastReadingAt,
            isStale: isStale, override: (manual ?? (hold == nil ? cloud : nil)).map(withCloudEnd), hold: hold,
            mode: settings.mode, limits: limits, target: setpoint.target, program: program, scheduled: scheduled,
            pumpProblem: response.problem, reason: decision().reason, waitingUntil: orders.waitingUntil,
            waiting: waiting, discarded: discarded, lastDiscarded: lastDiscarded,
            lastDiscardedAt: lastDiscardedAt, starts: orders.starts)
    }

    private var waiting: Waiting? {
        guard orders.waitingUntil != nil, let wish = decision().isOn else { return nil }
        return Waiting(isOn: wish, minimum: wish ? settings.minOff : settings.minOn)
    }

    /// When a ``Event/tick`` is due; nil when time alone changes nothing.
    public var nextDeadline: Instant? {
        guard settings.enabled else { return nil }
        var deadlines = [manual?.until, cloud?.until, hold?.until, orders.waitingUntil, cloudGraceEnd]
        if !isStale { deadlines.append(blindAt) } else if isOverheated { deadlines.append(coolAt) }
        deadlines.append(orders.refreshAt(settings))
        return deadlines.compactMap(\.self).min()
    }

    /// Takes one event and returns what to tell the pump, at most one command.
    ///
    /// `now` must not run backwards.
    public mutating func handle(_ event: Event, now: Instant) -> [Action] {
        if case .reading(let value) = event, !believes(value, now: now) {
            discarded += 1
            (lastDiscarded, lastDiscardedAt) = (value, now)
            return []
        }
        expire(now: now)
        var repeats = false
        switch event {
        case .reading(let value):
            (lastReading, lastReadingAt) = (value, now)
            judge(value)
            response.observe(
                value, isOn: orders.isAsserted ? orders.isOn : nil, offAbove: limits.offAbove,
                window: settings.responseTime, now: now)
        case .tick: break
        case .restored(let isOn, let demand, let lasting):
            restore(isOn, demand: demand, lasting: lasting, now: now)
        case .override(let isOn, let duration, let source):
            override(isOn, for: duration ?? settings.overrideTTL, source: source, now: now)
        case .hold(let target, let duration, let source):
            hold(target, for: duration ?? .after(settings.overrideTTL), source: source, now: now)
        case .clearOverride(let source):
            if source == .cloud && settings.authority == .cloud { cloud = nil } else { release() }
            forgetCloudGrace()
        case .clearHold:
            guard hold != nil else { break }
            hold = nil
            judgeAgain()
        case .endOverride:
            manual = nil
            forgetCloudGrace()
        case .scheduled(let preset):
            guard preset != scheduled else { break }
            scheduled = preset
            judgeAgain()
        case .reconnected: repeats = true
        case .cloudLink(let isUp):
            if isUp { cloudGraceEnd = nil } else { shortenCloudCommand(to: now + Self.cloudGrace) }
            isCloudAway = !isUp
        case .settings(let new): change(to: new, now: now)
        }
        isStale = now >= blindAt
        if isOverheated && now >= coolAt { isOverheated = false }
        guard settings.enabled else { return [] }
        let (wish, reason) = decision()
        return orders.next(wish, reason, settings, repeats: repeats, now: now)
    }

    // MARK: - Events

    private mutating func restore(_ isOn: Bool, demand: Bool?, lasting: Duration?, now: Instant) {
        guard !orders.isAsserted else { return }
        orders.restore(isOn, lasting: lasting, now: now)
        if self.demand == nil {
            self.demand = demand ?? isOn
            isUnconfirmed = lastReading == nil
        }
    }

    private mutating func override(_ isOn: Bool, for duration: Duration, source: Source, now: Instant) {
        guard settings.enabled, duration > .zero else { return }
        // What to go back to at its end, also when no reading comes.
        demand = demand ?? orders.isOn ?? false
        isUnconfirmed = false
        let length = min(duration, HeatPumpCommand.longestDuration)
        let override = Override(isOn: isOn, source: source, duration: length, until: now + length)
        if source == .cloud && settings.authority == .cloud {
            cloud = override
        } else {
            manual = override
        }
        forgetCloudGrace()
        // A command whose sender is not there: restored after a restart, or read just before the link broke.
        if source == .cloud && isCloudAway { cloudGraceEnd = now + Self.cloudGrace }
    }

    private mutating func hold(_ target: Target, for end: HoldEnd, source: Source, now: Instant) {
        guard settings.enabled, end.length.map({ $0 > .zero }) ?? true else { return }
        if case .temperature(let value) = target, !isValid(value) { return }
        let length = end.length.map { min($0, HeatPumpCommand.longestDuration) }
        if manual?.isOn != false { manual = nil }
        forgetCloudGrace()
        hold = Hold(target: target, source: source, duration: length, until: length.map { now + $0 })
        judgeAgain()
    }

    private mutating func release() {
        (manual, hold) = (nil, nil)
        judgeAgain()
    }

    private mutating func change(to new: Settings, now: Instant) {
        let wasEnabled = settings.enabled
        settings = new
        if new.authority == .local { cloud = nil }
        defer { forgetCloudGrace() }
        if wasEnabled != new.enabled {
            (manual, cloud, hold) = (nil, nil, nil)
            orders.forget(now: now)
        }
        // Last: by the limits that count from now on, not by a hold that has just ended.
        judgeAgain()
    }
}
