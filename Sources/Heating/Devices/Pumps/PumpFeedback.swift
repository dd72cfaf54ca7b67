/// What one pump, or one valve, was told and what it says of itself. A command is repeated until it is confirmed and then
/// left alone; what is not confirmed, not reachable, not running or switched by others is told.
///
/// Without a `state` nothing can be confirmed: then it asks for no repetition and knows no problem but an absence.
public struct PumpFeedback: Equatable, Sendable {
    /// An unconfirmed command is a problem after this long: an alarm within a minute.
    public static let patience: Duration = .seconds(45)
    /// The first repetition; each further one waits twice as long, up to ``longestPause``.
    static let firstPause: Duration = .seconds(2)
    static let longestPause: Duration = .seconds(30)
    /// A compressor starts slowly: for so long after a command the watts say nothing.
    public static let startingTime: Duration = .seconds(300)

    public enum Problem: Equatable, Sendable, CustomStringConvertible {
        /// - Parameter isBridge: it is the gateway in between that is.
        case offline(since: Instant, isBridge: Bool = false)
        case unconfirmed(isOn: Bool, since: Instant)
        /// Confirmed, but its watts say otherwise.
        case notRunning(watts: Double)
        case stillRunning(watts: Double)

        public var description: String { sentence.text }

        /// What is said behind the device's name.
        public var sentence: Sentence {
            switch self {
            case .offline(_, let isBridge): Sentence(isBridge ? DeviceSentence.bridgeOffline : .offline)
            case .unconfirmed(let isOn, _): Sentence(isOn ? DeviceSentence.notStarted : .notStopped)
            case .notRunning(let watts): Sentence(DeviceSentence.takesNothing, ["watts": Self.whole(watts)])
            case .stillRunning(let watts): Sentence(DeviceSentence.takesPower, ["watts": Self.whole(watts)])
            }
        }

        private static func whole(_ watts: Double) -> Sentence.Value {
            .integer(Int64(Swift.max(-1e9, Swift.min(1e9, watts.rounded()))))
        }
    }

    /// What a word of the device means.
    public enum Event: Equatable, Sendable {
        case confirmed
        /// Somebody else switched it.
        case foreign(isOn: Bool)
        case cameBack
        case wentOffline
    }

    public let hasState: Bool
    public let runningAbove: Double
    private let startingTime: Duration
    /// By its own word, and by that of the gateway it is behind.
    public private(set) var isAvailable: Bool?
    private var isThere: Bool?
    private var isBridgeThere: Bool?
    public private(set) var reported: Bool?
    public private(set) var isConfirmed = false
    public private(set) var repetitions = 0
    public private(set) var told: Bool?
    private var toldAt = Instant.zero
    private var offlineSince: Instant?
    private var nextRepetition: Instant?
    private var pause = PumpFeedback.firstPause
    public private(set) var watts: Double?

    public init(
        hasState: Bool, runningAbove: Double = 10, startingTime: Duration = PumpFeedback.startingTime
    ) {
        (self.hasState, self.runningAbove, self.startingTime) = (hasState, runningAbove, startingTime)
    }

    public init(_ rule: PumpRule) {
        self.init(
            hasState: rule.state != nil, runningAbove: rule.runningAbove,
            startingTime: rule.table.startingTime ?? Self.startingTime)
    }

    /// The command was published.
    public mutating func told(_ isOn: Bool, now: Instant) {
        guard told != isOn else { return }
        (told, toldAt, isConfirmed, repetitions, pause) = (isOn, now, false, 0, Self.firstPause)
        nextRepetition = hasState ? now + pause : nil
    }

    /// Something else of the command was said anew, such as its target: it is to be confirmed again.
    public mutating func toldAnew(now: Instant) {
        guard told != nil else { return told(true, now: now) }
        (toldAt, isConfirmed, repetitions, pause, reported) = (now, false, 0, Self.firstPause, nil)
        nextRepetition = hasState ? now + pause : nil
    }

    /// The device said whether it is on.
    /// - Parameter isRetained: the broker kept it: it confirms, but is no sign of a hand that switched.
    public mutating func heard(isOn: Bool, isRetained: Bool = false, now: Instant) -> Event? {
        let before = reported
        reported = isOn
        guard let told else { return nil }
        if isOn == told {
            let isNew = !isConfirmed
            isConfirmed = true
            nextRepetition = nil
            return isNew ? .confirmed : nil
        }
        // Before its confirmation another state is the old one, not somebody's.
        guard isConfirmed, before == told, !isRetained else { return nil }
        return .foreign(isOn: isOn)
    }

    /// Somebody's switching is taken for the new command: it is not switched back.
    public mutating func adopt(_ isOn: Bool, now: Instant) {
        told(isOn, now: now)
        if reported == isOn {
            isConfirmed = true
            nextRepetition = nil
        }
    }

    /// The command counts as not given: somebody switched, and it shall be said again.
    public mutating func reassert(now: Instant) {
        guard told != nil, hasState else { return }
        (isConfirmed, toldAt, pause, nextRepetition) = (false, now, Self.firstPause, now)
    }

    /// Whether it is there, or the gateway it is behind.
    public mutating func heard(isAvailable isThere: Bool, ofBridge: Bool = false, now: Instant) -> Event? {
        if ofBridge { isBridgeThere = isThere } else { self.isThere = isThere }
        let isAvailable = self.isThere != false && isBridgeThere != false
        guard isAvailable != self.isAvailable else { return nil }
        let wasOffline = self.isAvailable == false
        self.isAvailable = isAvailable
        offlineSince = isAvailable ? nil : now
        guard isAvailable else { return .wentOffline }
        // It may have missed every word, or have started anew with another state.
        if wasOffline { reassert(now: now) }
        return wasOffline ? .cameBack : nil
    }

    public mutating func heard(watts: Double) {
        guard watts.isFinite else { return }
        self.watts = watts
    }

    /// Whether the command is to be published again now; counts it.
    public mutating func repeats(now: Instant) -> Bool? {
        guard let told, let due = nextRepetition, now >= due, isAvailable != false else { return nil }
        repetitions += 1
        pause = Swift.min(pause * 2, Self.longestPause)
        nextRepetition = now + pause
        return told
    }

    /// When ``repeats(now:)`` or ``problem(now:)`` may answer otherwise.
    public func nextDeadline(now: Instant) -> Instant? {
        let isWaiting = told != nil && hasState && !isConfirmed
        let repetition = isAvailable == false ? nil : nextRepetition
        let complaint = isWaiting && now < toldAt + Self.patience ? toldAt + Self.patience : nil
        let started = watts != nil && now < toldAt + startingTime ? toldAt + startingTime : nil
        return [repetition, complaint, started].compactMap(\.self).min()
    }

    public func problem(now: Instant) -> Problem? {
        if let offlineSince { return .offline(since: offlineSince, isBridge: isBridgeThere == false) }
        guard let told else { return nil }
        if hasState, !isConfirmed {
            return now - toldAt >= Self.patience ? .unconfirmed(isOn: told, since: toldAt) : nil
        }
        guard let watts, now - toldAt >= startingTime else { return nil }
        if told, watts <= runningAbove { return .notRunning(watts: watts) }
        return !told && watts > runningAbove ? .stillRunning(watts: watts) : nil
    }
}

extension PumpFeedback {
    /// What it is as far as anybody knows: its own word, or what it was told where it has none, at once if it never says
    /// anything and after ``patience`` if it should have.
    public func standing(now: Instant) -> ZoneOrder.Standing {
        guard hasState else { return .init(told: told, isOn: told) }
        let presumed = isAvailable != false && now - toldAt >= Self.patience ? told : nil
        return .init(told: told, isOn: reported ?? presumed)
    }
}
