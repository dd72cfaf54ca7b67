import EventLog
import Foundation
import Synchronization
import TestSupport
import Testing

/// What the conformance suite runs on: the embedded log, librdkafka's mock in plain text and behind a gate with TLS or with TLS and
/// SCRAM. `KAFKA_HOST` adds a real cluster, with the security settings of `hearth-cloud`.
enum Engine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case journal, cluster
    case kafka = "PLAINTEXT"
    case ssl = "SSL"
    case saslSSL = "SASL_SSL"

    static var available: [Engine] {
        allCases.filter { $0 != .cluster || ProcessInfo.processInfo.environment["KAFKA_HOST"] != nil }
    }

    var testDescription: String { rawValue }
}

/// One place where events are kept, and logs opened on it, as often as a test wants.
// @unchecked Sendable: used by the one thread of a test; the logs it hands out are Sendable themselves.
final class Store: @unchecked Sendable {
    let engine: Engine
    let name = "t\(UInt32.random(in: 0...UInt32.max))"
    private let folder: URL
    private var open: [any EventLog] = []

    /// One mock cluster of each kind for all tests that leave it unharmed.
    private static let shared = Mutex<[Engine: SharedMock]>([:])

    init(_ engine: Engine) throws {
        self.engine = engine
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(name)")
        if engine == .journal {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
    }

    deinit {
        closeLogs()
        try? FileManager.default.removeItem(at: folder)
    }

    func closeLogs() {
        for log in open { log.close() }
        open = []
    }

    /// A topic of this test.
    func topic(_ suffix: String = "raw", partitions: Int = 8) throws -> String {
        let topic = "\(name)-\(suffix)"
        switch engine {
        case .journal: break
        case .kafka, .ssl, .saslSSL: try mock { try $0.cluster.command("topic \(topic) \(partitions) 3") }
        case .cluster:
            let log = try KafkaLog(Self.cluster())
            defer { log.close() }
            try log.ensureTopics([TopicPlan(name: topic, partitions: partitions, replication: -1, retention: 3_600_000)]
            )
        }
        return topic
    }

    /// Opens a log; one at a time on the journal.
    func openLog() throws -> any EventLog {
        let log: any EventLog
        switch engine {
        case .journal:
            closeLogs()
            log = try JournalLog(path: folder.appendingPathComponent("log.sqlite").path)
        case .kafka, .ssl, .saslSSL: log = try KafkaLog(mock { try $0.settings() }, report: printNotice)
        case .cluster: log = try KafkaLog(Self.cluster(), report: printNotice)
        }
        open.append(log)
        return log
    }

    private static func cluster() throws -> KafkaSettings {
        let environment = ProcessInfo.processInfo.environment
        var settings = testSettings(environment["KAFKA_HOST"] ?? "")
        settings.access = try KafkaAccess(
            { environment[$0.rawValue] }, contents: { try? String(contentsOfFile: $0, encoding: .utf8) })
        return settings
    }

    private func mock<Result: Sendable>(_ body: (SharedMock) throws -> Result) throws -> Result {
        try Self.shared.withLock { mocks in
            let mock = try mocks[engine] ?? SharedMock(engine)
            mocks[engine] = mock
            return try body(mock)
        }
    }
}

/// Short times, so that a test sees the end of each.
func testSettings(_ bootstrap: String) -> KafkaSettings {
    var settings = KafkaSettings(bootstrap: bootstrap, clientID: "test")
    settings.appendTimeout = .seconds(10)
    settings.sessionTimeout = .seconds(6)
    return settings
}

let printNotice: NoticeHandler = { notice in
    if notice.level >= .error { print("notice: \(notice.message)") }
}

/// Runs a blocking body outside of the concurrency pool, which has as many threads as cores. Still the test's task, so
/// that what the body expects counts for the test.
func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withTaskExecutorPreference(BlockingExecutor()) { try await run(body) }
}

private func run(_ body: () throws -> Void) async throws { try body() }

private final class BlockingExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "blocking", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// A test on one engine.
func withStore(_ engine: Engine, _ body: @escaping @Sendable (Store) throws -> Void) async throws {
    try await onThread {
        let store = try Store(engine)
        defer { store.closeLogs() }
        try body(store)
    }
}

extension EventReader {
    /// Reads until there are so many events, or gives up.
    func collect(_ count: Int, within seconds: Double = 30, batch: Int = 500) throws -> [Event] {
        let end = Date(timeIntervalSinceNow: seconds)
        var events: [Event] = []
        while events.count < count, Date() < end {
            let found = try read(atMost: min(batch, count - events.count), within: 200_000_000)
            events += found.events
        }
        return events
    }

    /// Reads for a while and expects nothing.
    func collectNothing(for seconds: Double) throws -> [Event] { try collect(1, within: seconds) }
}

extension Event {
    /// Without its place in the log.
    var asAppended: Event { Event(topic: topic, key: key, value: value, headers: headers) }
}

/// The next offsets after these events.
func nextOffsets(_ events: [Event]) -> [TopicPartition: Int64] { EventBatch(events: events).nextOffsets }

func event(_ topic: String, _ key: String?, _ text: String) -> Event {
    Event(topic: topic, key: key, value: Array(text.utf8))
}

func text(_ stored: Event) -> String { String(decoding: stored.value ?? [], as: UTF8.self) }

/// The error that the body throws; nil, which no test expects, if it throws none.
func failure(_ body: () throws -> Void) -> EventLogError? {
    do { try body() } catch { return error as? EventLogError }
    return nil
}

/// Protocol error codes, https://kafka.apache.org/protocol#protocol_error_codes.
enum KafkaCode {
    static let offsetOutOfRange = 1
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
    static let duplicateSequence = 46
}

func faultSettings(_ cluster: MockCluster, appendTimeout: Duration = .seconds(10)) -> KafkaSettings {
    var settings = testSettings(cluster.bootstrap)
    settings.appendTimeout = appendTimeout
    return settings
}

/// A mock cluster of the test's own, in another process, with the topic `raw` and a log on it.
func withCluster(
    partitions: Int, _ body: @escaping @Sendable (MockCluster, KafkaLog) throws -> Void
) async throws {
    try await onThread {
        let cluster = try MockCluster()
        try cluster.command("topic raw \(partitions)")
        let log = try KafkaLog(faultSettings(cluster))
        defer { log.close() }
        try body(cluster, log)
    }
}
