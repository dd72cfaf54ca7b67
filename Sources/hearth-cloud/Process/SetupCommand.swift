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

    @Option(help: "How long points are kept, such as 720h or 365d; forever by default (RETENTION).")
    var retention = Variable.text("RETENTION", "forever")

    @Option(
        help: "The longest outage of a home to be filled in afterwards; its journal must hold it (JOURNAL_REACH).")
    var reach = Variable.text("JOURNAL_REACH", "30d")

    @Option(help: "How long to wait for the database and Kafka, in seconds (SETUP_WAIT).")
    var wait = Variable.text("SETUP_WAIT", "120")

    @Option(help: "Partitions of each topic (KAFKA_PARTITIONS).")
    var partitions = Variable.text("KAFKA_PARTITIONS", "12")

    @Option(help: "Replicas of each partition; -1: the brokers' default (KAFKA_REPLICATION).")
    var replication = Variable.text("KAFKA_REPLICATION", "-1")

    @Option(
        help:
            "How long Kafka keeps events, such as 168h or 7d, or forever: longer than a pipeline may be away (KAFKA_RETENTION)."
    )
    var topicRetention = Variable.text("KAFKA_RETENTION", "7d")

    @Option(
        name: .customLong("influx-tokens"),
        help:
            "Directory for tokens of InfluxDB 2 that may only write into a service's bucket: save-raw.token, clean.token, aggregate.token and serve.token, for all three. Those that are there are kept (INFLUX_TOKENS)."
    )
    var tokensFlag: String?
    var tokens: String? { tokensFlag ?? Variable.text("INFLUX_TOKENS") }

    func run() async throws {
        let logger = try CloudBuilder.logger(log)
        let kept = retention == "forever" ? nil : try Self.long(retention, "RETENTION")
        let reach = try Self.long(reach, "JOURNAL_REACH")
        if let kept, kept < reach {
            throw SettingError(
                "RETENTION \(retention) is shorter than JOURNAL_REACH \(self.reach): InfluxDB would refuse the readings "
                    + "that a home kept through a longer outage. Keep points longer, or lower JOURNAL_REACH to the "
                    + "longest outage you want filled in.")
        }
        guard let seconds = Int64(wait), seconds >= 0 else {
            throw SettingError("SETUP_WAIT must be a number of seconds")
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
        for bucket in [influx.rawBucket, influx.cleanBucket, influx.aggregateBucket] {
            let admin = InfluxAdmin(try influx.settings(bucket: bucket))
            let state = try Self.retrying(until: deadline, logger, "waiting for InfluxDB at \(influx.url)") {
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
        guard let tokens else { return }
        let buckets = [influx.rawBucket, influx.cleanBucket, influx.aggregateBucket]
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
        guard eventLog.engine == "kafka" else { return }
        guard let partitions = Int(partitions), (1...10_000).contains(partitions), let replication = Int(replication)
        else {
            throw SettingError("KAFKA_PARTITIONS and KAFKA_REPLICATION must be numbers")
        }
        let kept = topicRetention == "forever" ? nil : try Self.long(topicRetention, "KAFKA_RETENTION")
        let topics = eventLog.topics
        let plans = topics.all.map { name in
            // Dead letters wait for a person, for as long as there is room: 64 MiB per partition.
            let isDeadLetter = name == topics.deadLetter
            let retention = isDeadLetter ? -1 : kept.map { $0.components.seconds * 1_000 } ?? -1
            return TopicPlan(
                name: name, partitions: partitions, replication: replication, retention: retention,
                bytes: isDeadLetter ? 64 << 20 : nil)
        }
        let kafka = try CloudBuilder(logger: logger, logOptions: eventLog).kafka(role: "setup")
        defer { kafka.close() }
        let created = try Self.retrying(until: deadline, logger, "waiting for Kafka at \(eventLog.kafka.host)") {
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

    /// `720h`, `30d`.
    private static func long(_ text: String, _ name: String) throws -> Duration {
        let units: [Character: Int64] = ["h": 3600, "d": 86400]
        guard let unit = text.last.flatMap({ units[$0] }), let amount = Int64(text.dropLast()),
            (1...100_000).contains(amount)
        else { throw SettingError("\(name) must be like 720h or 365d, not \"\(text)\"") }
        return .seconds(amount * unit)
    }
}
