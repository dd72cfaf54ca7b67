import Testing

@testable import Heating

@Suite("Devices: topics, paths, times and what is recorded")
struct DeviceRuleTests {
    let arrival = Timestamp(nanoseconds: 1_795_953_600_000_000_000)  // 2026-11-29T12:00:00Z

    func rule(_ kind: String, _ change: (inout SensorTable) -> Void = { _ in }) throws -> SensorRule {
        var table = SensorTable()
        change(&table)
        return try SensorRule(kind: kind, table.over(try #require(DeviceKind.builtIn(kind)).sensor))
    }

    func reading(_ rules: DeviceRules, _ topic: String, _ payload: String) throws -> DeviceReading {
        let outcomes = rules.read(topic: topic, payload: Array(payload.utf8), isRetained: false, arrival: arrival)
        guard case .reading(let reading)? = outcomes.first else {
            throw DeviceTableError("test", "no reading: \(outcomes)")
        }
        return reading
    }

    // MARK: Topics

    @Test("a topic is the black box's where no written rule is about it")
    func isBlackBox() throws {
        let rules = DeviceRules([try rule("plain") { ($0.topic, $0.room, $0.value) = ("up/temperature", "up", "") }])
        #expect(rules.isBlackBox("office/temperature") && !rules.isBlackBox("up/temperature"))
        #expect(!rules.isBlackBox("office/humidity") && !rules.isBlackBox(""))
        #expect(DeviceRules([]).isBlackBox("up/temperature"))
        #expect(!DeviceRules([], addsBlackBox: false).isBlackBox("up/temperature"))
    }

    @Test("whether a topic is the black box's is what the search among the rules says, whoever else may be about it")
    func blackBoxIsFoundWithoutSearch() throws {
        let patterns: [[String]] = [
            ["boards/1/all"], ["up/temperature"], ["zigbee2mqtt/{room}"], ["+/{room}"], ["up/#", "down/{room...}"],
            ["#"], ["{room}/temperature"], ["up/{room}/temperature"], ["u{room}/temperature"],
        ]
        let topics = [
            "up/temperature", "office/temperature", "down/temperature", "zigbee2mqtt/temperature", "boards/temperature",
            "/temperature", "temperature", "a/b/temperature", "office/temperature/", "office/temperatur",
            "office/Temperature", "$SYS/temperature", "caf\u{E9}/temperature", "office/humidity", "",
        ]
        for texts in patterns {
            let rules = DeviceRules(try texts.map { text in try rule("plain") { ($0.topic, $0.room) = (text, "x") } })
            for topic in topics {
                let outcomes = rules.read(topic: topic, payload: [], isRetained: false, arrival: arrival)
                let found = outcomes.map { outcome in
                    switch outcome {
                    case .reading(let reading): reading.rule
                    case .rejected(let rejection), .passedOver(let rejection): rejection.rule
                    }
                }
                let isBlackBox = found == [texts.count]
                #expect(rules.isBlackBox(topic) == isBlackBox, "\(texts): \(topic)")
            }
        }
    }

    @Test(
        "filters and matches",
        arguments: [
            ("zigbee2mqtt/{room}", "zigbee2mqtt/+", "zigbee2mqtt/office", "office"),
            ("zigbee2mqtt/{room...}", "zigbee2mqtt/#", "zigbee2mqtt/eg/bad/oben", "eg/bad/oben"),
            ("a/{room...}/t", "a/#", "a/x/y/t", "x/y"), ("+/{room}/t", "+/+/t", "b/c/t", "c"),
            ("a/sensor/{room}_t/state", "a/sensor/+/state", "a/sensor/bad_t/state", "bad"),
            ("{room}/#", "+/#", "x", "x"),
            ("{room}/t", "+/t", "Küche oben/t", "Küche oben"),
        ])
    func matches(pattern: String, filter: String, topic: String, room: String) throws {
        let read = try TopicPattern(pattern)
        #expect(read.filter == filter)
        #expect(read.match(topic)?.room == room)
    }

    @Test(
        "what does not fit",
        arguments: [
            ("a/{room}", "a/b/c"), ("a/{room}", "a/"), ("a/{room}", "a"), ("a/{room...}", "a"),
            ("a/{room...}/t", "a/t"), ("{room}/t", "$SYS/t"),
            ("a/+", "a/b/c"), ("a/x_{room}", "a/x_"), ("caf\u{E9}", "cafe\u{301}"), ("a", "A"),
            ("a/{room...}/t", "a/b/u"),
        ])
    func fitsNot(pattern: String, topic: String) throws {
        #expect(try TopicPattern(pattern).match(topic) == nil)
    }

    @Test(
        "patterns that are none",
        arguments: ["", "a/#/b", "a+/b", "{room}/{room}", "{rooms}/t", "a/{room...}x", "a}b", "a\0"])
    func refused(pattern: String) {
        #expect(throws: TopicPattern.SyntaxError.self) { try TopicPattern(pattern) }
    }

    @Test(
        "which pattern leaves nothing to another one",
        arguments: [
            ("z/{room}", "z/floor", true), ("z/{room...}", "z/a/b", true), ("z/{room...}", "z/{room}", true),
            ("z/#", "z/{room...}", true), ("a/+/t", "a/{room}/t", true), ("#", "x", true), ("a/b", "a/b", true),
            ("a/sensor/{room}_t/state", "a/sensor/bad_t/state", true), ("z/floor", "z/{room}", false),
            ("z/{room}", "z/a/b", false), ("z/{room}", "z/#", false), ("a/{room}/t", "+/x/t", false),
            ("a/sensor/{room}_t/state", "a/sensor/+/state", false), ("a/b", "a/c", false), ("z/{room}", "z", false),
            ("a/{room...}/t", "a/b/t", false), ("a/{room...}/t", "a/{room...}/t", true),
        ])
    func covers(wide: String, narrow: String, isCovered: Bool) throws {
        #expect(try TopicPattern(wide).covers(TopicPattern(narrow)) == isCovered)
    }

    @Test(
        "a topic that everything fits",
        arguments: [("#", true), ("+/#", true), ("{room...}", true), ("{room}/#", true)])
    func takesAll(pattern: String, all: Bool) throws { #expect(try TopicPattern(pattern).takesAll == all) }

    @Test(
        "and those that have a word or an end",
        arguments: ["a/#", "+/+", "{room}", "a{room}/#", "+/events/#", "a/{room...}"])
    func takesSome(pattern: String) throws { #expect(try !TopicPattern(pattern).takesAll) }

    // MARK: Paths

    @Test(
        "paths lead to the right place",
        arguments: [
            ("a.b", #"{"a":{"b":1}}"#, "1"), ("a\\.b", #"{"a.b":2,"a":{"b":1}}"#, "2"), ("0.v", #"[{"v":3}]"#, "3"),
            ("1", #"{"1":4}"#, "4"), ("*.t", #"{"x":1,"y":{"t":5},"z":{"t":6}}"#, "5"), ("\\*", #"{"*":7}"#, "7"),
            ("temperature:0.tC", #"{"temperature:0":{"tC":8}}"#, "8"), ("é", "{\"\\u00e9\":9}", "9"),
            ("*", "[10,11]", "10"),
        ])
    func paths(path: String, payload: String, value: String) throws {
        let field = try JSONPath(path).field(in: Array(payload.utf8).span)
        #expect(field == .number(value))
    }

    @Test("a member that comes twice is refused only where the path goes")
    func duplicates() throws {
        #expect(throws: JSONPath.Failure.duplicateKey) {
            try JSONPath("a").field(in: Array(#"{"a":1,"a":2}"#.utf8).span)
        }
        #expect(try JSONPath("b").field(in: Array(#"{"a":1,"a":2,"b":3}"#.utf8).span) == .number("3"))
    }

    @Test("nesting has an end")
    func nesting() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONPath.Failure.notJSON) { try JSONPath("a").field(in: Array(deep.utf8).span) }
    }

    // MARK: Times

    @Test(
        "the device's time, whatever its form",
        arguments: [
            (#""2026-11-29T11:59:00+01:00""#, "2026-11-29T10:59:00Z", "device"),
            (#""2026-11-29 11:59:00""#, "2026-11-29T11:59:00Z", "device"),
            ("1795953540", "2026-11-29T11:59:00Z", "device"), ("1795953540000", "2026-11-29T11:59:00Z", "device"),
            ("1669541352.21", "2022-11-27T09:29:12.21Z", "device"),
            (#""1795953540000""#, "2026-11-29T11:59:00Z", "device"),
            ("0", "2026-11-29T12:00:00Z", "absurd"), ("1", "2026-11-29T12:00:00Z", "absurd"),
            ("null", "2026-11-29T12:00:00Z", "missing"),
            (#""1970-01-01T00:00:12""#, "2026-11-29T12:00:00Z", "absurd"),
            (#""2099-01-01T00:00:00Z""#, "2026-11-29T12:00:00Z", "absurd"),
            (#""soon""#, "2026-11-29T12:00:00Z", "absurd"), ("true", "2026-11-29T12:00:00Z", "absurd"),
            ("-5", "2026-11-29T12:00:00Z", "absurd"),
            ("1e400", "2026-11-29T12:00:00Z", "absurd"), (#""@0.1s""#, "2026-11-29T12:00:00Z", "absurd"),
        ])
    func times(time: String, means: String, source: String) throws {
        let rules = DeviceRules([try rule("zigbee2mqtt")])
        let reading = try reading(rules, "zigbee2mqtt/office", #"{"temperature":20,"last_seen":\#(time)}"#)
        #expect(reading.time.timestamp.description == means)
        #expect(reading.time.source.rawValue == source)
        #expect(reading.obeyed == 20)
        // What is recorded is read back as the same time and number.
        let again = try Reading(payload: reading.recordPayload)
        #expect(again.time.timestamp == reading.time.timestamp && again.value == reading.value)
    }

    @Test("a box whose clock was never set believes the device")
    func unsetClock() throws {
        let rules = DeviceRules([try rule("zigbee2mqtt")])
        let outcomes = rules.read(
            topic: "zigbee2mqtt/office", payload: Array(#"{"temperature":20,"last_seen":1795953540000}"#.utf8),
            isRetained: false,
            arrival: Timestamp(nanoseconds: 5))
        guard case .reading(let reading)? = outcomes.first else { throw DeviceTableError("", "\(outcomes)") }
        #expect(reading.time.timestamp.description == "2026-11-29T11:59:00Z")
    }

    // MARK: What is recorded

    @Test("the record is the contract's, with the number's text as read")
    func record() throws {
        let rules = DeviceRules([try rule("tasmota")])
        let reading = try reading(
            rules, "tele/office/SENSOR",
            #"{"Time":"2026-11-29T13:00:00","SI7021":{"Temperature":70.20},"TempUnit":"F"}"#)
        #expect(reading.recordTopic == "office/temperature")
        #expect(
            String(decoding: reading.recordPayload, as: UTF8.self)
                == #"{"timestamp":"2026-11-29T13:00:00","value":70.20}"#)
        #expect(reading.source == "tele/office/SENSOR")
        #expect(reading.unitAttribute == "F")
        #expect(reading.time.isNaive)
        #expect(abs((reading.obeyed ?? 0) - 21.222222) < 1e-6)
    }

    @Test("a fault is recorded and not obeyed; another measure too")
    func notObeyed() throws {
        let rules = DeviceRules([try rule("tasmota"), try rule("tasmota") { $0.measure = "humidity" }])
        let payload = #"{"Time":"2026-11-29T12:00:00","AM2301":{"Temperature":85.0,"Humidity":41.5},"TempUnit":"C"}"#
        let outcomes = rules.read(
            topic: "tele/office/SENSOR", payload: Array(payload.utf8), isRetained: false, arrival: arrival)
        let readings = outcomes.compactMap { if case .reading(let reading) = $0 { reading } else { nil } }
        #expect(readings.map(\.recordTopic) == ["office/temperature", "office/humidity"])
        #expect(readings.map(\.obeyed) == [nil, nil])
        #expect(readings.map(\.isFault) == [true, false])
        #expect(readings[1].unit == nil && readings[1].valueText == "41.5")
    }

    // MARK: The black box

    @Test("with no rule of one's own every byte is the contract's")
    func blackBox() throws {
        let rules = DeviceRules([])
        #expect(rules.isBlackBoxOnly && rules.filters == ["+/temperature"])
        let payload = #"{"value": 10.77887475165167,  "timestamp": "2026-11-23T10:00:00.123456", "more": [1]}"#
        let reading = try reading(rules, "office/temperature", payload)
        #expect(reading.recordPayload == Array(payload.utf8))
        #expect(reading.source == nil && reading.unitAttribute == nil && reading.time.isNaive)
        #expect(reading.obeyed == 10.77887475165167)
    }

    @Test("the contract's rule reads what the contract's parser reads, and rejects with its word")
    func sameAsContract() {
        let payloads = [
            "{\"timestamp\": \"2026-11-23T10:00:00\", \"value\": 1}", "\u{FEFF}{}", "{}", "[]", "", "21",
            "{\"value\":1}", "nul\0",
            "{\"timestamp\":1,\"value\":1}", "{\"timestamp\":\"2026-11-23T10:00:00\",\"value\":null}",
        ]
        for payload in payloads {
            let outcome = DeviceRules([]).read(
                topic: "a/temperature", payload: Array(payload.utf8), isRetained: false, arrival: arrival)
            do throws(PayloadError) {
                let wanted = try Reading(payload: Array(payload.utf8))
                guard case .reading(let reading)? = outcome.first else {
                    Issue.record("\(payload): \(outcome)")
                    continue
                }
                #expect(reading.valueText == wanted.valueText && reading.time.timestamp == wanted.time.timestamp)
            } catch {
                guard case .rejected(let rejection)? = outcome.first else {
                    Issue.record("\(payload): \(outcome)")
                    continue
                }
                #expect(rejection.reason.rawValue == error.rawValue)
            }
        }
    }

    @Test("a rule of one's own for the black box's topic stands before it")
    func ownRuleFirst() throws {
        let rules = DeviceRules([try rule("plain") { $0.topic = "{room}/temperature" }])
        #expect(try reading(rules, "office/temperature", "21.5").valueText == "21.5")
        #expect(rules.filters == ["+/temperature"])
    }
}
