import EventLog
import Foundation
import Testing

/// What a commit means after a restart, to other groups and for the events that go with it.
extension ConformanceTests {
    /// Two readers of a group on a log of ten events, one before and one after a restart of everything.
    private func restarting(
        _ engine: Engine, before: @escaping @Sendable (any EventReader) throws -> Void,
        after: @escaping @Sendable (any EventReader) throws -> Void
    ) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic(partitions: 1)
            for (number, body) in [before, after].enumerated() {
                let log = try store.openLog()
                if number == 0 { try log.append((0..<10).map { event(topic, "h", "\($0)") }) }
                let reader = try log.reader(group: "\(store.name)-g", topics: [topic], instance: nil)
                try body(reader)
                reader.close()
                log.close()
            }
        }
    }

    @Test("a restart goes on after the commit, and reads again what was not committed", arguments: Engine.available)
    func restart(_ engine: Engine) async throws {
        try await restarting(engine) { reader in
            let first = try reader.collect(4)
            try reader.commit(nextOffsets(first))
            #expect(try reader.collect(3).map(text) == ["4", "5", "6"])
        } after: { reader in
            let rest = try reader.collect(6).map(text)
            #expect(rest == ["4", "5", "6", "7", "8", "9"])
        }
    }

    @Test("how far the work had got is known after a restart, beside a lower commit", arguments: Engine.available)
    func reached(_ engine: Engine) async throws {
        try await restarting(engine) { reader in
            let events = try reader.collect(8)
            #expect(try reader.reached(events[0].position) == 0)
            try reader.commit(
                nextOffsets(Array(events.prefix(3))), reached: nextOffsets(Array(events.prefix(8))), appending: [])
        } after: { reader in
            let again = try reader.collect(7)
            #expect(again.map(text) == ["3", "4", "5", "6", "7", "8", "9"])
            // The eighth event is the last that the work had got to.
            let reached = try reader.reached(again[4].position)
            #expect(reached == again[4].offset + 1)
        }
    }

    @Test("a commit below what was read counts after a restart, and not before", arguments: Engine.available)
    func lowerCommit(_ engine: Engine) async throws {
        try await restarting(engine) { reader in
            let first = try reader.collect(8)
            try reader.commit(nextOffsets(Array(first.prefix(3))))
            #expect(try reader.collect(2).map(text) == ["8", "9"])
            try reader.commit(nextOffsets(Array(first.prefix(5))))
        } after: { reader in
            let rest = try reader.collect(5).map(text)
            #expect(rest == ["5", "6", "7", "8", "9"])
        }
    }

    @Test("two groups each read everything, at their own pace", arguments: Engine.available)
    func groups(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic()
            let log = try store.openLog()
            let slow = try log.reader(group: "\(store.name)-slow", topics: [topic], instance: nil)
            let fast = try log.reader(group: "\(store.name)-fast", topics: [topic], instance: nil)
            try log.append((0..<100).map { event(topic, "home\($0 % 7)", "\($0)") })
            let all = try fast.collect(100)
            try fast.commit(nextOffsets(all))
            try log.append((100..<200).map { event(topic, "home\($0 % 7)", "\($0)") })
            #expect(Set(try fast.collect(100).map(text)) == Set((100..<200).map(String.init)))
            #expect(Set(try slow.collect(200).map(text)) == Set((0..<200).map(String.init)))
            fast.close()
            slow.close()
        }
    }

    @Test("a commit stores the events that came out of the work", arguments: Engine.available)
    func commitAppending(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let (raw, clean) = (try store.topic("raw"), try store.topic("clean"))
            var log = try store.openLog()
            try log.append((0..<60).map { event(raw, "home\($0 % 3)", "\($0)") })
            var reader = try log.reader(group: "\(store.name)-p2", topics: [raw], instance: nil)
            var seen = 0
            while seen < 60 {
                let batch = try reader.read(atMost: 25, within: 1_000_000_000)
                seen += batch.events.count
                try reader.commit(
                    batch.nextOffsets, appending: batch.events.map { event(clean, $0.key, "c\(text($0))") })
            }
            reader.close()
            log.close()

            log = try store.openLog()
            reader = try log.reader(group: "\(store.name)-p2", topics: [raw], instance: nil)
            #expect(try reader.collectNothing(for: 2).isEmpty)
            reader.close()
            let after = try log.reader(group: "\(store.name)-p4", topics: [clean], instance: nil)
            let events = try after.collect(60)
            #expect(events.map(text).sorted() == (0..<60).map { "c\($0)" }.sorted())
            after.close()
        }
    }

    @Test("a commit whose events cannot be stored moves nothing", arguments: Engine.available)
    func commitFails(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let topic = try store.topic(partitions: 1)
            let group = "\(store.name)-g"
            var log = try store.openLog()
            try log.append((0..<5).map { event(topic, "h", "\($0)") })
            var reader = try log.reader(group: group, topics: [topic], instance: nil)
            let events = try reader.collect(5)
            let error = failure {
                try reader.commit(
                    nextOffsets(events),
                    appending: [
                        event(topic, "h", "small"), Event(topic: topic, value: [UInt8](repeating: 1, count: 1_000_001)),
                    ])
            }
            #expect(error?.code == .tooLarge && error?.eventIndex == 1 && error?.isTransient == false)
            reader.close()
            log.close()

            log = try store.openLog()
            reader = try log.reader(group: group, topics: [topic], instance: nil)
            #expect(try reader.collect(5).map(text) == ["0", "1", "2", "3", "4"])
            #expect(try reader.collectNothing(for: 1).isEmpty)
            reader.close()
        }
    }
}
