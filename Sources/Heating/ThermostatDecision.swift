extension Thermostat {
    func isValid(_ value: Double) -> Bool {
        value.isFinite && !settings.discard.contains(value)
    }

    /// From when on the room is blind.
    var blindAt: Instant {
        (lastReadingAt ?? startedAt) + settings.staleAfter
    }

    /// What a valid reading means for the limits' memory.
    mutating func judge(_ value: Double) {
        isUnconfirmed = false
        if value < settings.onBelow {
            demand = true
        } else if value > settings.offAbove {
            demand = false
        }
        if value < settings.frostBelow {
            isFrosty = true
        } else if value >= settings.frostBelow + Self.frostBand {
            isFrosty = false
        }
    }

    /// What time alone changes.
    mutating func passTime(now: Instant) {
        if let override = manual, override.until <= now { manual = nil }
        if let override = cloud, override.until <= now { cloud = nil }
        isStale = now >= blindAt
    }

    /// What the pump should do, nil when nothing has decided yet, and why.
    func decision() -> (isOn: Bool?, reason: Reason) {
        guard settings.enabled else { return (nil, .disabled) }
        if isFrosty, !isStale, let lastReading {
            return (true, .frost(value: lastReading, limit: settings.frostBelow))
        }
        if let manual {
            return (manual.isOn, .override(isOn: manual.isOn, source: manual.source, duration: manual.duration))
        }
        if let cloud { return (cloud.isOn, .cloud(isOn: cloud.isOn)) }
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
        if value < settings.onBelow { return (true, .below(value: value, limit: settings.onBelow)) }
        if value > settings.offAbove { return (false, .above(value: value, limit: settings.offAbove)) }
        return (
            demand, .between(value: value, onBelow: settings.onBelow, offAbove: settings.offAbove, isOn: demand)
        )
    }
}
