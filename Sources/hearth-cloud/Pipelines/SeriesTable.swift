import Heating
import Influx

/// The series of each room that a reader knows, made once.
struct SeriesTable {
    let measurement: String
    /// By the slot of a place: the series, and of which place it is.
    private var entries: [(serial: Int, series: Series)] = []

    init(measurement: String) { self.measurement = measurement }

    /// Adds the point of a reading whose room `reader` remembers. - Parameter event: what it was read from.
    mutating func add(
        _ reading: KnownReading, of event: ArraySlice<UInt8>, by reader: LoggedReading.Reader, source: Int,
        to points: inout PointBatch
    ) {
        let slot = reading.place.slot
        if slot >= entries.count || entries[slot].serial != reading.place.serial {
            guard let home = reader.home(of: reading.place), let room = reader.room(of: reading.place) else { return }
            let none = (serial: 0, series: Series(measurement: measurement, tags: [], field: "value"))
            entries += repeatElement(none, count: max(0, slot + 1 - entries.count))
            entries[slot] = (reading.place.serial, Self.make(measurement, home, room))
        }
        event.withUnsafeBufferPointer { bytes in
            let number = UnsafeBufferPointer(rebasing: bytes[reading.text])
            points.add(entries[slot].series, number: number, time: reading.timestamp.nanoseconds, index: source)
        }
    }

    /// The series of any other reading.
    static func series(_ measurement: String, _ reading: LoggedReading) -> Series {
        make(measurement, reading.home, reading.room)
    }

    private static func make(_ measurement: String, _ home: HomeID, _ room: Room) -> Series {
        Series(measurement: measurement, tags: [("home", home.name), ("room", room.name)], field: "value")
    }
}
