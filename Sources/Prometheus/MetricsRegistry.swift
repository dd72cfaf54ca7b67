import CoreMetrics
import Synchronization

/// The backend of swift-metrics that Hearth's programs use: keeps what their counters, meters, recorders and timers
/// say, and hands it out as samples for ``PrometheusText``.
///
/// A label is the metric's full name (`hearth_web_requests_total`), its dimensions become labels, and ``Family``
/// has what swift-metrics cannot express: the help text and a histogram's bounds. Names that were not declared are
/// exported too, without help, unless Prometheus could not read them. Series are bounded per program, so that a
/// dimension made from outside input cannot eat the memory; further ones are dropped and counted.
package final class MetricsRegistry: MetricsFactory, Sendable {
    /// What is said about a metric beforehand.
    package struct Family: Sendable {
        package var help: String
        /// Upper bounds of a recorder's or timer's buckets, ascending, in the unit of the name (seconds for timers).
        package var bounds: [Double]

        package init(help: String, bounds: [Double] = []) {
            self.help = help
            self.bounds = bounds
        }
    }

    /// More series than this come from a label that should not be one.
    package static let seriesLimit = 2000
    /// For timers that were not declared: from a millisecond to ten seconds.
    package static let defaultBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct Key: Hashable {
        var name: String
        var labels: [[String]]
    }

    private struct Contents {
        var order: [Key] = []
        var series: [Key: MetricSeries] = [:]
        var refused = 0
    }

    private let families: [String: Family]
    private let contents = Mutex(Contents())

    package init(_ families: [String: Family] = [:]) {
        self.families = families
    }

    /// Everything that was counted so far, in the order in which the metrics were made.
    package var samples: [MetricSample] {
        let (series, refused) = contents.withLock { contents in
            (contents.order.compactMap { key in contents.series[key].map { (key, $0) } }, contents.refused)
        }
        var samples = series.flatMap { key, series in
            series.samples(
                name: key.name, help: families[key.name]?.help ?? key.name,
                labels: key.labels.map { (name: $0[0], value: $0[1]) })
        }
        if refused > 0 {
            samples.append(
                MetricSample(
                    name: "hearth_metrics_refused_series", help: "Metrics beyond the limit of series, not shown.",
                    kind: .gauge, value: Double(refused)))
        }
        return samples
    }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions) { MetricSeries(.counter) }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions) { MetricSeries(.gauge) }
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        series(label, dimensions) { [families] in
            aggregate
                ? MetricSeries(.histogram, bounds: families[label]?.bounds ?? Self.defaultBounds) : MetricSeries(.gauge)
        }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions) { [families] in
            MetricSeries(.histogram, bounds: families[label]?.bounds ?? Self.defaultBounds)
        }
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func series(_ name: String, _ dimensions: [(String, String)], _ make: () -> MetricSeries) -> MetricSeries {
        let key = Key(name: name, labels: dimensions.map { [$0.0, $0.1] })
        return contents.withLock { contents in
            if let known = contents.series[key] { return known }
            let new = make()
            guard contents.series.count < Self.seriesLimit, Self.isName(name),
                dimensions.allSatisfy({ Self.isName($0.0) })
            else {
                contents.refused += 1
                return new
            }
            contents.order.append(key)
            contents.series[key] = new
            return new
        }
    }

    private func remove(_ handler: AnyObject) {
        contents.withLock { contents in
            guard let key = contents.series.first(where: { $0.value === handler })?.key else { return }
            contents.series[key] = nil
            contents.order.removeAll { $0 == key }
        }
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, what the format allows as the name of a metric and of a label.
    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 95
        }
    }
}
