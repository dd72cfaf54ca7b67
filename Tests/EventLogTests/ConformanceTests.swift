import EventLog
import Foundation
import Testing

/// What callers rely on, whichever engine they run on.
@Suite(.timeLimit(.minutes(3)))
struct ConformanceTests {
    @Test("events of many homes come back unchanged, in order per key", arguments: Engine.available)
    func order(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic()
            let log = try store.openLog()
            let homes = (0..<50).map { "home\($0)" }
            for round in 0..<20 { try log.append(homes.map { event(topic, $0, "\($0)/\(round)") }) }

            let reader = try log.reader(group: "\(store.name)-g", topics: [topic], instance: nil)
            let events = try reader.collect(1000)
            reader.close()
            #expect(events.count == 1000)
            for home in homes {
                let values = events.filter { $0.key == home }.map(text)
                #expect(values == (0..<20).map { "\(home)/\($0)" })
            }
            for (position, group) in Dictionary(grouping: events, by: \.position) {
                let offsets = group.map(\.offset)
                #expect(offsets == offsets.sorted() && Set(offsets).count == offsets.count, "\(position)")
            }
        }
    }

    @Test("tombstones, empty values, headers and keys survive", arguments: Engine.available)
    func shapes(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic(partitions: 1)
            let log = try store.openLog()
            let sent = [
                Event(topic: topic, key: "home1", value: nil),
                Event(topic: topic, key: "home1", value: []),
                Event(topic: topic, key: nil, value: [0, 255, 10]),
                Event(topic: topic, key: "", value: [1]),
                Event(topic: topic, key: "Zoë 🏠", value: Array(#"{"home":"Zoë"}"#.utf8)),
                Event(
                    topic: topic, key: "h", value: [2],
                    headers: [
                        .init(name: "reason", value: Array("not_json".utf8)), .init(name: "empty", value: []),
                        .init(name: "reason", value: [0, 1, 254]),
                    ]),
                Event(topic: topic, key: nil, value: nil, headers: [.init(name: "gone", value: [9])]),
            ]
            let before = Int64(Date().timeIntervalSince1970 * 1e9) - 1_000_000_000
            try log.append(sent)
            let reader = try log.reader(group: "\(store.name)-g", topics: [topic], instance: nil)
            let events = try reader.collect(sent.count)
            reader.close()
            #expect(events.map(\.asAppended) == sent)
            // The mock cluster does not stamp, librdkafka does; either way it is a time of today.
            #expect(events.allSatisfy { $0.appendedAt > before })
        }
    }

    @Test("values of 900 kB survive", arguments: Engine.available)
    func bigValues(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic(partitions: 4)
            let log = try store.openLog()
            var generator = SystemRandomNumberGenerator()
            let values = (0..<6).map { _ in
                (0..<112_500).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
            }
            try log.append(values.enumerated().map { Event(topic: topic, key: "home\($0)", value: $1) })
            let reader = try log.reader(group: "\(store.name)-g", topics: [topic], instance: nil)
            let events = try reader.collect(values.count)
            reader.close()
            #expect(Set(events.compactMap(\.value)) == Set(values.map { $0[...] }))
        }
    }

    @Test("an empty topic costs the time asked for and no more", arguments: Engine.available)
    func emptyTopic(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic()
            let log = try store.openLog()
            let reader = try log.reader(group: "\(store.name)-g", topics: [topic], instance: nil)
            // The first reads may return early, to tell the assignment.
            var assigned: [TopicPartition] = []
            let end = Date(timeIntervalSinceNow: 20)
            while assigned.isEmpty, Date() < end {
                assigned += try reader.read(atMost: 10, within: 500_000_000).assigned
            }
            #expect(Set(assigned.map(\.topic)) == [topic])
            let started = ContinuousClock.now
            #expect(try reader.read(atMost: 10, within: 700_000_000).isEmpty)
            let took = ContinuousClock.now - started
            #expect(took >= .milliseconds(690) && took < .seconds(3))
            reader.close()
        }
    }

    @Test("a waiting reader gets an event soon after its append", arguments: Engine.available)
    func wakes(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic()
            let log = try store.openLog()
            let reader = try log.reader(group: "\(store.name)-g", topics: [topic], instance: nil)
            try log.append([event(topic, "h", "first")])
            #expect(try reader.collect(1).map(text) == ["first"])
            for round in 0..<5 {
                Thread.detachNewThread {
                    usleep(150_000)
                    try? log.append([event(topic, "h", "\(round)")])
                }
                let started = ContinuousClock.now
                #expect(try reader.collect(1, within: 10).map(text) == ["\(round)"])
                #expect(ContinuousClock.now - started < .seconds(2))
            }
            reader.close()
        }
    }

    @Test("one reader takes several topics, and a busy one does not starve the others", arguments: Engine.available)
    func topics(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let (busy, rare) = (try store.topic("busy"), try store.topic("rare"))
            let log = try store.openLog()
            for _ in 0..<20 { try log.append((0..<100).map { event(busy, "home\($0 % 9)", "b\($0)") }) }
            try log.append([event(rare, "h", "rare")])
            let reader = try log.reader(group: "\(store.name)-g", topics: [busy, rare], instance: nil)
            let events = try reader.collect(2001, batch: 100)
            #expect(events.filter { $0.topic == busy }.count == 2000)
            #expect(events.filter { $0.topic == rare }.map(text) == ["rare"])
            reader.close()
        }
    }

    @Test("appends of several threads keep each thread's order", arguments: Engine.available)
    func threads(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic()
            let log = try store.openLog()
            let finished = DispatchGroup()
            for thread in 0..<4 {
                finished.enter()
                Thread.detachNewThread {
                    for round in 0..<25 {
                        try? log.append((0..<8).map { event(topic, "home\(thread)", "\(round * 8 + $0)") })
                    }
                    finished.leave()
                }
            }
            finished.wait()
            let reader = try log.reader(group: "\(store.name)-g", topics: [topic], instance: nil)
            let events = try reader.collect(800)
            let inOrder: [String] = (0..<200).map { "\($0)" }
            for thread in 0..<4 {
                let own: [String] = events.filter { $0.key == "home\(thread)" }.map(text)
                #expect(own == inOrder)
            }
            #expect(log.status.appended == 800)
            reader.close()
        }
    }

    @Test("closing the log from another thread ends a blocked read", arguments: Engine.available)
    func closes(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic()
            let log = try store.openLog()
            let reader = try log.reader(group: "\(store.name)-g", topics: [topic], instance: nil)
            Thread.detachNewThread {
                usleep(300_000)
                log.close()
            }
            let started = ContinuousClock.now
            let error = failure {
                while true { _ = try reader.read(atMost: 1, within: 60_000_000_000) }
            }
            #expect(error?.code == .closed)
            #expect(ContinuousClock.now - started < .seconds(5))
            reader.close()
            let late = failure { try log.append([event(topic, "h", "late")]) }
            #expect(late?.code == .closed)
        }
    }

    @Test("a scan gives every event of a topic without a group, and a probe the state", arguments: Engine.available)
    func scans(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let (topic, other) = (try store.topic(), try store.topic("other"))
            let log = try store.openLog()
            try log.probe()
            var found: [Event] = []
            try log.scan(topic) { found.append($0) }
            #expect(found.isEmpty)
            let events = (0..<700).map { event(topic, "home\($0 % 11)", "\($0)") }
            for start in stride(from: 0, to: 700, by: 100) {
                try log.append(Array(events[start..<start + 100]))
                try log.append([event(other, "h", "other")])
            }
            for _ in 0..<2 {
                found = []
                try log.scan(topic) { found.append($0) }
                #expect(found.map(text).sorted() == events.indices.map(String.init).sorted())
                for home in Set(found.map(\.key)) {
                    let those = found.filter { $0.key == home }.map { Int(text($0)) ?? -1 }
                    #expect(those == those.sorted())
                }
            }
            #expect(log.status.groups.isEmpty)
            log.close()
            #expect(failure { try log.probe() }?.code == .closed)
        }
    }

    @Test(
        "the lag of a group is what it has not read; what it has not committed falls to zero as it commits",
        arguments: Engine.available)
    func lag(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic()
            let group = "\(store.name)-g"
            let log = try store.openLog()
            try log.append((0..<300).map { event(topic, "home\($0 % 11)", "\($0)") })
            let reader = try log.reader(group: group, topics: [topic], instance: nil)
            let events = try reader.collect(300)
            usleep(1_100_000)
            _ = try reader.read(atMost: 1, within: 10_000_000)
            #expect(log.status.groups[group]?.lag == 0)
            #expect(log.status.groups[group]?.uncommitted == 300)
            #expect(log.status.groups[group]?.read == 300)
            try reader.commit(nextOffsets(events))
            usleep(1_100_000)
            _ = try reader.read(atMost: 1, within: 10_000_000)
            #expect(log.status.groups[group]?.lag == 0)
            #expect(log.status.groups[group]?.uncommitted == 0 && log.status.groups[group]?.lost == 0)
            reader.close()
            #expect(log.status.groups[group]?.partitions == 0)
        }
    }
}
