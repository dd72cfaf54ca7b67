import EventLog
import Heating
import Influx

/// P1: every reading and every command that was given at home becomes a point of the raw bucket. Says whose records the
/// points are, for the homes' audits.
struct SaveRaw: Stage {
    let names: LogTopics
    private var reader = LoggedReading.Reader()
    private var time = EventTime()
    private var series = SeriesTable(measurement: "raw_temperature")
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
        if let known = reader.readKnown(value) {
            series.add(known, of: value, by: reader, source: source, to: &output.points)
            note(known, value, &output)
            return
        }
        guard let reading = reader.read(value) else { throw UnusableEvent("not_a_reading") }
        guard let at = time.timestamp(reading.time) else {
            throw UnusableEvent(time.isUnknown(reading.time) ? UnusableEvent.unknownZone : "bad_timestamp")
        }
        guard let number = reading.value else { throw UnusableEvent("bad_value") }
        let measurement = "raw_\(reading.measure)"
        if let asRead = reading.asRead {
            // As the device wrote it, and in what.
            output.points.add(
                Point(
                    measurement: measurement, tags: [("home", reading.home.name), ("room", reading.room.name)],
                    fields: [("value", .float(asRead.value)), ("unit", .string(asRead.unit.rawValue))],
                    time: at.nanoseconds), index: source)
        } else {
            let series = SeriesTable.series(measurement, reading)
            output.points.add(series, number, time: at.nanoseconds, index: source)
        }
        let record = RecordName(reading)
        if let record { origins.note(record) }
        let loss = places.take((reading.home, reading.room, reading.measure), at, number, record)
        Self.note(loss, &output)
    }

    /// Whose record it is, and whether it takes another one's place.
    private mutating func note(_ known: KnownReading, _ value: ArraySlice<UInt8>, _ output: inout StageOutput) {
        var journal: OriginTable.Journal?
        if let origin = reader.origin {
            let start = value.startIndex
            let epoch = value[start + origin.epoch.lowerBound..<start + origin.epoch.upperBound]
            journal = origins.note(
                origin.sequence, epoch: epoch, place: known.place, home: reader.home(of: known.place))
        }
        let record = journal.flatMap { journal in reader.origin.map { RecordName(journal, $0.sequence) } }
        let loss = places.take(known.place, known.timestamp, known.value, record)
        Self.note(loss, &output)
    }

    // Static: a method that reads self would hold a copy of the table while its argument changes it, four MiB a reading.
    private static func note(_ loss: TakenPlaces.Loss?, _ output: inout StageOutput) {
        guard let loss else { return }
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
