import EventLog
import Heating

/// The homes whose windows P4 keeps, each for every measure that is averaged.
struct HomeTable {
    struct Home {
        let name: HomeID
        var measure = Measure.temperature
        var windows: HomeWindows
        var position: TopicPartition
        /// In the queues of ``HomeAgenda``.
        var isSettling = false
        var isNeeding = false
    }

    private var homes: [Home] = []
    private struct Key: Hashable {
        var home: HomeID
        var measure: Measure
    }

    private var byName: [Key: Int] = [:]
    /// By the slot of a place that the reader remembers: which home that is, as long as the serial is the same.
    private var byPlace: [(serial: Int, home: Int)] = []

    var indices: Range<Int> { homes.indices }

    /// In place: a copy taken out would copy the windows with the first change.
    subscript(index: Int) -> Home {
        // Not get: that would retain and release all that a home has, for each of ten thousand homes with each batch.
        _read { yield homes[index] }
        _modify { yield &homes[index] }
    }

    /// Where a home is; a new one is made.
    /// - Parameter place: where the reader remembers the reading's room, whose home is `name`; nil if it does not, and of
    ///   another measure than the temperature.
    mutating func index(
        of name: HomeID, _ place: KnownPlace?, measure: Measure = .temperature, make: () -> Home
    ) -> Int {
        guard let place, measure == .temperature else { return index(of: Key(home: name, measure: measure), make) }
        if place.slot < byPlace.count, byPlace[place.slot].serial == place.serial { return byPlace[place.slot].home }
        byPlace += repeatElement((serial: 0, home: 0), count: max(0, place.slot + 1 - byPlace.count))
        byPlace[place.slot] = (place.serial, index(of: Key(home: name, measure: measure), make))
        return byPlace[place.slot].home
    }

    /// Forgets the homes of these partitions.
    mutating func remove(_ positions: Set<TopicPartition>) {
        homes.removeAll { positions.contains($0.position) }
        byName = Dictionary(
            uniqueKeysWithValues: homes.indices.map { (Key(home: homes[$0].name, measure: homes[$0].measure), $0) })
        byPlace = []
    }

    private mutating func index(of key: Key, _ make: () -> Home) -> Int {
        if let known = byName[key] { return known }
        homes.append(make())
        byName[key] = homes.count - 1
        return homes.count - 1
    }
}
