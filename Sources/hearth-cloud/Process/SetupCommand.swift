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

    private func prepareTopics(_ logger: Logger, until deadline: Int64) throws {
        guard eventLog.engine == "kafka" else { return }
        guard let partitions = Int(partitions), (1...10_000).contains(partitions), let replication = Int(replication)
        else {
            throw SettingError("KAFKA_PARTITIONS and KAFKA_REPLICATION must be numbers")
        }
        let kafka = try KafkaLog(KafkaSettings(bootstrap: eventLog.kafkaHost, clientID: "hearth-setup"))
        defer { kafka.close() }
        let created = try Self.retrying(until: deadline, logger, "waiting for Kafka at \(eventLog.kafkaHost)") {
            let topics = eventLog.topics
            // Dead letters wait for a person, for as long as there is room: 64 MiB per partition.
            return try kafka.ensureTopics(
                topics.all.filter { $0 != topics.deadLetter }, partitions: partitions, replication: replication)
                + kafka.ensureTopics(
                    [topics.deadLetter], partitions: partitions, replication: replication,
                    configuration: ["retention.ms": "-1", "retention.bytes": "67108864"])
        }
        logger.notice("topics", metadata: ["created": "\(created.joined(separator: ", "))"])
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
