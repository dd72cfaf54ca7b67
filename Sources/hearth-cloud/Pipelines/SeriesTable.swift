import Heating
import Influx

/// The series of readings; of each room that the reader remembers made once.
struct SeriesTable {
    /// What the measurement's name has around the measure's.
    private let prefix: String
    private let suffix: String
    /// By the slot of a place: the series, and of which place it is.
    private var entries: [(serial: Int, series: Series)] = []

    init(prefix: String = "", suffix: String = "") { (self.prefix, self.suffix) = (prefix, suffix) }

    func measurement(_ measure: Measure) -> String { "\(prefix)\(measure)\(suffix)" }

    /// Adds the point of the reading that `reader` gave last.
    /// - Parameters:
    ///   - value: the reading's.
    ///   - event: what it was read from.
    mutating func add(
        _ reading: LoggedReading, _ value: Double, at time: Timestamp, of event: ArraySlice<UInt8>,
        by reader: LoggedReading.Reader, source: Int, to points: inout PointBatch
    ) {
        guard let known = reader.known else {
            points.add(make(reading), value, time: time.nanoseconds, index: source)
            return
        }
        let slot = known.place.slot
        if slot >= entries.count || entries[slot].serial != known.place.serial {
            let none = (serial: 0, series: Series(measurement: "", tags: [], field: "value"))
            entries += repeatElement(none, count: max(0, slot + 1 - entries.count))
            entries[slot] = (known.place.serial, make(reading))
        }
        // The text as it stands there: shorter than to write the number anew.
        event.withUnsafeBufferPointer { bytes in
            let number = UnsafeBufferPointer(rebasing: bytes[known.text])
            points.add(entries[slot].series, number: number, time: time.nanoseconds, index: source)
        }
    }

    private func make(_ reading: LoggedReading) -> Series {
        let tags = [("home", reading.home.name), ("room", reading.room.name)]
        return Series(measurement: measurement(reading.measure), tags: tags, field: "value")
    }
}
