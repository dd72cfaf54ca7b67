import Heating

/// What should decide, recomputed from what happened.
struct Rules {
    var settings: Thermostat.Settings
    let start: Instant
    var lastValid: Double?
    var lastArrival: Instant?
    var demand: Bool?
    var onlyRemembered = false
    var isFrosty = false
    var person: (isOn: Bool, until: Instant)?
    var cloud: (isOn: Bool, until: Instant)?
    /// What a person or the cloud commands under local authority is one of these, whoever it was.
    var personIsCloud = false
    var linkIsUp = false
    /// A minute after the link went, or after a command came without one.
    var cloudEnds: Instant?
    var isTooWarm = false
    /// Limits that a person asked for.
    /// Without an end: until it is changed.
    var held: (target: Thermostat.Target, until: Instant?)?
    var scheduled: Preset?
    /// Readings since the last believed one, newest last.
    var doubted: [Double] = []

    init(settings: Thermostat.Settings, start: Instant) {
        self.settings = settings
        self.start = start
    }

    /// Whether a reading must be ignored: impossible, a known fault, or a jump that two more have not yet confirmed.
    mutating func isFault(_ event: Thermostat.Event, now: Instant) -> Bool {
        guard case .reading(let value) = event else { return false }
        guard value.isFinite, ![100, 85, -127].contains(value),
            (settings.minPlausible...settings.maxPlausible).contains(value)
        else {
            return true
        }
        let step = settings.maxChangePerMinute
        guard step > 0, let lastValid, let lastArrival else { return false }
        let elapsed = Double((now - lastArrival).wholeNanoseconds) / 60e9
        guard abs(value - lastValid) > step * max(1, elapsed) else { return false }
        if let before = doubted.last, abs(value - before) > step { doubted = [] }
        doubted.append(value)
        return doubted.count < 3
    }

    func isBlind(_ now: Instant) -> Bool {
        now - (lastArrival ?? start) >= settings.staleAfter
    }

    mutating func take(_ event: Thermostat.Event, now: Instant, isAsserted: Bool, told: Bool?) {
        endHold(now)
        endCloud(now)
        defer { if !cloudCommands { cloudEnds = nil } }
        switch event {
        case .reading(let value):
            (lastValid, lastArrival, onlyRemembered, doubted) = (value, now, false, [])
            weigh(value)
        case .restored(let isOn, let remembered, _):
            guard !isAsserted, demand == nil else { return }
            demand = remembered ?? isOn
            onlyRemembered = lastValid == nil
        case .override(let isOn, let length, let source):
            let length = length ?? settings.overrideTTL
            guard settings.enabled, length > .zero else { return }
            if demand == nil { demand = told ?? false }
            onlyRemembered = false
            if source == .cloud && settings.authority == .cloud {
                cloud = (isOn, now + length)
            } else {
                person = (isOn, now + length)
                personIsCloud = source == .cloud
            }
            if !cloudCommands { cloudEnds = nil }
            if source == .cloud && !linkIsUp { cloudEnds = now + .seconds(60) }
        case .hold(let target, let end, _):
            let until: Instant?
            switch end ?? .after(settings.overrideTTL) {
            case .untilChanged: until = nil
            case .after(let length):
                guard length > .zero else { return }
                until = now + length
            }
            guard settings.enabled else { return }
            // What is asked for while somebody has switched the pump off waits for the end of that.
            if let running = person, running.until > now, !running.isOn {} else { person = nil }
            held = (target, until)
            weighAgain()
        case .endOverride: person = nil
        case .clearHold:
            held = nil
            weighAgain()
        case .scheduled(let preset):
            scheduled = preset
            weighAgain()
        case .clearOverride(let source):
            if source == .cloud && settings.authority == .cloud {
                cloud = nil
            } else {
                (person, held) = (nil, nil)
                weighAgain()
            }
        case .cloudLink(let isUp):
            if !isUp {
                if let until = cloud?.until { cloud?.until = min(until, now + .seconds(60)) }
                if personIsCloud, let until = person?.until { person?.until = min(until, now + .seconds(60)) }
            }
            if isUp { cloudEnds = nil }
            linkIsUp = isUp
        case .settings(let new):
            if new.enabled != settings.enabled { (person, cloud, held) = (nil, nil, nil) }
            if new.authority == .local { cloud = nil }
            settings = new
            weighAgain()
        case .tick, .reconnected: break
        }
    }

    private var cloudCommands: Bool { cloud != nil || (person != nil && personIsCloud) }

    private mutating func endCloud(_ now: Instant) {
        if let person, person.until <= now { self.person = nil }
        if let cloud, cloud.until <= now { self.cloud = nil }
        guard let cloudEnds, cloudEnds <= now else { return }
        cloud = nil
        if personIsCloud { person = nil }
        self.cloudEnds = nil
    }

    /// The highest limit, three degrees above the highest stop or 28, unless it was written down; within the plausible.
    var hottest: Double {
        if let written = settings.overheatAbove { return written }
        let stops = settings.presets.values.map { preset in
            switch preset {
            case .limits(_, let high): high
            case .target(let target): around(target).high
            }
        }
        let stop = stops.reduce(own.high, max)
        return min(max(28, stop + 3), (stop + settings.maxPlausible) / 2)
    }

    private mutating func endHold(_ now: Instant) {
        guard let until = held?.until, until <= now else { return }
        self.held = nil
        weighAgain()
    }

    private func around(_ target: Double) -> (low: Double, high: Double) {
        (max(settings.frostBelow, target - settings.band / 2), max(settings.frostBelow, target + settings.band / 2))
    }

    private var own: (low: Double, high: Double) {
        settings.target.map(around) ?? (settings.onBelow, settings.offAbove)
    }

    /// The limits in force, spelt out from the configuration's documentation.
    var limits: (low: Double, high: Double) {
        let preset: Preset
        switch held?.target ?? scheduled.map({ .preset($0) }) {
        case nil: return own
        case .temperature(let asked): return around(asked)
        case .preset(let named): preset = named
        }
        switch (settings.presets[preset], preset, settings.target) {
        case (.limits(let low, let high)?, _, _): return (low, high)
        case (.target(let target)?, _, _): return around(target)
        case (nil, .comfort, _): return own
        case (nil, .eco, let target?):
            return around(max(settings.frostBelow + settings.band / 2, target - 3))
        case (nil, .eco, nil):
            return (max(settings.frostBelow, own.low - 3), max(settings.frostBelow, own.high - 3))
        case (nil, .frost, let target?): return around(min(target, settings.frostBelow + 2))
        case (nil, .frost, nil):
            return (min(own.low, settings.frostBelow + 1), min(own.high, settings.frostBelow + 3))
        }
    }

    private mutating func weighAgain() {
        guard let lastValid, (settings.minPlausible...settings.maxPlausible).contains(lastValid) else { return }
        weigh(lastValid)
    }

    private mutating func weigh(_ value: Double) {
        onlyRemembered = false
        if value < limits.low { demand = true }
        if value > limits.high { demand = false }
        if value < settings.frostBelow { isFrosty = true }
        if value >= settings.frostBelow + 0.5 { isFrosty = false }
        if value > hottest { isTooWarm = true }
        if value <= hottest - 0.5 { isTooWarm = false }
    }

    /// A sensor that died while the room was too warm is believed for an hour.
    func isOverheated(_ now: Instant) -> Bool {
        isTooWarm && now - (lastArrival ?? start) < settings.staleAfter + .seconds(3600)
    }

    func wish(now: Instant) -> Bool? {
        guard settings.enabled else { return nil }
        if isFrosty && !isBlind(now) { return true }
        if isOverheated(now) { return false }
        let cloudIsGone = cloudEnds.map { $0 <= now } ?? false
        if let person, person.until > now, !(personIsCloud && cloudIsGone) { return person.isOn }
        if settings.mode == .off { return false }
        let isHeld = held.map { $0.until.map { $0 > now } ?? true } ?? false
        if let cloud, !cloudIsGone, cloud.until > now, !isHeld { return cloud.isOn }
        if isBlind(now) && settings.onStale != .hold { return settings.onStale == .on }
        return onlyRemembered ? nil : demand
    }
}

/// A compressor that must not start too soon after a stop nor stop too soon after a start.
struct Pump {
    var isOn = false
    var startedAt: Instant?
    var stoppedAt: Instant

    init(now: Instant) {
        stoppedAt = now
    }

    mutating func losePower(at instant: Instant) {
        if isOn { (isOn, startedAt, stoppedAt) = (false, nil, instant) }
    }

    /// What the command would break, if anything.
    mutating func obey(_ isOn: Bool, now: Instant, _ settings: Thermostat.Settings) -> String? {
        guard isOn != self.isOn else { return nil }
        self.isOn = isOn
        if isOn {
            startedAt = now
            return now - stoppedAt < settings.minOff ? "started \(now - stoppedAt) after a stop" : nil
        }
        stoppedAt = now
        guard let startedAt else { return nil }
        return now - startedAt < settings.minOn ? "stopped \(now - startedAt) after a start" : nil
    }
}
