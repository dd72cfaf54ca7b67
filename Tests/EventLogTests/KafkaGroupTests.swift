import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EventLog

/// Several members of one consumer group.
@Suite(.timeLimit(.minutes(3)))
struct KafkaGroupTests {
    /// What the readers of a test have seen, together.
    private final class Tally: Sendable {
        private struct State {
            var values: Set<String> = []
            var owners: [TopicPartition: Set<Int>] = [:]
            var problems: [String] = []
            var revoked = 0
        }
        private let state = Mutex(State())
        private let stop = Mutex(false)

        var count: Int { state.withLock { $0.values.count } }
        var problems: [String] { state.withLock { $0.problems } }
        var revoked: Int { state.withLock { $0.revoked } }
        var isStopped: Bool { stop.withLock { $0 } }
        func end() { stop.withLock { $0 = true } }
        /// How many readers have had a part of the partitions.
        var readers: Int { state.withLock { Set($0.owners.values.joined()).count } }

        func add(_ values: [String], _ positions: Set<TopicPartition>, reader: Int, revoked: Int) {
            state.withLock {
                $0.values.formUnion(values)
                for position in positions { $0.owners[position, default: []].insert(reader) }
                $0.revoked += revoked
            }
        }

        func problem(_ text: String) { state.withLock { $0.problems.append(text) } }
    }

    /// Reads and commits until told to stop, and checks that it only ever gets events of partitions it was told of.
    private static func run(_ reader: any EventReader, _ number: Int, _ tally: Tally, until isDone: () -> Bool) {
        var mine: Set<TopicPartition> = []
        do {
            while !isDone() {
                let batch = try reader.read(atMost: 20, within: 100_000_000)
                mine.subtract(batch.revoked)
                for position in batch.assigned where !mine.insert(position).inserted {
                    tally.problem("\(position) assigned twice to \(number)")
                }
                let strangers = Set(batch.events.map(\.position)).subtracting(mine)
                if !strangers.isEmpty { tally.problem("\(strangers) read by \(number) without an assignment") }
                tally.add(batch.events.map(text), mine, reader: number, revoked: batch.revoked.count)
                if !batch.events.isEmpty { try reader.commit(batch.nextOffsets) }
            }
        } catch {
            tally.problem("\(number): \(error)")
        }
        reader.close()
    }

    @Test("three readers that come and go share the partitions, and every event is read")
    func rebalance() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 16")
            let log = try KafkaLog(testSettings(cluster.bootstrap))
            defer { log.close() }
            let tally = Tally()
            let threads = DispatchGroup()
            // The second one leaves while the others go on.
            let leaves = Mutex(false)
            for number in 0..<3 {
                threads.enter()
                let start = number == 2 ? 5.0 : 0
                Thread.detachNewThread {
                    Thread.sleep(forTimeInterval: start)
                    do {
                        let reader = try log.reader(group: "g", topics: ["raw"], instance: "reader-\(number)")
                        Self.run(reader, number, tally) {
                            tally.isStopped || (number == 1 && leaves.withLock { $0 })
                        }
                    } catch {
                        tally.problem("\(error)")
                    }
                    threads.leave()
                }
            }
            var sent = 0
            let end = Date(timeIntervalSinceNow: 60)
            while tally.readers < 3 || tally.revoked == 0 || sent < 1000, Date() < end {
                try log.append((sent..<sent + 20).map { event("raw", "home\($0 % 37)", "\($0)") })
                sent += 20
                usleep(100_000)
            }
            leaves.withLock { $0 = true }
            for _ in 0..<20 {
                try log.append((sent..<sent + 20).map { event("raw", "home\($0 % 37)", "\($0)") })
                sent += 20
                usleep(100_000)
            }
            while tally.count < sent, Date() < end + 30 { usleep(100_000) }
            tally.end()
            #expect(threads.wait(timeout: .now() + 30) == .success)
            #expect(tally.count == sent)
            #expect(tally.readers == 3)
            #expect(tally.revoked > 0)
            #expect(tally.problems.isEmpty, "\(tally.problems)")
        }
    }

    @Test("what a killed reader had not committed is read by another")
    func killedReader() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            let log = try KafkaLog(testSettings(cluster.bootstrap))
            defer { log.close() }
            try log.append((0..<2000).map { event("raw", "home\($0 % 13)", "\($0)") })
            let victim = try ReaderProcess(cluster.bootstrap, group: "g", topic: "raw", batch: 10)
            var committed: [TopicPartition: Int64] = [:]
            var reported = 0
            while reported < 40, let line = victim.nextLine(within: 30) {
                let words = line.split(separator: " ")
                guard words.first == "committed", words.count == 3, let offset = Int64(words[2]) else { continue }
                let number = words[1].dropFirst("raw[".count).dropLast()
                committed[TopicPartition(topic: "raw", partition: Int32(number) ?? -1)] = offset
                reported += 1
            }
            victim.kill()
            #expect(reported == 40)
            // So that each partition has something left to read.
            try log.append((2000..<2130).map { event("raw", "home\($0 % 13)", "\($0)") })

            let reader = try log.reader(group: "g", topics: ["raw"])
            var firstRead: [TopicPartition: Int64] = [:]
            var ends: [TopicPartition: Int64] = [:]
            var previous: [TopicPartition: Int64] = [:]
            let deadline = Date(timeIntervalSinceNow: 60)
            func total() -> Int64 { ends.values.reduce(0, +) }
            while total() < 2130, Date() < deadline {
                for stored in try reader.read(atMost: 500, within: 200_000_000).events {
                    firstRead[stored.position] = firstRead[stored.position] ?? stored.offset
                    if let before = previous[stored.position] { #expect(stored.offset == before + 1) }
                    previous[stored.position] = stored.offset
                    ends[stored.position] = stored.offset + 1
                }
            }
            reader.close()
            #expect(total() == 2130)
            // It may have committed a little more than it lived to tell, never less.
            for (position, first) in firstRead { #expect(first >= committed[position] ?? 0, "\(position)") }
        }
    }
}
