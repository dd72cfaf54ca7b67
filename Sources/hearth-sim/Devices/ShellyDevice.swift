/// A Shelly Plus 1PM with the add-on's sensor, and "Generic status update over MQTT" on
/// (https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Mqtt/).
struct ShellyDevice: DeviceModel {
    private let id = "shellyplus1pm-a8032a"

    var will: Said { Said(topic: "\(id)/online", payload: "false", isRetained: true) }
    var commandTopic: String { "\(id)/command/switch:0" }
    var announcements: [Said] { [Said(topic: "\(id)/online", payload: "true", isRetained: true)] }

    /// Its meter's word changes each minute.
    var repeatsState: Bool { true }

    func isOn(command payload: [UInt8]) -> Bool? {
        switch String(decoding: payload, as: UTF8.self) {
        case "on": true
        case "off": false
        default: nil
        }
    }

    func number(of celsius: Double) -> String { decimals(celsius, 1) }

    func readings(_ number: String, celsius: Double, second: Int64) -> [Said] {
        let fahrenheit = decimals(celsius * 9 / 5 + 32, 1)
        return [
            Said(
                topic: "\(id)/status/temperature:0",
                payload: #"{"id": 0,"tC":\#(number), "tF":\#(fahrenheit)}"#)
        ]
    }

    func state(isOn: Bool, watts: Double) -> [Said] {
        [
            Said(
                topic: "\(id)/status/switch:0",
                payload:
                    #"{"id":0, "source":"MQTT", "output":\#(isOn), "apower":\#(decimals(watts, 1)), "voltage":230.1, "temperature":{"tC":41.2, "tF":106.2}}"#
            )
        ]
    }

    func broken(_ number: Int) -> [Said] {
        let payloads = [#"{"id": 0,"tC":null, "tF":null, "errors":["read"]}"#, #"{"id": 0,"tC":85.0, "tF":185.0}"#]
        return [Said(topic: "\(id)/status/temperature:0", payload: payloads[number % payloads.count])]
    }
}
