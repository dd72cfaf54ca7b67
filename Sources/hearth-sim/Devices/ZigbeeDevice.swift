/// Zigbee2MQTT with a battery sensor, whose last word the broker keeps, and a plug
/// (https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html).
struct ZigbeeDevice: DeviceModel {
    let room: String

    private var sensor: String { "zigbee2mqtt/\(room) sensor" }
    private var plug: String { "zigbee2mqtt/\(room) plug" }

    var will: Said { Said(topic: "\(plug)/availability", payload: #"{"state":"offline"}"#, isRetained: true) }
    var commandTopic: String { "\(plug)/set" }

    var announcements: [Said] {
        let devices = #"""
            [{"ieee_address":"0x00124b0024c0ffee","type":"Coordinator","friendly_name":"Coordinator","supported":true,"definition":null},{"ieee_address":"0x00158d0001dead","type":"EndDevice","friendly_name":"\#(room) sensor","power_source":"Battery","supported":true,"definition":{"model":"WSDCGQ11LM","vendor":"Aqara","exposes":[{"access":1,"name":"battery","property":"battery","type":"numeric","unit":"%"},{"access":1,"name":"temperature","property":"temperature","type":"numeric","unit":"°C"},{"access":1,"name":"humidity","property":"humidity","type":"numeric","unit":"%"}]}},{"ieee_address":"0xa4c1380000beef","type":"Router","friendly_name":"\#(room) plug","power_source":"Mains (single phase)","supported":true,"definition":{"model":"TS011F_plug_1","vendor":"Tuya","exposes":[{"type":"switch","features":[{"access":7,"name":"state","property":"state","type":"binary","value_off":"OFF","value_on":"ON","value_toggle":"TOGGLE"}]},{"access":5,"name":"power","property":"power","type":"numeric","unit":"W"}]}}]
            """#
        return [
            Said(topic: "zigbee2mqtt/bridge/state", payload: #"{"state":"online"}"#, isRetained: true),
            Said(topic: "zigbee2mqtt/bridge/devices", payload: devices, isRetained: true),
            Said(topic: "\(plug)/availability", payload: #"{"state":"online"}"#, isRetained: true),
        ]
    }

    func isOn(command payload: [UInt8]) -> Bool? {
        switch String(decoding: payload, as: UTF8.self).filter({ $0 != " " }) {
        case #"{"state":"ON"}"#: true
        case #"{"state":"OFF"}"#: false
        default: nil
        }
    }

    func number(of celsius: Double) -> String { decimals(celsius, 2) }

    func readings(_ number: String, celsius: Double, second: Int64) -> [Said] {
        [
            Said(
                topic: sensor,
                payload:
                    #"{"battery":97,"humidity":44.72,"last_seen":\#(second * 1000),"linkquality":120,"temperature":\#(number)}"#,
                isRetained: true)
        ]
    }

    func state(isOn: Bool, watts: Double) -> [Said] {
        [
            Said(
                topic: plug,
                payload: #"{"linkquality":150,"power":\#(decimals(watts, 0)),"state":"\#(isOn ? "ON" : "OFF")"}"#)
        ]
    }

    func broken(_ number: Int) -> [Said] {
        let payloads = [
            #"{"temperature":null,"battery":97}"#, #"{"battery":3,"linkquality":20}"#,
            #"{"temperature":"unavailable"}"#,
        ]
        return [Said(topic: sensor, payload: payloads[number % payloads.count])]
    }
}
