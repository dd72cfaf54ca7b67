import EventLog
import Influx
import Logging
import MQTT
import Machine
import Prometheus

/// One running `hearth-cloud` process: an ingestor, some pipelines, or all of them, on one event log.
///
/// Stops intake and, after the batch at hand, each pipeline, then the log.
final class CloudService: ProbedService {
    let log: any EventLog
    let ingest: (connection: Connection, metrics: IngestMetrics)?
    let pipelines: [(runner: PipelineRunner, writer: InfluxWriter)]
    private let account: Account?
    private let logger: Logger
    private let watch: PeerWatch
    let deadLetters: DeadLetterDesk?

    /// How P1 tells the homes what became of their records.
    struct Account {
        let book: StoredBook
        let connection: Connection
        let metrics: StoredMetrics
    }

    init(
        log: any EventLog, ingest: (connection: Connection, metrics: IngestMetrics)?,
        pipelines: [(runner: PipelineRunner, writer: InfluxWriter)], account: Account? = nil,
        topics: LogTopics, logger: Logger
    ) {
        self.log = log
        self.ingest = ingest
        self.pipelines = pipelines
        self.account = account
        self.logger = logger
        watch = PeerWatch(log: log, ingest: ingest?.metrics, pipelines: pipelines, logger: logger)
        deadLetters = DeadLetterDesk(log: log, topics: topics) {
            for pipeline in pipelines { pipeline.runner.held.recount() }
        }
    }

    func start() throws {
        // Readers first: a group that exists keeps its events from being pruned.
        for pipeline in pipelines { pipeline.runner.start() }
        // Nothing waits for it.
        if let account { try account.connection.start() }
        watch.start()
        try ingest?.connection.start()
    }

    /// Blocks up to about four seconds, so that a batch at the database can finish and the whole process is gone in five.
    func stop() {
        watch.stop()
        for pipeline in pipelines { pipeline.runner.stop() }
        ingest?.connection.stop(within: 1_500_000_000)
        account?.connection.stop(within: 100_000_000)
        let deadline = Clock.bootNanoseconds + 2_500_000_000
        while Clock.bootNanoseconds < deadline, !pipelines.allSatisfy(\.runner.isFinished) {
            Clock.sleep(10_000_000)
        }
        // What is still at a database that does not answer is not committed and is written again next time.
        for pipeline in pipelines { pipeline.writer.stop() }
        log.close()
    }

    // MARK: For the probes

    /// How long a loop may go without a turn. Waiting for Kafka or the database is not standing still: those waits
    /// have their own limits, and restarting this process would not bring either back.
    fileprivate static let stillNanoseconds: Int64 = 60_000_000_000

    /// Why this process should be restarted; nil when its loops advance. Never tied to a peer being reachable.
    var standstill: String? {
        let now = Clock.bootNanoseconds
        return ingest?.connection.standstill(of: "the ingest loop", now: now)
            ?? pipelines.lazy.compactMap { $0.runner.standstill(now: now, limit: Self.stillNanoseconds) }.first
    }

    /// What keeps this process from doing its work now; empty when ready.
    var hindrances: [String] {
        var hindrances: [String] = []
        if let ingest {
            switch ingest.connection.state {
            case .connected:
                if let problem = ingest.metrics.snapshot.subscription { hindrances.append("cloud broker: \(problem)") }
            case .waiting(_, let error): hindrances.append("cloud broker: \(error)")
            default: hindrances.append("cloud broker: connecting")
            }
        }
        hindrances += watch.hindrances
        for (runner, _) in pipelines {
            let metrics = runner.metrics.snapshot
            if metrics.lastTurn == nil { hindrances.append("\(runner.name): has not read the event log yet") }
            if let failure = metrics.lastFailure { hindrances.append("\(runner.name): \(failure)") }
        }
        return hindrances
    }

    var notes: [String] { watch.notes }

    var samples: [MetricSample] {
        var samples = ingest?.metrics.samples ?? []
        for (runner, _) in pipelines { samples += runner.metrics.samples }
        for (runner, writer) in pipelines {
            samples += writer.status.samples(pipeline: runner.name, held: runner.held.count)
            samples.append(
                .init(
                    name: "hearth_pipeline_unknown_zone_readings",
                    help: "Readings kept until this program knows their time zone.", kind: .gauge,
                    labels: [("pipeline", runner.name)], value: Double(runner.held.readings)))
        }
        if let account {
            let counts = account.metrics.snapshot
            for (name, help, value) in [
                ("hearth_stored_told_total", "Accounts of homes' records that the cloud broker took.", counts.told),
                ("hearth_stored_refused_total", "Accounts that it did not take.", counts.refused),
            ] {
                samples.append(MetricSample(name: name, help: help, kind: .counter, value: Double(value)))
            }
        }
        samples += log.status.samples
        if let ingest {
            var isConnected = 0.0
            if case .connected = ingest.connection.state { isConnected = 1 }
            samples.append(
                .init(
                    name: "hearth_ingest_connected", help: "1 while connected to the cloud broker.", kind: .gauge,
                    value: isConnected))
        }
        return samples
    }
}

extension Connection {
    /// Why its process should be restarted; nil while its thread turns.
    func standstill(of loop: String, now: Int64) -> String? {
        guard progress != 0 else { return nil }
        if case .connecting = state { return nil }
        let still = now - progress
        return still > CloudService.stillNanoseconds ? "\(loop) has not turned for \(still / 1_000_000_000) s" : nil
    }
}

extension EventLogStatus {
    var samples: [MetricSample] {
        var samples: [MetricSample] = []
        for (group, state) in groups.sorted(by: { $0.key < $1.key }) {
            func sample(_ name: String, _ help: String, _ kind: MetricSample.Kind, _ value: Double) -> MetricSample {
                MetricSample(name: name, help: help, kind: kind, labels: [("group", group)], value: value)
            }
            if let lag = state.lag {
                samples.append(
                    sample("hearth_log_lag_events", "Events a consumer group has not read.", .gauge, Double(lag)))
            }
            if let uncommitted = state.uncommitted {
                samples.append(
                    sample(
                        "hearth_log_uncommitted_events",
                        "Events it would read again after a restart, unread ones included.",
                        .gauge, Double(uncommitted)))
            }
            samples += [
                sample(
                    "hearth_log_partitions", "Partitions of the log that this process reads.", .gauge,
                    Double(state.partitions)),
                sample(
                    "hearth_log_reader_restarts_total", "Readers replaced because they got nothing.", .counter,
                    Double(state.readerRestarts)),
                sample(
                    "hearth_log_events_lost_total", "Events that were deleted before the group had read them.",
                    .counter,
                    Double(state.lost)),
                sample(
                    "hearth_log_offset_resets_total", "Times a partition began anew before the group's place.",
                    .counter,
                    Double(state.resets)),
            ]
        }
        for (name, help, value) in [
            ("hearth_log_damaged_events_total", "Events of the journal's file that came back damaged.", damaged),
            ("hearth_dead_letters_dropped_total", "Dead letters of the journal engine that made room.", dropped),
        ] {
            samples.append(MetricSample(name: name, help: help, kind: .counter, value: Double(value)))
        }
        samples.append(
            MetricSample(
                name: "hearth_log_appended_total", help: "Events appended to the log.", kind: .counter,
                value: Double(appended)))
        return samples
    }
}

extension InfluxStatus {
    /// - Parameter held: points that wait as dead letters for a field's type.
    func samples(pipeline: String, held: Int) -> [MetricSample] {
        let labels = [(name: "pipeline", value: pipeline)]
        func sample(_ name: String, _ help: String, _ kind: MetricSample.Kind, _ value: Double) -> MetricSample {
            MetricSample(name: name, help: help, kind: kind, labels: labels, value: value)
        }
        var samples = [
            sample("hearth_influx_requests_total", "Write requests.", .counter, Double(requests)),
            sample("hearth_influx_retries_total", "Write requests that were tried again.", .counter, Double(retries)),
            sample("hearth_influx_held_points", "Points waiting for the database.", .gauge, Double(heldPoints)),
            sample(
                "hearth_influx_conflicting_points",
                "Points kept until the database takes them: a field's type, or a reason that is not known.",
                .gauge, Double(held)),
            sample(
                "hearth_influx_alarm", "1 while the database does not take points and may need a person.", .gauge,
                alarm == nil && held == 0 ? 0 : 1),
        ]
        if let lastLatency {
            let seconds = Double(lastLatency.components.seconds) + Double(lastLatency.components.attoseconds) / 1e18
            samples.append(sample("hearth_influx_write_latency_seconds", "The last write request.", .gauge, seconds))
        }
        return samples
    }
}
