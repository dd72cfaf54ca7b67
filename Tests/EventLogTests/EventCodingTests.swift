import Journal
import Testing

@testable import EventLog

@Suite struct EventCodingTests {
    private func record(_ attributes: [UInt8]) -> Journal.Record {
        Journal.Record(sequence: 1, topic: "raw", payload: [7], attributes: attributes, receivedAt: 0)
    }

    @Test("every shape of event comes back")
    func roundTrip() {
        for key in [nil, "", "home1", String(repeating: "k", count: 300)] as [String?] {
            for value in [nil, [], [0], [UInt8](repeating: 9, count: 1000)] as [[UInt8]?] {
                for headers in [
                    [], [Event.Header(name: "", value: [])],
                    [.init(name: "a", value: [1]), .init(name: "a", value: [])],
                ] {
                    let event = Event(topic: "raw", key: key, value: value, headers: headers)
                    let entry = EventCoding.entry(event, now: 5)
                    let stored = Journal.Record(
                        sequence: 1, topic: entry.topic, payload: entry.payload, attributes: entry.attributes,
                        receivedAt: 5)
                    #expect(EventCoding.event(stored) == event)
                }
            }
        }
    }

    @Test("a bare value costs no attributes")
    func bare() {
        #expect(EventCoding.entry(Event(topic: "raw", value: [1]), now: 0).attributes.isEmpty)
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
            let event = EventCoding.event(record(attributes))
            #expect(event.topic == "raw", "seed \(seed)")
            #expect(event.value == [7] || event.value == nil, "seed \(seed)")
        }
        let huge: [UInt8] = [1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
        #expect(EventCoding.event(record(huge)) == Event(topic: "raw", value: [7]))
    }
}
