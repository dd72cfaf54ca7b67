import CSQLite
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EventLog

/// Events that somebody else deleted before a group had read them are counted and told.
@Suite(.timeLimit(.minutes(2)))
struct LossTests {
    private final class Notices: Sendable {
        private let all = Mutex<[String]>([])
        var texts: [String] { all.withLock { $0 } }
        func add(_ notice: EventLogNotice) { if notice.level == .error { all.withLock { $0.append(notice.message) } } }
    }

    private func mock(_ body: @escaping @Sendable (MockCluster, KafkaSettings) throws -> Void) async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 1")
            try body(cluster, faultSettings(cluster))
        }
    }

    /// Random, so that no compression makes it small: the mock keeps 5 MiB of a partition and deletes from the front, as
    /// retention does.
    private static func fill(_ log: KafkaLog, megabytes: Int) throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<megabytes {
            let events = (0..<20).map { _ in
                let value = (0..<6250).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
                return Event(topic: "raw", key: "h", value: value)
            }
            try log.append(events)
        }
    }

    @Test("Kafka: what retention deleted while no reader was there is counted with its range")
    func away() async throws {
        try await mock { _, settings in
            let notices = Notices()
            let log = try KafkaLog(settings, report: notices.add)
            defer { log.close() }
            try log.append((0..<10).map { event("raw", "h", "\($0)") })
            let before = try log.reader(group: "g", topics: ["raw"])
            try before.commit(nextOffsets(try before.collect(10)))
            before.close()
            try Self.fill(log, megabytes: 9)
            let reader = try log.reader(group: "g", topics: ["raw"])
            defer { reader.close() }
            let first = try #require(try reader.collect(1, batch: 1).first)
            #expect(first.offset > 10, "the mock deleted nothing")
            #expect(log.status.groups["g"]?.lost == first.offset - 10)
            #expect(
                notices.texts.contains { $0.contains("the events 10 to \(first.offset - 1) (\(first.offset - 10))") })
        }
    }

    @Test("Kafka: a group without a place has lost nothing, and lag counts what waits before the first read")
    func fresh() async throws {
        try await mock { _, settings in
            let log = try KafkaLog(settings)
            defer { log.close() }
            try Self.fill(log, megabytes: 9)
            let reader = try log.reader(group: "new", topics: ["raw"])
            defer { reader.close() }
            let first = try #require(try reader.collect(1, batch: 1).first)
            #expect(first.offset > 0 && log.status.groups["new"]?.lost == 0)
        }
    }

    /// What a reader's owner knows of the partition after reading so many events: how far it had got, asked at each assignment.
    private static func follow(
        _ reader: any EventReader, until count: Int
    ) throws -> (events: [Event], reached: [Int64]) {
        let end = ContinuousClock.now + .seconds(30)
        var (events, reached): ([Event], [Int64]) = ([], [])
        while events.count < count, ContinuousClock.now < end {
            let batch = try reader.read(atMost: 100, within: 200_000_000)
            for position in batch.assigned { reached.append(try reader.reached(position)) }
            events += batch.events
        }
        return (events, reached)
    }

    @Test("Kafka: a topic made anew while nobody read is not taken for the one that the group had got through")
    func madeAnewMeanwhile() async throws {
        try await mock { _, settings in
            let log = try KafkaLog(settings)
            defer { log.close() }
            try log.append((0..<10).map { event("raw", "h", "\($0)") })
            let before = try log.reader(group: "g", topics: ["raw"])
            let position = try #require(try before.collect(1, batch: 1).first).position
            // As if the log had been longer.
            try before.commit([position: 5000], reached: [position: 6000], appending: [])
            before.close()
            let reader = try log.reader(group: "g", topics: ["raw"])
            defer { reader.close() }
            let (events, reached) = try Self.follow(reader, until: 10)
            #expect(events.map(text) == (0..<10).map(String.init))
            #expect(reached.last == 0)
        }
    }

    @Test("Kafka: a partition that begins anew while it is read is taken away and given again, in that order")
    func madeAnewWhileReading() async throws {
        try await mock { cluster, settings in
            let log = try KafkaLog(settings)
            defer { log.close() }
            try log.append((0..<10).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            defer { reader.close() }
            let first = try reader.collect(10)
            try reader.commit(nextOffsets(first), reached: nextOffsets(first), appending: [])
            // The answer to whoever asks for more than a new log has; its beginning follows. An answer to a fetch that librdkafka
            // has given up meanwhile says nothing to it: then it is given once more.
            let end = ContinuousClock.now + .seconds(30)
            var (again, nextAnswer) = (EventBatch(), ContinuousClock.now)
            while again.events.isEmpty, ContinuousClock.now < end {
                if ContinuousClock.now >= nextAnswer {
                    try cluster.command("errors fetch \(KafkaCode.offsetOutOfRange) 1")
                    nextAnswer = .now + .seconds(8)
                }
                again = try reader.read(atMost: 100, within: 200_000_000)
            }
            let position = first[0].position
            #expect(again.events.first.map(text) == "0")
            #expect(again.revoked == [position] && again.assigned == [position])
            #expect(try reader.reached(position) == 0)
            #expect(log.status.groups["g"]?.resets == 1)
        }
    }

    @Test("journal: rows that somebody deleted from the file are counted and told")
    func deleted() async throws {
        try await onThread {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let path = folder.appendingPathComponent("log.sqlite").path
            let log = try JournalLog(path: path)
            let reader = try log.reader(group: "g", topics: ["raw"])
            for number in 0..<100 { try log.append([event("raw", "h", "\(number)")]) }
            try reader.commit(nextOffsets(try reader.collect(10)))
            reader.close()
            log.close()
            var database: OpaquePointer?
            #expect(sqlite3_open(path, &database) == SQLITE_OK)
            let statement = "DELETE FROM entry WHERE sequence BETWEEN 31 AND 60"
            #expect(sqlite3_exec(database, statement, nil, nil, nil) == SQLITE_OK)
            sqlite3_close(database)
            let notices = Notices()
            let again = try JournalLog(path: path, report: notices.add)
            defer { again.close() }
            let late = try again.reader(group: "g", topics: ["raw"])
            defer { late.close() }
            #expect(try late.collect(60).count == 60)
            #expect(again.status.damaged == 30)
            #expect(notices.texts.contains { $0.contains("30 of the events") })
        }
    }

    @Test("a topic with a log of its own: appended to beside the others, kept when they are history")
    func routed() async throws {
        try await onThread {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let path = folder.appendingPathComponent("log.sqlite").path
            func open() throws -> RoutedLog {
                RoutedLog(
                    topic: "dead", in: try JournalLog(keeping: path + ".dead", maxBytes: 16 << 20),
                    others: try JournalLog(path: path, history: .zero))
            }
            var log = try open()
            var reader = try log.reader(group: "g", topics: ["raw"], instance: nil)
            try log.append([event("raw", "h", "1"), event("dead", "h", "a"), event("raw", "h", "2")])
            let events = try reader.collect(2)
            #expect(events.map(text) == ["1", "2"])
            try reader.commit(nextOffsets(events), appending: [event("dead", "h", "b")])
            reader.close()
            log.close()
            log = try open()
            defer { log.close() }
            reader = try log.reader(group: "g", topics: ["raw"], instance: nil)
            #expect(try reader.read(atMost: 10, within: 0).events.isEmpty)
            reader.close()
            var dead: [String] = []
            try log.scan("dead") { dead.append(text($0)) }
            #expect(dead == ["a", "b"])
        }
    }
}
