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

    private func verdict(
        _ topic: String, _ payload: String, at arrival: Int64 = 1_795_953_600, packet: UInt16 = 7
    ) -> RecordVerdict {
        RecordVerdict(
            on: Message(topic: topic, payload: Array(payload.utf8), packetID: packet), by: rules, hasZone: false,
            arrival: Timestamp(nanoseconds: arrival * 1_000_000_000))
    }

    private func records(_ verdict: RecordVerdict) -> [Journal.Record] {
        if case .keep(let kept, _) = verdict { kept.map(\.record) } else { [] }
    }

    private func entry(_ verdict: RecordVerdict) throws -> Journal.Record {
        guard let record = records(verdict).first else { throw PayloadError.badValue }
        return record
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
            func isRedelivery(_ entry: Journal.Record) -> Bool {
                var filter = RedeliveryFilter(window: 10, committed: [committed])
                filter.reconnected(sessionPresent: true)
                return filter.isRedelivery(entry)
            }
            #expect(isRedelivery(try entry(verdict(topic, payload, at: 1_795_953_660))))
            #expect(!isRedelivery(try entry(verdict(topic, other, at: 1_795_953_660))))
            #expect(!isRedelivery(try entry(verdict(topic, payload, at: 1_795_953_660, packet: 8))))
        }
        // With a time of its own the time counts.
        let taken = { (second: Int) in #"{"temperature":18.5,"last_seen":"2026-11-29T10:00:0\#(second)Z"}"# }
        let first = try entry(verdict("zigbee2mqtt/office", taken(1)))
        var filter = RedeliveryFilter(window: 10, committed: [])
        filter.committed([first])
        filter.reconnected(sessionPresent: true)
        #expect(!filter.isRedelivery(try entry(verdict("zigbee2mqtt/office", taken(2)))))
    }

    @Test("other measures are recorded, other devices passed over, what cannot be read is set aside, a fault too")
    func rest() throws {
        let wet = try entry(verdict("wet/all", #"{"h":40.50}"#))
        #expect(wet.topic == "wet/humidity")
        #expect(String(decoding: wet.payload, as: UTF8.self).hasSuffix(#","value":40.50}"#))
        #expect(
            RecordAttributes(bytes: wet.attributes).properties == [
                .init("source", "wet/all"), .init("clock", "arrival"),
            ])
        #expect(verdict("wet/all", #"{"h":null}"#) == .reject("null_value"))
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

    // MARK: Several measures in one message

    private static let several = """
        home = "h"
        [kinds.station]
        topic = "st/{room}"
        value = "t"
        [[sensors]]
        kind = "station"
        discard = [85]
        [[sensors]]
        kind = "station"
        measure = "humidity"
        value = "h"
        discard = [0]
        [[sensors]]
        kind = "station"
        measure = "co2"
        value = "c"
        """

    private func several(_ payload: String, packet: UInt16 = 7, at second: Int64 = 0) throws -> RecordVerdict {
        RecordVerdict(
            on: Message(topic: "st/office", payload: Array(payload.utf8), packetID: packet),
            by: try Configuration(text: Self.several, file: "f", environment: [:]).devices.rules, hasZone: false,
            arrival: Timestamp(nanoseconds: (1_795_953_600 + second) * 1_000_000_000))
    }

    private func entries(_ payload: String, packet: UInt16 = 7, at second: Int64 = 0) throws -> [Journal.Record] {
        records(try several(payload, packet: packet, at: second))
    }

    @Test(
        "what only shares a filter with a sensor is another device's, and no broken reading",
        arguments: [
            ("zigbee2mqtt/bridge/logging", #"{"level":"info","message":"x"}"#),
            ("zigbee2mqtt/og/bad/availability", "online"),
            ("node/sensor/bath_humidity/state", "41"), ("node/sensor/uptime/state", "410"),
        ])
    func besideSensors(topic: String, payload: String) throws {
        let text = """
            home = "h"
            [[sensors]]
            kind = "zigbee2mqtt"
            topic = "zigbee2mqtt/{room...}"
            [[sensors]]
            kind = "esphome"
            topic = "+/sensor/{room}_temperature/state"
            """
        let rules = try Configuration(text: text, file: "f", environment: [:]).devices.rules
        func verdict(_ topic: String, _ payload: String) -> RecordVerdict {
            RecordVerdict(
                on: Message(topic: topic, payload: Array(payload.utf8)), by: rules, hasZone: false,
                arrival: Timestamp(nanoseconds: 1_795_953_600_000_000_000))
        }
        #expect(verdict(topic, payload) == .passOver)
        #expect(records(verdict("node/sensor/bath_temperature/state", "20.5")).count == 1)
        // What came for a filter that is in the file no more is kept for a look.
        #expect(verdict("shellies/x/sensor/temperature", "20.5") == .reject("unknown_topic"))
        #expect(verdict("x/heatpump", "off") == .reject("bad_command"))
    }

    @Test("each measure is a reading; one that is broken keeps no other from being recorded")
    func measures() throws {
        let all = try several(#"{"t":21.5,"h":48,"c":612}"#)
        #expect(records(all).map(\.topic) == ["office/temperature", "office/humidity", "office/co2"])
        guard case .keep(let rest, let why) = try several(#"{"t":85,"h":48,"c":"unavailable"}"#) else {
            Issue.record("no readings")
            return
        }
        #expect(rest.map(\.record.topic) == ["office/humidity"] && why == "fault_value")
        #expect(try several(#"{"t":null,"h":"NaN"}"#) == .reject("null_value"))
        #expect(try several(#"{"lamp":1}"#) == .passOver)
        // The mark of a fault travels with it, for the cloud to leave it out where it is clean.
        let fault = try #require(try entries(#"{"h":0}"#).first)
        #expect(RecordAttributes(bytes: fault.attributes).properties.last == .init("fault", "1"))
    }

    @Test("a message of several measures is known when it comes again, each of them once")
    func severalRedelivered() throws {
        func known(_ again: [Journal.Record], after committed: [[Journal.Record]]) -> [Bool] {
            var filter = RedeliveryFilter(window: 4, readings: 3, committed: [])
            for message in committed { filter.committed(message) }
            filter.reconnected(sessionPresent: true)
            return again.enumerated().map { filter.isRedelivery($1, ofSameMessage: $0 > 0) }
        }
        let first = try entries(#"{"t":21.5,"h":48,"c":612}"#)
        let again = try entries(#"{"t":21.5,"h":48,"c":612}"#, at: 60)
        #expect(known(again, after: [first]) == [true, true, true])
        #expect(known(try entries(#"{"t":21.5,"h":49,"c":612}"#, at: 60), after: [first]) == [true, false, true])
        #expect(known(try entries(#"{"t":21.5,"h":48}"#, packet: 8, at: 60), after: [first]) == [false, false])
        // The packet id was used again since: what was before it is no message that can come again.
        let later = try entries(#"{"t":22.5,"h":48}"#, at: 30)
        #expect(known(again, after: [first, later]) == [false, true, false])
        // As many messages as the window has, however many readings are in each.
        let many = try (0..<4).map { try entries(#"{"t":21.5,"h":48,"c":612}"#, packet: UInt16($0 + 1), at: Int64($0)) }
        for message in many {
            let found = known(
                try entries(#"{"t":21.5,"h":48,"c":612}"#, packet: message[0].packetID, at: 99), after: many)
            #expect(found == [true, true, true])
        }
        // Two readings of one message are the same only once.
        #expect(known([first[0], first[0]], after: [first]) == [true, false])
    }

    @Test("a source that no broker takes as a property is written so that it does")
    func hostileSource() throws {
        let rules = try Configuration(
            text: """
                home = "h"
                [[sensors]]
                topic = "st/{room}/+"
                value = ""
                measure = "humidity"
                """, file: "f", environment: [:]
        ).devices.rules
        let verdict = RecordVerdict(
            on: Message(topic: "st/office/a\u{1}\u{202E}", payload: Array("48".utf8)), by: rules, hasZone: false,
            arrival: Timestamp(nanoseconds: 1_795_953_600_000_000_000))
        let attributes = RecordAttributes(bytes: try entry(verdict).attributes).properties
        #expect(attributes.first == .init("source", #"st/office/a\u{1}\u{202e}"#))
    }

    @Test("measures in a file: so many names of one's own, and no other")
    func limit() throws {
        func problems(_ names: [String]) -> [String] {
            let tables = names.map { "[[sensors]]\ntopic = \"a/{room}/\($0)\"\nmeasure = \"\($0)\"\n" }
            do throws(ConfigurationError) {
                _ = try Configuration(text: "home = \"h\"\n" + tables.joined(), file: "f", environment: [:])
                return []
            } catch {
                return error.problems.map(\.description)
            }
        }
        let own = (0..<Measure.othersLimit).map { "own\($0)" }
        #expect(problems(own + Measure.common.map(\.name)).isEmpty)
        #expect(problems((0..<1000).map { "own\($0)" }).count == 1)
        #expect(problems(["Feuchte"]).first?.contains("small letters") == true)
    }
}
