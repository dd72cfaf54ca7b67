import SimulationModel
import Testing

@testable import Heating

/// The readings of one room in a window against a dictionary, which says what they should be.
@Suite struct RoomReadingsTests {
    @Test("in whatever order readings come, each time counts once with its last value, and values are in order")
    func anyOrder() {
        for seed in seeds(300, "room readings") {
            var generator = SeededGenerator(seed: seed)
            var readings = RoomReadings()
            var wanted: [Int64: Double] = [:]
            var clock: Int64 = 0
            let disorder = Int64.random(in: 0...40, using: &generator)
            for _ in 0..<Int.random(in: 1...120, using: &generator) {
                clock += Int64.random(in: 0...3, using: &generator)
                let time = clock - Int64.random(in: 0...disorder, using: &generator)
                let value = Double(Int.random(in: 0...2, using: &generator))
                let isKnown = wanted.updateValue(value, forKey: time) == value
                #expect(readings.add(value, at: time) == (isKnown ? .duplicate : .counted), "seed \(seed)")
                #expect(readings.count == wanted.count, "seed \(seed)")
            }
            #expect(readings.values == wanted.sorted { $0.key < $1.key }.map(\.value), "seed \(seed)")
        }
    }

    @Test("a full room takes no other time and no other value, and knows what it has")
    func full() {
        var readings = RoomReadings()
        for time in 1...Int64(HomeWindows.readingLimit) - 1 { _ = readings.add(20, at: 2 * time) }
        #expect(readings.add(21, at: 7) == .counted)
        #expect(readings.add(20, at: 9) == .tooMany)
        #expect(readings.add(20, at: Int64.max) == .tooMany)
        #expect(readings.add(20, at: 8) == .duplicate)
        #expect(readings.add(21, at: 7) == .duplicate)
        #expect(readings.add(22, at: 7) == .tooMany)
        #expect(readings.add(22, at: 8) == .tooMany)
        #expect(readings.count == HomeWindows.readingLimit)
    }

    @Test("rooms are found in any order, up to the limit")
    func rooms() throws {
        var table = RoomTable()
        let rooms = try (0..<HomeWindows.roomLimit + 1).map { try #require(Room("room\($0)")) }
        for (place, room) in rooms.dropLast().enumerated() { #expect(table.index(of: room) == place) }
        #expect(table.index(of: rooms[HomeWindows.roomLimit]) == nil)
        for place in (0..<HomeWindows.roomLimit).shuffled() { #expect(table.index(of: rooms[place]) == place) }
    }
}
