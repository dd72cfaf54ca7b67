import EventLog
import Influx
import Logging
import MQTT
import Prometheus

/// One running `hearth-cloud` process: an ingestor, some pipelines, or all of them, on one event log.
///
/// Stops intake and, after the batch at hand, each pipeline, then the log.
final class CloudService: ProbedService {
    let log: any EventLog
    let ingest: (connection: Connection, metrics: IngestMetrics)?
    let pipelines: [(runner: PipelineRunner, writer: InfluxWriter)]
    private let logger: Logger

    init(
        log: any EventLog, ingest: (connection: Connection, metrics: IngestMetrics)?,
        pipelines: [(runner: PipelineRunner, writer: InfluxWriter)], logger: Logger
    ) {
        self.log = log
        self.ingest = ingest
        self.pipelines = pipelines
        self.logger = logger
    }

    func start() throws {
        // Readers first: a group that exists keeps its events from being pruned.
        for pipeline in pipelines { pipeline.runner.start() }
        try ingest?.connection.start()
    }

    /// Blocks up to about four seconds, so that a batch at the database can finish and the whole process is gone in five.
    func stop() {
        for pipeline in pipelines { pipeline.runner.stop() }
        ingest?.connection.stop(within: 1_500_000_000)
        let deadline = CloudClock.bootNanoseconds + 2_500_000_000
        while CloudClock.bootNanoseconds < deadline, !pipelines.allSatisfy(\.runner.isFinished) {
            CloudClock.sleep(10_000_000)
        }
        // What is still at a database that does not answer is not committed and is written again next time.
        for pipeline in pipelines { pipeline.writer.stop() }
        log.close()
    }

    // MARK: For the probes

    /// How long a loop may go without a turn. Waiting for Kafka or the database is not standing still: those waits
    /// have their own limits, and restarting this process would not bring either back.
    private static let stillNanoseconds: Int64 = 60_000_000_000

    /// Why this process should be restarted; nil when its loops advance. Never tied to a peer being reachable.
    var standstill: String? {
        let now = CloudClock.bootNanoseconds
        return ingestStandstill(now)
            ?? pipelines.lazy.compactMap { $0.runner.standstill(now: now, limit: Self.stillNanoseconds) }.first
    }

    private func ingestStandstill(_ now: Int64) -> String? {
        guard let connection = ingest?.connection, connection.progress != 0 else { return nil }
        if case .connecting = connection.state { return nil }
        let still = now - connection.progress
        return still > Self.stillNanoseconds ? "the ingest loop has not turned for \(still / 1_000_000_000) s" : nil
    }

    /// What keeps this process from doing its work now; empty when ready.
    var hindrances: [String] {
        var hindrances: [String] = []
        if let ingest {
            switch ingest.connection.state {
            case .connected: break
            case .waiting(_, let error): hindrances.append("cloud broker: \(error)")
            default: hindrances.append("cloud broker: connecting")
            }
            if let failure = ingest.metrics.snapshot.lastFailure { hindrances.append("event log: \(failure)") }
        }
        for (runner, writer) in pipelines {
            let metrics = runner.metrics.snapshot
            if metrics.lastTurn == nil { hindrances.append("\(runner.name): has not read the event log yet") }
            if let failure = metrics.lastFailure { hindrances.append("\(runner.name): \(failure)") }
            if let alarm = writer.status.alarm { hindrances.append("\(runner.name): database: \(alarm)") }
        }
        return hindrances
    }

    var samples: [MetricSample] {
        var samples = ingest?.metrics.samples ?? []
        for (runner, _) in pipelines { samples += runner.metrics.samples }
        for (runner, writer) in pipelines { samples += writer.status.samples(pipeline: runner.name) }
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

extension EventLogStatus {
    var samples: [MetricSample] {
        var samples: [MetricSample] = []
        for (group, state) in groups.sorted(by: { $0.key < $1.key }) {
            func sample(_ name: String, _ help: String, _ kind: MetricSample.Kind, _ value: Double) -> MetricSample {
                MetricSample(name: name, help: help, kind: kind, labels: [("group", group)], value: value)
            }
            if let lag = state.lag {
                samples.append(
                    sample("hearth_log_lag_events", "Events a consumer group has not committed.", .gauge, Double(lag)))
            }
            samples += [
                sample(
                    "hearth_log_partitions", "Partitions of the log that this process reads.", .gauge,
                    Double(state.partitions)),
                sample(
                    "hearth_log_reader_restarts_total", "Readers replaced because they got nothing.", .counter,
                    Double(state.readerRestarts)),
            ]
        }
        samples.append(
            MetricSample(
                name: "hearth_log_appended_total", help: "Events appended to the log.", kind: .counter,
                value: Double(appended)))
        return samples
    }
}

extension InfluxStatus {
    func samples(pipeline: String) -> [MetricSample] {
        let labels = [(name: "pipeline", value: pipeline)]
        func sample(_ name: String, _ help: String, _ kind: MetricSample.Kind, _ value: Double) -> MetricSample {
            MetricSample(name: name, help: help, kind: kind, labels: labels, value: value)
        }
        var samples = [
            sample("hearth_influx_requests_total", "Write requests.", .counter, Double(requests)),
            sample("hearth_influx_retries_total", "Write requests that were tried again.", .counter, Double(retries)),
            sample("hearth_influx_held_points", "Points waiting for the database.", .gauge, Double(heldPoints)),
            sample("hearth_influx_alarm", "1 while the database needs a person.", .gauge, alarm == nil ? 0 : 1),
        ]
        if let lastLatency {
            let seconds = Double(lastLatency.components.seconds) + Double(lastLatency.components.attoseconds) / 1e18
            samples.append(sample("hearth_influx_write_latency_seconds", "The last write request.", .gauge, seconds))
        }
        return samples
    }
}
