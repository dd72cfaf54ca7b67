import EventLog
import Foundation
import Influx
import Logging
import Testing

@testable import hearth_cloud

/// Readings that waited for their zone, as an earlier version of this program left them.
@Suite(.timeLimit(.minutes(1)))
struct UnknownZonesTests {
    private func letter(zone: String, padding: Int = 0) -> DeadLetter {
        let digits = String(repeating: "0", count: padding + 1)
        let bytes = Array(
            #"{"home":"h","room":"r","timestamp":"2026-11-23T11:00:00","value":1.\#(digits),"zone":"\#(zone)"}"#.utf8)
        return DeadLetter(
            key: "h", source: "raw_sensor_data[0]@5", reason: "p1: unknown_zone", bytes: bytes, pipeline: "p1",
            isWhole: true)
    }

    @Test("those whose zone is known by now take their way again by themselves, whole, and the others wait on")
    func waiting() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = try JournalLog(path: folder.appendingPathComponent("log.sqlite").path)
        defer { log.close() }
        let topics = LogTopics()
        // Keeps what is appended until it is read.
        let reader = try log.reader(group: "end", topics: [topics.raw], instance: nil)
        defer { reader.close() }
        let (known, long) = (letter(zone: "Europe/Madrid"), letter(zone: "Europe/Madrid", padding: 6000))
        let others = [letter(zone: "Mars/Olympus_Mons"), letter(zone: "\\u001b[2JX")]
        try log.append(([known, long] + others).map { $0.event(topic: topics.deadLetter) })
        // Nothing listens there, and there are no points.
        let writer = try InfluxWriter(InfluxSettings(url: "http://127.0.0.1:9", target: .v1(database: "raw")))
        defer { writer.stop() }
        let held = HeldPoints(pipeline: "p1", log: log, writer: writer, topics: topics, logger: Logger(label: "test"))
        held.start()
        defer { held.stop() }
        var values: [[UInt8]] = []
        let end = ContinuousClock.now + .seconds(20)
        while values.count < 2, ContinuousClock.now < end {
            values += try reader.read(atMost: 10, within: 1_000_000_000).events.compactMap {
                $0.value.map(Array.init)
            }
        }
        #expect(values == [known.bytes, long.bytes])
        while held.readings != 2, ContinuousClock.now < end { usleep(10_000) }
        #expect(held.readings == 2)
        let alarm = try #require(held.zonesAlarm)
        #expect(alarm.hasPrefix("2 readings wait") && alarm.contains(#""Mars/Olympus_Mons""#))
        #expect(!alarm.contains("\u{1b}"), "what a home has written does not steer a terminal")
        #expect(try DeadLetterBox.open(in: log, topic: topics.deadLetter).map(\.letter) == others)
        #expect(held.alarm == nil && held.count == 0, "the database has nothing to do with it")
    }
}
