import CSQLite
import FaultyDisk
import Foundation
import Journal
import Synchronization
import Testing

@testable import EventLog

/// What only the journal engine promises.
@Suite(.timeLimit(.minutes(2)))
struct JournalLogTests {
    private static func withFolder(_ body: @escaping @Sendable (String) throws -> Void) async throws {
        try await onThread {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try body(folder.appendingPathComponent("log.sqlite").path)
        }
    }

    @Test("history is deleted once every group is past it, also past the rows of other topics")
    func retention() async throws {
        try await Self.withFolder { path in
            let log = try JournalLog(path: path, history: .zero)
            defer { log.close() }
            let quick = try log.reader(group: "quick", topics: ["raw"])
            let slow = try log.reader(group: "slow", topics: ["raw"])
            // Never sees an event: its cursor must not hold everything for ever.
            let idle = try log.reader(group: "idle", topics: ["heatpump_state"])
            for round in 0..<20 { try log.append((0..<500).map { event("raw", "h", "\(round)/\($0)") }) }
            try quick.commit(nextOffsets(try quick.collect(10_000)))
            usleep(1_100_000)
            _ = try idle.read(atMost: 1, within: 1_000_000)
            try quick.commit([:])
            #expect(log.journal.status.firstKept == 1)

            try slow.commit(nextOffsets(try slow.collect(10_000)))
            let end = Date(timeIntervalSinceNow: 20)
            while log.journal.status.firstKept < 8_000, Date() < end {
                usleep(300_000)
                for reader in [quick, slow, idle] { _ = try reader.read(atMost: 1, within: 1_000_000) }
            }
            #expect(log.journal.status.firstKept > 8_000)
            for reader in [quick, slow, idle] { reader.close() }
        }
    }

    @Test("at its size limit the log refuses events rather than lose some, and goes on when a group has read")
    func full() async throws {
        try await Self.withFolder { path in
            let log = try JournalLog(path: path, maxBytes: 16 << 20, history: .zero)
            defer { log.close() }
            let reader = try log.reader(group: "g", topics: ["raw"])
            let payload = [UInt8](repeating: 42, count: 20_000)
            var stored = 0
            var refusal: EventLogError?
            while refusal == nil, stored < 2_000 {
                do throws(EventLogError) {
                    try log.append([Event(topic: "raw", key: "h", value: payload)])
                    stored += 1
                } catch { refusal = error }
            }
            #expect(refusal?.code == .full && refusal?.isTransient == true)
            #expect(log.status.failedAppends == 1)
            try reader.commit(nextOffsets(try reader.collect(stored)))
            let end = Date(timeIntervalSinceNow: 20)
            var isWorking = false
            while !isWorking, Date() < end {
                usleep(200_000)
                _ = try reader.read(atMost: 1, within: 1_000_000)
                isWorking = (try? log.append([Event(topic: "raw", key: "h", value: payload)])) != nil
            }
            #expect(isWorking)
            #expect(try reader.collect(1).first?.offset == Int64(stored + 1))
            reader.close()
        }
    }

    @Test("a group of several topics commits each of them")
    func severalTopics() async throws {
        try await Self.withFolder { path in
            var log = try JournalLog(path: path)
            try log.append([event("a", "h", "a0"), event("b", "h", "b0"), event("a", "h", "a1"), event("b", "h", "b1")])
            var reader = try log.reader(group: "g", topics: ["a", "b"])
            let events = try reader.collect(4)
            let done = events.filter { ["a0", "a1", "b0"].contains(text($0)) }
            try reader.commit(nextOffsets(done), appending: [event("c", "h", "c0")])
            reader.close()
            log.close()

            log = try JournalLog(path: path)
            defer { log.close() }
            reader = try log.reader(group: "g", topics: ["a", "b"])
            #expect(try reader.collect(1).map(text) == ["b1"])
            #expect(try reader.collectNothing(for: 0.3).isEmpty)
            reader.close()
        }
    }

    @Test("a second process cannot open the file, and is told why")
    func locked() async throws {
        try await Self.withFolder { path in
            let log = try JournalLog(path: path)
            defer { log.close() }
            let error = failure { _ = try JournalLog(path: path) }
            #expect(error?.code == .storage)
        }
    }

    @Test("a read that fails in one topic does not lose what was found in the other")
    func failedRead() async throws {
        try await Self.withFolder { path in
            let disk = FaultyDisk(directory: (path as NSString).deletingLastPathComponent)
            var log = try JournalLog(path: path, vfs: FaultyDisk.vfs)
            let count = 400
            for topic in ["a", "b"] {
                let filler = String(repeating: "x", count: 3000)
                for number in 0..<count { try log.append([event(topic, "h", "\(topic)\(number) \(filler)")]) }
            }
            // It would remember what it appended.
            log.close()
            log = try JournalLog(path: path, vfs: FaultyDisk.vfs)
            defer { log.close() }
            let calls = Mutex((reads: 0, failing: Int.max))
            disk.on { call in
                guard call.operation == .read else { return nil }
                return calls.withLock { calls in
                    calls.reads += 1
                    return calls.reads == calls.failing ? SQLITE_IOERR | (1 << 8) : nil
                }
            }
            var failures = 0
            for failing in stride(from: 1, to: 1500, by: 60) {
                let reader = try log.reader(group: "g\(failing)", topics: ["a", "b"])
                calls.withLock { $0 = (0, failing) }
                var found: [String: Int] = [:]
                for _ in 0..<20 where found.values.reduce(0, +) < 2 * count {
                    do throws(EventLogError) {
                        for stored in try reader.read(atMost: 5000, within: 1_000_000).events {
                            found[String(text(stored).prefix { $0 != " " }), default: 0] += 1
                        }
                    } catch {
                        #expect(error.isTransient)
                        failures += 1
                    }
                }
                #expect(found.count == 2 * count && found.values.allSatisfy { $0 == 1 }, "read \(failing) failed")
                reader.close()
            }
            #expect(failures > 5)
        }
    }
}
