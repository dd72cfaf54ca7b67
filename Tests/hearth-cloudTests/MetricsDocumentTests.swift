import Foundation
import Testing

@testable import hearth_cloud

@Suite("METRICS.md and the alert rules speak of metrics that there are")
struct MetricsDocumentTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The names that stand in the sources, comments aside.
    private static func names() throws -> Set<String> {
        let sources = root.appendingPathComponent("Sources")
        let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
        var names: Set<String> = []
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" else { continue }
            let text = try String(contentsOf: file, encoding: .utf8)
            guard text.contains("hearth_") else { continue }
            for line in text.split(separator: "\n") where line.contains("hearth_") {
                guard !line.drop(while: { $0 == " " }).hasPrefix("//") else { continue }
                for match in line.matches(of: /hearth_[a-z0-9_]+/) { names.insert(String(match.0)) }
            }
        }
        return names
    }

    @Test("each that is documented or in a rule is exported")
    func documented() throws {
        let names = try Self.names()
        let documented = try Self.text("cloud/METRICS.md").matches(of: /`(hearth_[a-z0-9_]+)`/).map { String($0.1) }
        #expect(documented.count > 50)
        for name in documented { #expect(names.contains(name), "\(name)") }
        for line in try Self.text("cloud/alerts.rules.yml").split(separator: "\n") where !line.contains("description:")
        {
            for match in line.matches(of: /hearth_[a-z0-9_]+/) {
                #expect(documented.contains(String(match.0)), "\(line)")
            }
        }
    }

    @Test("what was confirmed, what was not and what waits is counted")
    func confirmations() {
        let metrics = IngestMetrics()
        metrics.confirmations(.init(sent: 3, failed: 2, waiting: 1))
        let text = "\(metrics.samples)"
        #expect(text.contains(/confirmations_sent_total"[^)]*value: 3\.0/))
        #expect(text.contains(/confirmations_failed_total"[^)]*value: 2\.0/))
        #expect(text.contains(/confirmations_waiting"[^)]*value: 1\.0/))
    }
}
