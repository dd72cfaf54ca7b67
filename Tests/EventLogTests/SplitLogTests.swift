import Foundation
import TestSupport
import Testing

@testable import EventLog

@Suite("A topic that is two in the log", .timeLimit(.minutes(3)))
struct SplitLogTests {
    /// Has no second topic, or does not let this user write it.
    private final class Refusing: EventLog {
        let log: JournalLog
        let code: EventLogError.Code
        init(_ log: JournalLog, _ code: EventLogError.Code) { (self.log, self.code) = (log, code) }
        func append(_ events: [Event]) throws(EventLogError) {
            if events.contains(where: { $0.topic == "held" }) { throw EventLogError(code, "no") }
            try log.append(events)
        }
        func reader(group: String, topics: [String], instance: String?) throws(EventLogError) -> any EventReader {
            try log.reader(group: group, topics: topics, instance: instance)
        }
        func scan(_ topic: String, _ body: (Event) -> Void) throws(EventLogError) { try log.scan(topic, body) }
        func probe() throws(EventLogError) {}
        var status: EventLogStatus { log.status }
        func close() { log.close() }
    }

    private func journal() throws -> (JournalLog, URL) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return (try JournalLog(path: folder.appendingPathComponent("log.sqlite").path), folder)
    }

    private func split(_ log: any EventLog) -> SplitLog {
        SplitLog(log, topic: "dead", second: "held", from: 100) { $0.value?.first == UInt8(ascii: "w") }
    }

    private func event(_ topic: String, _ text: String) -> Event {
        Event(topic: topic, key: "h", value: Array(text.utf8))
    }

    private func scan(_ log: any EventLog, _ topic: String) throws -> [String] {
        var found: [String] = []
        try log.scan(topic) { stored in
            found.append("\(stored.position) \(String(decoding: stored.value ?? [], as: UTF8.self))")
        }
        return found
    }

    @Test("some of its events are in the second topic, and whoever scans it gets both, told apart by partition")
    func apart() throws {
        let (log, folder) = try journal()
        defer { try? FileManager.default.removeItem(at: folder) }
        let both = split(log)
        defer { both.close() }
        try both.append([event("dead", "junk"), event("dead", "waits"), event("raw", "w"), event("dead", "more")])
        #expect(try scan(both, "dead") == ["dead[0] junk", "dead[0] more", "dead[100] waits"])
        #expect(try scan(log, "held") == ["held[0] waits"] && scan(both, "raw") == ["raw[0] w"])
    }

    @Test(
        "while the log does not have the second topic they are kept in the first",
        arguments: [
            EventLogError.Code.unknownTopic, .notAuthorized,
        ])
    func fallback(_ code: EventLogError.Code) throws {
        let (log, folder) = try journal()
        defer { try? FileManager.default.removeItem(at: folder) }
        let both = split(Refusing(log, code))
        defer { both.close() }
        try both.append([event("dead", "junk"), event("dead", "waits")])
        #expect(try scan(both, "dead").sorted() == ["dead[0] junk", "dead[0] waits"])
    }

    @Test("any other trouble is told")
    func trouble() throws {
        let (log, folder) = try journal()
        defer { try? FileManager.default.removeItem(at: folder) }
        let both = split(Refusing(log, .unreachable))
        defer { both.close() }
        #expect(throws: EventLogError.self) { try both.append([event("dead", "waits")]) }
    }

    @Test("on Kafka: two topics, their partitions told apart, and where both end")
    func kafka() async throws {
        try await onThread {
            let cluster = try MockCluster(brokers: 1)
            for topic in ["dead 2", "held 3"] { try cluster.command("topic \(topic) 1") }
            let both = split(try KafkaLog(testSettings(cluster.bootstrap), report: printNotice))
            defer { both.close() }
            let before = try #require(both.ends(of: "dead"))
            #expect(before.keys.sorted() == [0, 1, 100, 101, 102] && before.values.allSatisfy { $0 == 0 })
            try both.append([event("dead", "junk"), event("dead", "waits")])
            let found = try scan(both, "dead")
            #expect(found.count == 2 && found[0].hasSuffix(" junk") && found[1].hasSuffix(" waits"))
            #expect(found[0].hasPrefix("dead[") && found[1].hasPrefix("dead[10"))
            #expect(both.ends(of: "dead")?.values.reduce(0, +) == 2)
        }
    }
}
