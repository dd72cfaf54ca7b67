import Testing

@testable import Heating

@Suite("Measures: what a reading is of")
struct MeasureTests {
    @Test("names that people use", arguments: ["humidity", "co2", "flow_temperature", "pm25", "outdoor", "x1"])
    func names(_ name: String) throws {
        #expect(try #require(Measure(name)).name == name)
        #expect(RecordTopic("office/\(name)") == .reading(try #require(Room("office")), try #require(Measure(name))))
        #expect(CloudTopic("home1/office/\(name)")?.string == "home1/office/\(name)")
    }

    @Test(
        "names that would mean something else in a topic, a line or a query",
        arguments: [
            "", "_x", "Humidity", "rel humidity", "a/b", "a,b=c", "a\nb", "a\\b", "\"", "hum\u{301}", "\u{FF4F}", "+",
            "#", "a\0", "heatpump", "gateway", "ack", "status", "stored", "frame", "set",
            String(repeating: "a", count: 65),
        ])
    func refused(_ name: String) throws {
        #expect(Measure(name) == nil)
        let problem = try #require(Measure.problem(name))
        #expect(problem.hasPrefix("must ") && !problem.contains("\n") && problem.utf8.count < 200)
        if name != "heatpump" { #expect(RecordTopic("office/\(name)") == nil) }
    }

    @Test("a gateway's own topics are no measures")
    func reserved() {
        #expect(CloudTopic("home1/gateway/ack") == HomeID("home1").map { .ack($0) })
        #expect(CloudTopic("home1/gateway/status") == HomeID("home1").map { .status($0) })
        #expect(CloudTopic("home1/office/status") == nil && CloudTopic("home1/office/ack") == nil)
    }

    @Test("temperatures have a unit that can be another; of the common ones the unit is known")
    func units() throws {
        #expect(try #require(Measure("flow_temperature")).unit == "°C")
        #expect(try #require(Measure("outdoor")).isTemperature)
        #expect(try #require(Measure("humidity")).unit == "%" && !#require(Measure("humidity")).isTemperature)
        #expect(try #require(Measure("co2")).deviceClass == "carbon_dioxide")
        #expect(try #require(Measure("snow")).unit.isEmpty)
        for measure in Measure.common { #expect(Measure(measure.name) == measure && measure.isCommon) }
        #expect(!Measure.common.contains(.temperature))
    }

    @Test("what a device wrote comes back, and nothing that is no number")
    func asRead() {
        #expect(AsRead("70.20 F").map { [$0.text, $0.description] } == ["70.20", "70.20 F"])
        #expect(AsRead("294.3 K")?.value == 294.3)
        for text in [
            "", "70.2", "70.2 C", "70.2 X", "nan F", "1e999 F", "70.2  F", "70.2 F ", "+1 F", "1 F,x=2", "70 °F F",
        ] {
            #expect(AsRead(text) == nil, "\(text)")
        }
    }

    @Test("one message holds several measures; a kind's faults are its own measure's")
    func several() throws {
        func rule(_ measure: String) throws -> SensorRule {
            var table = SensorTable()
            table.measure = measure
            let kind = try #require(DeviceKind.builtIn("zigbee2mqtt"))
            return try SensorRule(kind: kind.name, table.over(kind.sensor))
        }
        let rules = DeviceRules(try ["temperature", "humidity", "battery", "linkquality"].map(rule))
        #expect(rules.readingsAtMost == 4)
        let payload = #"{"battery":97,"humidity":48.10,"temperature":21.5,"linkquality":null}"#
        let outcomes = rules.read(
            topic: "zigbee2mqtt/office", payload: Array(payload.utf8), isRetained: false,
            arrival: Timestamp(nanoseconds: 1_795_953_600_000_000_000))
        let read = outcomes.compactMap { if case .reading(let reading) = $0 { reading } else { nil } }
        #expect(read.map(\.recordTopic) == ["office/temperature", "office/humidity", "office/battery"])
        #expect(read.map(\.valueText) == ["21.5", "48.10", "97"])
        // What a kind does not know is never read where its temperature is.
        func table(_ kind: String, _ measure: String) throws -> SensorTable {
            var table = SensorTable()
            table.measure = measure
            return table.over(try #require(DeviceKind.builtIn(kind)).sensor)
        }
        #expect(try table("zigbee2mqtt", "soil_moisture").value == "soil_moisture")
        #expect(try table("esphome", "soil_moisture").topic == nil)
        #expect(try table("hearth", "humidity").topic == "{room}/humidity")
        #expect(try table("hearth", "humidity").isContract == true)
        var own = SensorTable()
        (own.measure, own.discard) = ("humidity", [0])
        var mine = SensorTable()
        (mine.topic, mine.measure) = ("a/{room}", "humidity")
        #expect(mine.over(own).discard == [0])
        mine.measure = "temperature"
        #expect(mine.over(own).discard == nil)
    }
}
