import EventLog
import Heating
import Influx
import MQTT
import Testing

@testable import hearth_cloud

@Suite("Other measures than the temperature, from a message to the points")
struct MeasureTests {
    private static let second: Int64 = 1_795_428_000_000_000_000
    private let arrival = Timestamp(nanoseconds: second)

    private func decode(_ messages: [Message]) -> IngestBatch {
        var decoder = IngestDecoder(topics: names)
        return decoder.decode(messages, arrival: arrival)
    }

    private func message(_ topic: String, _ payload: [UInt8], _ properties: [(String, String)] = []) -> Message {
        Message(topic: topic, payload: payload, userProperties: properties.map { UserProperty($0.0, $0.1) })
    }

    private func text(_ event: Event?) -> String { String(decoding: event?.value ?? [], as: UTF8.self) }

    private func stored(_ events: [Event]) -> [Event] {
        events.enumerated().map { Event(topic: $1.topic, key: $1.key, value: $1.value, offset: Int64($0)) }
    }

    private let humidity = payload("2026-11-23T10:00:00", "48.10")

    @Test("the event says what it is of and on which topic it came; a temperature's event is what it ever was")
    func events() {
        let properties = [("seq", "7"), ("epoch", "e"), ("source", "zigbee2mqtt/office"), ("clock", "arrival")]
        let batch = decode([
            message("home1/office/humidity", humidity, properties), message("home1/office/temperature", humidity),
        ])
        #expect(
            text(batch.events.first)
                == #"{"home":"home1","room":"office","timestamp":"2026-11-23T10:00:00","value":48.10,"#
                + #""seq":7,"epoch":"e","measure":"humidity","source":"zigbee2mqtt/office"}"#)
        #expect(
            text(batch.events.last)
                == #"{"home":"home1","room":"office","timestamp":"2026-11-23T10:00:00","value":48.10}"#)
        #expect(batch.readings == 2 && batch.deadLetters.isEmpty)
    }

    @Test("a frame carries them like a message of their own, to the byte of the event")
    func frames() {
        let attributes = #"{"source":"s/1","read":"70.2 F","fault":"1","nth":"2"}"#
        let frame = Frame(
            epoch: "e",
            records: [
                .init(sequence: 3, topic: "office/co2", payload: humidity, attributes: Array(attributes.utf8)),
                .init(sequence: 4, topic: "office/snow_depth", payload: humidity),
                .init(sequence: 5, topic: "office/no such", payload: humidity),
            ])
        let framed = decode([message("home1/frame", frame.encode())])
        let single = decode([
            message(
                "home1/office/co2", humidity,
                [("seq", "3"), ("epoch", "e"), ("source", "s/1"), ("read", "70.2 F"), ("fault", "1"), ("nth", "2")])
        ])
        #expect(framed.events.first?.value == single.events.first?.value)
        #expect(text(framed.events.first).hasSuffix(#","measure":"co2","source":"s/1","read":"70.2 F","fault":1}"#))
        #expect(text(framed.events[1]).hasSuffix(#""measure":"snow_depth"}"#))
        #expect(framed.readings == 2 && framed.deadLetters == ["unknown_topic": 1])
        #expect(HomeID("home1").flatMap { framed.confirmations[$0]?[ExactString("e")]?.ranges } == [3...5])
    }

    @Test("a thousand made-up names become so many and no more, in each home; the rest is kept, counted and confirmed")
    func flood() {
        let frame = Frame(
            epoch: "e",
            records: (1...1000).map { .init(sequence: $0, topic: "office/own\($0)", payload: humidity) })
        let batch = decode([message("home1/frame", frame.encode()), message("home1/office/humidity", humidity)])
        #expect(batch.readings == Measure.othersLimit + 1)
        #expect(batch.deadLetters["too_many_measures"] == 1000 - Measure.othersLimit)
        #expect(HomeID("home1").flatMap { batch.confirmations[$0]?[ExactString("e")]?.ranges } == [1...1000])
        let other = decode([message("home1/frame", frame.encode()), message("home2/frame", frame.encode())])
        #expect(other.readings == 2 * Measure.othersLimit)
    }

    @Test("P1 and P2 have a measurement for each; 100 is a fault of temperatures only, others say so themselves")
    func points() {
        func event(_ measure: String, _ value: String, _ more: [(String, String)] = []) -> Event {
            decode([message("h/r/\(measure)", payload("2026-11-23T10:00:00", value), more)]).events[0]
        }
        let events = stored([
            event("temperature", "21.5"), event("humidity", "100"), event("co2", "100.0"), event("temperature", "100"),
            event("temperature", "21.222222222222221", [("read", "70.20 F")]), event("humidity", "0", [("fault", "1")]),
            event("flow_temperature", "35.5"),
        ])
        var (raw, clean) = (SaveRaw(names), Clean(names))
        let (rawOutput, cleanOutput) = (raw.process(events), clean.process(events))
        #expect(
            rawOutput.points.text == """
                raw_temperature,home=h,room=r value=21.5 \(Self.second)
                raw_humidity,home=h,room=r value=100.0 \(Self.second)
                raw_co2,home=h,room=r value=100.0 \(Self.second)
                raw_temperature,home=h,room=r value=100 \(Self.second)
                raw_temperature,home=h,room=r value=70.2,unit="F" \(Self.second)
                raw_humidity,home=h,room=r value=0.0 \(Self.second)
                raw_flow_temperature,home=h,room=r value=35.5 \(Self.second)

                """)
        #expect(
            cleanOutput.points.text == """
                temperature_clean,home=h,room=r value=21.5 \(Self.second)
                humidity_clean,home=h,room=r value=100.0 \(Self.second)
                co2_clean,home=h,room=r value=100.0 \(Self.second)
                temperature_clean,home=h,room=r value=21.22222222222222 \(Self.second)
                flow_temperature_clean,home=h,room=r value=35.5 \(Self.second)

                """)
        #expect(cleanOutput.dropped == ["outlier": 2] && cleanOutput.events.count == 5)
        #expect(cleanOutput.events[1].value == events[1].value, "the very bytes")
    }

    @Test(
        "what somebody else calls a measure and is none becomes no line of the database",
        arguments: [
            #""raw,x=1""#, #""a b""#, #""""#, "7", "null", #""x\ny""#, #""heatpump""#, #""humidity","measure":"co2""#,
        ])
    func hostile(_ measure: String) {
        let bytes = #"{"home":"h","room":"r","timestamp":"2026-11-23T10:00:00","value":1,"measure":\#(measure)}"#
        let events = stored([Event(topic: names.raw, key: "h", value: Array(bytes.utf8))])
        var (raw, clean) = (SaveRaw(names), Clean(names))
        let output = raw.process(events)
        #expect(output.points.isEmpty && output.rejected.map(\.reason) == ["not_a_reading"])
        #expect(clean.process(events).points.isEmpty)
    }

    @Test("P4 has the mean of those that are asked for, each by itself; the temperature's is what it ever was")
    func means() throws {
        func event(_ measure: String, _ room: String, _ value: String) -> Event {
            decode([message("h/\(room)/\(measure)", payload("2026-11-23T10:00:01", value))]).events[0]
        }
        let events = stored([
            event("temperature", "a", "20"), event("humidity", "a", "40"), event("humidity", "b", "60"),
            event("co2", "a", "800"),
        ]).map {
            Event(topic: names.clean, key: "h", value: $0.value, offset: $0.offset)
        }
        func table(_ measures: Set<Measure>) -> [String: String] {
            // Long enough ago for every window to have settled.
            var stage = Aggregate(names, settings: .init(settleAfter: .zero), measures: measures) { .seconds(1000) }
            var table = stage.process(events).table
            table.merge(stage.idle().table) { $1 }
            return table
        }
        let temperature = "home_avg_temperature,home=h \(Self.second)"
        let only = table([])
        #expect(only == [temperature: "avg_temp=20.0,min_temp=20.0,max_temp=20.0,rooms=1i"])
        let both = table([try #require(Measure("humidity"))])
        #expect(both[temperature] == only[temperature] && both.count == 2)
        #expect(both["home_avg_humidity,home=h \(Self.second)"] == "avg=50.0,min=40.0,max=60.0,rooms=2i")
    }

    @Test("AGGREGATE_MEASURES is read strictly")
    func setting() throws {
        #expect(try Form.measures.read("") == [])
        #expect(try Form.measures.read("humidity, co2").map(\.name).sorted() == ["co2", "humidity"])
        for bad in ["Humidity", "a b", "heatpump", "humidity;co2"] {
            #expect(throws: Unfit.self, "\(bad)") { try Form.measures.read(bad) }
        }
    }
}
