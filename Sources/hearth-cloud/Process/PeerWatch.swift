import EventLog
import Influx
import Logging
import Machine
import Synchronization

/// Asks the event log and the database now and then whether they are there, so that a service that has nothing to do
/// knows it too, and tells troubles once a minute and reason.
final class PeerWatch: Sendable {
    private let log: any EventLog
    private let ingest: IngestMetrics?
    private let pipelines: [(runner: PipelineRunner, writer: InfluxWriter)]
    private let logger: Logger
    private let isStopping = Atomic(false)
    private let logState = Mutex(Reachability())
    private let databaseState = Mutex(Reachability())
    private let ingestFailures = Mutex((count: 0, at: Int64(0)))

    init(
        log: any EventLog, ingest: IngestMetrics?, pipelines: [(runner: PipelineRunner, writer: InfluxWriter)],
        logger: Logger
    ) {
        self.log = log
        self.ingest = ingest
        self.pipelines = pipelines
        self.logger = logger
    }

    func start() {
        startThread("watch-log") { [self] in
            watch(logState) { try log.probe() }
        }
        if !pipelines.isEmpty { startThread("watch-database") { [self] in watch(databaseState) { try askDatabase() } } }
        startThread("watch-tell") { [self] in tell() }
    }

    func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Asks for each pipeline that has not written so lately that nobody needs to.
    private func askDatabase() throws {
        for (_, writer) in pipelines {
            let now = Clock.bootNanoseconds
            if now - (writer.status.lastSuccess ?? .min / 2) < Reachability.interval { continue }
            var settings = writer.settings
            settings.target = settings.renewed?() ?? settings.target
            settings.connectTimeout = .seconds(3)
            settings.requestTimeout = .seconds(4)
            try InfluxAdmin(settings).probe()
        }
    }

    private func watch(_ state: borrowing Mutex<Reachability>, _ ask: () throws -> Void) {
        while !isStopping.load(ordering: .relaxed) {
            state.ask(ask)
            Clock.sleep(100_000_000)
        }
    }

    // MARK: For the probes

    /// Troubles with the event log and the database.
    var hindrances: [String] {
        let now = Clock.bootNanoseconds
        var hindrances: [String] = []
        let log = logState.withLock { $0 }
        if let problem = log.problem(now: now) { hindrances.append("event log: \(problem)") }
        if let failure = ingest?.snapshot.lastFailure, !log.answersNow || isIngestFailing(now) {
            hindrances.append("event log: \(failure)")
        }
        if !pipelines.isEmpty, let problem = databaseState.withLock({ $0 }).problem(now: now) {
            hindrances.append("database: \(problem)")
        }
        for (runner, writer) in pipelines {
            if let alarm = writer.status.alarm { hindrances.append("\(runner.name): database: \(alarm)") }
            if let alarm = runner.held.alarm { hindrances.append("\(runner.name): database: \(alarm)") }
        }
        return hindrances
    }

    /// With nothing to ingest after a failure nothing could go right again.
    private func isIngestFailing(_ now: Int64) -> Bool { now - ingestFailures.withLock { $0.at } < 10_000_000_000 }

    /// What a person may want to know of a service that is ready.
    var notes: [String] {
        waitingReadings
            + deadLetters.filter { $0.total > 0 }.map {
                "dead letters since the start: \($0.total) \($0.source): \($0.reason)"
            }
    }

    /// One home can send whatever zone it likes, so this does not make the service unready.
    private var waitingReadings: [String] {
        pipelines.compactMap { pipeline in pipeline.runner.held.zonesAlarm.map { "\(pipeline.runner.name): \($0)" } }
    }

    private var deadLetters: [(source: String, reason: String, total: Int)] {
        let ingested = ingest?.snapshot.deadLetters ?? [:]
        var all = ingested.map { (source: "ingest", reason: $0.key, total: $0.value) }
        for (runner, _) in pipelines {
            all += runner.metrics.snapshot.rejected.map { (source: runner.name, reason: $0.key, total: $0.value) }
        }
        return all.sorted { ($0.source, $0.reason) < ($1.source, $1.reason) }
    }

    // MARK: For the log

    private func tell() {
        var once = OncePerMinute()
        while !isStopping.load(ordering: .relaxed) {
            let now = Clock.bootNanoseconds
            let failures = ingest?.snapshot.appendFailures ?? 0
            ingestFailures.withLock { if $0.count != failures { $0 = (failures, now) } }
            for letter in deadLetters {
                let key = "\(letter.source) \(letter.reason)"
                guard let count = once.news(key, total: letter.total, now: now) else { continue }
                logger.warning(
                    "dead letters: see them with hearth-cloud dead-letters list",
                    metadata: ["from": "\(letter.source)", "reason": "\(letter.reason)", "count": "\(count)"])
            }
            for text in waitingReadings where once.isNews("zones \(text.prefix { $0 != ":" })", text, now: now) {
                logger.warning("readings wait", metadata: ["reason": "\(text)"])
            }
            for hindrance in hindrances where now > Self.startNanoseconds {
                let kind = String(hindrance.prefix { $0 != ":" })
                if once.isNews(kind, hindrance, now: now) {
                    logger.error("not ready", metadata: ["reason": "\(hindrance)"])
                }
            }
            Clock.sleep(1_000_000_000)
        }
    }

    private static let startNanoseconds = Clock.bootNanoseconds + 5_000_000_000
}
