import Heating

/// Which reading has which place in the database, as far as it is remembered: tells that a second, different reading of a
/// room with the same time replaces the first. A gateway gives every reading a place of its own; from producers without
/// one the last reading stands, and that is counted here.
///
/// Of fixed size: by default about the last 130 000 readings of all homes, the newer one taking an older one's entry.
struct TakenPlaces {
    /// A reading that has no point any more; the record it was, if a gateway had counted it.
    struct Loss: Equatable { var record: RecordName? }

    private struct Entry {
        var place: UInt64 = 0
        var value: UInt64 = 0
        var sequence: Int64 = 0
        var journal = 0
    }

    private let count: Int
    private var entries: [Entry] = []

    /// - Parameter count: of the readings that are remembered, a power of two.
    init(count: Int = 1 << 17) { self.count = count }

    /// - Parameter known: where the reader remembers the room.
    mutating func take(
        _ reading: LoggedReading, _ known: KnownPlace?, _ time: Timestamp, _ value: Double, _ record: RecordName?
    ) -> Loss? {
        var hasher = Hasher()
        if let known {
            hasher.combine(known.serial)
        } else {
            hasher.combine(reading.home)
            hasher.combine(reading.room)
            hasher.combine(reading.measure)
        }
        hasher.combine(time.nanoseconds)
        if entries.isEmpty { entries = Array(repeating: Entry(), count: count) }
        let place = UInt64(bitPattern: Int64(hasher.finalize())) | 1
        let index = Int(place >> 1) & (count - 1)
        let before = entries[index]
        let journal = record?.journal.key ?? 0
        entries[index] = Entry(
            place: place, value: value.bitPattern, sequence: record?.sequence ?? 0, journal: journal)
        guard before.place == place, before.value != value.bitPattern else { return nil }
        // Of another journal's record nobody could say which it was.
        guard let record, before.journal == journal, before.sequence != record.sequence else {
            return Loss(record: nil)
        }
        return Loss(record: RecordName(record.journal, before.sequence))
    }
}
