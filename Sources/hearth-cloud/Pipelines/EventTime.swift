import Foundation
import Heating

/// When a reading was taken, as the point's time: the sensor's text read in the zone that its gateway named.
///
/// Named zones need the zone database, so this is here and not in `Heating`; the lookups are kept per zone. A struct
/// for one thread.
struct EventTime {
    /// Zones come from outside; further ones are looked up each time.
    private static let zoneLimit = 1000
    private var zones: [ExactString: TimeZone?] = [:]

    /// nil when the text could not be read or its zone is unknown; ``isUnknown(_:)`` tells which.
    mutating func timestamp(_ time: LoggedReading.Time) -> Timestamp? {
        switch time {
        case .utc(let timestamp): timestamp
        case .zoned(let text, let zone, let marks): timestamp(text, zone: zone, marks: marks)
        case .unreadable: nil
        }
    }

    /// nil when the text is no ISO 8601 date-time or the zone is unknown.
    mutating func timestamp(_ text: String, zone: String?, marks: TimeMarks = TimeMarks()) -> Timestamp? {
        guard let zone, zone != "UTC" else { return Timestamp(iso8601: text.utf8)?.moved(by: marks) }
        guard let found = lookUp(zone), let naive = Timestamp(iso8601: text.utf8) else { return nil }
        let meaning = WallTime(naive.nanoseconds / 1_000_000_000) { instant in
            found.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
        }
        let offset = meaning.offset(isSecondPass: marks.isSecondPass)
        return Timestamp(iso8601: text.utf8, naiveOffsetSeconds: offset)?.moved(by: marks)
    }

    /// Whether it is the zone that keeps a reading from having a time: this program's zone database may be older than its
    /// gateway's, so the reading is good and can be used later.
    mutating func isUnknown(_ time: LoggedReading.Time) -> Bool {
        guard case .zoned(_, let zone, _) = time else { return false }
        return isUnknown(zone: zone)
    }

    mutating func isUnknown(zone: String) -> Bool { zone != "UTC" && lookUp(zone) == nil }

    private mutating func lookUp(_ name: String) -> TimeZone? {
        if let known = zones[ExactString(name)] { return known }
        let found = Self.zone(name)
        if zones.count < Self.zoneLimit { zones[ExactString(name)] = found }
        return found
    }

    /// Foundation also makes zones of its own out of `GMT+1`; what a gateway's zone database does not have is unknown.
    private static func zone(_ name: String) -> TimeZone? {
        if let seconds = zoneOffsetSeconds(name) { return TimeZone(secondsFromGMT: seconds) }
        guard isZoneName(name) else { return nil }
        return TimeZone(identifier: name)
    }
}
