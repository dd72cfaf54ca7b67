import Journal
import Testing

@testable import EventLog

/// What a journal log remembers of its own appends, against all that was appended.
@Suite struct RecentRowsTests {
    private func row(_ topic: String, _ sequences: ClosedRange<Int64>) -> Journal.Record {
        let events = sequences.map { Event(topic: topic, value: [UInt8($0 % 251)]) }
        let entry = EventCoding.rows(events[...], now: 0)[0]
        return Journal.Record(
            sequence: sequences.upperBound, topic: topic, payload: entry.payload, attributes: entry.attributes,
            receivedAt: 0, span: entry.span)
    }

    private func stored(_ rows: [Journal.Record]) -> [Event] {
        var events: [Event] = []
        for row in rows { EventCoding.append(row, to: &events) }
        return events
    }

    @Test("what was appended is read, from within a row too, and only of the topics asked for")
    func reading() {
        var recent = RecentRows()
        recent.add([row("raw", 5...9), row("clean", 10...12)], epoch: "e")
        recent.add([row("raw", 13...20)], epoch: "e")
        let all = recent.read(after: 4, topics: ["raw"], atMost: 100, epoch: "e")
        #expect(all?.rows.map(\.firstSequence) == [5, 13] && all?.through == 20)
        let inside = recent.read(after: 7, topics: ["raw", "clean"], atMost: 6, epoch: "e")
        #expect(inside?.rows.map(\.firstSequence) == [5] && inside?.through == 9)
        let rare = recent.read(after: 4, topics: ["commands"], atMost: 100, epoch: "e")
        #expect(rare?.rows.isEmpty == true && rare?.through == 20)
    }

    @Test("it says nothing of what it has not seen: before, after, another epoch, behind a gap")
    func unknown() {
        var recent = RecentRows()
        #expect(recent.read(after: 0, topics: ["raw"], atMost: 9, epoch: "") == nil)
        recent.add([row("raw", 5...9)], epoch: "e")
        #expect(recent.read(after: 3, topics: ["raw"], atMost: 9, epoch: "e") == nil)
        #expect(recent.read(after: 9, topics: ["raw"], atMost: 9, epoch: "e") == nil)
        #expect(recent.read(after: 4, topics: ["raw"], atMost: 9, epoch: "f") == nil)
        #expect(recent.end(ofOthersAfter: 3, topics: ["clean"], epoch: "e") == 3)
        #expect(recent.end(ofOthersAfter: 4, topics: ["clean"], epoch: "f") == 4)
        #expect(recent.end(ofOthersAfter: 4, topics: ["clean"], epoch: "e") == 9)
        recent.add([row("raw", 11...12)], epoch: "e")
        #expect(recent.read(after: 4, topics: ["raw"], atMost: 9, epoch: "e") == nil)
        #expect(recent.end(ofOthersAfter: 4, topics: ["clean"], epoch: "e") == 4)
        recent.add([row("raw", 13...14)], epoch: "f")
        #expect(recent.read(after: 10, topics: ["raw"], atMost: 9, epoch: "e") == nil)
        #expect(recent.read(after: 12, topics: ["raw"], atMost: 9, epoch: "f")?.through == 14)
    }

    @Test("whatever is asked, the answer is true, and memory stays bounded")
    func model() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var state = seed
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        var recent = RecentRows(limit: 5000, runLimit: 10)
        var topics: [Int64: String] = [:]
        var next: Int64 = 1
        var (answers, passes) = (0, 0)
        for _ in 0..<20_000 {
            if random(3) == 0 {
                let topic = ["raw", "raw", "clean", "commands"][random(random(20) == 0 ? 4 : 2)]
                let last = next + Int64(random(20))
                for sequence in next...last { topics[sequence] = topic }
                recent.add([row(topic, next...last)], epoch: "e")
                next = last + 1
            }
            let after = Int64(random(Int(next)))
            let wanted = [["raw"], ["clean"], ["raw", "commands"]][random(3)]
            if let found = recent.read(after: after, topics: wanted, atMost: 1 + random(60), epoch: "e") {
                answers += 1
                let events = stored(found.rows).filter { $0.offset > after }
                let expected = (after + 1...found.through).filter { wanted.contains(topics[$0] ?? "") }
                #expect(found.through > after && events.map(\.offset) == expected, "seed \(seed)")
                #expect(events.allSatisfy { $0.value == [UInt8($0.offset % 251)] }, "seed \(seed)")
            }
            let end = recent.end(ofOthersAfter: after, topics: wanted, epoch: "e")
            if end > after {
                passes += 1
                #expect(!(after + 1...end).contains { wanted.contains(topics[$0] ?? "") }, "seed \(seed)")
            }
            #expect(recent.runs.count <= 11)
        }
        #expect(answers > 100 && passes > 100)
    }
}
