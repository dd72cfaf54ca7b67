/// What a pump was told and when, and what its compressor's protection lets it be told now. A pure value: what is wanted and the
/// time go in, commands come out.
///
/// Whoever wants it, `minOn` and `minOff` hold: a wish waits until the time has passed. After a gap of which nobody knows, the
/// pump may have been switched at any moment of it, so the minimum times count from its end.
struct PumpOrders: Equatable, Sendable {
    /// The command in force; nil before the first.
    private(set) var isOn: Bool?
    /// This run has told it, not only the one before the restart.
    private(set) var isAsserted = false
    /// When the command in force began.
    private(set) var since: Instant?
    private var toldAt = Instant.zero
    private var lastReason: Reason?
    /// Since when the pump may be running; nil when it was told to stop, or never to run.
    private var onAt: Instant?
    /// Since when the pump may be at rest.
    private var offAt: Instant
    /// When the minimum times will allow what is wanted; nil while nothing waits.
    private(set) var waitingUntil: Instant?
    /// When the pump was started, the newest ``Thermostat/startsKept`` times.
    private(set) var starts: [Instant] = []

    /// - Parameter now: from here on the pump counts as stopped.
    init(now: Instant) { offAt = now }

    /// Since when the pump has certainly been as it was told; nil before the first command.
    var certainSince: Instant? { isOn.flatMap { $0 ? onAt : offAt } }

    /// When the command is due again; nil when nothing was told or nothing is repeated.
    func refreshAt(_ settings: Thermostat.Settings) -> Instant? {
        isAsserted && settings.refresh > .zero ? toldAt + settings.refresh : nil
    }

    /// What an earlier run had told the pump.
    /// - Parameter lasting: for how long; nil if nobody knows.
    mutating func restore(_ isOn: Bool, lasting: Duration?, now: Instant) {
        self.isOn = isOn
        since = lasting.map { now - $0 } ?? now
        // A pump that was told to rest has rested since, with power or without; one that ran may have stopped with the
        // power.
        offAt = isOn ? now : since ?? now
        onAt = isOn ? since : nil
    }

    /// While we are silent, or were, somebody else may switch the pump: as after a restart.
    mutating func forget(now: Instant) {
        (isOn, isAsserted, since, waitingUntil) = (nil, false, nil, nil)
        offAt = now
    }

    /// What to tell the pump, at most one command.
    ///
    /// - Parameters:
    ///   - wish: nil while nothing has decided yet.
    ///   - repeats: the pump may have missed the last command.
    mutating func next(
        _ wish: Bool?, _ reason: Reason, _ settings: Thermostat.Settings, repeats: Bool, now: Instant
    ) -> [Thermostat.Action] {
        waitingUntil = nil
        if let wish, wish != isOn || !isAsserted {
            let allowed = earliest(wish, settings)
            if now >= allowed {
                return [tell(wish, reason, isRefresh: wish == isOn, now: now)]
            }
            waitingUntil = allowed
        }
        guard isAsserted, let isOn else { return [] }
        let isDue = refreshAt(settings).map { now >= $0 } ?? false
        guard repeats || isDue else { return [] }
        toldAt = now
        if wish == isOn { lastReason = reason }
        return [.command(on: isOn, reason: lastReason ?? reason, isRefresh: true)]
    }

    /// When the compressor's protection allows a command.
    private func earliest(_ isOn: Bool, _ settings: Thermostat.Settings) -> Instant {
        if isOn { return offAt + settings.minOff }
        return onAt.map { $0 + settings.minOn } ?? .zero
    }

    private mutating func tell(_ isOn: Bool, _ reason: Reason, isRefresh: Bool, now: Instant) -> Thermostat.Action {
        if !isRefresh {
            since = now
            if isOn { starts = starts.suffix(Thermostat.startsKept - 1) + [now] }
        }
        // Also for what was only restored: the pump may have switched in the gap, and switch now.
        if isOn { onAt = now } else { (onAt, offAt) = (nil, now) }
        (self.isOn, isAsserted, toldAt, lastReason) = (isOn, true, now, reason)
        return .command(on: isOn, reason: reason, isRefresh: isRefresh)
    }
}

extension Thermostat {
    /// How many starts are remembered, for who counts those of the last hour.
    public static let startsKept = 20

    /// A minimum time that is waited for.
    public struct Waiting: Equatable, Sendable {
        /// What is wanted after it.
        public var isOn: Bool
        /// The shortest rest or run of the pump.
        public var minimum: Duration

        /// For people.
        public func text(left: Duration) -> String { sentence(left: left).text }

        public func sentence(left: Duration) -> Sentence {
            Sentence(
                isOn ? RoomSentence.startsIn : .stopsIn, ["time": .duration(left), "minimum": .duration(minimum)])
        }
    }
}
