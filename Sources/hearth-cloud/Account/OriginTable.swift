import EventLog
import Heating

/// One record of one home's journal.
struct RecordName: Equatable, Sendable {
    var journal: OriginTable.Journal
    var sequence: Int64

    init(_ journal: OriginTable.Journal, _ sequence: Int64) {
        self.journal = journal
        self.sequence = sequence
    }

    /// nil for a reading that no gateway has counted.
    init?(_ reading: LoggedReading) { self.init(reading.home.name, reading.epoch, reading.sequence) }

    init?(_ command: CommandEvent) { self.init(command.home, command.epoch, command.sequence) }

    /// nil for an event that is no record.
    init?(_ event: Event, _ topics: LogTopics) {
        guard let value = event.value else { return nil }
        if event.topic == topics.commands {
            guard let command = CommandEvent(value) else { return nil }
            self.init(command)
        } else {
            var reader = LoggedReading.Reader()
            guard let reading = reader.read(value) else { return nil }
            self.init(reading)
        }
    }

    /// From what a dead letter has beside its bytes.
    init?(_ letter: DeadLetter) {
        func property(_ name: String) -> String? { letter.properties.first { $0.name == name }?.value }
        self.init(letter.key, property("epoch"), property("seq").flatMap { Int64($0) })
    }

    private init?(_ home: String, _ epoch: String?, _ sequence: Int64?) {
        guard let home = HomeID(home), let epoch, !epoch.isEmpty, epoch.utf8.count <= Origin.nameLimit, let sequence,
            sequence > 0
        else { return nil }
        self.init(.init(home: home, epoch: ExactString(epoch)), sequence)
    }

    var properties: [(name: String, value: String)] { [("seq", "\(sequence)"), ("epoch", journal.epoch.text)] }
}

/// Gathers whose records a batch was made of. On the pipeline's hot path: for a room that the reader remembers it costs a
/// comparison of the epoch. A value for one thread; bounded.
struct OriginTable {
    /// One journal of one home.
    struct Journal: Hashable, Sendable {
        let home: HomeID
        let epoch: ExactString
        /// Stands for both in this process.
        let key: Int

        init(home: HomeID, epoch: ExactString) {
            (self.home, self.epoch) = (home, epoch)
            var hasher = Hasher()
            hasher.combine(home)
            hasher.combine(epoch)
            key = hasher.finalize()
        }

        static func == (left: Journal, right: Journal) -> Bool {
            left.key == right.key && left.home == right.home && left.epoch == right.epoch
        }

        func hash(into hasher: inout Hasher) { hasher.combine(key) }
    }

    private struct Entry {
        let journal: Journal
        var runs: [ClosedRange<Int64>] = []
    }

    private static let entryLimit = 8192

    private var entries: [Entry] = []
    private var byJournal: [Journal: Int] = [:]
    /// By the slot of a place that the reader remembers.
    private var byPlace: [(serial: Int, entry: Int)] = []
    private var touched: [Int] = []

    mutating func note(_ record: RecordName) { add(record.sequence, to: index(of: record.journal)) }

    /// - Parameter place: where the reader remembers its room.
    /// - Returns: nil for a reading that no gateway has counted.
    mutating func note(_ reading: LoggedReading, at place: KnownPlace?) -> RecordName? {
        if let place, let sequence = reading.sequence, sequence > 0, let epoch = reading.epoch,
            place.slot < byPlace.count, byPlace[place.slot].serial == place.serial
        {
            let entry = byPlace[place.slot].entry
            let journal = entries[entry].journal
            if journal.epoch == ExactString(epoch) {
                add(sequence, to: entry)
                return RecordName(journal, sequence)
            }
        }
        guard let record = RecordName(reading) else { return nil }
        let entry = index(of: record.journal)
        add(record.sequence, to: entry)
        if let place {
            byPlace += repeatElement((serial: 0, entry: 0), count: max(0, place.slot + 1 - byPlace.count))
            byPlace[place.slot] = (place.serial, entry)
        }
        return record
    }

    /// What was noted since the last time.
    mutating func take() -> [Journal: SequenceRanges] {
        var taken: [Journal: SequenceRanges] = [:]
        for entry in touched {
            taken[entries[entry].journal] = SequenceRanges(entries[entry].runs)
            entries[entry].runs.removeAll(keepingCapacity: true)
        }
        touched.removeAll(keepingCapacity: true)
        if entries.count > Self.entryLimit { self = OriginTable() }
        return taken
    }

    private mutating func index(of journal: Journal) -> Int {
        if let known = byJournal[journal] { return known }
        entries.append(Entry(journal: journal))
        byJournal[journal] = entries.count - 1
        return entries.count - 1
    }

    private mutating func add(_ sequence: Int64, to entry: Int) {
        if let last = entries[entry].runs.last {
            if sequence - 1 == last.upperBound {
                entries[entry].runs[entries[entry].runs.count - 1] = last.lowerBound...sequence
                return
            }
        } else {
            touched.append(entry)
        }
        entries[entry].runs.append(sequence...sequence)
    }
}
