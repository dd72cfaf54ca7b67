import Heating

/// One house: readings, faults, silence, restarts, overrides and holds from all sources, a cloud that comes and goes, a
/// schedule, a clock that jumps; beside a model of the rules and one of the pump, both written from the contract.
package struct ThermostatHistory {
    let seed: UInt64
    package var random: SeededGenerator
    var now = Instant(nanoseconds: 0)
    var settings: Thermostat.Settings
    var thermostat: Thermostat
    var rules: Rules
    /// What this run of the program, or the restored one before, last told the pump.
    var told: Bool?
    var isAsserted = false
    var toldAt = Instant.zero
    var pump: Pump
    /// The clock on the wall, which jumps, and who follows it through the schedule.
    var wallOffset = Duration.zero
    var clock = ScheduleClock()

    package init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        settings = Self.randomSettings(&random)
        thermostat = Thermostat(settings: settings, now: now)
        rules = Rules(settings: settings, start: now)
        pump = Pump(now: now)
    }

    /// Hours, so that a history of minutes crosses many edges.
    static let schedules: [Schedule] = [
        ["daily 06:30 comfort", "daily 22:00 eco"],
        (0..<24).map { "mon-sun \($0 < 10 ? "0" : "")\($0):00 \($0 % 2 == 0 ? "comfort" : "eco")" },
        (0..<24).map { "daily \($0 < 10 ? "0" : "")\($0):30 \(["frost", "eco", "comfort"][$0 % 3])" },
    ].compactMap { try? Schedule($0) }

    static func randomSettings(_ random: inout SeededGenerator) -> Thermostat.Settings {
        var settings = Thermostat.Settings()
        settings.enabled = !random.chance(1, in: 20)
        settings.authority = random.chance(1, in: 3) ? .cloud : .local
        settings.minOn = .seconds(random.pick([0, 0, 120, 600]))
        settings.minOff = .seconds(random.pick([0, 0, 120, 600]))
        settings.refresh = .seconds(random.pick([0, 60, 300, 300, 900, 900]))
        settings.staleAfter = .seconds(random.pick([120, 900]))
        settings.onStale = random.pick(Thermostat.OnStale.allCases)
        settings.overrideTTL = .seconds(random.pick([60, 1800]))
        if random.chance(1, in: 4) { (settings.onBelow, settings.offAbove) = (18, 19) }
        if random.chance(1, in: 3) { settings.maxChangePerMinute = random.pick([0.5, 2, 5]) }
        if random.chance(1, in: 3) { settings.target = random.pick([5, 18, 20, 21.5, 23]) }
        if random.chance(1, in: 4) { settings.band = random.pick([0.1, 0.5, 1, 4]) }
        if random.chance(1, in: 10) { settings.mode = .off }
        if random.chance(1, in: 4) {
            settings.presets[.eco] = random.pick([.limits(onBelow: 16, offAbove: 17.5), .target(17)])
        }
        if random.chance(1, in: 8) { (settings.minPlausible, settings.maxPlausible) = (-20, 40) }
        if random.chance(1, in: 4) { settings.overheatAbove = random.pick([25.5, 27, 30]) }
        if random.chance(1, in: 2) { settings.schedule = random.pick(Self.schedules) }
        return settings
    }

    package mutating func run(_ events: Int) throws {
        for _ in 0..<events {
            try pass(.seconds(random.pick([0, 1, 1, 1, 1, 30, 60, 300, Int.random(in: 1...1500, using: &random)])))
            try happen()
        }
    }

    /// Lets time pass as the lane does: a tick whenever one is due, sometimes late.
    mutating func pass(_ duration: Duration) throws {
        let end = now + duration
        while let deadline = thermostat.nextDeadline, deadline <= end {
            let late = random.chance(1, in: 10) ? Duration.seconds(Int.random(in: 1...100, using: &random)) : .zero
            now = max(now, min(end, deadline + late))
            try handle(.tick)
        }
        now = end
        try followSchedule()
    }

    /// As the lane does at each turn.
    mutating func followSchedule() throws {
        let wall = LocalTime(Timestamp(nanoseconds: now.nanoseconds), offset: wallOffset)
        let preset = settings.schedule.preset(at: clock.follow(wall))
        if preset != thermostat.status.scheduled { try handle(.scheduled(preset)) }
    }

    mutating func happen() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<62: try handle(.reading(randomValue()))
        case 62..<74:
            let length: Duration? = random.chance(1, in: 2) ? nil : .seconds(random.pick([0, 10, 600, 3000]))
            let source = random.pick(Thermostat.Source.allCases)
            try handle(.override(on: random.chance(1, in: 2), for: length, source: source))
        case 74..<76: try handle(.clearOverride(source: random.pick(Thermostat.Source.allCases)))
        case 76..<79:
            let target: Thermostat.Target =
                random.chance(1, in: 4)
                ? .temperature(Double(Int.random(in: 3...30, using: &random))) : .preset(random.pick(Preset.allCases))
            let ends: [Thermostat.HoldEnd?] = [
                nil, nil, .untilChanged, .seconds(0), .seconds(10), .seconds(600), .seconds(3000),
            ]
            try handle(.hold(target, for: random.pick(ends), source: random.pick([.cli, .page, .homeAssistant])))
        case 79..<80: try handle(random.chance(1, in: 2) ? .clearHold : .endOverride)
        case 80..<83: try handle(.cloudLink(isUp: random.chance(1, in: 2)))
        case 83..<84:
            // The network set the clock, summer time ended, or somebody turned it.
            wallOffset += .seconds(random.pick([-3600, 3600, -1800, 86_400, -86_400 * 3, 20_000 * 86_400]))
            try followSchedule()
        case 84..<87: try handle(.reconnected)
        case 87..<90: try handle(.settings(Self.randomSettings(&random)))
        case 90..<96: try restart()
        default: try handle(.tick)
        }
    }

    mutating func randomValue() -> Double {
        random.chance(1, in: 2)
            ? random.pick([
                100.0, 100.0, 4.9, 5.0, 5.4, 5.5, 17.9, 18, 19, 19.1, 20, 22, 25, 25.1, 27.5, 28, 28.1, .nan, .infinity,
                85,
                -127, 61,
            ])
            : Double.random(in: 0...35, using: &random)
    }

    /// The program, perhaps the whole house, was off for a while; the retained state may be lost or come late.
    mutating func restart() throws {
        let status = thermostat.status
        let gap = Duration.seconds(random.pick([0, 1, 100, 5000]))
        if random.chance(1, in: 2) {
            pump.losePower(at: now + .seconds(Int64.random(in: 0...gap.components.seconds, using: &random)))
        }
        now = now + gap
        thermostat = Thermostat(settings: settings, now: now)
        rules = Rules(settings: settings, start: now)
        clock = ScheduleClock()
        let remembered = told
        (told, isAsserted) = (nil, false)
        guard let remembered, random.chance(3, in: 4) else {
            // Nobody remembers: that the pump may have just started is unknowable.
            pump.startedAt = nil
            return
        }
        if random.chance(1, in: 5) {
            // A reading that comes first decides without knowing the past.
            pump.startedAt = nil
            try handle(.reading(randomValue()))
        }
        // A clock that can say how long the pump has been so says the truth.
        let lasting = random.chance(1, in: 2) ? status.pumpSince.map { now - $0 } : nil
        try handle(
            .restored(on: remembered, demand: random.chance(1, in: 4) ? nil : status.demand, lasting: lasting))
    }

    // MARK: - One event, and what must hold after it

    mutating func handle(_ event: Thermostat.Event) throws {
        if case .restored(let isOn, _, _) = event, !isAsserted { told = isOn }
        if case .settings(let new) = event {
            if new.enabled != settings.enabled { (told, isAsserted) = (nil, false) }
            settings = new
        }
        let isFault = rules.isFault(event, now: now)
        if !isFault { rules.take(event, now: now, isAsserted: isAsserted, told: told) }
        let actions = thermostat.handle(event, now: now)
        try check(actions.count <= 1, seed, "\(actions)")
        if isFault {
            try check(actions.isEmpty, seed, "\(actions) on a fault")
            return
        }
        for case .command(let isOn, let reason, let isRefresh) in actions {
            try obey(isOn, reason, isRefresh)
        }
        try checkState(event)
    }

    mutating func obey(_ isOn: Bool, _ reason: Reason, _ isRefresh: Bool) throws {
        try check(settings.enabled, seed, "commands while disabled")
        try check(
            isRefresh == (isOn == told), seed,
            "refresh \(isRefresh), on \(isOn), told before \(String(describing: told))")
        let wish = rules.wish(now: now)
        try check(
            isOn == wish || (isRefresh && isAsserted), seed,
            "\(isOn) for \(reason), the rules say \(String(describing: wish))")
        if let value = rules.lastValid, !isRefresh {
            switch reason {
            case .override, .cloud, .stale, .overrideEnded, .switchedOff: break
            default:
                // Frost protection heats on a little, and a target may lie there.
                try check(!(isOn && value > rules.limits.high) || rules.isFrosty, seed, "started at \(value)")
                // Limits that somebody asked for may lie above what no room is heated beyond.
                let isTooWarm = if case .overheated = reason { rules.isOverheated(now) } else { false }
                try check(!(!isOn && value < rules.limits.low) || isTooWarm, seed, "stopped at \(value)")
            }
        }
        if let problem = pump.obey(isOn, now: now, settings) {
            throw Broken(sentence: "\(problem) (\(reason))", seed: seed)
        }
        (told, isAsserted, toldAt) = (isOn, true, now)
    }

    func checkState(_ event: Thermostat.Event) throws {
        let status = thermostat.status
        let wish = rules.wish(now: now)
        try check(status.isOn == told, seed, "status \(String(describing: status.isOn))")
        if let wish, settings.enabled {
            let waits = status.waitingUntil.map { $0 > now } ?? false
            try check(told == wish || waits, seed, "\(event): should be \(wish): \(status)")
            let longest = max(settings.minOn, settings.minOff)
            try check((status.waitingUntil ?? now) <= now + longest, seed, "waits too long: \(status)")
            try check(longest > .zero || (isAsserted && told == wish), seed, "not carried out: \(status)")
        }
        if settings.enabled, isAsserted, settings.refresh > .zero {
            try check(now < toldAt + settings.refresh, seed, "not refreshed since \(toldAt.nanoseconds)")
        }
        try check(status.override.map { $0.until > now } ?? true, seed, "an override without an end: \(status)")
        try check(status.hold?.until.map { $0 > now } ?? true, seed, "a hold that has ended: \(status)")
        try check(
            settings.mode == .auto || !settings.enabled || status.override != nil || wish != true || rules.isFrosty,
            seed,
            "heated although it is off: \(status)")
        if let value = rules.lastValid, value < settings.frostBelow, !status.isStale, settings.enabled, isAsserted {
            let waits = status.waitingUntil.map { $0 > now } ?? false
            try check(told == true || waits, seed, "frost without heating: \(status)")
        }
        if rules.isOverheated(now), settings.enabled, isAsserted, (rules.lastValid ?? 0) > rules.hottest {
            let waits = status.waitingUntil.map { $0 > now } ?? false
            try check(told == false || waits, seed, "too warm and heating: \(status)")
        }
        if status.isStale, !rules.isOverheated(now), settings.enabled, settings.onStale != .hold,
            settings.mode == .auto, status.override == nil, isAsserted
        {
            let waits = status.waitingUntil.map { $0 > now } ?? false
            try check(told == (settings.onStale == .on) || waits, seed, "blind and not as on_stale says: \(status)")
        }
        try check(thermostat.nextDeadline.map { $0 > now } ?? true, seed, "\(event): due at once again")
        try check(status.isStale == rules.isBlind(now), seed, "stale \(status.isStale)")
    }
}
