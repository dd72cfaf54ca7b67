import EventLog
import Heating
import MQTT
import SimulationModel
import Testing

@testable import hearth_cloud

@Suite("Ingest: messages become events")
struct IngestDecoderTests {
    private let decoder = IngestDecoder(topics: names)
    private let arrival = Timestamp(nanoseconds: 1_795_428_000_000_000_000)

    private func decode(_ topic: String, _ payload: [UInt8], _ properties: [(String, String)] = []) -> IngestBatch {
        let message = Message(
            topic: topic, payload: payload,
            userProperties: properties.map { UserProperty($0.0, $0.1) })
        var decoder = decoder
        return decoder.decode([message], arrival: arrival)
    }

    private func text(_ event: Event?) -> String { String(decoding: event?.value ?? [], as: UTF8.self) }

    private func ranges(_ batch: IngestBatch, _ home: String, _ epoch: String) -> [ClosedRange<Int64>]? {
        HomeID(home).flatMap { batch.confirmations[$0]?[ExactString(epoch)]?.ranges }
    }

    private func reason(_ event: Event?) -> String {
        String(decoding: event?.headers.first { $0.name == "reason" }?.value ?? [], as: UTF8.self)
    }

    @Test("timestamp and value stay exactly as the sensor wrote them, and the sequence is confirmed")
    func reading() {
        let batch = decode(
            "home1/office/temperature", payload("2026-11-23T10:00:00.120", "10.7788747516516700"),
            [("seq", "42"), ("epoch", "e1")])
        #expect(batch.events.map(\.topic) == ["raw_sensor_data"])
        #expect(batch.events.first?.key == "home1")
        #expect(
            text(batch.events.first)
                == #"{"home":"home1","room":"office","timestamp":"2026-11-23T10:00:00.120","#
                + #""value":10.7788747516516700,"seq":42,"epoch":"e1"}"#)
        #expect(ranges(batch, "home1", "e1") == [42...42])
    }

    @Test("a plain producer needs no properties and gets no confirmation")
    func plain() {
        let batch = decode("home1/office/temperature", payload("2026-11-23T10:00:00", "100"))
        #expect(text(batch.events.first).contains(#""value":100}"#))
        #expect(batch.confirmations.isEmpty && batch.readings == 1)
    }

    @Test("commands keep when and why; one of another controller gets the time of its arrival")
    func commands() {
        let status = Array(#"{"status": "1"}"#.utf8)
        let ours = decode(
            "home1/office/heatpump", status,
            [("timestamp", "2026-11-23T10:00:00Z"), ("reason", "cold"), ("seq", "7"), ("epoch", "e")])
        #expect(ours.events.first?.topic == "heatpump_state")
        #expect(CommandEvent(ours.events.first?.value ?? [])?.reason == "cold")
        #expect(ranges(ours, "home1", "e") == [7...7])
        let foreign = decode("home1/office/heatpump", status)
        #expect(CommandEvent(foreign.events.first?.value ?? [])?.timestampText == arrival.description)
    }

    @Test("nothing inside a message changes the home it writes to")
    func tenants() {
        let forged = Array(
            #"{"timestamp": "2026-11-23T10:00:00", "value": 1, "home": "victim", "room": "victim"}"#.utf8)
        let single = decode("evil/office/temperature", forged, [("home", "victim"), ("seq", "1"), ("epoch", "e")])
        let frame = Frame(
            epoch: "e",
            records: [
                .init(sequence: 1, topic: "office/temperature", payload: forged),
                .init(sequence: 2, topic: "victim/office/temperature", payload: forged),
                .init(
                    sequence: 3, topic: "office/temperature", payload: forged,
                    attributes: Array(#"{"home": "victim"}"#.utf8)),
            ])
        let framed = decode("evil/frame", frame.encode())
        for batch in [single, framed] {
            #expect(batch.events.allSatisfy { $0.key == "evil" })
            #expect(
                batch.events.filter { $0.topic == names.raw }.allSatisfy { loggedHome($0) == "evil" })
            #expect(batch.confirmations.keys.map(\.name) == ["evil"])
        }
        #expect(framed.readings == 2 && framed.deadLetters == ["unknown_topic": 1])
        #expect(ranges(framed, "evil", "e") == [1...3])
    }

    @Test(
        "what is no reading goes to the dead letters with the reason, and is confirmed: sending it again helps nobody",
        arguments: [
            ("", "not_json"), ("{}", ""), ("\u{0}", ""), (#"{"timestamp": "2026-11-23T10:00:00", "value": NaN}"#, ""),
            (#"{"timestamp": "yesterday", "value": 1}"#, ""), (#"{"timestamp": "2026-11-23T10:00:00"}"#, ""),
            (#"[1]"#, ""), (#"{"timestamp": "2026-11-23T10:00:00", "value": "warm"}"#, ""),
        ])
    func deadLetters(_ text: String, _: String) {
        let batch = decode("home1/office/temperature", Array(text.utf8), [("seq", "9"), ("epoch", "e")])
        #expect(batch.events.map(\.topic) == ["raw_sensor_data.dead-letter"])
        #expect(batch.events.first?.value == ArraySlice(text.utf8))
        #expect(!reason(batch.events.first).isEmpty)
        #expect(batch.deadLetters.values.reduce(0, +) == 1)
        #expect(ranges(batch, "home1", "e") == [9...9])
    }

    @Test("a frame that cannot be read is kept and not confirmed")
    func badFrames() {
        let frame = Frame(
            epoch: "e",
            records: (1...50).map {
                .init(
                    sequence: $0, topic: "room\($0 % 5)/temperature", payload: payload("2026-11-23T10:00:00", "\($0)"))
            })
        let whole = frame.encode()
        #expect(decode("home1/frame", whole).readings == 50)
        for cut in stride(from: 0, to: whole.count, by: 7) {
            let batch = decode("home1/frame", Array(whole.prefix(cut)))
            #expect(batch.deadLetters == ["bad_frame": 1] && batch.confirmations.isEmpty)
        }
        var random = SeededGenerator(seed: givenSeed ?? 7)
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let batch = decode("home1/frame", bytes)
            // The checksum catches what changed the frame; nothing is taken from half of one.
            #expect(bytes == whole || batch.readings == 0)
        }
    }

    @Test("whatever a home sends, no event is bigger than a log takes: one that is would stop the flow for everybody")
    func sizes() {
        let huge = String(repeating: "x", count: 1 << 20)
        let status = Array(#"{"status": "0"}"#.utf8)
        let frame = Frame(
            epoch: "e",
            records: [
                .init(
                    sequence: 1, topic: "office/heatpump", payload: status,
                    attributes: Array("{\"reason\": \"\(huge)\", \"timestamp\": \"\(huge)\"}".utf8)),
                .init(sequence: 2, topic: huge, payload: status),
                .init(
                    sequence: 3, topic: "office/temperature", payload: payload("2026-11-23T10:00:00", "1"),
                    attributes: Array("{\"zone\": \"\(huge)\"}".utf8)),
                .init(sequence: 4, topic: "office/temperature", payload: Array(huge.utf8)),
            ])
        let longEpoch = Frame(
            epoch: huge,
            records: [.init(sequence: 1, topic: "a/temperature", payload: payload("2026-11-23T10:00:00", "1"))])
        let messages: [(String, [UInt8], [(String, String)])] = [
            ("home1/frame", frame.encode(), []),
            ("home1/frame", longEpoch.encode(), []),
            ("home1/office/temperature", Array(huge.utf8), []),
            ("home1/office/heatpump", status, [("reason", huge), ("epoch", huge), ("seq", "1")]),
            (String(huge.prefix(60_000)), status, []),
        ]
        for (topic, payload, properties) in messages {
            let batch = decode(topic, payload, properties)
            #expect(!batch.events.isEmpty)
            for event in batch.events {
                let headers = event.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.count }
                let size = (event.key?.utf8.count ?? 0) + (event.value?.count ?? 0) + headers
                #expect(size < 900_000, "\(topic.prefix(30)): \(event.topic)")
            }
        }
    }

    @Test("topics that are nobody's", arguments: ["home1", "home1/a/b/c/d", "$SYS/x/temperature", "/a/temperature"])
    func topics(_ topic: String) {
        let batch = decode(topic, payload("2026-11-23T10:00:00", "1"))
        #expect(batch.events.map(\.topic) == ["raw_sensor_data.dead-letter"] && batch.readings == 0)
    }

    @Test("journals, homes and rooms whose names look the same are different ones when their bytes are")
    func spellings() {
        let (one, two) = ("caf\u{e9}", "cafe\u{301}")
        #expect(one == two)
        var decoder = decoder
        var batch = IngestBatch(arrival: arrival)
        for (index, name) in [one, two].enumerated() {
            for topic in ["\(name)/office/temperature", "home/\(name)/temperature"] {
                let message = Message(
                    topic: topic, payload: payload("2026-11-23T10:00:00", "1"),
                    userProperties: [.init("seq", "\(index + 1)"), .init("epoch", name)])
                decoder.decode(message, into: &batch, now: .zero)
            }
        }
        #expect(batch.confirmations.count == 3)
        #expect(HomeID("home").map { batch.confirmations[$0]?.count } == 2)
        #expect(ranges(batch, one, one) == [1...1] && ranges(batch, two, two) == [2...2])
        #expect(ranges(batch, one, two) == nil)
    }
}
