import ArgumentParser
import EventLog
import Foundation
import Heating
import Influx

struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Cloud broker → event log; confirms to the homes what the log has.")

    @OptionGroup var broker: BrokerOptions
    @OptionGroup var ingest: IngestOptions
    @OptionGroup var eventLog: EventLogOptions
    @OptionGroup var http: HTTPOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        CloudBuilder.endsInGoodOrder()
        let builder = CloudBuilder(logger: try CloudBuilder.logger(log), logOptions: eventLog)
        let engine = try builder.eventLog(role: "ingest")
        let account = try builder.account(broker)
        let service = CloudService(
            log: engine, ingest: try builder.ingest(engine, broker, ingest, account.book), pipelines: [],
            account: account, topics: eventLog.topics, logger: builder.logger)
        try await builder.run(service, http: http)
    }
}

struct SaveRawCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save-raw", abstract: "P1: every reading and command → the raw bucket.")

    @OptionGroup var broker: BrokerOptions
    @OptionGroup var pipeline: PipelineOptions

    func run() async throws {
        try await pipeline.run(.saveRaw, bucket: pipeline.influx.rawBucket.text, broker: broker.isGiven ? broker : nil)
    }
}

struct CleanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean", abstract: "P2: drops sensor faults → the clean bucket and clean-data.")

    @OptionGroup var pipeline: PipelineOptions

    func run() async throws { try await pipeline.run(.clean, bucket: pipeline.influx.cleanBucket.text) }
}

struct AggregateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aggregate", abstract: "P4: the mean of each home → the aggregate bucket.")

    @OptionGroup var pipeline: PipelineOptions

    func run() async throws { try await pipeline.run(.aggregate, bucket: pipeline.influx.aggregateBucket.text) }
}

struct PipelineOptions: ParsableArguments {
    @OptionGroup var eventLog: EventLogOptions
    @OptionGroup var influx: InfluxOptions
    @OptionGroup var http: HTTPOptions
    @OptionGroup var log: LogOptions

    @Option("WINDOW", .window, default: "60s", help: "Length of a home's mean, in event time")
    var window: Setting<Duration>

    @Option(
        "AGGREGATE_MEASURES", .measures,
        help: "Of which measures beside the temperature there is a mean, such as humidity,co2")
    var measures: Setting<Set<Measure>>

    /// - Parameter broker: where P1 tells the homes what became of their records; nil: their audits cannot tell.
    func run(_ kind: CloudBuilder.Pipeline, bucket: String, broker: BrokerOptions? = nil) async throws {
        CloudBuilder.endsInGoodOrder()
        let builder = CloudBuilder(logger: try CloudBuilder.logger(log), logOptions: eventLog)
        if eventLog.isEngine(.journal) {
            throw SettingError("the journal engine belongs to one process: use hearth-cloud serve, or EVENT_LOG=kafka")
        }
        let engine = try builder.eventLog(role: kind.rawValue)
        let settings = try influx.settings(bucket: influx.bucket.given ?? bucket)
        let account = try broker.map { try builder.account($0) }
        let built = try builder.pipeline(
            kind, log: engine, influx: settings, window: try window.value, measures: try measures.value,
            book: account?.book)
        let service = CloudService(
            log: engine, ingest: nil, pipelines: [built], account: account, topics: eventLog.topics,
            logger: builder.logger)
        try await builder.run(service, http: http)
    }
}

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Ingest, P1, P2 and P4 in one process: the cloud on one machine.")

    @OptionGroup var broker: BrokerOptions
    @OptionGroup var ingest: IngestOptions
    @OptionGroup var pipeline: PipelineOptions

    func run() async throws {
        CloudBuilder.endsInGoodOrder()
        let influx = pipeline.influx
        let builder = CloudBuilder(logger: try CloudBuilder.logger(pipeline.log), logOptions: pipeline.eventLog)
        let window = try pipeline.window.value
        let measures = try pipeline.measures.value
        let engine = try builder.eventLog(role: "serve")
        let buckets: [(CloudBuilder.Pipeline, String)] = [
            (.saveRaw, influx.rawBucket.text), (.clean, influx.cleanBucket.text),
            (.aggregate, influx.aggregateBucket.text),
        ]
        let account = try builder.account(broker)
        let pipelines = try buckets.map { kind, bucket in
            try builder.pipeline(
                kind, log: engine, influx: try influx.settings(bucket: bucket), window: window, measures: measures,
                book: account.book)
        }
        let service = CloudService(
            log: engine, ingest: try builder.ingest(engine, broker, ingest, account.book), pipelines: pipelines,
            account: account, topics: pipeline.eventLog.topics, logger: builder.logger)
        try await builder.run(service, http: pipeline.http)
    }
}
