import Testing

@testable import Heating

// Several rules about one message, and many rules.
extension DeviceRuleTests {
    @Test("sensors that name themselves in the payload are sensors of their own on one topic")
    func namedInside() throws {
        let rules = DeviceRules([
            try rule("plain") {
                ($0.topic, $0.value, $0.roomAt) = ("rtl_433/+/events", "temperature_C", "id")
                $0.rooms = [("37", "garage"), ("173", "office"), ("174", "office")]
            }
        ])
        func sensor(_ id: Int) throws -> String {
            try reading(rules, "rtl_433/pi/events", #"{"id":\#(id),"temperature_C":17.4}"#).sensor
        }
        #expect(try sensor(37) == "rtl_433/pi/events (37)")
        #expect(try sensor(173) == "rtl_433/pi/events (173)")
        #expect(try sensor(174) == "rtl_433/pi/events (174)")
    }

    @Test("two probes of one device in one room are two sensors, and the same probe again is none")
    func severalProbes() throws {
        func probe(_ number: Int) throws -> SensorRule {
            try rule("tasmota") { ($0.room, $0.value) = ("pool", "DS18B20-\(number).Temperature") }
        }
        let rules = DeviceRules([try probe(1), try probe(2), try probe(1), try probe(3)])
        let chips = (1...3).map { #""DS18B20-\#($0)":{"Temperature":2\#($0).5}"# }.joined(separator: ",")
        let readings = rules.read(
            topic: "tele/cellar/SENSOR", payload: Array("{\(chips),\"TempUnit\":\"C\"}".utf8), isRetained: false,
            arrival: arrival
        ).compactMap { if case .reading(let reading) = $0 { reading } else { nil } }
        #expect(
            readings.map(\.valueText) == ["21.5", "22.5", "23.5"] && readings.allSatisfy { $0.room.name == "pool" })
        #expect(Set(readings.map(\.sensor)).count == 3)
        #expect(rules.readingsAtMost == 4, "three probes, and the black box's own topics")
    }

    @Test("a device with heating circuits in two rooms is a sensor of each, and a third one is another of its room's")
    func severalRooms() throws {
        func circuit(_ number: Int, _ room: String) throws -> SensorRule {
            try rule("ems-esp") { ($0.room, $0.value) = (room, "hc\(number).currtemp") }
        }
        let rules = DeviceRules([try circuit(1, "living"), try circuit(2, "bath"), try circuit(3, "living")])
        let payload = #"{"hc1":{"currtemp":19.7},"hc2":{"currtemp":17.9},"hc3":{"currtemp":4}}"#
        let readings = rules.read(
            topic: "ems-esp/thermostat_data", payload: Array(payload.utf8), isRetained: false, arrival: arrival
        ).compactMap { if case .reading(let reading) = $0 { reading } else { nil } }
        #expect(readings.map(\.room.name) == ["living", "bath", "living"])
        #expect(readings.map(\.valueText) == ["19.7", "17.9", "4"])
        let topic = "ems-esp/thermostat_data"
        #expect(readings.map(\.sensor) == [topic, "\(topic) (bath)", "\(topic) (living, hc3.currtemp)"])
        #expect(readings.map(\.topic) == [topic, topic, topic])
        #expect(rules.readingsAtMost == 4, "three circuits, and the black box's own topics")
    }

    @Test("the first rule of a measure counts")
    func firstCounts() throws {
        let rules = DeviceRules([
            try rule("zigbee2mqtt") {
                $0.topic = "zigbee2mqtt/floor"
                $0.room = "bath"
            }, try rule("zigbee2mqtt"),
        ])
        #expect(try reading(rules, "zigbee2mqtt/floor", #"{"temperature":20}"#).room == Room("bath"))
        #expect(try reading(rules, "zigbee2mqtt/floor2", #"{"temperature":20}"#).room == Room("floor2"))
    }

    @Test("a rule that lists its devices leaves the others to those behind it, and its own to nobody")
    func listedLeave() throws {
        let rules = DeviceRules([
            try rule("zigbee2mqtt") {
                ($0.topic, $0.unlisted) = ("zigbee2mqtt/{room...}", "ignore")
                $0.rooms = [("th", "office"), ("eg/lamp", "")]
            },
            try rule("zigbee2mqtt") {
                ($0.topic, $0.value, $0.room) = ("zigbee2mqtt/trv", "local_temperature", "bath")
            },
            try rule("zigbee2mqtt") { ($0.topic, $0.room) = ("zigbee2mqtt/th", "elsewhere") },
        ])
        func outcomes(_ topic: String, _ payload: String) -> [String] {
            rules.read(topic: topic, payload: Array(payload.utf8), isRetained: false, arrival: arrival)
                .map { DevicePayloadTests.summary([$0]) }
        }
        #expect(outcomes("zigbee2mqtt/trv", #"{"local_temperature":19.5}"#) == ["(unlisted)", "bath 19.5"])
        #expect(outcomes("zigbee2mqtt/th", #"{"temperature":20.5}"#) == ["office 20.5"])
        #expect(outcomes("zigbee2mqtt/eg/lamp", #"{"temperature":20.5}"#) == ["(unlisted)"])
        // The one behind is a sensor by its topic alone.
        guard
            case .reading(let reading)? = rules.read(
                topic: "zigbee2mqtt/trv", payload: Array(#"{"local_temperature":19.5}"#.utf8), isRetained: false,
                arrival: arrival
            ).last
        else { throw DeviceTableError("", "no reading") }
        #expect(reading.sensor == "zigbee2mqtt/trv")
    }

    @Test("a thousand rules cost no more than ten, by far less than in proportion")
    func manyRules() throws {
        func seconds(_ count: Int) throws -> Double {
            let rules = DeviceRules(
                try (0..<count).map { number in
                    try rule("zigbee2mqtt") {
                        $0.topic = "zigbee2mqtt/sensor\(number)"
                        $0.room = "room\(number)"
                    }
                })
            let payload = Array(#"{"temperature":20.5,"humidity":40}"#.utf8)
            var best = Double.infinity
            for _ in 0..<5 {
                let start = ContinuousClock.now
                for _ in 0..<500 {
                    #expect(
                        rules.read(topic: "zigbee2mqtt/sensor7", payload: payload, isRetained: false, arrival: arrival)
                            .count == 1)
                }
                best = min(best, (ContinuousClock.now - start) / .seconds(1))
            }
            return best
        }
        let (ten, thousand) = (try seconds(10), try seconds(1000))
        // In proportion it were a hundredfold.
        #expect(thousand < ten * 4, "\(ten) s with ten rules, \(thousand) s with a thousand")
    }
}
