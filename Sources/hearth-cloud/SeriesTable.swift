import Heating
import Influx

/// The series of each room that a reader knows, made once.
struct SeriesTable {
    let measurement: String
    private var known: [(serial: Int, series: Series)?] = []

    init(measurement: String) { self.measurement = measurement }

    /// Adds the point of a reading. - Parameter place: where the reader remembers its room.
    mutating func add(
        _ reading: borrowing LoggedReading, _ value: Double, at place: KnownPlace?, time: Int64, source: Int,
        to points: inout PointBatch
    ) {
        guard let place else {
            points.add(series(reading), value, time: time, index: source)
            return
        }
        while known.count <= place.slot { known.append(nil) }
        if known[place.slot]?.serial != place.serial { known[place.slot] = (place.serial, series(reading)) }
        guard let series = known[place.slot]?.series else { return }
        points.add(series, value, time: time, index: source)
    }

    private func series(_ reading: borrowing LoggedReading) -> Series {
        Series(
            measurement: measurement, tags: [("home", reading.home.name), ("room", reading.room.name)], field: "value")
    }
}
