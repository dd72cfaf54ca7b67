import Foundation
import Testing

@testable import hearth_sim

@Suite struct LoadPlanTests {
    private func plan(
        topics: [String] = LoadPlan.topics(prefix: "", homes: 0, rooms: 5), payload: LoadPlan.Payload = .numbered,
        first: Int = 0
    ) -> LoadPlan {
        LoadPlan(
            topics: topics, payload: payload, first: first, start: 1_795_428_000_000_000, step: 1_000, seed: 3)
    }

    @Test func `without homes the topics are a home broker's, with homes a cloud broker's`() {
        #expect(LoadPlan.topics(prefix: "", homes: 0, rooms: 2) == ["room1/temperature", "room2/temperature"])
        #expect(
            LoadPlan.topics(prefix: "bench/", homes: 2, rooms: 1)
                == ["bench/home1/room1/temperature", "bench/home2/room1/temperature"])
    }

    @Test(arguments: LoadPlan.Payload.allCases) func `no two readings of a room have the same time`(
        payload: LoadPlan.Payload
    ) throws {
        var plan = plan(payload: payload)
        var newest: [String: String] = [:]
        for index in 0..<20_000 {
            let reading = plan.reading(at: index)
            let text = String(decoding: reading.payload, as: UTF8.self)
            let timestamp = String(text.split(separator: "\"")[3])
            // ISO 8601 with a six-digit fraction orders as text; without one it would be shorter.
            let padded = timestamp.contains(".") ? timestamp : timestamp + ".000000"
            if let previous = newest[reading.topic] { try #require(previous < padded, "\(reading.topic) \(index)") }
            newest[reading.topic] = padded
        }
        #expect(newest.count == 5)
    }

    @Test func `numbered readings are unique and carry their number in the value`() throws {
        var plan = plan(first: 40)
        var seen: Set<String> = []
        for index in 0..<1_000 {
            let reading = plan.reading(at: index)
            let text = String(decoding: reading.payload, as: UTF8.self)
            let isNew = seen.insert(reading.topic + text).inserted
            #expect(isNew)
            let value = try #require(text.split(separator: " ").last?.dropLast())
            #expect(Int(value.dropFirst(3)) == 40 + index / 5)
            #expect((20.0..<21).contains(try #require(Double(value))))
        }
    }

    @Test func `a numbered payload is as long as the real sensor's, 60 to 70 bytes`() {
        var plan = plan()
        let length = plan.reading(at: 7).payload.count
        #expect((60...70).contains(length))
    }

    @Test func `a reading can be made again from its index`() {
        var plan = plan(payload: .sensor)
        let before = (0..<100).map { plan.reading(at: $0) }
        let again = (0..<100).reversed().map { plan.reading(at: $0) }
        #expect(before == again.reversed())
    }

    @Test func `sensor payloads are one in five exactly 100`() {
        var plan = plan(payload: .sensor)
        let outliers = (0..<10_000).filter {
            String(decoding: plan.reading(at: $0).payload, as: UTF8.self).hasSuffix(#""value": 100}"#)
        }
        #expect((1_850...2_150).contains(outliers.count), "\(outliers.count) outliers")
    }

    @Test(arguments: [(1, 12, 100), (3, 12, 100), (5, 12, 7), (12, 12, 11), (7, 50, 12_345), (4, 4, 0)])
    func `several connections together send exactly the plan of one`(connections: Int, rooms: Int, count: Int) {
        let topics = LoadPlan.topics(prefix: "", homes: 0, rooms: rooms)
        var whole = plan(topics: topics)
        var expected: Set<String> = []
        for index in 0..<count {
            let reading = whole.reading(at: index)
            expected.insert(reading.topic + String(decoding: reading.payload, as: UTF8.self))
        }
        var sent: [String] = []
        for (position, part) in plan(topics: topics).split(into: connections).enumerated() {
            var part = part
            let share = LoadShare(position: position, of: connections, topics: rooms)
            for index in 0..<share.readings(of: count) {
                let reading = part.reading(at: index)
                sent.append(reading.topic + String(decoding: reading.payload, as: UTF8.self))
            }
        }
        #expect(sent.count == count)
        #expect(Set(sent) == expected)
    }
}

@Suite struct LoadScheduleTests {
    @Test func `at a rate of 100 the readings of one second are due after one second`() {
        var schedule = LoadSchedule(rate: 100)
        let times: [Int64] = [5_000_000_000, 5_995_000_000, 6_000_000_000]
        #expect(times.map { schedule.due(now: $0) } == [1, 100, 101])
        #expect(schedule.deadline(sent: 101) == 6_010_000_001)
    }

    @Test func `the reading of a deadline is due at that deadline`() throws {
        for rate in [0.3, 7, 33.3, 997, 40_000] {
            var schedule = LoadSchedule(rate: rate)
            _ = schedule.due(now: 1_000_000_007)
            for sent in stride(from: 1, to: 5_000, by: 13) {
                let deadline = try #require(schedule.deadline(sent: sent))
                let atDeadline = schedule.due(now: deadline)
                let before = schedule.due(now: deadline - 1_000)
                #expect(atDeadline >= sent + 1, "rate \(rate), after \(sent)")
                #expect(before <= sent + 1)
            }
        }
    }

    @Test func `rate zero has no schedule`() {
        var schedule = LoadSchedule(rate: 0)
        let due = schedule.due(now: 1)
        #expect(due == .max)
        #expect(schedule.deadline(sent: 1_000_000) == nil)
    }
}

@Suite struct LoadCountsTests {
    @Test func `the summary of several connections is valid JSON over the whole time`() throws {
        var counts = LoadCounts(sent: 600, acknowledged: 500, resent: 3, began: 2_000_000_000, newest: 3_000_000_000)
        counts.add(LoadCounts(sent: 400, acknowledged: 400, began: 1_000_000_000, newest: 2_500_000_000))
        let text = counts.json(qos: 1, payloadBytes: 65)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["sent"] as? Int == 1_000)
        #expect(object["acknowledged"] as? Int == 900)
        #expect(object["unacknowledged"] as? Int == 100)
        #expect(object["resent"] as? Int == 3)
        #expect(object["seconds"] as? Double == 2)
        #expect(object["messages_per_second"] as? Double == 450)
    }
}
