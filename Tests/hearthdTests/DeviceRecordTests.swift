import Heating
import Journal
import MQTT
import Testing

@testable import hearthd

@Suite("Record: readings of devices that are not the black box")
struct DeviceRecordTests {
    private let rules: DeviceRules

    init() throws {
        let text = """
            home = "h"
            [[sensors]]
            kind = "zigbee2mqtt"
            [[sensors]]
            topic = "up/temperature"
            value = ""
            unit = "F"
            room = "up"
            [[sensors]]
            kind = "tasmota"
            [[sensors]]
            topic = "wet/all"
            value = "h"
            room = "wet"
            measure = "humidity"
            """
        rules = try Configuration(text: text, file: "f", environment: [:]).devices.rules
    }

    private func verdict(_ topic: String, _ payload: String, at arrival: Int64 = 1_795_953_600) -> RecordLane.Verdict {
        RecordLane.classify(
            Message(topic: topic, payload: Array(payload.utf8)), by: rules, hasZone: false,
            arrival: Timestamp(nanoseconds: arrival * 1_000_000_000))
    }

    private func entry(_ verdict: RecordLane.Verdict, packet: UInt16 = 7) throws -> Journal.Entry {
        guard case .reading(let reading) = verdict else { throw PayloadError.badValue }
        return Journal.Entry(
            topic: reading.recordTopic, payload: reading.inCelsius.recordPayload,
            attributes: RecordAttributes(reading).bytes, packetID: packet, receivedAt: reading.timestamp.nanoseconds)
    }

    @Test("the contract's form, the number's text as read, and on which topic it came")
    func form() throws {
        let kept = try entry(verdict("zigbee2mqtt/office", #"{"temperature":18.50,"humidity":40}"#))
        #expect(kept.topic == "office/temperature")
        #expect(String(decoding: kept.payload, as: UTF8.self).hasSuffix(#","value":18.50}"#))
        let attributes = RecordAttributes(bytes: kept.attributes).properties
        #expect(attributes == [.init("source", "zigbee2mqtt/office"), .init("clock", "arrival")])
    }

    @Test("°F is recorded in °C, and as what it was read")
    func fahrenheit() throws {
        let kept = try entry(verdict("up/temperature", "70.7"))
        #expect(String(decoding: kept.payload, as: UTF8.self).hasSuffix(#","value":21.5}"#))
        #expect(RecordAttributes(bytes: kept.attributes).properties.last == .init("read", "70.7 F"))
    }

    @Test("a redelivery is known by packet, topic and number, though it arrives at another time")
    func redelivery() throws {
        for (topic, payload, other) in [
            ("zigbee2mqtt/office", #"{"temperature":18.5}"#, #"{"temperature":18.6}"#), ("up/temperature", "70", "71"),
        ] {
            let first = try entry(verdict(topic, payload))
            let committed = Journal.Record(
                sequence: 1, topic: first.topic, payload: first.payload, attributes: first.attributes,
                packetID: 7, receivedAt: first.receivedAt)
            func isRedelivery(_ entry: Journal.Entry) -> Bool {
                var filter = RedeliveryFilter(window: 10, committed: [committed])
                filter.reconnected(sessionPresent: true)
                return filter.isRedelivery(entry)
            }
            #expect(isRedelivery(try entry(verdict(topic, payload, at: 1_795_953_660))))
            #expect(!isRedelivery(try entry(verdict(topic, other, at: 1_795_953_660))))
            #expect(!isRedelivery(try entry(verdict(topic, payload, at: 1_795_953_660), packet: 8)))
        }
        // With a time of its own the time counts.
        let taken = { (second: Int) in #"{"temperature":18.5,"last_seen":"2026-11-29T10:00:0\#(second)Z"}"# }
        let first = try entry(verdict("zigbee2mqtt/office", taken(1)))
        var filter = RedeliveryFilter(window: 10, committed: [])
        filter.committed([first])
        filter.reconnected(sessionPresent: true)
        #expect(!filter.isRedelivery(try entry(verdict("zigbee2mqtt/office", taken(2)))))
    }

    @Test("other measures and other devices are passed over, what cannot be read is set aside, a fault too")
    func rest() {
        #expect(verdict("wet/all", #"{"h":40}"#) == .passOver)
        #expect(verdict("zigbee2mqtt/lamp", #"{"state":"ON"}"#) == .passOver)
        #expect(verdict("zigbee2mqtt/office", "{") == .reject("not_json"))
        #expect(
            verdict("tele/office/SENSOR", #"{"DS18B20":{"Temperature":85.0},"TempUnit":"C"}"#) == .reject("fault_value")
        )
        #expect(verdict("nobody/knows", "1") == .reject("unknown_topic"))
        // The black box's own.
        #expect(verdict("kitchen/temperature", "{}") == .reject("missing_timestamp"))
        #expect(verdict("kitchen/heatpump", "x") == .reject("bad_command"))
    }
}
