import Heating
import Journal
import MQTT
import Testing

@testable import hearthd

@Suite("Curves: what a record of the journal says for them")
struct CurveRecordTests {
    /// What becomes of a device's message on its way through Record.
    private func record(_ topic: String, _ payload: String) throws -> CurveRecord? {
        let text = """
            home = "h"
            [[sensors]]
            kind = "heishamon"
            room = "office"
            [[sensors]]
            kind = "heishamon"
            measure = "outside_temperature"
            room = "pump"
            [[sensors]]
            kind = "zigbee2mqtt"
            rooms = { "terrace" = "" }
            [[sensors]]
            topic = "zigbee2mqtt/terrace"
            value = "temperature"
            measure = "outdoor"
            unit = "F"
            discard = [0]
            room = "terrace"
            [[sensors]]
            kind = "zigbee2mqtt"
            measure = "humidity"
            """
        let rules = try Configuration(text: text, file: "f", environment: [:]).devices.rules
        let message = Message(topic: topic, payload: Array(payload.utf8))
        let arrival = Timestamp(nanoseconds: 1_795_953_600_000_000_000)
        guard case .keep(let kept, _) = RecordVerdict(on: message, by: rules, hasZone: false, arrival: arrival),
            let entry = kept.first?.record
        else { return nil }
        return CurveRecord(topic: entry.topic, payload: entry.payload, attributes: entry.attributes)
    }

    @Test("a heat pump's own sensor outdoors and one that somebody named so, in °C; what means a fault is left out")
    func outdoors() throws {
        let outside = try #require(Measure("outside_temperature")), outdoor = try #require(Measure("outdoor"))
        let pump = try #require(Room("pump")), terrace = try #require(Room("terrace"))
        let topic = "panasonic_heat_pump/main/Outside_Temp"
        #expect(try record(topic, "-7") == .temperature(-7, of: outside, in: pump))
        #expect(try record(topic, "-128") == nil && record(topic, "-78") == nil)
        #expect(try record("zigbee2mqtt/terrace", #"{"temperature":-459.5}"#) == nil)
        #expect(
            try record("zigbee2mqtt/terrace", #"{"temperature":41,"humidity":80}"#)
                == .temperature(5, of: outdoor, in: terrace))
        #expect(try record("zigbee2mqtt/terrace", #"{"temperature":32}"#) == nil, "0 °C, which discard names")
    }

    @Test("a room's temperature and its heat pump's commands; nothing else")
    func rooms() throws {
        let office = try #require(Room("office"))
        #expect(
            try record("panasonic_heat_pump/main/Room_Thermostat_Temp", "21.5")
                == .temperature(21.5, of: .temperature, in: office))
        func plain(_ topic: String, _ payload: String) -> CurveRecord? {
            CurveRecord(topic: topic, payload: Array(payload.utf8), attributes: [])
        }
        #expect(plain("office/heatpump", #"{"status": "1"}"#) == .pump(true, in: office))
        #expect(plain("office/humidity", #"{"timestamp":"2026-11-29T10:00:00","value":40}"#) == nil)
        #expect(plain("office/temperature", "{") == nil && plain("a/b/c", "1") == nil)
    }
}
