/// One measured value, in Prometheus' terms.
package struct MetricSample: Equatable, Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package struct Label: Equatable, Sendable {
        package var name: String
        package var value: String
    }

    /// `hearth_…`; counters end in `_total`, units are base units (prometheus.io, naming practices).
    package var name: String
    package var help: String
    package var kind: Kind
    package var labels: [Label]
    package var value: Double
    /// What a histogram's series append to the family's name: `_bucket`, `_sum` or `_count`.
    package var suffix: String

    package init(
        name: String, help: String, kind: Kind, labels: [(name: String, value: String)] = [], value: Double,
        suffix: String = ""
    ) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels.map { Label(name: $0.name, value: $0.value) }
        self.value = value
        self.suffix = suffix
    }
}

/// The text exposition format, version 0.0.4. Since Prometheus 3.0 a wrong content type fails the scrape.
package enum PrometheusText {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Samples of one name are kept together, as the format demands.
    package static func encode(_ samples: [MetricSample]) -> String {
        var order: [String] = []
        var families: [String: [MetricSample]] = [:]
        for sample in samples {
            if families[sample.name] == nil { order.append(sample.name) }
            families[sample.name, default: []].append(sample)
        }
        var text = ""
        for name in order {
            guard let family = families[name], let first = family.first else { continue }
            text += "# HELP \(name) \(escaped(first.help, quotes: false))\n# TYPE \(name) \(first.kind.rawValue)\n"
            for sample in family { text += "\(name)\(sample.suffix)\(labels(sample.labels)) \(number(sample.value))\n" }
        }
        return text
    }

    private static func labels(_ labels: [MetricSample.Label]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",") + "}"
    }

    /// Backslash and line feed everywhere, the quote in label values.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A number as the format writes it, also for the bounds of a histogram.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}
