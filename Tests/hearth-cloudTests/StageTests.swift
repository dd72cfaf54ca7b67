import EventLog
import Heating
import Influx
import MQTT
import Testing

@testable import hearth_cloud

@Suite("P1 and P2")
struct StageTests {
    private static let second: Int64 = 1_795_428_000_000_000_000

    private func raw(_ value: String, offset: Int64 = 0, at: Int64 = second) -> Event {
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
        let output = stage.process([Event(topic: names.commands, key: "h", value: value)])
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
            values.enumerated().map { Event(topic: names.raw, value: $1, offset: Int64($0)) })
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
            Event(topic: names.raw, key: "h", value: bytes[...], partition: 2, offset: 1)
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

    @Test("the hour that comes twice has both its passes, and a moved reading its nanosecond")
    func fold() {
        var time = EventTime()
        func at(_ text: String, _ zone: String?, fold: Bool = false, nth: Int = 0) -> String? {
            time.timestamp(text, zone: zone, marks: TimeMarks(isSecondPass: fold, nth: nth))?.description
        }
        #expect(at("2026-10-25T02:10:00", "Europe/Madrid") == "2026-10-25T00:10:00Z")
        #expect(at("2026-10-25T02:10:00", "Europe/Madrid", fold: true) == "2026-10-25T01:10:00Z")
        #expect(at("2026-10-25T02:10:00", "Europe/Madrid", fold: true, nth: 2) == "2026-10-25T01:10:00.000000002Z")
        #expect(at("2026-10-25T01:10:00", "Europe/Madrid", fold: true) == "2026-10-24T23:10:00Z")
        #expect(at("2026-04-05T01:45:00", "Australia/Lord_Howe", fold: true) == "2026-04-04T15:15:00Z")
        #expect(at("2026-03-29T02:30:00", "Europe/Madrid") == "2026-03-29T01:30:00Z")
        #expect(at("2026-11-23T10:00:00", nil, nth: 1) == "2026-11-23T10:00:00.000000001Z")
    }

    @Test("the attributes of a row are in the event, and events of others stay the bytes that they were")
    func attributes() throws {
        let home = try #require(HomeID("h"))
        let room = try #require(Room("r"))
        let reading = try Reading(payload: payload("2026-10-25T02:10:00", "20.5"))
        func event(_ properties: [(String, String)]) -> String {
            let origin = Origin(home: home, properties: properties.map { UserProperty($0.0, $0.1) })
            return String(decoding: Event(reading, of: room, origin, topic: "t").value ?? [], as: UTF8.self)
        }
        let plain = #"{"home":"h","room":"r","timestamp":"2026-10-25T02:10:00","value":20.5"#
        #expect(event([]) == plain + "}")
        #expect(event([("zone", "Europe/Madrid")]) == plain + #","zone":"Europe/Madrid"}"#)
        #expect(
            event([("zone", "Europe/Madrid"), ("fold", "1"), ("nth", "2")])
                == plain + #","zone":"Europe/Madrid","fold":1,"nth":2}"#)
        #expect(event([("nth", "7"), ("fold", "1")]) == plain + #","nth":7}"#, "a fold needs a zone")
        for (name, value) in [("nth", "0"), ("nth", "-1"), ("nth", "1e3"), ("nth", "1000000"), ("fold", "2")] {
            #expect(event([(name, value)]) == plain + "}")
        }
        let record = Frame.Record(
            sequence: 4, topic: "r/temperature", payload: [],
            attributes: Array(#"{"zone":"Europe/Madrid","fold":"1","nth":"2"}"#.utf8))
        let origin = Origin(home: home, epoch: "e", record: record)
        #expect(origin.marks == TimeMarks(isSecondPass: true, nth: 2) && origin.zone == "Europe/Madrid")
    }

    @Test("a reading in a zone that only its gateway knows is told apart, so that it can be replayed")
    func unknownZone() {
        let bytes = Array(
            #"{"home":"h","room":"r","timestamp":"2026-11-23T11:00:00","value":1,"zone":"Mars/Olympus_Mons"}"#.utf8)
        var stage = SaveRaw(names)
        let output = stage.process([
            Event(topic: names.raw, key: "h", value: bytes[...], offset: 1)
        ])
        #expect(output.rejected.map(\.reason) == ["unknown_zone"])
    }

    @Test("windows are parsed strictly")
    func windows() throws {
        #expect(try Form.window.read("60s") == .seconds(60))
        #expect(try Form.window.read("5m") == .seconds(300))
        #expect(try Form.window.read("24h") == .seconds(86_400))
        for bad in ["", "s", "60", "0s", "-5m", "25h", "5d", "5 m", "9223372036854775807h"] {
            #expect(throws: Unfit.self, "\(bad)") { try Form.window.read(bad) }
        }
    }
}
