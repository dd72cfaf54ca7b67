import EventLog
import Testing

@testable import Heating
@testable import hearth_cloud

@Suite struct HomeTableTests {
    private let partitions = (0..<2).map { TopicPartition(topic: "clean-data", partition: Int32($0)) }

    private func index(
        _ table: inout HomeTable, _ home: HomeID, _ slot: Int?, serial: Int = 1, in partition: Int
    ) -> Int {
        table.index(of: home, slot.map { KnownPlace(slot: $0, serial: serial) }) {
            HomeTable.Home(name: home, windows: HomeWindows(now: .zero), position: partitions[partition])
        }
    }

    @Test("a home is found by its name and by each of its rooms, and a place that was given away counts no more")
    func found() throws {
        let (first, second) = (try #require(HomeID("home1")), try #require(HomeID("home2")))
        var table = HomeTable()
        #expect(index(&table, first, 7, in: 0) == 0)
        #expect(index(&table, second, 3, in: 0) == 1)
        #expect(index(&table, first, 8, in: 0) == 0)
        #expect(index(&table, first, nil, in: 0) == 0)
        #expect(index(&table, second, 7, serial: 2, in: 0) == 1)
        #expect(index(&table, second, 7, serial: 2, in: 0) == 1)
        #expect(table.indices.map { table[$0].name } == [first, second])
    }

    @Test("a partition that goes takes its homes, and no place points to the wrong one after it")
    func removed() throws {
        let (first, second) = (try #require(HomeID("home1")), try #require(HomeID("home2")))
        var table = HomeTable()
        _ = index(&table, first, 0, in: 0)
        _ = index(&table, second, 1, in: 1)
        table.remove([partitions[0]])
        #expect(table.indices.map { table[$0].name } == [second])
        #expect(table[index(&table, second, 1, in: 1)].name == second)
        #expect(table[index(&table, first, 0, in: 0)].name == first)
        #expect(table.indices.map { table[$0].name } == [second, first])
    }
}
