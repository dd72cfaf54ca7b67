import CoreMetrics
import Synchronization

/// The values of one metric with one set of labels. Any thread may write.
final class MetricSeries: CounterHandler, MeterHandler, RecorderHandler, TimerHandler, Sendable {
    private struct State {
        var value = 0.0
        /// Observations per bound, and one more beyond the last.
        var buckets: [Int]
        var count = 0
    }

    private let kind: MetricSample.Kind
    private let bounds: [Double]
    private let state: Mutex<State>

    init(_ kind: MetricSample.Kind, bounds: [Double] = []) {
        self.kind = kind
        self.bounds = bounds
        state = Mutex(State(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    func samples(name: String, help: String, labels: [(name: String, value: String)]) -> [MetricSample] {
        let state = state.withLock { $0 }
        func sample(_ value: Double, suffix: String = "", labels: [(name: String, value: String)]) -> MetricSample {
            MetricSample(name: name, help: help, kind: kind, labels: labels, value: value, suffix: suffix)
        }
        guard kind == .histogram else { return [sample(state.value, labels: labels)] }
        var below = 0
        var samples: [MetricSample] = []
        for (bound, count) in zip(bounds + [.infinity], state.buckets) {
            below += count
            let limit = (name: "le", value: PrometheusText.number(bound))
            samples.append(sample(Double(below), suffix: "_bucket", labels: labels + [limit]))
        }
        return samples + [
            sample(state.value, suffix: "_sum", labels: labels),
            sample(Double(state.count), suffix: "_count", labels: labels),
        ]
    }

    // MARK: CounterHandler

    func increment(by amount: Int64) { state.withLock { $0.value += Double(amount) } }
    func reset() { state.withLock { $0.value = 0 } }

    // MARK: MeterHandler

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.value = value } }
    func increment(by amount: Double) { state.withLock { $0.value += amount } }
    func decrement(by amount: Double) { state.withLock { $0.value -= amount } }

    // MARK: RecorderHandler and TimerHandler

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard kind == .histogram else { return set(value) }
        state.withLock { state in
            state.buckets[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
            state.count += 1
            state.value += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
