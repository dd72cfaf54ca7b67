import Foundation
import Testing

@testable import hearth_sim

@Suite struct SensorRoomTests {
    private static let start: Int64 = 1_795_428_000_123_456

    private func room(_ name: String = "office", seed: UInt64 = 7) -> SensorRoom {
        SensorRoom(
            name: name, dataTopic: "\(name)/temperature", statusTopic: "\(name)/heatpump",
            clock: SensorClock(start: Self.start, speed: 60), seed: seed)
    }

    /// `#expect` cannot call a mutating method in place.
    private func obey(_ payload: String, in room: inout SensorRoom, second: Int64 = 0) -> Bool {
        room.command(Array(payload.utf8), afterNanoseconds: second * 1_000_000_000)
    }

    private func readings(_ count: Int, of room: inout SensorRoom) -> [String] {
        (0..<count).map { String(decoding: room.reading(afterNanoseconds: Int64($0) * 1_000_000_000), as: UTF8.self) }
    }

    @Test func `one real second is sixty sensor seconds, beginning at the real time`() {
        var room = room()
        let texts = readings(3, of: &room)
        for (text, time) in zip(texts, ["10:00:00.123456", "10:01:00.123456", "10:02:00.123456"]) {
            #expect(text.hasPrefix(#"{"timestamp": "2026-11-23T\#(time)", "value": "#), "\(text)")
        }
    }

    @Test func `one reading in five is exactly the integer 100, the others are floats`() throws {
        var room = room()
        let texts = readings(10_000, of: &room)
        let outliers = texts.filter { $0.hasSuffix(#""value": 100}"#) }
        #expect((1_850...2_150).contains(outliers.count), "\(outliers.count) outliers")
        for text in texts.prefix(500) where !text.hasSuffix(": 100}") {
            let value = try #require(text.split(separator: " ").last?.dropLast())
            #expect(value.contains("."), "\(text)")
        }
    }

    @Test func `the payload is JSON with the two fields the sensor sends`() throws {
        var room = room()
        for text in readings(200, of: &room) {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect(object.keys.sorted() == ["timestamp", "value"])
            #expect(object["value"] is Double)
        }
    }

    @Test func `the same seed makes the same readings, another seed or room makes others`() {
        var first = room()
        var second = room()
        var otherSeed = room(seed: 8)
        var otherRoom = room("kitchen")
        let texts = readings(50, of: &first)
        #expect(texts == readings(50, of: &second))
        #expect(texts != readings(50, of: &otherSeed))
        #expect(texts != readings(50, of: &otherRoom))
    }

    @Test(arguments: [
        (#"{"status": "1"}"#, true), (#"{"status": 1}"#, true), (#"{"status": " 1 "}"#, true),
        (#"{"status": "0"}"#, false),
    ])
    func `the pump obeys what int accepts`(payload: String, isHeated: Bool) {
        var room = room()
        let opposite = obey(#"{"status": "\#(isHeated ? 0 : 1)"}"#, in: &room)
        let wanted = obey(payload, in: &room)
        #expect(opposite && wanted)
        #expect(room.isHeated == isHeated)
    }

    @Test(arguments: ["", "1", "{}", #"{"status": "on"}"#, #"{"status": null}"#, #"{"status": ""}"#, "\u{0}"])
    func `an unreadable command changes nothing`(payload: String) {
        var room = room()
        let readable = obey(#"{"status": "1"}"#, in: &room)
        let unreadable = obey(payload, in: &room)
        #expect(readable && !unreadable)
        #expect(room.isHeated)
    }

    @Test func `a started pump warms the room and a stopped one lets it cool`() {
        var room = room()
        let start = room.thermal.temperature
        let started = obey(#"{"status": "1"}"#, in: &room)
        _ = room.reading(afterNanoseconds: 10_000_000_000)
        let warm = room.thermal.temperature
        #expect(warm > start)
        let stopped = obey(#"{"status": "0"}"#, in: &room, second: 20)
        #expect(started && stopped)
        let warmest = room.thermal.temperature
        #expect(warmest > warm, "the pump ran until the command came")
        _ = room.reading(afterNanoseconds: 30_000_000_000)
        #expect(room.thermal.temperature < warmest)
    }
}
