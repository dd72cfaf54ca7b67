/// What each rule found so far, to tell who waits for readings why there are none: a rule that never found anything
/// although messages fit its topic, one whose last messages were all set aside, and the same of each device that somebody
/// has given a room, for one rule may be about many.
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
        /// The last payload that was no reading, as far as it is kept.
        public var payload: [UInt8] = []
        var firstSeen: Instant?

        /// The start of that payload, for people.
        public var sample: String {
            escapingControls(String(decoding: payload.prefix(DeviceTally.sampleLength), as: UTF8.self))
        }

        fileprivate mutating func count(_ outcome: DeviceOutcome, _ payload: some Collection<UInt8>, _ now: Instant) {
            switch outcome {
            case .reading(let reading):
                readings += 1
                inARow = 0
                if reading.time.source == .absurd || reading.time.source == .missing { replacedTimes += 1 }
            case .rejected(let rejection):
                note(rejection, payload, now)
                rejected += 1
                inARow += 1
            case .passedOver(let rejection):
                // A retained message and a neighbour's sensor are no sign of a wrong rule.
                guard rejection.reason != .retained, rejection.reason != .unlisted else { return }
                note(rejection, payload, now)
                passedOver += 1
            }
        }

        private mutating func note(_ rejection: DeviceRejection, _ payload: some Collection<UInt8>, _ now: Instant) {
            firstSeen = firstSeen ?? now
            last = rejection
            // As a whole, or no path in it could be named.
            self.payload = payload.count <= DeviceTally.payloadLimit ? Array(payload) : []
        }

        /// - Parameter messages: so many that hold nothing show that the device never will.
        fileprivate func isTroubled(_ now: Instant, messages: Int) -> Bool {
            guard let firstSeen else { return false }
            let hasShown = passedOver >= messages && now - firstSeen >= DeviceTally.grace
            return readings == 0 && (rejected > 0 || hasShown) || inARow >= DeviceTally.patience
        }
    }

    /// A device by its name on the wire, as one rule meets it.
    public struct Device: Hashable, Sendable {
        public var rule: Int
        public var name: ExactString
    }

    fileprivate static let sampleLength = 120
    /// Longer payloads of what is no reading are not kept.
    private static let payloadLimit = 8192
    /// For so long a rule may find nothing before that is said.
    private static let grace: Duration = .seconds(45)
    /// More than these are nobody's house.
    private static let deviceLimit = 512

    public private(set) var entries: [Entry]
    /// Those that somebody has given a room, and those that tell a temperature where their rule does not look.
    public private(set) var devices: [Device: Entry] = [:]
    /// How many messages of devices that nobody has listed were looked at.
    private var looks: [Device: Int] = [:]
    private let rules: [SensorRule]

    public init(_ rules: [SensorRule]) {
        self.rules = rules
        entries = Array(repeating: Entry(), count: rules.count)
    }

    public mutating func count(_ outcome: DeviceOutcome, payload: some Collection<UInt8>, now: Instant) {
        guard entries.indices.contains(outcome.rule) else { return }
        entries[outcome.rule].count(outcome, payload, now)
        // A radiator valve without a humidity is no fault, one without a temperature is.
        guard let name = outcome.name, rules[outcome.rule].measure == .temperature else { return }
        let device = Device(rule: outcome.rule, name: ExactString(name))
        guard rules[outcome.rule].lists(name) || devices[device] != nil || tellsAnother(device, outcome, payload)
        else { return }
        guard devices[device] != nil || devices.count < Self.deviceLimit else { return }
        devices[device, default: Entry()].count(outcome, payload, now)
    }

    /// Whether a device that nobody has listed tells a temperature where its rule does not look: a radiator valve, and no lamp. Of each
    /// few messages are looked at.
    private mutating func tellsAnother(
        _ device: Device, _ outcome: DeviceOutcome, _ payload: some Collection<UInt8>
    ) -> Bool {
        guard case .passedOver(let rejection) = outcome, rejection.reason == .missingValue else { return false }
        let before = looks[device] ?? 0
        guard before < Self.patience, before > 0 || looks.count < Self.deviceLimit,
            payload.count <= Self.payloadLimit
        else { return false }
        looks[device] = before + 1
        return JSONPath.roomTemperature(in: payload) != nil
    }

    /// Whether somebody has given it a room.
    public func isListed(_ device: Device) -> Bool {
        rules.indices.contains(device.rule) && rules[device.rule].lists(device.name.text)
    }

    /// The rules that somebody should look at, with the last message that was no reading.
    public func troubled(now: Instant) -> [(rule: Int, entry: Entry)] {
        entries.enumerated().compactMap { index, entry in
            entry.isTroubled(now, messages: 1) ? (index, entry) : nil
        }
    }

    /// The devices that somebody should look at, where their rule itself is right: it reads others.
    public func troubledDevices(now: Instant) -> [(device: Device, entry: Entry)] {
        devices.filter { device, entry in
            !entries[device.rule].isTroubled(now, messages: 1) && entry.isTroubled(now, messages: Self.patience)
        }.map { ($0.key, $0.value) }.sorted { ($0.device.rule, $0.device.name) < ($1.device.rule, $1.device.name) }
    }
}
