import Foundation
import Heating

/// When a reading was taken, as the point's time: the sensor's text read in the zone that its gateway named.
///
/// Named zones need the zone database, so this is here and not in `Heating`; the lookups are kept per zone. A struct
/// for one thread.
struct EventTime {
    /// Zones come from outside; further ones are looked up each time.
    private static let zoneLimit = 1000
    private var zones: [String: TimeZone?] = [:]

    /// nil when the text could not be read or its zone is unknown.
    mutating func timestamp(_ time: LoggedReading.Time) -> Timestamp? {
        switch time {
        case .utc(let timestamp): timestamp
        case .zoned(let text, let zone): timestamp(text, zone: zone)
        case .unreadable: nil
        }
    }

    /// nil when the text is no ISO 8601 date-time or the zone is unknown.
    mutating func timestamp(_ text: String, zone: String?) -> Timestamp? {
        guard let zone, zone != "UTC" else { return Timestamp(iso8601: text.utf8) }
        guard let found = lookUp(zone), let naive = Timestamp(iso8601: text.utf8) else { return nil }
        // The offset depends on the instant and the instant on the offset; one correction settles it outside the
        // repeated hour in autumn, where the first pass (standard time's later reading) stands.
        let first = found.secondsFromGMT(for: Self.date(naive, minus: 0))
        let second = found.secondsFromGMT(for: Self.date(naive, minus: first))
        return Timestamp(iso8601: text.utf8, naiveOffsetSeconds: second)
    }

    private static func date(_ timestamp: Timestamp, minus seconds: Int) -> Date {
        Date(timeIntervalSince1970: Double(timestamp.nanoseconds) / 1e9 - Double(seconds))
    }

    private mutating func lookUp(_ name: String) -> TimeZone? {
        if let known = zones[name] { return known }
        let found = Self.offset(name).flatMap { TimeZone(secondsFromGMT: $0) } ?? TimeZone(identifier: name)
        if zones.count < Self.zoneLimit { zones[name] = found }
        return found
    }

    /// `+01:00` → 3600.
    private static func offset(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 6, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
            bytes[3] == UInt8(ascii: ":"),
            let hours = Int(String(decoding: bytes[1...2], as: UTF8.self)),
            let minutes = Int(String(decoding: bytes[4...5], as: UTF8.self))
        else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return bytes[0] == UInt8(ascii: "-") ? -seconds : seconds
    }
}
