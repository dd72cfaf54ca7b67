extension Thermostat {
    func isValid(_ value: Double) -> Bool { settings.accepts(value) }

    /// Whether a value may be a temperature here and not a fault of the sensor.
    public func accepts(_ value: Double) -> Bool { isValid(value) }

    /// Whether to believe a reading. A jump is believed when it has been read three times in a row, so that a wild
    /// value decides nothing and a room that really changed is blind for two readings only.
    mutating func believes(_ value: Double, now: Instant) -> Bool {
        guard isValid(value) else { return false }
        let perMinute = settings.maxChangePerMinute
        guard perMinute > 0, let lastReading, let lastReadingAt else {
            doubted = nil
            return true
        }
        let minutes = max(1, Double((now - lastReadingAt).wholeNanoseconds) / 6e10)
        let isJump = abs(value - lastReading) > perMinute * minutes
        let agreeing = doubted.map { abs(value - $0.value) <= perMinute ? $0.count : 0 } ?? 0
        doubted = isJump && agreeing < 2 ? Doubted(value: value, count: agreeing + 1) : nil
        return doubted == nil
    }

    /// A jump that was not believed, and how many in a row agreed with it.
    struct Doubted: Equatable, Sendable {
        var value: Double
        var count: Int
    }

    /// Whose setpoint counts, when it is not the room's own.
    var program: Program? { hold.map { .held($0) } ?? scheduled.map { .scheduled($0) } }

    /// What the room is heated to now.
    var setpoint: Setpoint {
        if let hold { return settings.setpoint(of: hold.target) }
        if let scheduled { return settings.setpoint(of: scheduled) }
        return settings.setpoint
    }

    /// The limits that count now.
    var limits: Limits { settings.limits(of: setpoint) }

    /// What counts now as something that a person could have asked for.
    public var presentTarget: Target {
        hold?.target ?? scheduled.map { .preset($0) } ?? settings.target.map { .temperature($0) } ?? .preset(.comfort)
    }

    /// From when on the room is blind.
    var blindAt: Instant {
        (lastReadingAt ?? startedAt) + settings.staleAfter
    }

    /// What a valid reading means for the limits' memory.
    mutating func judge(_ value: Double) {
        isUnconfirmed = false
        let limits = limits
        if value < limits.onBelow {
            demand = true
        } else if value > limits.offAbove {
            demand = false
        }
        if value < settings.frostBelow {
            isFrosty = true
        } else if value >= settings.frostBelow + Self.frostBand {
            isFrosty = false
        }
        if value > settings.overheatLimit {
            isOverheated = true
        } else if value <= settings.overheatLimit - Self.overheatBand {
            isOverheated = false
        }
    }

    /// When a blind room counts as overheated no longer.
    var coolAt: Instant { blindAt + Self.overheatMemory }

    var hasCloudCommand: Bool { cloud != nil || manual?.source == .cloud }

    /// The end of an override, with what ends it because the cloud is gone.
    func withCloudEnd(_ override: Override) -> Override {
        guard override.source == .cloud, let end = cloudGraceEnd, end < override.until else { return override }
        var shortened = override
        shortened.until = end
        return shortened
    }

    /// The link went: what came through it lasts no longer than this, also when the link comes back.
    mutating func shortenCloudCommand(to end: Instant) {
        if let until = cloud?.until { cloud?.until = min(until, end) }
        if let override = manual, override.source == .cloud { manual?.until = min(override.until, end) }
    }

    mutating func forgetCloudGrace() {
        if !hasCloudCommand { cloudGraceEnd = nil }
    }

    /// Weighs what is known against limits that have just changed.
    mutating func judgeAgain() {
        if let lastReading, isValid(lastReading) { judge(lastReading) }
    }

    /// Ends what has an end.
    mutating func expire(now: Instant) {
        if let override = manual, override.until <= now { manual = nil }
        if let override = cloud, override.until <= now { cloud = nil }
        if let end = cloudGraceEnd, end <= now {
            cloud = nil
            if manual?.source == .cloud { manual = nil }
        }
        forgetCloudGrace()
        if let until = hold?.until, until <= now {
            hold = nil
            judgeAgain()
        }
    }

    /// What the pump should do, nil when nothing has decided yet, and why.
    func decision() -> (isOn: Bool?, reason: Reason) {
        guard settings.enabled else { return (nil, .disabled) }
        if isFrosty, !isStale, let lastReading {
            return (true, .frost(value: lastReading, limit: settings.frostBelow))
        }
        if isOverheated, let lastReading {
            return (false, .overheated(value: lastReading, limit: settings.overheatLimit))
        }
        if let manual {
            return (manual.isOn, .override(isOn: manual.isOn, source: manual.source, duration: manual.duration))
        }
        if settings.mode == .off { return (false, .switchedOff) }
        if let cloud, hold == nil { return (cloud.isOn, .cloud(isOn: cloud.isOn)) }
        if isStale { return blindDecision() }
        return limitsDecision()
    }

    private func blindDecision() -> (isOn: Bool?, reason: Reason) {
        let reason = Reason.stale(after: settings.staleAfter, action: settings.onStale)
        switch settings.onStale {
        case .off: return (false, reason)
        case .on: return (true, reason)
        case .hold: return (isUnconfirmed ? nil : demand, reason)
        }
    }

    private func limitsDecision() -> (isOn: Bool?, reason: Reason) {
        guard let value = lastReading else {
            guard let demand else { return (nil, .noReadingYet) }
            // A decision from before the restart stands, but is not repeated before a reading supports it.
            return isUnconfirmed ? (nil, .restored(isOn: demand)) : (demand, .overrideEnded(isOn: demand))
        }
        let (limits, program) = (limits, program)
        if value < limits.onBelow { return (true, .below(value: value, limit: limits.onBelow, program: program)) }
        if value > limits.offAbove { return (false, .above(value: value, limit: limits.offAbove, program: program)) }
        return (
            demand,
            .between(
                value: value, onBelow: limits.onBelow, offAbove: limits.offAbove, isOn: demand, program: program)
        )
    }
}

extension Thermostat.Settings {
    /// Whether a value may be a temperature here and not a fault of the sensor.
    public func accepts(_ value: Double) -> Bool {
        value.isFinite && !discard.contains(value) && value >= minPlausible && value <= maxPlausible
    }
}
