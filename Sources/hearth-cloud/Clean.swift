import EventLog
import Heating
import Influx

/// P2: drops the sensors' fault values and passes the rest on, as points of the clean bucket and as `clean-data`.
struct Clean: Stage {
    let names: LogTopics
    /// Readings of exactly these values are sensor faults.
    let faults: [Double]
    private var reader = LoggedReading.Reader()
    private var time = EventTime()

    init(_ names: LogTopics, faults: [Double] = [100]) {
        self.names = names
        self.faults = faults
    }

    var topics: [String] { [names.raw] }

    mutating func process(_ events: [StoredEvent]) -> StageOutput {
        var output = StageOutput()
        for (index, stored) in events.enumerated() {
            guard let value = stored.event.value else { continue }
            guard let reading = reader.read(value), let number = reading.value, let at = time.timestamp(reading.time)
            else {
                // P1 has put it on the dead-letter topic; twice would be one too many.
                output.dropped["unusable", default: 0] += 1
                continue
            }
            guard !faults.contains(number) else {
                output.dropped["outlier", default: 0] += 1
                continue
            }
            let point = Point(
                measurement: "temperature_clean", tags: [("home", reading.home.name), ("room", reading.room.name)],
                fields: [("value", .float(number))], time: at.nanoseconds)
            output.add(point, source: index)
            // The very bytes: nothing that another program wrote beside the reading gets lost.
            output.events.append(Event(topic: names.clean, key: reading.home.name, value: value))
        }
        output.commitAll(events)
        return output
    }
}
