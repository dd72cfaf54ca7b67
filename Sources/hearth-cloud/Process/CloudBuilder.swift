import EventLog
import Foundation
import Heating
import Influx
import LogLines
import Logging
import MQTT
import Machine
import ServiceLifecycle
import UnixSignals

/// Builds the parts of a cloud process from its settings. No decisions here, only wiring.
struct CloudBuilder {
    let logger: Logger
    let logOptions: EventLogOptions

    static func logger(_ options: LogOptions) throws -> Logger {
        var logger = Logger(label: "hearth-cloud") { LogLine(label: $0) }
        logger.logLevel = try options.level.value
        return logger
    }

    /// Of the journal engine's dead letters, about ten thousand of the largest.
    private static let deadLetterBytes: Int64 = 64 << 20
    /// More than a topic of Kafka may have by `setup`.
    private static let heldPartitions: Int32 = 100_000

    /// A log's notices in ours.
    private var report: NoticeHandler {
        let logger = logger
        return { notice in
            switch notice.level {
            case .debug: logger.debug("\(notice.message)")
            case .info: logger.info("\(notice.message)")
            case .warning: logger.warning("\(notice.message)")
            case .error: logger.error("\(notice.message)")
            }
        }
    }

    func kafka(role: String) throws -> KafkaLog {
        try logOptions.checkTopics()
        return try KafkaLog(logOptions.kafka.settings(role: role), report: report)
    }

    func eventLog(role: String) throws -> any EventLog {
        switch try logOptions.engine.value {
        case .journal:
            try logOptions.checkTopics()
            let (path, mebibytes) = (logOptions.journalPath.text, try logOptions.journalMaxSize.value)
            // First the log itself: it tells whether another process has the files.
            let log = try JournalLog(path: path, maxBytes: mebibytes << 20, report: report)
            let letters = try JournalLog(
                keeping: path + ".dead-letters", maxBytes: Self.deadLetterBytes, report: report)
            // What waits for the database is points that are missing until they are written.
            let held = try JournalLog(
                keeping: path + ".held", maxBytes: max(2 * Self.deadLetterBytes, mebibytes << 18),
                report: report)
            let all = PartedLog(first: letters, second: held) { HeldPoints.keeps($0) }
            return RoutedLog(topic: logOptions.topics.deadLetter, in: all, others: log)
        case .kafka:
            let topics = logOptions.topics
            return SplitLog(
                try kafka(role: role), topic: topics.deadLetter, second: topics.held, from: Self.heldPartitions
            ) { HeldPoints.keeps($0, from: Self.heldPartitions) }
        }
    }

    func ingest(
        _ log: any EventLog, _ broker: BrokerOptions, _ options: IngestOptions, _ book: StoredBook
    ) throws -> (connection: Connection, metrics: IngestMetrics) {
        var settings = try broker.settings(role: "ingest")
        let secret = try BrokerSecret(broker)
        if broker.clientID.given == nil { settings.clientID = try clientID(options, secret) }
        // The session outlives a restart; what a replica that is gone for good leaves in it the homes send again.
        settings.cleanStart = false
        // A home's frame has 256 KiB; a broker without a limit would hand on what has no place in memory.
        settings.maximumPacketSize = 2 << 20
        if logOptions.isEngine(.kafka) {
            // A cluster's answer takes milliseconds in which the next batch shall be on its way, so the broker's window is
            // two batches wide. libmosquitto writes all acknowledgements or none: several batches under way at once would
            // be acknowledged together, as one.
            settings.batch = BatchLimits(messages: 4096, bytes: 4 << 20)
            settings.receiveMaximum = 8192
        }
        let group = try options.shareGroup.given.map { try ShareGroup(named: $0) } ?? ShareGroup(secret)
        let leaves = try options.onStop.value == .leave
        let stateFile = options.stateFile.given ?? journalFile("ingest")
        if stateFile == nil {
            logger.info("no INGEST_STATE_FILE: a message that ends this process would do so again and again")
        }
        let metrics = IngestMetrics()
        let topics = logOptions.topics
        let connection = Connection(settings, name: "ingest") { [logger] in
            Ingestor(
                log: log, topics: topics, group: group, leavesWhenStopping: leaves, killMark: KillMark(path: stateFile),
                book: book, metrics: metrics, logger: logger)
        }
        return (connection, metrics)
    }

    /// A file beside the embedded log; nil where there is none.
    private func journalFile(_ suffix: String) -> String? {
        logOptions.isEngine(.journal) ? "\(logOptions.journalPath.text).\(suffix)" : nil
    }

    private func clientID(_ options: IngestOptions, _ secret: BrokerSecret?) throws -> String {
        let name = options.clientName.given ?? ProcessInfo.processInfo.hostName
        guard let path = options.clientIDFile.given ?? journalFile("client-id") else {
            return ClientIdentity.derived(role: "ingest", name: name, secret: secret)
        }
        // Without a secret the broker knows no users, and a random id protects nothing: the name under which earlier
        // versions have a session there goes on.
        let first = secret == nil ? ClientIdentity.derived(role: "ingest", name: name, secret: nil) : nil
        return try ClientIdentity.kept(in: path, role: "ingest", first: first)
    }

    enum Pipeline: String, CaseIterable {
        case saveRaw = "p1-raw-saver"
        case clean = "p2-cleaner"
        case aggregate = "p4-aggregator"
    }

    /// Tells the homes what became of their records.
    func account(_ broker: BrokerOptions) throws -> CloudService.Account {
        var settings = try broker.settings(role: "stored")
        // No session is kept, so a new id each time does, and nobody can guess it and take the connection over.
        settings.clientID = "hearth-stored-\(UUID().uuidString)"
        settings.cleanStart = true
        settings.sessionExpiry = 0
        settings.maximumPacketSize = 2 << 20
        let (book, metrics) = (StoredBook(), StoredMetrics())
        let connection = Connection(settings, name: "stored") { [logger] in
            StoredPublisher(book: book, metrics: metrics, logger: logger)
        }
        return .init(book: book, connection: connection, metrics: metrics)
    }

    /// - Parameter book: of P1.
    func pipeline(
        _ pipeline: Pipeline, log: any EventLog, influx: InfluxSettings, window: Duration, measures: Set<Measure>,
        book: StoredBook? = nil
    ) throws -> (runner: PipelineRunner, writer: InfluxWriter) {
        let logger = logger
        let writer = try InfluxWriter(influx)
        let names = logOptions.topics
        let runner = PipelineRunner(
            name: pipeline.rawValue, group: names.group(pipeline.rawValue), instance: logOptions.kafka.instance.given,
            book: pipeline == .saveRaw ? book : nil, log: log, writer: writer, names: names, logger: logger
        ) {
            switch pipeline {
            case .saveRaw: SaveRaw(names)
            case .clean: Clean(names)
            case .aggregate: Aggregate(names, window: window, measures: measures) { Clock.now }
            }
        }
        return (runner, writer)
    }

    /// To be called first by what runs until it is told to stop. Before the service group watches for signals nothing has
    /// begun that would have to be finished: told to stop, the process ends at once and in good order. Without a handler
    /// the signal would look like a crash, or, for the first process of a container, be ignored (pid_namespaces(7)).
    static func endsInGoodOrder() {
        signal(SIGTERM, endProcess)
        signal(SIGINT, endProcess)
    }

    func run(_ service: any ProbedService, http: HTTPOptions) async throws {
        try await Self.run(service, http: http, logger: logger)
    }

    /// Runs a service until SIGTERM or SIGINT.
    static func run(_ service: any ProbedService, http: HTTPOptions, logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: HTTPEndpoint(port: try http.port.value, service: service)),
                .init(service: FlowService(service: service)),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(20)
        try await ServiceGroup(configuration: configuration).run()
    }
}

/// A handler for C: captures nothing, and `_exit` is safe in it (signal-safety(7)).
private func endProcess(_ signal: Int32) { _exit(0) }
