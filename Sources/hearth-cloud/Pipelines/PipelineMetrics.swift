import Influx
import Machine
import Prometheus
import Synchronization

/// What one pipeline has done, for `/metrics` and `/healthz`. Written by its thread.
final class PipelineMetrics: Sendable {
    struct Contents: Sendable {
        var read = 0
        var stored = 0
        var appended = 0
        /// Dead letters by reason; those that the database may give are there from the start.
        var rejected: [String: Int] = Dictionary(  // Own names: reasons.
            uniqueKeysWithValues: Refusal.allCases.filter(\.isFinal).map { ($0.rawValue, 0) })
        var refusedDeadLetters = 0
        var dropped: [String: Int] = [:]  // Own names: reasons.
        var failures = 0
        var lastFailure: String?
        /// Boot time of the loop's last turn; nil before the first.
        var lastTurn: Int64?
        /// Boot time since which the stage has been computing; nil while the loop waits for the log or the database.
        var computingSince: Int64?
    }

    let name: String
    private let contents = Mutex(Contents())

    init(name: String) { self.name = name }

    var snapshot: Contents { contents.withLock { $0 } }

    func turned() {
        contents.withLock {
            $0.lastTurn = Clock.bootNanoseconds
            $0.lastFailure = nil
        }
    }

    /// Runs what waits for nobody, and must therefore end soon.
    func computing<Result>(_ body: () -> Result) -> Result {
        let start = Clock.bootNanoseconds
        contents.withLock { $0.computingSince = start }
        defer { contents.withLock { $0.computingSince = nil } }
        return body()
    }

    func finished(_ output: StageOutput, stored: Int, rejected: [String: Int], read: Int) {
        contents.withLock {
            $0.read += read
            $0.stored += stored
            $0.appended += output.events.count
            for (reason, count) in rejected { $0.rejected[reason, default: 0] += count }
            for (reason, count) in output.dropped { $0.dropped[reason, default: 0] += count }
        }
    }

    func refusedDeadLetter() { contents.withLock { $0.refusedDeadLetters += 1 } }

    func failed(_ reason: String) {
        contents.withLock {
            $0.failures += 1
            $0.lastFailure = reason
        }
    }

    var samples: [MetricSample] {
        let now = snapshot
        let labels = [(name: "pipeline", value: name)]
        func counter(_ name: String, _ help: String, _ value: Int) -> MetricSample {
            MetricSample(name: name, help: help, kind: .counter, labels: labels, value: Double(value))
        }
        return [
            counter("hearth_pipeline_events_read_total", "Events read from the log.", now.read),
            counter("hearth_pipeline_points_written_total", "Points the database has stored.", now.stored),
            counter("hearth_pipeline_events_appended_total", "Events handed on to the log.", now.appended),
            counter(
                "hearth_dead_letters_refused_total", "Dead letters that the log did not take.", now.refusedDeadLetters),
            counter("hearth_pipeline_failures_total", "Failed calls to the log, each tried again.", now.failures),
        ]
            + now.rejected.sorted { $0.key < $1.key }.map {
                MetricSample(
                    name: "hearth_pipeline_dead_letters_total", help: "Events that could not be used, by reason.",
                    kind: .counter, labels: labels + [("reason", $0.key)], value: Double($0.value))
            }
            + now.dropped.sorted { $0.key < $1.key }.map {
                MetricSample(
                    name: "hearth_pipeline_dropped_total", help: "Values dropped on purpose, by reason.",
                    kind: .counter,
                    labels: labels + [("reason", $0.key)], value: Double($0.value))
            }
    }
}
