import EventLog
import Foundation
import Heating
import MQTT

/// What may stand in a setting, and what it means.
struct Form<Value: Sendable>: Sendable {
    let read: @Sendable (String) throws(Unfit) -> Value

    /// - Parameter read: its error goes on after the setting's name.
    init(reading read: @escaping @Sendable (String) throws(Unfit) -> Value) { self.read = read }

    /// - Parameters:
    ///   - expected: follows "must be".
    ///   - meaning: nil where the text is not that.
    init(_ expected: String, _ meaning: @escaping @Sendable (String) -> Value?) {
        read = { text throws(Unfit) in
            guard let value = meaning(text) else { throw Unfit("must be \(expected), not \"\(text)\"") }
            return value
        }
    }
}

/// Why a text does not do.
struct Unfit: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

extension Form where Value: FixedWidthInteger {
    /// - Parameter expected: what and from where to where, in words.
    static func whole(_ range: ClosedRange<Value>, _ expected: String) -> Self {
        Form(expected) { Value($0).flatMap { range.contains($0) ? $0 : nil } }
    }
}

extension Form where Value == Int {
    static var port: Self { .whole(1...65535, "a port number") }

    /// Replicas of a topic.
    static var replication: Self {
        Form("a number from 1 up, or -1") { Int($0).flatMap { $0 == -1 || $0 > 0 ? $0 : nil } }
    }
}

extension Form where Value: RawRepresentable<String> {
    static func word(_ expected: String) -> Self { Form(expected) { Value(rawValue: $0) } }
}

extension Form where Value == Double {
    static var number: Self { Form("a number") { Double($0).flatMap { $0.isFinite ? $0 : nil } } }
}

extension Form where Value == String {
    static var text: Self { Form { text throws(Unfit) in text } }

    static func oneOf(_ words: [String], _ expected: String) -> Self {
        Form(expected) { words.contains($0) ? $0 : nil }
    }

    /// The name or address of a broker alone.
    static func host(portKey: String) -> Self {
        Form { text throws(Unfit) in
            if let problem = BrokerAddress.problem(text, portKey: portKey) { throw Unfit(problem) }
            return text
        }
    }

    /// Kafka's bootstrap servers, as librdkafka takes them: it would take other things too, and connect elsewhere.
    static var servers: Self {
        Form { text throws(Unfit) in
            for server in text.split(separator: ",", omittingEmptySubsequences: false) {
                if let problem = serverProblem(server.trimmingCharacters(in: .whitespaces)) { throw Unfit(problem) }
            }
            return text
        }
    }

    private static func serverProblem(_ server: String) -> String? {
        let expected = "must be host:port, or several with commas between them"
        if server.contains("://") {
            return "\(expected), without a protocol before it: \"\(server)\"; KAFKA_SECURITY_PROTOCOL says which"
        }
        let end = server.hasPrefix("[") ? server.firstIndex(of: "]") : nil
        let rest = end.map { server[server.index(after: $0)...] } ?? server[...]
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count > 2 { return "\(expected), an IPv6 address in brackets like [::1]:9092, not \"\(server)\"" }
        let host = end.map { server[server.index(after: server.startIndex)..<$0] } ?? parts.first ?? ""
        let isPlain = !host.contains { $0.isWhitespace || "/;@[]".contains($0) } && (end == nil || parts.first == "")
        guard !host.isEmpty, isPlain else { return "\(expected), not \"\(server)\"" }
        guard parts.count == 2, Int(parts[1]).map({ (1...65535).contains($0) }) != true else { return nil }
        return "\(expected), each port a number from 1 to 65535, not \"\(server)\""
    }

    /// Before names of topics and groups.
    static var topicPrefix: Self {
        Form("letters, digits, dots, dashes and underscores, at most 100") { text in
            let isPlain = text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || "._-".utf8.contains(byte)
            }
            return isPlain && text.utf8.count <= 100 ? text : nil
        }
    }
}

extension Form where Value == Duration {
    /// Up to a day, such as `60s` or `5m`.
    static var window: Self { .short(from: 1, "like 60s, 5m or 1h (at most 24h)") }

    /// Up to a day.
    /// - Parameter least: 0 where "0s" means none.
    static func short(from least: Int64 = 1, _ expected: String = "like 1s, 60s or 5m (at most 24h)") -> Self {
        Form(expected) { text in
            if text == "0s", least == 0 { return .zero }
            return duration(text, ["s": 1, "m": 60, "h": 3600], amounts: 1...86_400, most: 86_400)
        }
    }

    /// `720h`, `30d`.
    static var long: Self { Form("like 720h or 365d", days) }

    private static func duration(
        _ text: String, _ units: [Character: Int64], amounts: ClosedRange<Int64>, most: Int64
    ) -> Duration? {
        guard let unit = text.last.flatMap({ units[$0] }), let amount = Int64(text.dropLast()),
            amounts.contains(amount), amount * unit <= most
        else { return nil }
        return .seconds(amount * unit)
    }

    fileprivate static func days(_ text: String) -> Duration? {
        duration(text, ["h": 3600, "d": 86400], amounts: 1...100_000, most: .max)
    }
}

extension Form where Value == Duration? {
    /// How long something is kept; nil: forever.
    static var retention: Self {
        Form("like 720h or 365d, or forever") { text -> Duration?? in
            text == "forever" ? .some(nil) : Form<Duration>.days(text).map { .some($0) }
        }
    }
}

extension Form where Value == Set<Measure> {
    /// Names between commas, such as `humidity,co2`.
    static var measures: Self {
        Form { text throws(Unfit) in
            let names = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }
            guard names.count <= Measure.othersLimit else {
                throw Unfit("names \(names.count) measures, and no more than \(Measure.othersLimit) are taken")
            }
            var measures: Set<Measure> = []
            for name in names {
                guard let measure = Measure(name) else { throw Unfit(Measure.problem(name) ?? "names no measure") }
                measures.insert(measure)
            }
            return measures
        }
    }
}
