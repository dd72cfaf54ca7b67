import EventLog
import Glibc
import SimulationModel
import Testing

@testable import Heating
@testable import hearth_cloud

@Suite("Which homes P4 looks at") struct HomeAgendaTests {
    private static let settings = HomeWindows.Settings(
        window: .seconds(60), openReadings: 20, openWindows: 2, jump: .seconds(100_000))
    private static let day = Duration.seconds(24 * 3600)
    private static let positions = (0..<2).map { TopicPartition(topic: names.clean, partition: Int32($0)) }

    @Test("the same as looking at every home after each batch", arguments: 0..<20)
    func likeLookingAtAll(_ round: Int) throws {
        var random = SeededGenerator(seed: givenSeed ?? UInt64(round))
        var (homes, agenda) = (HomeTable(), HomeAgenda())
        var now = Instant.seconds(1000)
        var offset: Int64 = 0
        for _ in 0..<400 {
            // At times a day and more, in which homes are silent.
            let pause =
                Int.random(in: 0..<20, using: &random) == 0 ? 80_000.0 : Double.random(in: 0..<3, using: &random)
            now = now + .nanoseconds(Int64(pause * 1e9))
            for _ in 0..<Int.random(in: 0..<8, using: &random) {
                offset += 1
                let home = Int.random(in: 0..<12, using: &random)
                try add(home, at: offset, Int64.random(in: 0..<50, using: &random), now, &homes, &agenda)
            }
            for position in Self.positions {
                let wanted = homes.indices.filter { homes[$0].position == position }.filter {
                    now - homes[$0].windows.lastChange < Self.day
                }.compactMap { homes[$0].windows.firstNeeded() }.min()
                let first = agenda.firstNeeded(position, changedWithin: Self.day, now: now, in: &homes)
                #expect(first == wanted, "HEARTH_SEED=\(round)")
                guard Bool.random(using: &random) else { continue }
                let due = homes.indices.filter { index in
                    var windows = homes[index].windows
                    return homes[index].position == position && !windows.takeSettled(now: now).isEmpty
                }
                let settled = agenda.takeSettled(position, now: now, in: &homes)
                #expect(Set(settled).isSuperset(of: due) && Set(settled).count == settled.count)
                for index in settled {
                    _ = homes[index].windows.takeSettled(now: now)
                    agenda.touch(index, in: &homes)
                }
            }
            guard Int.random(in: 0..<100, using: &random) == 0 else { continue }
            homes.remove([Self.positions[1]])
            agenda.rebuild(for: &homes)
        }
    }

    private func add(
        _ number: Int, at offset: Int64, _ minute: Int64, _ now: Instant, _ homes: inout HomeTable,
        _ agenda: inout HomeAgenda
    ) throws {
        let (name, room) = (try #require(HomeID("home\(number)")), try #require(Room("office")))
        let index = homes.index(of: name, nil) {
            HomeTable.Home(
                name: name, windows: HomeWindows(settings: Self.settings, now: now),
                position: Self.positions[number % 2])
        }
        _ = homes[index].windows.add(
            room: room, at: Timestamp(nanoseconds: minute * 60_000_000_000), value: Double(offset), offset: offset,
            now: now)
        agenda.touch(index, in: &homes)
    }

    @Test("a batch of one home costs the same whether there are a hundred or ten thousand")
    func costOfABatch() {
        let (few, many) = (cost(homes: 100), cost(homes: 10_000))
        #expect(many < 10 * few, "\(many) ns with 10 000 homes, \(few) ns with 100")
    }

    /// Processor time of batches with one reading each, nanoseconds.
    private func cost(homes: Int) -> Int64 {
        var stage = Aggregate(names, settings: HomeWindows.Settings()) { Instant.seconds(1000) }
        _ = stage.process(
            (0..<homes).map { stored(home: "home\($0)", at: Int64($0), value: "20", offset: Int64($0)) })
        let events = (0..<200).map {
            stored(home: "home\($0 % 100)", at: Int64($0) + 1_000_000, value: "20", offset: Int64(homes + $0))
        }
        let start = Self.processorTime
        for event in events { _ = stage.process([event]) }
        return Self.processorTime - start
    }

    private static var processorTime: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
