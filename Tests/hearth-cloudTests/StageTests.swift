import EventLog
import Heating
import Influx
import Testing

@testable import hearth_cloud

@Suite("P1 and P2")
struct StageTests {
    private static let second: Int64 = 1_795_428_000_000_000_000

    private func raw(_ value: String, offset: Int64 = 0, at: Int64 = second) -> StoredEvent {
        stored(at: at, value: value, offset: offset, topic: names.raw)
    }

    @Test("P1 writes every reading with the event's time, outliers too, and commits behind it")
    func saveRaw() {
        var stage = SaveRaw(names)
        let output = stage.process([raw("100", offset: 4), raw("21.5", offset: 9, at: Self.second + 1)])
        #expect(
            output.points.text == """
                raw_temperature,home=home1,room=office value=100 \(Self.second)
                raw_temperature,home=home1,room=office value=21.5 \(Self.second + 1)

                """)
        #expect(output.commit == [TopicPartition(topic: names.raw, partition: 0): 10])
        #expect(output.events.isEmpty && output.rejected.isEmpty)
    }

    @Test("P1 writes commands given at home, with the reason")
    func commands() {
        let value = Array(
            #"{"home":"h","room":"r","timestamp":"2026-11-23T10:00:00Z","status":"1","reason":"too, cold\n"}"#.utf8)
        var stage = SaveRaw(names)
        let output = stage.process([
            StoredEvent(
                event: Event(topic: names.commands, key: "h", value: value), partition: 0, offset: 0, appendedAt: 0)
        ])
        #expect(
            output.points.text
                == "heatpump_state,home=h,room=r on=true,reason=\"too, cold\n\" \(Self.second)\n")
    }

    @Test("P1 sets aside what another producer wrote to the topic; a tombstone is nothing")
    func foreign() {
        var stage = SaveRaw(names)
        let values: [ArraySlice<UInt8>?] = [
            nil, [0xFF], ArraySlice(#"{"home":"h","room":"r","timestamp":"x","value":1}"#.utf8),
        ]
        let output = stage.process(
            values.enumerated().map {
                StoredEvent(event: Event(topic: names.raw, value: $1), partition: 0, offset: Int64($0), appendedAt: 0)
            })
        #expect(output.rejected.map(\.reason) == ["not_a_reading", "bad_timestamp"])
        #expect(output.commit.values.map { $0 } == [3])
    }

    @Test(
        "P2 drops exactly 100, however it is written, and nothing near it",
        arguments: [
            ("100", true), ("100.0", true), ("1e2", true), ("100.000", true), ("100.00000000000001", false),
            ("99.99999999999999", false), ("-100", false), ("1000", false), ("0", false),
        ])
    func outliers(_ value: String, _ isOutlier: Bool) {
        var stage = Clean(names)
        let output = stage.process([raw(value, offset: 3)])
        #expect(output.points.isEmpty == isOutlier)
        #expect(output.dropped == (isOutlier ? ["outlier": 1] : [:]))
        #expect(output.commit == [TopicPartition(topic: names.raw, partition: 0): 4])
        guard !isOutlier else { return }
        #expect(output.events.map(\.topic) == [names.clean])
        #expect(
            output.events.first?.value.map { String(decoding: $0, as: UTF8.self).contains("\"value\":\(value)") }
                == true)
    }

    @Test("the clean event is the raw one, byte for byte, sequence and zone included")
    func unchanged() {
        let bytes = Array(
            (#"{"home":"h","room":"r","timestamp":"2026-11-23T11:00:00.10","value":20.50,"seq":3,"epoch":"e","#
                + #""zone":"Europe/Berlin"}"#).utf8)
        var stage = Clean(names)
        let output = stage.process([
            StoredEvent(event: Event(topic: names.raw, key: "h", value: bytes), partition: 2, offset: 1, appendedAt: 0)
        ])
        #expect(output.events.first?.value == bytes[...] && output.events.first?.key == "h")
        #expect(output.pointLines.first?.time == Self.second + 100_000_000)
    }

    @Test("a sensor's zone decides the point's time, in summer, in winter and over the changes")
    func zones() {
        var time = EventTime()
        func hour(_ text: String, _ zone: String?) -> String? { time.timestamp(text, zone: zone)?.description }
        #expect(hour("2026-07-01T12:00:00", "Europe/Berlin") == "2026-07-01T10:00:00Z")
        #expect(hour("2026-12-01T12:00:00", "Europe/Berlin") == "2026-12-01T11:00:00Z")
        #expect(hour("2026-03-29T03:00:00", "Europe/Berlin") == "2026-03-29T01:00:00Z")
        #expect(hour("2026-12-01T12:00:00", "+05:30") == "2026-12-01T06:30:00Z")
        #expect(hour("2026-12-01T12:00:00Z", "Europe/Berlin") == "2026-12-01T12:00:00Z")
        #expect(hour("2026-12-01T12:00:00", "Middle/Earth") == nil)
        #expect(hour("2026-12-01T12:00:00", nil) == "2026-12-01T12:00:00Z")
    }

    @Test("windows are parsed strictly")
    func windows() throws {
        #expect(try parseWindow("60s") == .seconds(60))
        #expect(try parseWindow("5m") == .seconds(300))
        #expect(try parseWindow("24h") == .seconds(86_400))
        for bad in ["", "s", "60", "0s", "-5m", "25h", "5d", "5 m", "9223372036854775807h"] {
            #expect(throws: SettingError.self, "\(bad)") { try parseWindow(bad) }
        }
    }
}
