import EventLog
import Heating
import Influx

/// P1: every reading and every command that was given at home becomes a point of the raw bucket.
struct SaveRaw: Stage {
    let names: LogTopics
    private var reader = LoggedReading.Reader()
    private var time = EventTime()

    init(_ names: LogTopics) { self.names = names }

    var topics: [String] { [names.raw, names.commands] }

    mutating func process(_ events: [StoredEvent]) -> StageOutput {
        var output = StageOutput()
        for (index, stored) in events.enumerated() {
            guard let value = stored.event.value else { continue }  // A tombstone says nothing.
            let point = stored.event.topic == names.commands ? command(value) : reading(value)
            switch point {
            case .success(let point): output.add(point, source: index)
            case .failure(let problem): output.rejected.append((index, problem.reason))
            }
        }
        output.commitAll(events)
        return output
    }

    private mutating func reading(_ value: [UInt8]) -> Result<Point, UnusableEvent> {
        guard let reading = reader.read(value) else { return .failure(.init("not_a_reading")) }
        guard let at = time.timestamp(reading.time) else { return .failure(.init("bad_timestamp")) }
        guard let number = reading.value else { return .failure(.init("bad_value")) }
        return .success(
            Point(
                measurement: "raw_temperature", tags: [("home", reading.home.name), ("room", reading.room.name)],
                fields: [("value", .float(number))], time: at.nanoseconds))
    }

    private mutating func command(_ value: [UInt8]) -> Result<Point, UnusableEvent> {
        guard let event = CommandEvent(value) else { return .failure(.init("not_a_command")) }
        guard let at = time.timestamp(event.timestampText, zone: nil) else { return .failure(.init("bad_timestamp")) }
        return .success(
            Point(
                measurement: "heatpump_state", tags: [("home", event.home), ("room", event.room)],
                fields: [("on", .boolean(event.isOn)), ("reason", .string(event.reason))], time: at.nanoseconds))
    }
}

/// Why an event makes no point.
struct UnusableEvent: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
