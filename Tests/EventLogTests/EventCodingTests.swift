import Journal
import Testing

@testable import EventLog

private func decoded(_ record: Journal.Record) -> [Event] {
    var events: [Event] = []
    EventCoding.append(record, to: &events)
    return events
}

@Suite struct EventCodingTests {
    private func record(_ attributes: [UInt8]) -> Journal.Record {
        Journal.Record(sequence: 1, topic: "raw", payload: [7], attributes: attributes, receivedAt: 0)
    }

    @Test("every shape of event comes back")
    func roundTrip() {
        for key in [nil, "", "home1", String(repeating: "k", count: 300)] as [String?] {
            for value in [nil, [], [0], ArraySlice(repeating: 9, count: 1000)] as [ArraySlice<UInt8>?] {
                for headers in [
                    [], [Event.Header(name: "", value: [])],
                    [.init(name: "a", value: [1]), .init(name: "a", value: [])],
                ] {
                    let event = Event(topic: "raw", key: key, value: value, headers: headers)
                    let entry = EventCoding.rows([event], now: 5)[0]
                    let stored = Journal.Record(
                        sequence: 1, topic: entry.topic, payload: entry.payload, attributes: entry.attributes,
                        receivedAt: 5)
                    #expect(decoded(stored).map(\.asAppended) == [event])
                }
            }
        }
    }

    @Test("a bare value costs no attributes")
    func bare() {
        #expect(EventCoding.rows([Event(topic: "raw", value: [1])], now: 0)[0].attributes.isEmpty)
    }

    @Test("attributes that nobody here wrote never trap, and the value is kept")
    func hostile() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var state = seed
        func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        for _ in 0..<20_000 {
            var attributes = (0..<Int(next() % 24)).map { _ in next() }
            // Half of them begin like ours, to get further.
            if next() % 2 == 0, attributes.count > 1 { attributes.replaceSubrange(0..<2, with: [1, next() % 4]) }
            let event = decoded(record(attributes))[0]
            #expect(event.topic == "raw", "seed \(seed)")
            #expect(event.value == [7] || event.value == nil, "seed \(seed)")
        }
        let huge: [UInt8] = [1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
        #expect(decoded(record(huge)).map(\.asAppended) == [Event(topic: "raw", value: [7])])
    }
}

/// Several events in one row.
@Suite struct EventBatchCodingTests {
    private func record(_ entry: Journal.Record) -> Journal.Record {
        var record = entry
        record.sequence = 1000
        return record
    }

    @Test("a row of a few events keeps no memory for the others that could have come")
    func memory() {
        let events = (0..<10).map { Event(topic: "raw", value: [UInt8($0)]) }
        let entries = EventCoding.rows(events[...], now: 5)
        #expect(entries.map(\.span) == [10])
        #expect(entries.allSatisfy { $0.payload.capacity < 200 })
    }

    @Test("every shape of event comes back out of a row with others")
    func roundTrip() {
        var events: [Event] = []
        for key in [nil, "", "home1", String(repeating: "k", count: 300)] as [String?] {
            for value in [nil, [], [0], ArraySlice(repeating: 9, count: 200)] as [ArraySlice<UInt8>?] {
                for headers in [[], [Event.Header(name: "a", value: [1]), .init(name: "a", value: [])]] {
                    events.append(Event(topic: "raw", key: key, value: value, headers: headers))
                }
            }
        }
        let entries = EventCoding.rows(events[...], now: 5)
        #expect(entries.map(\.span) == [events.count])
        #expect(entries.flatMap { decoded(record($0)) }.map(\.asAppended) == events)
    }

    @Test("topics keep their order, rows stay small, and one event alone is a row as it always was")
    func rows() {
        let events = (0..<400).map { number in
            let value = [UInt8](repeating: UInt8(number % 251), count: 99)
            return Event(topic: ["a", "b", "c"][number % 3], key: "k", value: value)
        }
        let lone = Event(topic: "lone", value: [UInt8](repeating: 1, count: 400_000))
        let entries = EventCoding.rows((events + [lone])[...], now: 5)
        #expect(entries.count < 12)
        #expect(entries.filter { $0.topic != "lone" }.allSatisfy { $0.payload.count < 20_000 })
        for topic in ["a", "b", "c"] {
            let read = entries.filter { $0.topic == topic }.flatMap { decoded(record($0)) }
            #expect(read.map(\.asAppended) == events.filter { $0.topic == topic })
        }
        #expect(entries.first { $0.topic == "lone" } == EventCoding.rows([lone], now: 5).first)
        #expect(entries.first { $0.topic == "lone" }?.attributes == [])
    }

    @Test("a row of several that nobody here wrote never traps, and is one event")
    func hostile() {
        let entry = EventCoding.rows(
            [Event(topic: "raw", key: "k", value: [1, 2]), Event(topic: "raw", value: [3])], now: 0)[0]
        for length in 0..<entry.payload.count {
            var cut = record(entry)
            cut.payload = Array(entry.payload.prefix(length))
            #expect(decoded(cut).map(\.asAppended) == [Event(topic: "raw", value: cut.payload)])
        }
        for index in entry.payload.indices {
            for bit in 0..<8 {
                var flipped = record(entry)
                flipped.payload[index] ^= UInt8(1 << bit)
                #expect((1...2).contains(decoded(flipped).count))
            }
        }
        var wrong = record(entry)
        wrong.span = 3
        #expect(decoded(wrong).count == 1)
    }
}
