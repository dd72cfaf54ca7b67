import CoreMetrics
import Prometheus
import Testing

@Suite struct MetricsRegistryTests {
    @Test func `what swift-metrics counts comes out as text that Prometheus reads`() {
        let registry = MetricsRegistry([
            "hearth_test_requests_total": .init(help: "Requests."),
            "hearth_test_duration_seconds": .init(help: "How long they took.", bounds: [0.1, 1]),
        ])
        Counter(label: "hearth_test_requests_total", dimensions: [("status", "200")], factory: registry).increment(
            by: 3)
        Meter(label: "hearth_test_clients", factory: registry).set(2)
        let timer = Timer(label: "hearth_test_duration_seconds", factory: registry)
        timer.recordNanoseconds(100_000_000)
        timer.recordNanoseconds(500_000_000)
        timer.recordNanoseconds(5_000_000_000)
        #expect(
            PrometheusText.encode(registry.samples) == """
                # HELP hearth_test_requests_total Requests.
                # TYPE hearth_test_requests_total counter
                hearth_test_requests_total{status="200"} 3
                # HELP hearth_test_clients hearth_test_clients
                # TYPE hearth_test_clients gauge
                hearth_test_clients 2
                # HELP hearth_test_duration_seconds How long they took.
                # TYPE hearth_test_duration_seconds histogram
                hearth_test_duration_seconds_bucket{le="0.1"} 1
                hearth_test_duration_seconds_bucket{le="1"} 2
                hearth_test_duration_seconds_bucket{le="+Inf"} 3
                hearth_test_duration_seconds_sum 5.6
                hearth_test_duration_seconds_count 3

                """)
    }

    @Test func `the same label and dimensions are one series, wherever they are asked for`() {
        let registry = MetricsRegistry()
        for _ in 0..<2 { Counter(label: "a_total", dimensions: [("x", "1")], factory: registry).increment() }
        Counter(label: "a_total", dimensions: [("x", "2")], factory: registry).increment()
        #expect(registry.samples.map(\.value) == [2, 1])
    }

    @Test func `a hostile label value stays one label value`() {
        let name = "a\"} 1\nevil_total 2\\"
        let text = PrometheusText.encode([
            MetricSample(name: "m", help: "h\n# TYPE x", kind: .gauge, labels: [("room", name)], value: .infinity)
        ])
        #expect(
            text == #"""
                # HELP m h\n# TYPE x
                # TYPE m gauge
                m{room="a\"} 1\nevil_total 2\\"} +Inf

                """#)
    }

    @Test func `names that Prometheus cannot read, and series without end, are refused and counted`() {
        let registry = MetricsRegistry()
        Counter(label: "not a name", factory: registry).increment()
        for index in 0..<(MetricsRegistry.seriesLimit + 9) {
            Counter(label: "a_total", dimensions: [("i", "\(index)")], factory: registry).increment()
        }
        let samples = registry.samples
        #expect(samples.count == MetricsRegistry.seriesLimit + 1)
        #expect(samples.last?.name == "hearth_metrics_refused_series" && samples.last?.value == 10)
    }
}
