import EventLog
import Heating
import Influx

/// P2: drops the sensors' fault values and passes the rest on, as points of the clean bucket and as `clean-data`. Which
/// values of another measure than the temperature are faults only its gateway knows.
struct Clean: Stage {
    let names: LogTopics
    /// Temperatures of exactly these values are sensor faults.
    let faults: [Double]
    private var reader = LoggedReading.Reader()
    private var time = EventTime()
    private var series = SeriesTable(suffix: "_clean")

    init(_ names: LogTopics, faults: [Double] = [100]) {
        self.names = names
        self.faults = faults
    }

    var topics: [String] { [names.raw] }

    mutating func process(_ events: [Event]) -> StageOutput {
        var output = StageOutput()
        output.points.reserve(points: events.count)
        output.events.reserveCapacity(events.count)
        for index in events.indices {
            guard let value = events[index].value else { continue }
            guard let home = pass(value, source: index, &output) else { continue }
            // The very bytes: nothing that another program wrote beside the reading gets lost.
            output.events.append(Event(topic: names.clean, key: home.name, value: value))
        }
        output.commitAll(events)
        return output
    }

    /// Adds the reading's point. - Returns: its home; nil if it was dropped.
    private mutating func pass(_ value: ArraySlice<UInt8>, source: Int, _ output: inout StageOutput) -> HomeID? {
        guard let reading = reader.read(value), let number = reading.value, let at = time.timestamp(reading.time)
        else {
            // P1 has put it on the dead-letter topic; twice would be one too many.
            output.dropped["unusable", default: 0] += 1
            return nil
        }
        guard !isFault(number, of: reading.measure, isKnown: reading.isFault, &output) else { return nil }
        series.add(reading, number, at: at, of: value, by: reader, source: source, to: &output.points)
        return reading.home
    }

    private func isFault(
        _ value: Double, of measure: Measure, isKnown: Bool, _ output: inout StageOutput
    ) -> Bool {
        guard isKnown || (measure == .temperature && faults.contains(value)) else { return false }
        output.dropped["outlier", default: 0] += 1
        return true
    }
}
