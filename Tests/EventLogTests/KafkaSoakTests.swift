import EventLog
import Foundation
import SimulationModel
import Synchronization
import TestSupport
import Testing

/// Random faults while two readers pass everything on to a second topic: what was confirmed arrives.
@Suite(.timeLimit(.minutes(5)))
struct KafkaSoakTests {
    private final class Record: Sendable {
        private let confirmed = Mutex<Set<String>>([])
        private let problems = Mutex<[String]>([])
        private let passing = Mutex<[String]>([])
        private let stopped = Mutex((appending: false, reading: false))

        func confirm(_ values: [String]) { confirmed.withLock { $0.formUnion(values) } }
        var allConfirmed: Set<String> { confirmed.withLock { $0 } }
        /// An error that passes; the last are told when too little got through.
        func passes(_ text: String) { passing.withLock { $0 = $0.suffix(9) + [text] } }
        var lastPassing: [String] { passing.withLock { $0 } }
        func problem(_ text: String) { problems.withLock { $0.append(text) } }
        var allProblems: [String] { problems.withLock { $0 } }
        func stopAppending() { stopped.withLock { $0.appending = true } }
        func stopReading() { stopped.withLock { $0.reading = true } }
        var isAppending: Bool { stopped.withLock { !$0.appending } }
        var isReading: Bool { stopped.withLock { !$0.reading } }
    }

    private static func append(_ log: KafkaLog, _ record: Record) {
        var number = 0
        while record.isAppending {
            let values = (number..<number + 20).map(String.init)
            number += 20
            var isStored = false
            while !isStored, record.isAppending {
                do throws(EventLogError) {
                    try log.append(values.map { event("raw", "home\($0.suffix(2))", $0) })
                    isStored = true
                } catch {
                    if error.isTransient { record.passes("\(error)") } else { record.problem("append: \(error)") }
                }
            }
            if isStored { record.confirm(values) }
            usleep(20_000)
        }
    }

    private static func pass(_ log: KafkaLog, _ record: Record) {
        do {
            let reader = try log.reader(group: "p2", topics: ["raw"])
            while record.isReading {
                do {
                    let batch = try reader.read(atMost: 200, within: 200_000_000)
                    var isDone = batch.events.isEmpty
                    while !isDone, record.isReading {
                        do {
                            try reader.commit(
                                batch.nextOffsets,
                                appending: batch.events.map { event("clean", $0.key, text($0)) })
                            isDone = true
                        } catch  where error.isTransient {
                            usleep(50_000)
                        }
                    }
                } catch  where error.isTransient {
                    usleep(50_000)
                }
            }
            reader.close()
        } catch {
            record.problem("reader: \(error)")
        }
    }

    /// What arrives in the second topic, until all that was confirmed has, at most for 90 seconds.
    private static func passedOn(_ log: KafkaLog, _ record: Record) throws(EventLogError) -> Set<String> {
        let reader = try log.reader(group: "p4", topics: ["clean"])
        defer { reader.close() }
        var seen: Set<String> = []
        let limit = Date(timeIntervalSinceNow: 90)
        while !record.allConfirmed.isSubset(of: seen), Date() < limit {
            do throws(EventLogError) {
                seen.formUnion(try reader.read(atMost: 500, within: 200_000_000).events.map(text))
            } catch {
                guard error.isTransient else { throw error }
                usleep(50_000)
            }
        }
        return seen
    }

    private static func fault(_ cluster: MockCluster, _ generator: inout SeededGenerator) throws {
        // The coordinators' broker stays up: the mock asserts when a member joins or syncs again before it was answered.
        let broker = Int.random(in: 2...3, using: &generator)
        let count = Int.random(in: 1...4, using: &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: try cluster.command("errors produce \([6, 7, 19].randomElement(using: &generator) ?? 6) \(count)")
        case 1: try cluster.command("errors fetch 6 \(count)")
        case 2:
            // Not 16, at which the client drops its connection to the coordinator: KafkaReaderFaultTests has that one.
            try cluster.command("errors offset-commit \([14, 27].randomElement(using: &generator) ?? 14) 1")
        case 3: try cluster.command("errors heartbeat 27 1")
        case 4: try cluster.command("leader raw \(Int.random(in: 0..<16, using: &generator)) \(broker)")
        case 5: try cluster.command("errors produce -195 \(count)")  // _TRANSPORT: the broker hangs up
        case 6:
            try cluster.command("rtt \(broker) 400")
            usleep(800_000)
            try cluster.command("rtt \(broker) 0")
        default:
            try cluster.command("down \(broker)")
            usleep(UInt32.random(in: 100_000...1_500_000, using: &generator))
            try cluster.command("up \(broker)")
        }
    }

    @Test("whatever the brokers do, every confirmed event is passed on")
    func soak() async throws {
        try await onThread {
            let environment = ProcessInfo.processInfo.environment
            let seconds = environment["SOAK_SECONDS"].flatMap { Double($0) } ?? 15
            for attempt in 1...3 {
                let seed = environment["SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
                print("soak seed \(seed)")
                let cluster = try MockCluster()
                do {
                    // What the faults let nearly nothing through says nearly nothing, either.
                    let (confirmed, errors) = try Self.soak(cluster, seed: seed, seconds: seconds)
                    if confirmed > 100 { return }
                    print("soak: \(confirmed) confirmed of seed \(seed), last: \(errors)")
                    if attempt < 2 { continue }
                    Issue.record("seed \(seed): only \(confirmed) events were confirmed, last: \(errors)")
                    return
                } catch {
                    // A mock that ends by an assertion of its own takes its events with it: that run says nothing.
                    guard attempt < 3, cluster.hasAborted(within: 5) else { throw error }
                    print("soak: the mock brokers ended by an assertion of their own; once more")
                }
            }
        }
    }

    /// - Returns: how many events were confirmed, and the last errors.
    private static func soak(
        _ cluster: MockCluster, seed: UInt64, seconds: Double
    ) throws -> (confirmed: Int, errors: [String]) {
        var generator = SeededGenerator(seed: seed)
        try cluster.command("topic raw 16")
        try cluster.command("topic clean 16")
        for group in ["p2", "p4"] { try cluster.command("coordinator \(group) 1") }
        let log = try KafkaLog(testSettings(cluster.bootstrap))
        let record = Record()
        let threads = DispatchGroup()
        for work in [append, pass, pass] {
            threads.enter()
            Thread.detachNewThread {
                work(log, record)
                threads.leave()
            }
        }
        defer {
            record.stopAppending()
            record.stopReading()
            if threads.wait(timeout: .now() + 60) != .success { Issue.record("seed \(seed): a thread did not end") }
            log.close()
        }
        // Under faults a slow machine confirms little in the time: some hundred events are what the oracle is about.
        let (end, deadline) = (Date(timeIntervalSinceNow: seconds), Date(timeIntervalSinceNow: seconds + 60))
        while Date() < end || record.allConfirmed.count <= 100, Date() < deadline {
            try fault(cluster, &generator)
            usleep(UInt32.random(in: 50_000...400_000, using: &generator))
        }
        for request in ["produce", "fetch", "offset-commit", "heartbeat"] {
            try cluster.command("clear \(request)")
        }
        record.stopAppending()

        let seen = try passedOn(log, record)
        record.stopReading()
        // The mock answers as long as it lives; a dead one is no proof that events were lost.
        try cluster.command("clear produce")
        let missing = record.allConfirmed.subtracting(seen)
        print("soak: \(record.allConfirmed.count) confirmed, \(seen.count) passed on, \(log.status)")
        var first: [Event] = []
        if let gone = missing.first { try log.scan("raw") { if text($0) == gone { first.append($0) } } }
        #expect(
            missing.isEmpty,
            "seed \(seed): \(missing.count) of \(record.allConfirmed.count) are missing, one of them \(missing.first ?? ""), in raw \(first.map { "\($0.position) @ \($0.offset)" })"
        )
        #expect(record.allProblems.isEmpty, "seed \(seed): \(record.allProblems)")
        return (record.allConfirmed.count, record.lastPassing)
    }
}
