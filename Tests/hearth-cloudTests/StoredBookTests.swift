import EventLog
import Heating
import Testing

@testable import hearth_cloud

@Suite("P1's account of the homes' records")
struct StoredBookTests {
    private static let time: Int64 = 1_795_428_000_000_000_000
    private let position = TopicPartition(topic: names.raw, partition: 0)

    private func raw(
        _ value: String, _ sequence: Int64?, epoch: String = "e", room: String = "office", at: Int64 = time,
        offset: Int64 = 0
    ) -> Event {
        stored(
            room: room, at: at, value: value, offset: offset, sequence: sequence,
            epoch: sequence == nil ? nil : epoch, topic: names.raw)
    }

    private func journal(_ epoch: String = "e") -> OriginTable.Journal {
        .init(home: HomeID("home1")!, epoch: ExactString(epoch))
    }

    @Test("P1 says whose records its points are, across rooms, journals and shapes of the event")
    func origins() {
        var stage = SaveRaw(names)
        var events = (1...6).map { raw("\($0)", $0, room: $0 % 2 == 0 ? "office" : "bath", at: Self.time + $0) }
        events.append(raw("1", 9, epoch: "f", at: Self.time + 9))
        events.append(raw("1", nil, at: Self.time + 10))
        let zoned =
            #"{"home":"home1","room":"attic","timestamp":"2026-11-23T10:00:00","value":3,"seq":7,"epoch":"e","zone":"Europe/Berlin"}"#
        events.append(
            Event(topic: names.raw, key: "home1", value: ArraySlice(zoned.utf8), offset: 8))
        let output = stage.process(events)
        #expect(output.origins == [journal(): SequenceRanges([1...7]), journal("f"): SequenceRanges([9...9])])
        #expect(stage.process([raw("1", 8, at: Self.time + 20)]).origins == [journal(): SequenceRanges([8...8])])
    }

    @Test(
        "a second, different reading of a room with the same time is counted, and named where a gateway had counted it")
    func overwritten() {
        var stage = SaveRaw(names)
        let output = stage.process([
            raw("20", 1), raw("20", 1), raw("21", 2), raw("5", nil, room: "attic"), raw("6", nil, room: "attic"),
            raw("6", nil, room: "attic"),
        ])
        #expect(output.dropped == ["overwritten": 2])
        #expect(output.overwritten == [RecordName(journal(), 1)])
    }

    @Test("what a reading costs does not grow with how many readings' places are remembered")
    func remembering() {
        func fastest(remembered: Int) -> Duration {
            var stage = SaveRaw(names, remembered: remembered)
            _ = stage.process([raw("20", 1)])  // Makes the table.
            return (1...3).map { round in
                let events = (1...300).map { raw("20", $0, at: Self.time + Int64(round * 1000) + $0) }
                return ContinuousClock().measure { _ = stage.process(events) }
            }.min()!
        }
        // 32 MiB of places: copied for each reading they would be milliseconds each.
        #expect(fastest(remembered: 1 << 20) < fastest(remembered: 1 << 10) * 10)
    }

    @Test("commits follow what was published; a broker that is away holds them up for a minute only")
    func covering() throws {
        let book = StoredBook()
        book.note([.points: [journal(): SequenceRanges([1...5])]], reached: [position: 6], now: 1)
        #expect(book.commitable(now: 1) == [:])
        let next = try #require(book.next(now: 1))
        #expect(next.summary.journal("e")?[.points].ranges == [1...5])
        book.note([.points: [journal(): SequenceRanges([6...9])]], reached: [position: 10], now: 2)
        #expect(book.next(now: 2) == nil)
        book.told(now: 3)
        #expect(book.commitable(now: 3) == [position: 6], "what came since the round began is not published yet")
        #expect(book.next(now: 4) == nil, "not more often than every ten seconds")
        #expect(book.next(now: StoredBook.roundNanoseconds + 1) != nil)
        book.untold([HomeID("home1")!])
        #expect(book.commitable(now: StoredBook.patienceNanoseconds) == [position: 6])
        #expect(book.commitable(now: StoredBook.patienceNanoseconds + 4) == [position: 10])
    }

    @Test("what an earlier run had published is told again with what came since")
    func restarted() throws {
        let book = StoredBook()
        book.note([.points: [journal(): SequenceRanges([90...95])]], reached: [position: 6], now: 1)
        var published = StoredSummary()
        published.add(SequenceRanges([1...91]), .points, of: "e")
        published.add(SequenceRanges([92...92]), .held, of: "e")
        book.merge(published, of: HomeID("home1")!)
        let account = try #require(book.next(now: 1)?.summary.journal("e"))
        #expect(account[.points].ranges == [1...95] && account[.held].isEmpty && account.toldFrom == 1)
    }
}
