import CoreMetrics
import Machine
import Prometheus
import Synchronization

/// What the ingestor has done, for `/metrics`. Written by its thread, read by the HTTP server.
final class IngestMetrics: Sendable {
    struct Contents: Sendable {
        var readings = 0
        var commands = 0
        var batches = 0
        var deadLetters: [String: Int] = [:]  // Own names: reasons.
        var refused: [String: Int] = [:]  // Own names: reasons.
        var confirmations = ConfirmationSender.Counts()
        var appendFailures = 0
        var lastFailure: String?
        /// What the cloud broker does not give.
        var subscription: String?
    }

    private let contents = Mutex(Contents())
    private let registry = MetricsRegistry([
        "hearth_ingest_append_duration_seconds": .init(help: "How long the event log took to keep a batch.")
    ])
    private let appendDuration: Timer

    init() { appendDuration = Timer(label: "hearth_ingest_append_duration_seconds", factory: registry) }

    var snapshot: Contents { contents.withLock { $0 } }

    /// - Parameters:
    ///   - tooLarge: events that the log takes in no way.
    ///   - refusedLetters: dead letters that it refuses for now.
    ///   - refusedOthers: events of another topic that it refuses for now.
    func ingested(_ batch: IngestBatch, tooLarge: Int = 0, refusedLetters: Int = 0, refusedOthers: Int = 0) {
        contents.withLock {
            $0.readings += batch.readings
            $0.commands += batch.commands
            $0.batches += 1
            $0.lastFailure = nil
            for (reason, count) in batch.deadLetters { $0.deadLetters[reason, default: 0] += count }
            for (reason, count) in batch.refused { $0.refused[reason, default: 0] += count }
            if tooLarge > 0 { $0.refused["too_large_for_the_log", default: 0] += tooLarge }
            if refusedOthers > 0 { $0.refused["topic_refused", default: 0] += refusedOthers }
            if refusedLetters > 0 { $0.refused["dead_letter_refused", default: 0] += refusedLetters }
        }
    }

    func confirmations(_ counts: ConfirmationSender.Counts) { contents.withLock { $0.confirmations = counts } }

    func subscription(_ problem: String?) { contents.withLock { $0.subscription = problem } }

    func appended(since started: Int64) {
        appendDuration.recordNanoseconds(Clock.bootNanoseconds - started)
    }

    func failed(_ reason: String) {
        contents.withLock {
            $0.appendFailures += 1
            $0.lastFailure = reason
        }
    }

    var samples: [MetricSample] {
        let now = snapshot
        return [
            .init(
                name: "hearth_ingest_readings_total", help: "Readings the event log has taken.", kind: .counter,
                value: Double(now.readings)),
            .init(
                name: "hearth_ingest_commands_total", help: "Heat-pump commands the event log has taken.",
                kind: .counter, value: Double(now.commands)),
            .init(
                name: "hearth_ingest_batches_total", help: "Batches appended, one acknowledgement each.",
                kind: .counter, value: Double(now.batches)),
            .init(
                name: "hearth_ingest_confirmations_sent_total", help: "Confirmations that the broker took for homes.",
                kind: .counter, value: Double(now.confirmations.sent)),
            .init(
                name: "hearth_ingest_confirmations_failed_total",
                help: "Confirmations that did not leave; their homes send the records again.", kind: .counter,
                value: Double(now.confirmations.failed)),
            .init(
                name: "hearth_ingest_confirmations_waiting", help: "Confirmations that wait for the broker's window.",
                kind: .gauge, value: Double(now.confirmations.waiting)),
            .init(
                name: "hearth_ingest_append_failures_total", help: "Batches the event log did not take.",
                kind: .counter, value: Double(now.appendFailures)),
        ]
            + now.deadLetters.sorted { $0.key < $1.key }.map {
                .init(
                    name: "hearth_ingest_dead_letters_total", help: "Messages that could not be used, by reason.",
                    kind: .counter, labels: [("reason", $0.key)], value: Double($0.value))
            }
            + now.refused.sorted { $0.key < $1.key }.map {
                .init(
                    name: "hearth_ingest_refused_total",
                    help: "Messages neither kept nor confirmed, by reason; their homes still have them.",
                    kind: .counter, labels: [("reason", $0.key)], value: Double($0.value))
            } + registry.samples
    }
}
