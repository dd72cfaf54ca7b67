/// What each rule found so far, to tell who waits for readings why there are none: a rule that never found anything
/// although messages fit its topic, and one whose last messages were all set aside.
public struct DeviceTally: Equatable, Sendable {
    /// How many messages in a row must be set aside before it is said.
    public static let patience = 3

    public struct Entry: Equatable, Sendable {
        public var readings = 0
        public var rejected = 0
        public var passedOver = 0
        /// Readings whose time was replaced by the arrival.
        public var replacedTimes = 0
        /// Set aside since the last reading.
        public var inARow = 0
        public var last: DeviceRejection?
        /// The start of the last payload that was no reading.
        public var sample = ""
        var firstSeen: Instant?
    }

    private static let sampleLength = 120
    /// For so long a rule may find nothing before that is said.
    private static let grace: Duration = .seconds(45)

    public private(set) var entries: [Entry]

    public init(rules: Int) {
        entries = Array(repeating: Entry(), count: rules)
    }

    public mutating func count(_ outcome: DeviceOutcome, payload: some Collection<UInt8>, now: Instant) {
        switch outcome {
        case .reading(let reading):
            guard entries.indices.contains(reading.rule) else { return }
            entries[reading.rule].readings += 1
            entries[reading.rule].inARow = 0
            if reading.time.source == .absurd || reading.time.source == .missing {
                entries[reading.rule].replacedTimes += 1
            }
        case .rejected(let rejection):
            note(rejection, payload, now)
            if entries.indices.contains(rejection.rule) {
                entries[rejection.rule].rejected += 1
                entries[rejection.rule].inARow += 1
            }
        case .passedOver(let rejection):
            // A retained message and a neighbour's sensor are no sign of a wrong rule.
            guard rejection.reason != .retained, rejection.reason != .unlisted else { return }
            note(rejection, payload, now)
            if entries.indices.contains(rejection.rule) { entries[rejection.rule].passedOver += 1 }
        }
    }

    private mutating func note(_ rejection: DeviceRejection, _ payload: some Collection<UInt8>, _ now: Instant) {
        guard entries.indices.contains(rejection.rule) else { return }
        if entries[rejection.rule].firstSeen == nil { entries[rejection.rule].firstSeen = now }
        entries[rejection.rule].last = rejection
        entries[rejection.rule].sample = escapingControls(
            String(decoding: payload.prefix(Self.sampleLength), as: UTF8.self))
    }

    /// The rules that somebody should look at, with the last message that was no reading.
    public func troubled(now: Instant) -> [(rule: Int, entry: Entry)] {
        entries.enumerated().compactMap { index, entry in
            guard let first = entry.firstSeen else { return nil }
            let neverFound = entry.readings == 0 && (entry.rejected > 0 || now - first >= Self.grace)
            return neverFound || entry.inARow >= Self.patience ? (index, entry) : nil
        }
    }
}
