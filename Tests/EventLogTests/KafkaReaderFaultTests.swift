import CRdkafka
import Foundation
import Machine
import TestSupport
import Testing

@testable import EventLog

/// What readers of Kafka do when the cluster misbehaves. Each test has a cluster of its own, in another process.
@Suite(.timeLimit(.minutes(3)))
struct KafkaReaderFaultTests {
    @Test("a reader survives brokers going down and up, and misses nothing")
    func readerOutage() async throws {
        try await withCluster(partitions: 16) { cluster, log in
            let reader = try log.reader(group: "g", topics: ["raw"])
            var seen: Set<String> = []
            for round in 0..<3 {
                try log.append((0..<100).map { event("raw", "home\($0)", "\(round)/\($0)") })
                try cluster.command("errors fetch \(KafkaCode.notLeader) 2")
                let batch = try reader.collect(40)
                seen.formUnion(batch.map(text))
                try cluster.command("down -1")
                _ = try? reader.collect(500, within: 1)
                try cluster.command("up -1")
            }
            reader.close()
            // Nothing was committed: whatever that reader had, the next one gets everything.
            let second = try log.reader(group: "g", topics: ["raw"])
            seen.formUnion(try second.collect(300).map(text))
            #expect(seen.count == 300)
            second.close()
        }
    }

    @Test(
        "a commit outlives a coordinator that is not ready",
        arguments: [KafkaCode.coordinatorLoading, KafkaCode.notCoordinator, KafkaCode.timedOut])
    func commitRetried(_ code: Int) async throws {
        try await withCluster(partitions: 1) { cluster, log in
            try log.append((0..<6).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            let events = try reader.collect(3)
            try cluster.command("errors offset-commit \(code) 2")
            try reader.commit(nextOffsets(events))
            reader.close()
            #expect(try Self.next(3, of: log) == ["3", "4", "5"])
        }
    }

    @Test("a commit follows the group's coordinator to another broker")
    func coordinatorMoves() async throws {
        try await withCluster(partitions: 1) { cluster, log in
            try log.append((0..<8).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            for broker in 1...3 {
                let events = try reader.collect(2)
                try cluster.command("coordinator g \(broker)")
                try reader.commit(nextOffsets(events))
            }
            reader.close()
            #expect(try Self.next(2, of: log) == ["6", "7"])
        }
    }

    @Test("a commit that meets a rebalance is done when the group has formed again")
    func commitDeferred() async throws {
        try await withCluster(partitions: 1) { cluster, log in
            try log.append((0..<6).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            let events = try reader.collect(3)
            try cluster.command("errors offset-commit \(KafkaCode.rebalanceInProgress) 1")
            try reader.commit(nextOffsets(events))
            // The next commit carries it along.
            try reader.commit([:])
            reader.close()
            #expect(try Self.next(3, of: log) == ["3", "4", "5"])
        }
    }

    @Test("a reader the group has given up on says that its partitions are gone, and begins again at the commit")
    func commitLost() async throws {
        try await withCluster(partitions: 1) { cluster, log in
            try log.append((0..<6).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            try reader.commit(nextOffsets(try reader.collect(2)))
            let lost = try reader.collect(2)
            try cluster.command("errors offset-commit \(KafkaCode.illegalGeneration) 1")
            try reader.commit(nextOffsets(lost))
            var revoked: [TopicPartition] = []
            var events: [Event] = []
            let end = Date(timeIntervalSinceNow: 30)
            while events.count < 4, Date() < end {
                let batch = try reader.read(atMost: 10, within: 200_000_000)
                revoked += batch.revoked
                if !batch.revoked.isEmpty { events = [] }
                events += batch.events
            }
            #expect(revoked == [TopicPartition(topic: "raw", partition: 0)])
            #expect(events.map(text) == ["2", "3", "4", "5"])
            reader.close()
        }
    }

    @Test("a partition that delivers nothing though it has events gets a new consumer")
    func stuckPartition() async throws {
        try await onThread {
            let cluster = try MockCluster(brokers: 1)
            try cluster.command("topic raw 1 1")
            var settings = faultSettings(cluster)
            settings.stallTimeout = .seconds(2)
            // The held-back answer must not simply time out.
            settings.access = try KafkaAccess(
                { $0 == .propertiesFile ? "file" : nil }, contents: { _ in "socket.timeout.ms=120000" })
            let log = try KafkaLog(settings)
            defer { log.close() }
            let reader = try log.reader(group: "g", topics: ["raw"])
            try log.append([event("raw", "h", "0")])
            try reader.commit(nextOffsets(try reader.collect(1)))
            try cluster.command("delay 1 fetch 100000")
            _ = try reader.collectNothing(for: 1.5)
            try log.append([event("raw", "h", "1")])
            #expect(try reader.collect(1, within: 40).map(text) == ["1"])
            #expect(log.status.groups["g"]?.readerRestarts == 1)
            reader.close()
        }
    }

    @Test("a read ends in time while the brokers are away, though more events are known to be there")
    func readDuringOutage() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            var settings = faultSettings(cluster)
            settings.stallTimeout = .seconds(1)
            let log = try KafkaLog(settings)
            defer { log.close() }
            for round in 0..<20 { try log.append((0..<50).map { event("raw", "home\($0)", "\(round)/\($0)") }) }
            let reader = try log.reader(group: "g", topics: ["raw"])
            #expect(try reader.collect(100, batch: 10).count == 100)
            try cluster.command("down -1")
            // What was fetched ahead is delivered all the same.
            let end = Date(timeIntervalSinceNow: 5)
            while Date() < end {
                let started = ContinuousClock.now
                _ = try reader.read(atMost: 500, within: 100_000_000)
                #expect(ContinuousClock.now - started < .seconds(8))
            }
            try cluster.command("up -1")
            try log.append([event("raw", "h", "after")])
            reader.close()
            let second = try log.reader(group: "g", topics: ["raw"])
            #expect(Set(try second.collect(1001).map(text)).contains("after"))
            second.close()
        }
    }

    @Test("keys that are not UTF-8 and tombstones of foreign producers are delivered")
    func foreignRecords() async throws {
        try await withCluster(partitions: 1) { _, log in
            let producer = try log.currentProducer()
            let key: [UInt8] = [0xff, 0xfe, 0x68]
            let delivery = DeliveryReports()
            #expect(
                hearth_kafka_produce(producer.handle.pointer, "raw", key, key.count, nil, 0, nil, delivery.begin())
                    == RD_KAFKA_RESP_ERR_NO_ERROR)
            delivery.allHandedOver()
            #expect(delivery.wait(until: Clock.deadline(after: 10_000_000_000)))
            let reader = try log.reader(group: "g", topics: ["raw"])
            let events = try reader.collect(1)
            #expect(events.map(\.asAppended) == [Event(topic: "raw", key: "\u{fffd}\u{fffd}h", value: nil)])
            reader.close()
        }
    }

    @Test("readers that close before their group has formed do no harm")
    func earlyClose() async throws {
        try await withCluster(partitions: 4) { _, log in
            for wait in [0, 0, 20, 100, 500] {
                let reader = try log.reader(group: "g\(wait)", topics: ["raw"])
                _ = try reader.read(atMost: 1, within: Int64(wait) * 1_000_000)
                let started = ContinuousClock.now
                reader.close()
                #expect(ContinuousClock.now - started < .seconds(7))
            }
        }
    }

    /// What another reader of the group gets.
    private static func next(_ count: Int, of log: KafkaLog) throws -> [String] {
        let reader = try log.reader(group: "g", topics: ["raw"])
        defer { reader.close() }
        return try reader.collect(count).map(text)
    }
}
