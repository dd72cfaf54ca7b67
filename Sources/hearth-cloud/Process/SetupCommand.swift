import ArgumentParser
import EventLog
import Foundation
import Influx
import Logging
import Machine

/// Creates what the services need: buckets (v2) or databases (v1), and the topics on Kafka. Safe to repeat.
struct SetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Creates buckets or databases with their retention, and Kafka's topics.")

    @OptionGroup var eventLog: EventLogOptions
    @OptionGroup var influx: InfluxOptions
    @OptionGroup var log: LogOptions

    @Option(
        "RETENTION", .retention, default: "forever",
        help: "How long points are kept, such as 720h or 365d; forever by default")
    var retention: Setting<Duration?>

    @Option(
        "JOURNAL_REACH", flag: "reach", .long, default: "30d",
        help: "The longest outage of a home to be filled in afterwards; its journal must hold it")
    var reach: Setting<Duration>

    @Option(
        "SETUP_WAIT", flag: "wait", .whole(0...86_400 * 365, "a number of seconds"), default: "120",
        help: "How long to wait for the database and Kafka, in seconds")
    var wait: Setting<Int64>

    @Option(
        "KAFKA_PARTITIONS", flag: "partitions", .whole(1...10_000, "a number from 1 to 10000"), default: "12",
        help: "Partitions of each topic")
    var partitions: Setting<Int>

    @Option(
        "KAFKA_REPLICATION", flag: "replication", .replication, default: "-1",
        help: "Replicas of each partition; -1: the brokers' default")
    var replication: Setting<Int>

    @Option(
        "KAFKA_RETENTION", flag: "topic-retention", .retention, default: "7d",
        help: "How long Kafka keeps events, such as 168h or 7d, or forever: longer than a pipeline may be away")
    var topicRetention: Setting<Duration?>

    @Option(
        "INFLUX_TOKENS",
        help:
            "Directory for tokens of InfluxDB 2 that may only write into a service's bucket: save-raw.token, clean.token, aggregate.token and serve.token, for all three. Those that are there are kept"
    )
    var tokens: Setting<String>

    func run() async throws {
        let logger = try CloudBuilder.logger(log)
        let (kept, reach, seconds) = (try retention.value, try reach.value, try wait.value)
        if let kept, kept < reach {
            throw SettingError(
                "RETENTION \(retention) is shorter than JOURNAL_REACH \(self.reach): InfluxDB would refuse the readings "
                    + "that a home kept through a longer outage. Keep points longer, or lower JOURNAL_REACH to the "
                    + "longest outage you want filled in.")
        }
        // Told before anything is made.
        if eventLog.isEngine(.kafka) {
            _ = (try partitions.value, try replication.value, try topicRetention.value)
            try eventLog.checkTopics()
        }
        let deadline = Clock.bootNanoseconds + seconds * 1_000_000_000
        // Blocking calls: on a thread of their own, like everything that waits for a peer.
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            startThread("setup") {
                continuation.resume(
                    with: Result {
                        try prepareDatabase(kept, reach: reach, logger, until: deadline)
                        try makeTokens(logger)
                        try prepareTopics(logger, until: deadline)
                    })
            }
        }
    }

    private func prepareDatabase(_ kept: Duration?, reach: Duration, _ logger: Logger, until deadline: Int64) throws {
        for bucket in influx.buckets {
            let admin = InfluxAdmin(try influx.settings(bucket: bucket))
            let state = try Self.retrying(until: deadline, logger, "waiting for InfluxDB at \(influx.url.text)") {
                try admin.prepareTarget(retention: kept)
            }
            switch state {
            case .created: logger.notice("created", metadata: ["bucket": "\(bucket)", "retention": "\(retention)"])
            case .existed(let old?) where old < reach:
                throw SettingError(
                    "bucket \(bucket) exists and keeps points for \(old) only, shorter than JOURNAL_REACH \(self.reach): "
                        + "readings kept through a longer outage would be refused. Raise its retention in InfluxDB.")
            case .existed: logger.notice("exists", metadata: ["bucket": "\(bucket)"])
            }
        }
    }

    /// Whoever gets hold of a pipeline's token can then add points, and neither read nor delete any.
    private func makeTokens(_ logger: Logger) throws {
        guard let tokens = tokens.given else { return }
        let buckets = influx.buckets
        let wanted = [
            ("save-raw", [buckets[0]]), ("clean", [buckets[1]]), ("aggregate", [buckets[2]]), ("serve", buckets),
        ]
        for (service, buckets) in wanted {
            let file = "\(tokens)/\(service).token"
            if FileManager.default.fileExists(atPath: file) { continue }
            let admin = InfluxAdmin(try influx.settings(bucket: buckets[0]))
            let token = try admin.makeWriteToken(for: buckets, description: "hearth-cloud \(service)")
            let isMade = FileManager.default.createFile(
                atPath: file, contents: Data(token.utf8), attributes: [.posixPermissions: 0o600])
            guard isMade else {
                throw SettingError("\(file) cannot be written; make the directory, or correct INFLUX_TOKENS")
            }
            logger.notice(
                "made a token", metadata: ["file": "\(file)", "writes": "\(buckets.joined(separator: ", "))"])
        }
    }

    private func prepareTopics(_ logger: Logger, until deadline: Int64) throws {
        guard eventLog.isEngine(.kafka) else { return }
        let (partitions, replication) = (try partitions.value, try replication.value)
        let kept = try topicRetention.value
        let topics = eventLog.topics
        let plans = topics.all.map { name in
            // Dead letters wait for a person, for as long as there is room per partition; what waits for the database is
            // bounded by the pipelines, to less than its topic has room for.
            let room: Int64? = name == topics.deadLetter ? 64 << 20 : name == topics.held ? 256 << 20 : nil
            let retention = room != nil ? -1 : kept.map { $0.components.seconds * 1_000 } ?? -1
            return TopicPlan(
                name: name, partitions: partitions, replication: replication, retention: retention, bytes: room)
        }
        let kafka = try CloudBuilder(logger: logger, logOptions: eventLog).kafka(role: "setup")
        defer { kafka.close() }
        let created = try Self.retrying(until: deadline, logger, "waiting for Kafka at \(eventLog.kafka.host.text)") {
            try kafka.ensureTopics(plans)
        }
        logger.notice("topics", metadata: ["created": "\(created.joined(separator: ", "))"])
        // A cluster may take a setting and not keep it, so those just made are compared too.
        for plan in plans { compare(plan, kafka, logger) }
    }

    /// Warns of what an existing topic lacks; nothing is changed, since homes may be using it.
    private func compare(_ plan: TopicPlan, _ kafka: KafkaLog, _ logger: Logger) {
        do {
            guard let facts = try kafka.facts(of: plan.name) else { return }
            for text in plan.shortcomings(of: facts) { logger.warning("\(text)") }
        } catch {
            logger.warning("whether the topic is as asked for is not known", metadata: ["error": "\(error)"])
        }
    }

    private static func retrying<Value>(
        until deadline: Int64, _ logger: Logger, _ what: String, _ attempt: () throws -> Value
    ) throws -> Value {
        while true {
            do {
                return try attempt()
            } catch {
                guard Clock.bootNanoseconds < deadline else { throw error }
                logger.info("\(what)", metadata: ["error": "\(error)"])
                Clock.sleep(1_000_000_000)
            }
        }
    }
}
