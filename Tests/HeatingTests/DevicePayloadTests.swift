import Testing

@testable import Heating

/// Payloads of real devices, from their documentation and from public issues; names of people and places are replaced.
/// The room is the device's name in the topic unless the rule says otherwise.
@Suite("Devices: what real payloads mean")
struct DevicePayloadTests {
    static let arrival = Timestamp(nanoseconds: 1_795_953_600_000_000_000)  // 2026-11-29T12:00:00Z

    struct Case: Sendable, CustomTestStringConvertible {
        /// Given by ``DevicePayloadTests/of(_:_:)``.
        var kind = ""
        var topic: String
        var payload: String
        /// `room value`, `room value unit`, or a reason.
        var means: String
        var rule: @Sendable (inout SensorTable) -> Void
        var isRetained: Bool

        init(
            _ topic: String, _ payload: String, means: String,
            rule: @escaping @Sendable (inout SensorTable) -> Void = { _ in }, isRetained: Bool = false
        ) {
            (self.topic, self.payload, self.means) = (topic, payload, means)
            (self.rule, self.isRetained) = (rule, isRetained)
        }

        var testDescription: String { "\(kind): \(topic) \(payload.prefix(60))" }
    }

    static func outcomes(_ one: Case) throws -> [DeviceOutcome] {
        let kind = try #require(DeviceKind.builtIn(one.kind))
        var table = SensorTable()
        one.rule(&table)
        let rules = DeviceRules([try SensorRule(kind: one.kind, table.over(kind.sensor))], addsBlackBox: false)
        return rules.read(
            topic: one.topic, payload: Array(one.payload.utf8), isRetained: one.isRetained, arrival: arrival)
    }

    static func summary(_ outcomes: [DeviceOutcome]) -> String {
        outcomes.map { outcome in
            switch outcome {
            case .reading(let reading):
                "\(reading.room) \(reading.valueText)\(reading.unitAttribute.map { " " + $0 } ?? "")\(reading.isFault ? " fault" : "")"
            case .rejected(let rejection): rejection.reason.rawValue
            case .passedOver(let rejection): "(\(rejection.reason.rawValue))"
            }
        }.joined(separator: ", ")
    }

    @Test("each payload has the right value or the right reason", arguments: cases)
    func means(_ one: Case) throws {
        #expect(Self.summary(try Self.outcomes(one)) == one.means)
    }

    static func of(_ kind: String, _ cases: [Case]) -> [Case] {
        cases.map { one in
            var one = one
            one.kind = kind
            return one
        }
    }

    static let cases = zigbee + tasmota + shelly + shelly1 + esphome + homie + rtl433 + heishamon + ems + plain + hearth

    // https://github.com/heishamon/HeishaMon/blob/main/MQTT-Topics.md, heishamon/HeishaMon#350, #532, #554
    static let heishamon = of(
        "heishamon",
        [
            Case(
                "panasonic_heat_pump/main/Room_Thermostat_Temp", "21", means: "living 21", rule: { $0.room = "living" }),
            Case(
                "panasonic_heat_pump/main/Room_Thermostat_Temp", "-78", means: "living -78 fault",
                rule: { $0.room = "living" }),
            Case(
                "panasonic_heat_pump/main/Room_Thermostat_Temp", "-128", means: "living -128 fault",
                rule: { $0.room = "living" }),
            Case(
                "panasonic_heat_pump/main/Main_Outlet_Temp", "22.50", means: "living 22.50",
                rule: {
                    $0.room = "living"
                    $0.measure = "flow_temperature"
                }),
            Case(
                "panasonic_heat_pump/main/Main_Inlet_Temp", "23.25", means: "living 23.25",
                rule: {
                    $0.room = "living"
                    $0.measure = "return_temperature"
                }),
            Case(
                "panasonic_heat_pump/main/Heat_Power_Consumption", "1200", means: "living 1200",
                rule: {
                    $0.room = "living"
                    $0.measure = "power"
                }),
            Case("panasonic_heat_pump/main/Compressor_Freq", "0", means: "", rule: { $0.room = "living" }),
        ])

    // https://docs.emsesp.org/MQTT, emsesp/EMS-ESP#389, #636, #162, #248
    static let ems = of(
        "ems-esp",
        [
            Case(
                "ems-esp/thermostat_data", #"{"hc1":{"seltemp":21,"currtemp":19.7,"mode":"auto"}}"#,
                means: "living 19.7", rule: { $0.room = "living" }),
            Case(
                "ems-esp/thermostat_data",
                #"{"hc1":{"seltemp":21,"currtemp":19.7},"hc2":{"seltemp":18,"currtemp":17.9}}"#, means: "bath 17.9",
                rule: {
                    $0.room = "bath"
                    $0.value = "hc2.currtemp"
                }),
            Case(
                "ems-esp/thermostat_data", #"{"hc1":{"seltemp":21,"mode":"auto"}}"#, means: "(missing_value)",
                rule: { $0.room = "living" }),
            Case(
                "ems-esp/thermostat_data", #"{"hc1":{"seltemp":null,"currtemp":null}}"#, means: "null_value",
                rule: { $0.room = "living" }),
            Case(
                "ems-esp/boiler_data", #"{"curflowtemp":45.3,"outdoortemp":8.6,"heatingactivated":"on"}"#,
                means: "living 45.3",
                rule: {
                    $0.room = "living"
                    $0.measure = "flow_temperature"
                }),
            Case(
                "ems-esp/thermostat_data", #"{"hc1":{"currtemp":"19.7"}}"#, means: "living 19.7",
                rule: { $0.room = "living" }),
            Case(
                "ems-esp/thermostat_data", #"{"hc1":{"currtemp":19.7"#, means: "not_json", rule: { $0.room = "living" }),
        ])

    // Scripts of people's own: the twenty forms of a field report, kvj/hass_Mtastic_MQTT#13, thingsboard-gateway#40.
    static let plain = of(
        "plain",
        [
            ("21.5", "office 21.5"), ("21,5", "office 21.5"), (" 21.5 \n", "office 21.5"), ("+3.1", "office 3.1"),
            (".5", "office 0.5"), ("-.5", "office -0.5"), ("03.1", "office 3.1"), ("5.", "office 5"),
            ("\"21.5\"", "office 21.5"),
            ("3.1 °C", "office 3.1"), ("3.1°C", "office 3.1"), ("70.2°F", "office 70.2 F"),
            ("294.65 K", "office 294.65 K"),
            ("\u{2212}5.2", "office -5.2"), ("21.5°", "office 21.5"), ("21.5 ˚C", "office 21.5"),
            ("21.5&deg;C", "office 21.5"), ("21.5 degrees Celsius", "office 21.5"), ("70.2 degrees F", "office 70.2 F"),
            ("21.5 Grad", "office 21.5"), ("21.5 gallons", "bad_value"), ("21.5 de", "bad_value"),
            ("\u{2212}", "bad_value"),
            ("\u{FEFF}21.5", "office 21.5"), ("21.5\0", "office 21.5"),
            ("21.50000000000000000001", "office 21.50000000000000000001"),
            ("NaN", "not_finite"), ("-inf", "not_finite"), ("1e999", "not_finite"), ("unavailable", "unavailable"),
            ("--", "unavailable"), ("ON", "bad_value"),
            ("true", "bad_value"), ("1.234,5", "bad_value"), ("1,2,3", "bad_value"), ("21.5 %RH", "bad_value"),
            ("0x15", "bad_value"), ("21.5 %", "bad_value"), ("nan °C", "not_finite"), ("unavailable °C", "unavailable"),
            ("nan C", "not_finite"), ("error °C", "bad_value"), ("-7", "office -7"), ("21.5 Celcius", "bad_value"),
            ("{'value': 3.1}", "not_a_number"), ("-300", "impossible_value"), ("-4 K", "impossible_value"),
        ].map { payload, means in
            Case("office/t", payload, means: means, rule: { $0.topic = "{room}/t" })
        })

    /// The contract's own payloads are read as the contract says and by nothing else.
    static let hearth = of(
        "hearth",
        [
            (#"{"timestamp": "2026-11-23T10:00:00.123456", "value": 10.77887475165167}"#, "office 10.77887475165167"),
            (#"{"timestamp": "2026-11-23T10:00:00", "value": 100}"#, "office 100"),
            (#"{"timestamp": "2026-11-23T10:00:00Z", "value": "20.5"}"#, "office 20.5"),
            (#"{"value": 21.5}"#, "missing_timestamp"),
            (#"{"timestamp": "yesterday", "value": 21.5}"#, "bad_timestamp"), ("21.5", "not_an_object"),
            ("", "not_json"),
            (#"{"timestamp": "2026-11-23T10:00:00", "value": NaN}"#, "not_finite"),
            (#"{"timestamp": "2026-11-23T10:00:00", "value": 1, "value": 2}"#, "duplicate_key"),
        ].map { payload, means in Case("office/temperature", payload, means: means) })
}
