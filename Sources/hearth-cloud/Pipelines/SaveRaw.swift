import EventLog
import Heating
import Influx

/// P1: every reading and every command that was given at home becomes a point of the raw bucket.
struct SaveRaw: Stage {
    let names: LogTopics
    private var reader = LoggedReading.Reader()
    private var time = EventTime()
    private var series = SeriesTable(measurement: "raw_temperature")

    init(_ names: LogTopics) { self.names = names }

    var topics: [String] { [names.raw, names.commands] }

    mutating func process(_ events: [StoredEvent]) -> StageOutput {
        var output = StageOutput()
        output.points.reserve(points: events.count)
        for index in events.indices {
            guard let value = events[index].event.value else { continue }  // A tombstone says nothing.
            do throws(UnusableEvent) {
                if events[index].event.topic == names.commands {
                    output.points.add(try command(value), index: index)
                } else {
                    try add(value, source: index, to: &output.points)
                }
            } catch {
                output.rejected.append((index, error.reason))
            }
        }
        output.commitAll(events)
        return output
    }

    private mutating func add(
        _ value: ArraySlice<UInt8>, source: Int, to points: inout PointBatch
    ) throws(UnusableEvent) {
        if let known = reader.readKnown(value) {
            series.add(known, of: value, by: reader, source: source, to: &points)
            return
        }
        guard let reading = reader.read(value) else { throw UnusableEvent("not_a_reading") }
        guard let at = time.timestamp(reading.time) else {
            throw UnusableEvent(time.isUnknown(reading.time) ? UnusableEvent.unknownZone : "bad_timestamp")
        }
        guard let number = reading.value else { throw UnusableEvent("bad_value") }
        let measurement = "raw_\(reading.measure)"
        guard let asRead = reading.asRead else {
            points.add(SeriesTable.series(measurement, reading), number, time: at.nanoseconds, index: source)
            return
        }
        // As the device wrote it, and in what.
        points.add(
            Point(
                measurement: measurement, tags: [("home", reading.home.name), ("room", reading.room.name)],
                fields: [("value", .float(asRead.value)), ("unit", .string(asRead.unit.rawValue))],
                time: at.nanoseconds), index: source)
    }

    private mutating func command(_ value: ArraySlice<UInt8>) throws(UnusableEvent) -> Point {
        guard let event = CommandEvent(value) else { throw UnusableEvent("not_a_command") }
        guard let at = time.timestamp(event.timestampText, zone: nil) else { throw UnusableEvent("bad_timestamp") }
        return Point(
            measurement: "heatpump_state", tags: [("home", event.home), ("room", event.room)],
            fields: [("on", .boolean(event.isOn)), ("reason", .string(event.reason))], time: at.nanoseconds)
    }
}

/// Why an event makes no point.
struct UnusableEvent: Error {
    /// Its zone is not in this program's zone database. A newer one may have it, so the event is good and waits
    /// (``UnknownZones``).
    static let unknownZone = "unknown_zone"

    let reason: String
    init(_ reason: String) { self.reason = reason }
}
