import CRdkafka
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EventLog

/// What appends to Kafka do when the cluster misbehaves. Each test has a cluster of its own, in another process.
@Suite(.timeLimit(.minutes(3)))
struct KafkaFaultTests {
    @Test("errors that pass are retried within the append, and keep the order")
    func produceErrors() async throws {
        try await withCluster(partitions: 4) { cluster, log in
            for code in [
                KafkaCode.notEnoughReplicas, KafkaCode.notLeader, KafkaCode.timedOut, KafkaCode.coordinatorLoading,
            ] {
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

    @Test("an append leaves when its last event is handed over, not after the time in which events wait for company")
    func lingersForNobody() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            var settings = faultSettings(cluster)
            settings.linger = .seconds(4)
            let log = try KafkaLog(settings)
            defer { log.close() }
            let began = ContinuousClock.now
            for number in 0..<3 { try log.append((0..<10).map { event("raw", "h\($0)", "\(number)") }) }
            #expect(ContinuousClock.now - began < .seconds(4))
            #expect(log.status.appended == 30)
        }
    }

    @Test(
        "errors that stay are thrown with what to do, and the next append works",
        arguments: [
            (KafkaCode.tooLarge, EventLogError.Code.tooLarge, "max.message.bytes"),
            (KafkaCode.topicForbidden, .notAuthorized, "Write where it appends"),
        ])
    func produceRefused(_ code: Int, _ expected: EventLogError.Code, _ advice: String) async throws {
        try await withCluster(partitions: 1) { cluster, log in
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

    @Test(
        "a batch larger than the topic takes goes in halves; an event that is too large alone is named"
    )
    func halves() async throws {
        try await withCluster(partitions: 1) { cluster, log in
            try cluster.command("errors produce \(KafkaCode.tooLarge) 3")
            try log.append((0..<16).map { event("raw", "h", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            var seen: Set<String> = []
            while seen.count < 16 {
                seen.formUnion(try reader.read(atMost: 100, within: 5_000_000_000).events.map(text))
            }
            #expect(seen == Set((0..<16).map(String.init)))
            #expect(log.status.appended == 16 && log.status.failedAppends == 0)
            reader.close()

            try cluster.command("errors produce \(KafkaCode.tooLarge) 9")
            let error = failure { try log.append((0..<4).map { event("raw", "h", "\($0)") }) }
            #expect(error?.code == .tooLarge && error?.eventIndex != nil, "\(error?.message ?? "")")
        }
    }

    @Test("what was refused as too large is not handed over at once again")
    func batchLimit() {
        let events = (0..<10).map { event("raw", nil, String(repeating: "x", count: 100 + $0 % 2)) }
        var limit = BatchLimit()
        #expect(limit.end(of: events, from: 0) == 10)
        limit.refused(events[...])
        #expect(limit.bytes == 502 && limit.end(of: events, from: 0) == 5 && limit.end(of: events, from: 8) == 10)
        limit.refused(events[..<1])
        #expect(limit.end(of: events, from: 3) == 4, "one event at least")
    }

    @Test("what a broker refused is not taken for stored because it stored what came after it")
    func refusedBeforeStored() async throws {
        try await withCluster(partitions: 1) { cluster, log in
            try log.append([event("raw", "h", "0")])
            // The mock does not look at sequence numbers, as not every broker that speaks the protocol does: it stores the second
            // of two that are under way when it has refused the first.
            for broker in 1...3 { try cluster.command("rtt \(broker) 500") }
            try cluster.command("errors produce \(KafkaCode.notEnoughReplicas) 1")
            let both = DispatchGroup()
            for value in ["1", "2"] {
                both.enter()
                Thread.detachNewThread {
                    do { try Self.repeating { try log.append([event("raw", "h", value)]) } } catch {
                        Issue.record("\(value): \(error)")
                    }
                    both.leave()
                }
                usleep(100_000)
            }
            #expect(both.wait(timeout: .now() + 60) == .success)
            for broker in 1...3 { try cluster.command("rtt \(broker) 0") }
            var stored: Set<String> = []
            try log.scan("raw") { stored.insert(text($0)) }
            #expect(stored == ["0", "1", "2"], "\(log.status)")
            #expect(log.status.failedAppends == 1)

            // What the broker itself calls stored before is stored, though it says not where.
            try cluster.command("errors produce \(KafkaCode.duplicateSequence) 1")
            try log.append([event("raw", "h", "3")])
            #expect(log.status.failedAppends == 1)
        }
    }

    @Test("a producer that met a fatal error is replaced", arguments: ["injected", "from the broker"])
    func fatal(_ origin: String) async throws {
        try await withCluster(partitions: 1) { cluster, log in
            try log.append([event("raw", "h", "0")])
            if origin == "injected" {
                let producer = try log.currentProducer().handle.pointer
                rd_kafka_test_fatal_error(producer, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "test")
            } else {
                try cluster.command("errors produce \(KafkaCode.outOfOrderSequence) 1")
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
            let log = try KafkaLog(faultSettings(cluster, appendTimeout: .seconds(2)))
            defer { log.close() }
            try log.append([event("raw", "h", "before")])
            try cluster.command("down -1")
            let started = ContinuousClock.now
            let error = failure { try log.append([event("raw", "h", "during")]) }
            #expect(ContinuousClock.now - started < .seconds(12))
            #expect(error?.code == .unreachable)
            // The broker that did not answer, and why.
            #expect(cluster.bootstrap.split(separator: ",").contains { error?.message.contains($0) == true })
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

    @Test("an answer that comes too late means stored twice, never lost")
    func slowBroker() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            let log = try KafkaLog(faultSettings(cluster, appendTimeout: .seconds(2)))
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
            try cluster.command("topic-error raw \(KafkaCode.unknownTopic)")
            let log = try KafkaLog(faultSettings(cluster, appendTimeout: .seconds(2))) { notice in
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

    @Test("wrong settings are refused with their name")
    func wrongSettings() throws {
        var settings = KafkaSettings(bootstrap: "127.0.0.1:1")
        settings.access = try KafkaAccess(
            { $0 == .propertiesFile ? "file" : nil }, contents: { _ in "no.such.property=1" })
        let error = failure { _ = try KafkaLog(settings) }
        #expect(error?.code == .settings && error?.message.contains("no.such.property") == true)
        let empty = failure { _ = try KafkaLog(KafkaSettings(bootstrap: "")) }
        #expect(empty?.message.contains("KAFKA_HOST") == true)
    }

    @Test("making topics on a cluster without a controller, as the mock is, ends in time and says where to look")
    func topicsRefused() async throws {
        try await onThread {
            let cluster = try MockCluster(brokers: 1)
            let log = try KafkaLog(faultSettings(cluster))
            defer { log.close() }
            #expect(try log.ensureTopics([]) == [])
            let error = failure {
                try log.ensureTopics([TopicPlan(name: "raw", partitions: 16, replication: 3, retention: -1)])
            }
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
