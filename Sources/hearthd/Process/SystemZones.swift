import Glibc
import Heating

/// The system's zone database, `/usr/share/zoneinfo` (package tzdata).
enum SystemZones {
    static let directory = "/usr/share/zoneinfo/"
    /// The largest file of the database has 4 KiB.
    private static let sizeLimit = 64 << 10

    /// The rules of `UTC`, of an offset such as `+01:00`, or of a zone by its name in the database; nil for anything else.
    /// Every zone that this knows is also known to the cloud's services, whose zone database has the same names.
    static func rules(of zone: String) -> TimeZoneRules? {
        if zone == "UTC" { return TimeZoneRules(offsetSeconds: 0) }
        if let seconds = zoneOffsetSeconds(zone) { return TimeZoneRules(offsetSeconds: seconds) }
        guard isZoneName(zone) else { return nil }
        let descriptor = open(directory + zone, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: sizeLimit)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return TimeZoneRules(file: Array(bytes[..<count]))
    }
}
