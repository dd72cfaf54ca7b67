import EventLog
import Foundation
import Testing

@testable import hearth_cloud

@Suite("What waits for the database has a place of its own", .timeLimit(.minutes(1)))
struct HeldPlacesTests {
    private func letter(_ reason: String, _ kind: DeadLetter.Kind, bytes: Int) -> DeadLetter {
        DeadLetter(
            key: "home1", source: "raw_sensor_data[0]@5", reason: reason, bytes: Array(repeating: 0x78, count: bytes),
            kind: kind, pipeline: "p1", isWhole: kind == .point)
    }

    @Test("dead letters that make room for newer ones take none of it, and a note is kept beside what it is about")
    func places() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let topic = LogTopics().deadLetter
        let parts = try ["letters", "held"].map {
            try JournalLog(keeping: folder.appendingPathComponent($0).path, maxBytes: 16 << 20)
        }
        let log = PartedLog(first: parts[0], second: parts[1]) { HeldPoints.keeps($0) }
        defer { log.close() }
        let held = letter("p1: \(HeldPoints.reasonClass): integer", .point, bytes: 60)
        try log.append([held.event(topic: topic), letter("not_json", .event, bytes: 10).event(topic: topic)])
        let junk = (0..<500).map { _ in letter("not_json", .event, bytes: 4000).event(topic: topic) }
        for _ in 0..<12 { try log.append(junk) }
        #expect(log.status.dropped > 0, "the letters have made room")
        let found = try DeadLetterBox.open(in: log, topic: topic) { $0.letter.kind == .point }
        #expect(found.map(\.letter) == [held] && found.first?.partition == 1)

        try log.append(DeadLetterBox.notes(of: found, action: "written", topic: topic))
        for _ in 0..<12 { try log.append(junk) }
        #expect(try DeadLetterBox.open(in: log, topic: topic) { $0.letter.kind == .point }.isEmpty)
    }
}
