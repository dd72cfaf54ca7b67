import Testing

@testable import Heating

/// Payloads of other measures than the temperature, as documentation and bug reports have them; names of people and places are
/// replaced.
@Suite("Measures: payloads of real devices, the broken ones too")
struct MeasurePayloadTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var kind: String
        var measure: String
        var topic: String
        var payload: String
        /// The room and the number's text, or why there is none.
        var room: String?
        var value: String?
        var reason: PayloadError?

        init(_ kind: String, _ measure: String, _ topic: String, _ payload: String, _ room: String, _ value: String) {
            (self.kind, self.measure, self.topic, self.payload) = (kind, measure, topic, payload)
            (self.room, self.value) = (room, value)
        }

        init(_ kind: String, _ measure: String, _ topic: String, _ payload: String, _ reason: PayloadError) {
            (self.kind, self.measure, self.topic, self.payload, self.reason) = (kind, measure, topic, payload, reason)
        }

        var testDescription: String { "\(kind) \(measure) \(payload)" }
    }

    // https://www.zigbee2mqtt.io/devices/VOCKQJK11LM.html, /devices/WSDCGQ11LM.html, /devices/SNZB-02D.html and
    // https://github.com/Koenkk/zigbee2mqtt/issues/3281 (null after a restart).
    private static let zigbee2mqtt: [Case] = [
        .init(
            "zigbee2mqtt", "humidity", "zigbee2mqtt/office",
            #"{"battery":97,"humidity":52.43,"linkquality":105,"pressure":1008.5,"temperature":21.07,"voltage":2995}"#,
            "office", "52.43"),
        .init(
            "zigbee2mqtt", "pressure", "zigbee2mqtt/office", #"{"pressure":1008.50,"temperature":21}"#, "office",
            "1008.50"),
        .init("zigbee2mqtt", "battery", "zigbee2mqtt/Küche Süd", #"{"battery":100}"#, "Küche Süd", "100"),
        .init("zigbee2mqtt", "co2", "zigbee2mqtt/office", #"{"co2":612,"last_seen":1795953600123}"#, "office", "612"),
        .init("zigbee2mqtt", "humidity", "zigbee2mqtt/office", #"{"humidity":null,"temperature":null}"#, .nullValue),
        .init("zigbee2mqtt", "humidity", "zigbee2mqtt/office", #"{"humidity":"unavailable"}"#, .unavailable),
        .init("zigbee2mqtt", "humidity", "zigbee2mqtt/office", #"{"humidity":"NaN"}"#, .notFinite),
        .init("zigbee2mqtt", "humidity", "zigbee2mqtt/office", #"{"humidity":"48,1"}"#, "office", "48.1"),
        .init("zigbee2mqtt", "humidity", "zigbee2mqtt/office", #"{"state":"ON"}"#, .missingValue),
        .init("zigbee2mqtt", "humidity", "zigbee2mqtt/office", #"{"humidity":{"value":48}}"#, .notANumber),
        .init("zigbee2mqtt", "humidity", "zigbee2mqtt/office", #"{"humidity":48,"humidity":49}"#, .duplicateKey),
        .init(
            "zigbee2mqtt", "energy", "zigbee2mqtt/plug", #"{"energy":12.340,"power":0,"state":"OFF"}"#, "plug", "12.340"
        ),
    ]

    // https://tasmota.github.io/docs/MQTT/, /docs/CO2-Sensors (SCD30), /docs/Energy-Devices; null of a sensor that was not read:
    // https://github.com/arendst/Tasmota/issues/9136.
    private static let tasmota: [Case] = [
        .init(
            "tasmota", "humidity", "tele/bath/SENSOR",
            #"{"Time":"2026-11-29T10:00:00","AM2301":{"Temperature":21.5,"Humidity":60.2,"DewPoint":13.5},"TempUnit":"C"}"#,
            "bath", "60.2"),
        .init(
            "tasmota", "co2", "tele/office/SENSOR",
            #"{"Time":"2026-11-29T10:00:00","SCD30":{"CarbonDioxide":812,"eCO2":755,"Temperature":22.8,"Humidity":41.3}}"#,
            "office", "812"),
        .init(
            "tasmota", "power", "tele/plug/SENSOR",
            #"{"Time":"2026-11-29T10:00:00","ENERGY":{"Total":3.185,"Yesterday":3.058,"Power":812,"Voltage":230}}"#,
            "plug", "812"),
        .init("tasmota", "energy", "tele/plug/SENSOR", #"{"ENERGY":{"Total":3.185,"Power":0}}"#, "plug", "3.185"),
        .init(
            "tasmota", "humidity", "tele/bath/SENSOR", #"{"AM2301":{"Temperature":null,"Humidity":null}}"#, .nullValue),
        .init(
            "tasmota", "humidity", "tele/bath/SENSOR", #"{"DS18B20":{"Temperature":21.5},"TempUnit":"C"}"#,
            .missingValue),
        .init(
            "tasmota", "pressure", "tele/attic/SENSOR", #"{"BMP280":{"Temperature":4.1,"Pressure":988.4}}"#, "attic",
            "988.4"),
    ]

    // https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Humidity/ and /DevicePower/; Gen1: /gen1/#shelly-h-amp-t-mqtt.
    private static let shelly: [Case] = [
        .init("shelly", "humidity", "hall/status/humidity:0", #"{"id":0,"rh":54.3}"#, "hall", "54.3"),
        .init(
            "shelly", "humidity", "hall/status/humidity:0", #"{"id":0,"rh":null,"errors":["out_of_range"]}"#, .nullValue
        ),
        .init(
            "shelly", "battery", "hall/status/devicepower:0",
            #"{"id":0,"battery":{"V":5.82,"percent":87},"external":{"present":false}}"#, "hall", "87"),
        .init(
            "shelly", "power", "pump/status/switch:0",
            #"{"id":0,"source":"MQTT","output":true,"apower":812.4,"voltage":230.1,"aenergy":{"total":1.2}}"#, "pump",
            "812.4"),
        .init("shelly1", "humidity", "shellies/hall/sensor/humidity", "54.5", "hall", "54.5"),
        .init("shelly1", "battery", "shellies/hall/sensor/battery", "100", "hall", "100"),
        .init("shelly1", "power", "shellies/plug/relay/0/power", "0.00", "plug", "0.00"),
        .init("shelly1", "humidity", "shellies/hall/sensor/humidity", "", .empty),
    ]

    // https://esphome.io/components/mqtt.html ("nan" for no reading: https://github.com/esphome/issues/issues/2124); Homie 4,
    // https://homieiot.github.io/specification/; rtl_433, https://triq.org/rtl_433/OPERATION.html; HeishaMon, MQTT-Topics.md;
    // EMS-ESP, https://docs.emsesp.org/MQTT.
    private static let others: [Case] = [
        .init("esphome", "humidity", "attic/sensor/humidity/state", "61.04", "attic", "61.04"),
        .init("esphome", "humidity", "attic/sensor/humidity/state", "nan", .notFinite),
        .init("esphome", "co2", "attic/sensor/co2/state", "415", "attic", "415"),
        .init("homie", "humidity", "homie/bath/sht/humidity", "55.2", "bath", "55.2"),
        .init("homie", "humidity", "homie/bath/sht/humidity", "unknown", .unavailable),
        .init("heishamon", "flow_temperature", "panasonic_heat_pump/main/Main_Outlet_Temp", "35.25", "office", "35.25"),
        .init("heishamon", "outside_temperature", "panasonic_heat_pump/main/Outside_Temp", "-3", "office", "-3"),
        .init("heishamon", "power", "panasonic_heat_pump/main/Heat_Power_Consumption", "1200", "office", "1200"),
        .init(
            "ems-esp", "flow_temperature", "ems-esp/boiler_data",
            #"{"heatingactive":"on","curflowtemp":38.6,"rettemp":33.1,"outdoortemp":2.5}"#, "office", "38.6"),
        .init("ems-esp", "return_temperature", "ems-esp/boiler_data", #"{"curflowtemp":38.6}"#, .missingValue),
        .init("plain", "humidity", "a/sensor", " 48,10 % \n", "office", "48.10"),
        .init("plain", "pressure", "a/sensor", "1013.25", "office", "1013.25"),
        .init("plain", "humidity", "a/sensor", "0x1F", .badValue),
        .init("plain", "humidity", "a/sensor", "on", .badValue),
        .init("plain", "humidity", "a/sensor", "48 RH", .badValue),
        .init("plain", "humidity", "a/sensor", "--", .unavailable),
        .init("plain", "humidity", "a/sensor", "1e999", .notFinite),
        .init("plain", "flow_temperature", "a/sensor", "-300", .impossible),
    ]

    private func rules(_ kind: String, _ measure: String) throws -> DeviceRules {
        var table = SensorTable()
        table.measure = measure
        // Of devices and topics that name no room.
        if ["plain", "heishamon", "ems-esp"].contains(kind) { table.room = "office" }
        if kind == "plain" { table.topic = "a/sensor" }
        return DeviceRules([try SensorRule(kind: kind, table.over(try #require(DeviceKind.builtIn(kind)).sensor))])
    }

    @Test("what is understood, to the digit, and why not", arguments: zigbee2mqtt + tasmota + shelly + others)
    func payloads(_ one: Case) throws {
        let rules = try rules(one.kind, one.measure)
        let outcomes = rules.read(
            topic: one.topic, payload: Array(one.payload.utf8), isRetained: false,
            arrival: Timestamp(nanoseconds: 1_795_953_600_000_000_000))
        switch try #require(outcomes.first) {
        case .reading(let reading):
            #expect(reading.room.name == one.room && reading.valueText == one.value, "\(reading)")
            #expect(reading.recordTopic == "\(one.room ?? "")/\(one.measure)" && reading.obeyed == nil)
        case .rejected(let rejection), .passedOver(let rejection):
            #expect(rejection.reason == one.reason, "\(rejection)")
        }
    }

    @Test("names of several levels, retained messages and times since 1970 as for temperatures")
    func rest() throws {
        var table = SensorTable()
        (table.measure, table.topic) = ("humidity", "zigbee2mqtt/{room...}")
        let kind = try #require(DeviceKind.builtIn("zigbee2mqtt"))
        let rules = DeviceRules([try SensorRule(kind: kind.name, table.over(kind.sensor))])
        func read(_ payload: String, isRetained: Bool = false) -> DeviceOutcome? {
            rules.read(
                topic: "zigbee2mqtt/EG/Bad Nord", payload: Array(payload.utf8), isRetained: isRetained,
                arrival: Timestamp(nanoseconds: 1_795_953_700_000_000_000)
            ).first
        }
        guard case .reading(let reading)? = read(#"{"humidity":48,"last_seen":1795953600123}"#) else {
            Issue.record("no reading")
            return
        }
        #expect(reading.room.name == "EG-Bad Nord" && reading.time.text == "2026-11-29T12:00:00.123Z")
        #expect(reading.time.source == .device)
        guard case .passedOver(let kept)? = read(#"{"humidity":48}"#, isRetained: true) else {
            Issue.record("taken for live")
            return
        }
        #expect(kept.reason == .retained)
    }
}
