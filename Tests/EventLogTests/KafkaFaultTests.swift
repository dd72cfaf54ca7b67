import CRdkafka
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EventLog

/// What the Kafka engine does when the cluster misbehaves. Each test has a cluster of its own, in another process.
@Suite(.timeLimit(.minutes(3)))
struct KafkaFaultTests {
    /// Protocol error codes, https://kafka.apache.org/protocol#protocol_error_codes.
    private enum Code {
        static let unknownTopic = 3
        static let notLeader = 6
        static let timedOut = 7
        static let tooLarge = 10
        static let coordinatorLoading = 14
        static let notCoordinator = 16
        static let notEnoughReplicas = 19
        static let illegalGeneration = 22
        static let rebalanceInProgress = 27
        static let topicForbidden = 29
        static let outOfOrderSequence = 45
    }

    private static func settings(_ cluster: MockCluster, appendTimeout: Duration = .seconds(10)) -> KafkaSettings {
        var settings = testSettings(cluster.bootstrap)
        settings.appendTimeout = appendTimeout
        return settings
    }

    @Test("errors that pass are retried within the append, and keep the order")
    func produceErrors() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            for code in [Code.notEnoughReplicas, Code.notLeader, Code.timedOut, Code.coordinatorLoading] {
                try cluster.command("errors produce \(code) 3")
                try log.append((0..<10).map { event("raw", "home1", "\(code)/\($0)") })
            }
            let reader = try log.reader(group: "g", topics: ["raw"])
            let values = try reader.collect(40).map(text)
            #expect(values == [19, 6, 7, 14].flatMap { code in (0..<10).map { "\(code)/\($0)" } })
            #expect(log.status.appended == 40 && log.status.failedAppends == 0)
            reader.close()
        }
    }

    @Test(
        "errors that stay are thrown with what to do, and the next append works",
        arguments: [
            (Code.tooLarge, EventLogError.Code.tooLarge, "max.message.bytes"),
            (Code.topicForbidden, .notAuthorized, "rights"),
        ])
    func produceRefused(_ code: Int, _ expected: EventLogError.Code, _ advice: String) async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 1")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            try log.append([event("raw", "h", "before")])
            try cluster.command("errors produce \(code) 1")
            let error = failure { try log.append([event("raw", "h", "refused")]) }
            #expect(error?.code == expected)
            #expect(error?.message.contains(advice) == true, "\(error?.message ?? "")")
            #expect(log.status.lastError == error?.message)
            // librdkafka remembers a refusal by the access rules until it asks for the topic again.
            try Self.repeating { try log.append([event("raw", "h", "after")]) }
            #expect(log.status.failedAppends >= 1 && log.status.appended == 2 && log.status.lastError == nil)
        }
    }

    @Test("a producer that met a fatal error is replaced", arguments: ["injected", "from the broker"])
    func fatal(_ origin: String) async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 1")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            try log.append([event("raw", "h", "0")])
            if origin == "injected" {
                let producer = try log.currentProducer().handle.pointer
                rd_kafka_test_fatal_error(producer, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "test")
            } else {
                try cluster.command("errors produce \(Code.outOfOrderSequence) 1")
            }
            let error = failure { try log.append([event("raw", "h", "1")]) }
            #expect(error?.code == .restarted && error?.isTransient == true, "\(error?.message ?? "")")
            #expect(log.status.producerRestarts == 1)
            try log.append([event("raw", "h", "1")])
            let reader = try log.reader(group: "g", topics: ["raw"])
            #expect(try reader.collect(2).map(text) == ["0", "1"])
            reader.close()
        }
    }

    @Test("with all brokers down an append fails in time and says so; it works again when they are back")
    func brokersDown() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            let log = try KafkaLog(Self.settings(cluster, appendTimeout: .seconds(2)))
            defer { log.close() }
            try log.append([event("raw", "h", "before")])
            try cluster.command("down -1")
            let started = ContinuousClock.now
            let error = failure { try log.append([event("raw", "h", "during")]) }
            #expect(ContinuousClock.now - started < .seconds(12))
            #expect(error?.code == .unreachable)
            #expect(error?.message.contains(cluster.bootstrap) == true)
            #expect(log.status.lastError != nil)
            try cluster.command("up -1")
            try Self.repeating { try log.append([event("raw", "h", "after")]) }
            let reader = try log.reader(group: "g", topics: ["raw"])
            let values = try reader.collect(2).map(text)
            // The failed one may have been stored or not.
            #expect([["before", "during"], ["before", "after"]].contains(values))
            reader.close()
        }
    }

    @Test("a reader survives brokers going down and up, and misses nothing")
    func readerOutage() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 16")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            let reader = try log.reader(group: "g", topics: ["raw"])
            var seen: Set<String> = []
            for round in 0..<3 {
                try log.append((0..<100).map { event("raw", "home\($0)", "\(round)/\($0)") })
                try cluster.command("errors fetch \(Code.notLeader) 2")
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

    @Test("an answer that comes too late means stored twice, never lost")
    func slowBroker() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            let log = try KafkaLog(Self.settings(cluster, appendTimeout: .seconds(2)))
            defer { log.close() }
            try log.append([event("raw", "h", "before")])
            try cluster.command("rtt -1 4000")
            let events = (0..<50).map { event("raw", "home\($0)", "\($0)") }
            let error = failure { try log.append(events) }
            #expect(error?.isTransient == true)
            try cluster.command("rtt -1 0")
            try Self.repeating { try log.append(events) }
            let reader = try log.reader(group: "g", topics: ["raw"])
            var seen: Set<String> = []
            let end = Date(timeIntervalSinceNow: 20)
            while seen.count < 51, Date() < end { seen.formUnion(try reader.collect(1, within: 1).map(text)) }
            #expect(seen.count == 51)
            reader.close()
        }
    }

    @Test("a topic that does not exist is named with the remedy, and used once it exists")
    func unknownTopic() async throws {
        try await onThread {
            let cluster = try MockCluster()
            let notices = Mutex<[String]>([])
            try cluster.command("topic raw 4")
            try cluster.command("topic-error raw \(Code.unknownTopic)")
            let log = try KafkaLog(Self.settings(cluster, appendTimeout: .seconds(2))) { notice in
                notices.withLock { $0.append(notice.message) }
            }
            defer { log.close() }
            let reader = try log.reader(group: "g", topics: ["raw"])
            let error = failure { try log.append([event("raw", "h", "0")]) }
            #expect(error?.code == .unknownTopic && error?.isTransient == true)
            #expect(error?.message.contains("hearth-cloud setup") == true)
            #expect(try reader.collectNothing(for: 2).isEmpty)
            #expect(notices.withLock { $0.contains { $0.contains("hearth-cloud setup") && $0.contains("raw") } })
            try cluster.command("topic-error raw 0")
            try Self.repeating { try log.append([event("raw", "h", "1")]) }
            #expect(try reader.collect(1).map(text).last == "1")
            reader.close()
        }
    }

    @Test(
        "a commit outlives a coordinator that is not ready",
        arguments: [Code.coordinatorLoading, Code.notCoordinator, Code.timedOut])
    func commitRetried(_ code: Int) async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 1")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            try log.append((0..<6).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            let events = try reader.collect(3)
            try cluster.command("errors offset-commit \(code) 2")
            try reader.commit(nextOffsets(events))
            reader.close()
            let second = try log.reader(group: "g", topics: ["raw"])
            #expect(try second.collect(3).map(text) == ["3", "4", "5"])
            second.close()
        }
    }

    @Test("a commit follows the group's coordinator to another broker")
    func coordinatorMoves() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 1")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            try log.append((0..<8).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            for broker in 1...3 {
                let events = try reader.collect(2)
                try cluster.command("coordinator g \(broker)")
                try reader.commit(nextOffsets(events))
            }
            reader.close()
            let second = try log.reader(group: "g", topics: ["raw"])
            #expect(try second.collect(2).map(text) == ["6", "7"])
            second.close()
        }
    }

    @Test("a commit that meets a rebalance is done when the group has formed again")
    func commitDeferred() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 1")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            try log.append((0..<6).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            let events = try reader.collect(3)
            try cluster.command("errors offset-commit \(Code.rebalanceInProgress) 1")
            try reader.commit(nextOffsets(events))
            // The next commit carries it along.
            try reader.commit([:])
            reader.close()
            let second = try log.reader(group: "g", topics: ["raw"])
            #expect(try second.collect(3).map(text) == ["3", "4", "5"])
            second.close()
        }
    }

    @Test("a reader the group has given up on says that its partitions are gone, and begins again at the commit")
    func commitLost() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 1")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            try log.append((0..<6).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            try reader.commit(nextOffsets(try reader.collect(2)))
            let lost = try reader.collect(2)
            try cluster.command("errors offset-commit \(Code.illegalGeneration) 1")
            try reader.commit(nextOffsets(lost))
            var revoked: [TopicPartition] = []
            var events: [StoredEvent] = []
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
            var settings = Self.settings(cluster)
            settings.stallTimeout = .seconds(2)
            // The held-back answer must not simply time out.
            settings.properties["socket.timeout.ms"] = "120000"
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
            var settings = Self.settings(cluster)
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
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 1")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            let producer = try log.currentProducer()
            let key: [UInt8] = [0xff, 0xfe, 0x68]
            let delivery = Delivery()
            #expect(
                hearth_kafka_produce(producer.handle.pointer, "raw", key, key.count, nil, 0, nil, delivery.begin())
                    == RD_KAFKA_RESP_ERR_NO_ERROR)
            delivery.allHandedOver()
            #expect(delivery.wait(until: deadline(after: 10_000_000_000)))
            let reader = try log.reader(group: "g", topics: ["raw"])
            let events = try reader.collect(1)
            #expect(events.map(\.event) == [Event(topic: "raw", key: "\u{fffd}\u{fffd}h", value: nil)])
            reader.close()
        }
    }

    @Test("readers that close before their group has formed do no harm")
    func earlyClose() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            for wait in [0, 0, 20, 100, 500] {
                let reader = try log.reader(group: "g\(wait)", topics: ["raw"])
                _ = try reader.read(atMost: 1, within: Int64(wait) * 1_000_000)
                let started = ContinuousClock.now
                reader.close()
                #expect(ContinuousClock.now - started < .seconds(7))
            }
        }
    }

    @Test("wrong settings are refused with their name")
    func wrongSettings() throws {
        var settings = KafkaSettings(bootstrap: "127.0.0.1:1")
        settings.properties["no.such.property"] = "1"
        let error = failure { _ = try KafkaLog(settings) }
        #expect(error?.code == .settings && error?.message.contains("no.such.property") == true)
        let empty = failure { _ = try KafkaLog(KafkaSettings(bootstrap: "")) }
        #expect(empty?.message.contains("KAFKA_HOST") == true)
    }

    @Test("making topics on a cluster without a controller, as the mock is, ends in time and says where to look")
    func topicsRefused() async throws {
        try await onThread {
            let cluster = try MockCluster(brokers: 1)
            let log = try KafkaLog(Self.settings(cluster))
            defer { log.close() }
            #expect(try log.ensureTopics([], partitions: 1, replication: 1) == [])
            let error = failure { try log.ensureTopics(["raw"], partitions: 16, replication: 3) }
            #expect(error?.code == .unreachable && error?.message.contains(cluster.bootstrap) == true)
        }
    }

    /// What callers do on a transient error.
    private static func repeating(_ body: () throws -> Void) throws {
        let end = Date(timeIntervalSinceNow: 30)
        while true {
            do { return try body() } catch let error as EventLogError where error.isTransient && Date() < end {
                usleep(100_000)
            }
        }
    }
}
