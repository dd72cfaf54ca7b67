import Heating

/// Readings in a zone that this program's zone database does not have. Its gateway's has, so they are good: they wait as
/// dead letters and take their way again once this program knows the zone, which a newer version of it may.
struct UnknownZones: Sendable {
    /// Names come from outside; readings in further zones are counted only.
    private static let zoneLimit = 100
    private static let shown = 3

    /// What may wait, of each home and of all together, in bytes: what one home sends must not take the others' place.
    private let homeBytes: Int
    private let allBytes: Int

    private(set) var count = 0
    private var zones: Set<ExactString> = []
    private var bytes = 0
    private var homes: [ExactString: Int] = [:]

    init(homeBytes: Int = 8 << 20, allBytes: Int = 32 << 20) {
        self.homeBytes = homeBytes
        self.allBytes = allBytes
    }

    /// Whether one more of a home may wait, beside others.
    func hasRoom(for letter: DeadLetter, beside more: UnknownZones) -> Bool {
        let home = ExactString(letter.key)
        let ofHome = homes[home, default: 0] + more.homes[home, default: 0]
        return bytes + more.bytes + letter.length <= allBytes && ofHome + letter.length <= homeBytes
    }

    static func waits(_ letter: DeadLetter) -> Bool {
        letter.kind == .event && !letter.isCut && letter.reasonClass == UnusableEvent.unknownZone
    }

    /// nil when it is no reading in a named zone.
    static func zone(of letter: DeadLetter) -> String? {
        var reader = LoggedReading.Reader()
        guard case .zoned(_, let zone, _)? = reader.read(letter.bytes[...])?.time else { return nil }
        return zone
    }

    mutating func note(_ letter: DeadLetter) {
        guard Self.waits(letter), let zone = Self.zone(of: letter) else { return }
        count += 1
        bytes += letter.bytes.count
        homes[ExactString(letter.key), default: 0] += letter.bytes.count
        if zones.count < Self.zoneLimit { zones.insert(ExactString(zone)) }
    }

    /// Whether one of them need not wait any more.
    var isAnyKnown: Bool {
        var time = EventTime()
        return zones.contains { !time.isUnknown(zone: $0.description) }
    }

    /// What a person can do; nil while none waits.
    var alarm: String? {
        guard count > 0 else { return nil }
        // As JSON, since what a home has written must not steer a terminal.
        let names = zones.map { JSON.string($0.description).serialized() }.sorted()
        let more = names.count > Self.shown ? " and \(names.count - Self.shown) more" : ""
        return "\(count) readings wait: this program does not know the time zone "
            + names.prefix(Self.shown).joined(separator: ", ") + more
            + ". They are kept as dead letters and written by themselves once it does: update hearth-cloud, or correct "
            + "sensor_time_zone of their home and drop them"
    }
}
