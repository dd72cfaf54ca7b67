import Foundation
import Heating
import MQTT
import Testing

@testable import hearthd

@Suite("Record: filters that overlap, and filters that left the file")
struct RecordSessionTests {
    @Test(
        "which filters overlap",
        arguments: [
            ("a/+", "+/b", true), ("a/#", "a", true), ("a", "a/#", true), ("a/#", "a/b/c", true), ("#", "x", true),
            ("a/+/t", "+/x/t", true), ("a/b", "a/b", true), ("a/b", "a/c", false), ("a/+", "a/b/c", false),
            ("a/+/#", "a", false), ("zigbee2mqtt/+", "+/temperature", true), ("tele/+/SENSOR", "+/temperature", false),
            ("caf\u{E9}", "cafe\u{301}", false),
        ])
    func overlap(one: String, other: String, does: Bool) {
        #expect(TopicPattern.overlap(one, other) == does)
        #expect(TopicPattern.overlap(other, one) == does)
    }

    private func message(_ topic: String, _ payload: String, for filters: [String]) -> Message {
        Message(
            topic: topic, payload: Array(payload.utf8), subscriptions: filters.map(OverlappingFilters.identifier(of:)))
    }

    @Test("of the copies for several filters one counts, and the same reading twice is two")
    func copies() {
        var overlap = OverlappingFilters(["a/+", "+/b", "c/+"])
        overlap.connected()
        for filter in ["a/+", "+/b", "c/+"] { overlap.granted(filter) }
        func counts(_ filters: [String], _ topic: String = "a/b") -> Bool {
            overlap.counts(message(topic, "20", for: filters))
        }
        for _ in 0..<2 {
            #expect(counts(["a/+"]))
            #expect(!counts(["+/b"]))
        }
        // One copy for both, as other brokers send it; one of a filter that is not the file's any more.
        #expect(counts(["+/b", "a/+"]))
        #expect(counts(["old/#"]))
        // Only one filter is about it.
        #expect(counts(["c/+"], "c/d") && counts([], "c/d"))
    }

    @Test("a filter that was refused does not take the other's copies away")
    func refused() {
        var overlap = OverlappingFilters(["a/+", "+/b"])
        overlap.connected()
        overlap.granted("+/b")
        let counts = overlap.counts(message("a/b", "20", for: ["+/b"]))
        #expect(counts)
    }

    @Test("without identifiers (3.1.1) everything counts: better twice than lost")
    func withoutIdentifiers() {
        let overlap = OverlappingFilters(["a/+", "+/b"])
        let counted = ["20", "20", "21"].map { overlap.counts(message("a/b", $0, for: [])) }
        #expect(counted == [true, true, true])
    }

    @Test("identifiers are within 28 bits, and a filter's own")
    func identifiers() {
        let all = ["a/+", "+/b", "", "zigbee2mqtt/#", String(repeating: "x", count: 1000)].map(
            OverlappingFilters.identifier(of:))
        #expect(Set(all).count == all.count && all.allSatisfy { (1...268_435_455).contains($0) })
    }

    @Test("what left the file is taken back once, over restarts, and forgotten with the session")
    func session() throws {
        let directory = NSTemporaryDirectory() + "hearth-session-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let journal = directory + "/journal.sqlite"
        var first = SessionFilters(beside: journal)
        first.connected(sessionPresent: true, asking: ["z/#", "+/heatpump"])
        #expect(first.surplus.isEmpty)
        var second = SessionFilters(beside: journal)
        second.connected(sessionPresent: true, asking: ["z/büro", "+/heatpump"])
        #expect(second.surplus == ["z/#"])
        // Killed before the answer: the next one knows it too.
        var third = SessionFilters(beside: journal)
        third.connected(sessionPresent: true, asking: ["z/büro", "+/heatpump"])
        #expect(third.surplus == ["z/#"])
        third.tookBack()
        var fourth = SessionFilters(beside: journal)
        fourth.connected(sessionPresent: true, asking: ["+/heatpump"])
        #expect(fourth.surplus == ["z/büro"])
        fourth.connected(sessionPresent: false, asking: ["+/heatpump"])
        #expect(fourth.surplus.isEmpty)
        // A file that is no list costs nothing.
        try "{".write(toFile: journal + ".filters", atomically: true, encoding: .utf8)
        #expect(SessionFilters(beside: journal).surplus.isEmpty)
    }
}
