import EventLog
import Heating
import Influx

/// P1: every reading and every command that was given at home becomes a point of the raw bucket. Says whose records the
/// points are, for the homes' audits.
struct SaveRaw: Stage {
    let names: LogTopics
    private var reader = LoggedReading.Reader()
    private var time = EventTime()
    private var series = SeriesTable(prefix: "raw_")
    private var origins = OriginTable()
    private var places: TakenPlaces

    /// - Parameter remembered: how many readings' places it keeps, a power of two.
    init(_ names: LogTopics, remembered: Int = 1 << 17) {
        self.names = names
        places = TakenPlaces(count: remembered)
    }

    var topics: [String] { [names.raw, names.commands] }

    mutating func process(_ events: [Event]) -> StageOutput {
        var output = StageOutput()
        output.points.reserve(points: events.count)
        for index in events.indices {
            guard let value = events[index].value else { continue }  // A tombstone says nothing.
            do throws(UnusableEvent) {
                if events[index].topic == names.commands {
                    output.points.add(try command(value), index: index)
                } else {
                    try add(value, source: index, to: &output)
                }
            } catch {
                output.rejected.append((index, error.reason))
            }
        }
        output.origins = origins.take()
        output.commitAll(events)
        return output
    }

    private mutating func add(
        _ value: ArraySlice<UInt8>, source: Int, to output: inout StageOutput
    ) throws(UnusableEvent) {
        guard let reading = reader.read(value) else { throw UnusableEvent("not_a_reading") }
        guard let at = time.timestamp(reading.time) else {
            throw UnusableEvent(time.isUnknown(reading.time) ? UnusableEvent.unknownZone : "bad_timestamp")
        }
        guard let number = reading.value else { throw UnusableEvent("bad_value") }
        if let asRead = reading.asRead {
            // As the device wrote it, and in what.
            output.points.add(
                Point(
                    measurement: series.measurement(reading.measure),
                    tags: [("home", reading.home.name), ("room", reading.room.name)],
                    fields: [("value", .float(asRead.value)), ("unit", .string(asRead.unit.rawValue))],
                    time: at.nanoseconds), index: source)
        } else {
            series.add(reading, number, at: at, of: value, by: reader, source: source, to: &output.points)
        }
        let place = reader.known?.place
        let record = origins.note(reading, at: place)
        guard let loss = places.take(reading, place, at, number, record) else { return }
        output.dropped["overwritten", default: 0] += 1
        if let record = loss.record { output.overwritten.append(record) }
    }

    private mutating func command(_ value: ArraySlice<UInt8>) throws(UnusableEvent) -> Point {
        guard let event = CommandEvent(value) else { throw UnusableEvent("not_a_command") }
        guard let at = time.timestamp(event.timestampText, zone: nil) else { throw UnusableEvent("bad_timestamp") }
        if let record = RecordName(event) { origins.note(record) }
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
    /// The same beyond what may wait.
    static let tooManyUnknownZones = "too_many_unknown_zones"

    let reason: String
    init(_ reason: String) { self.reason = reason }
}
