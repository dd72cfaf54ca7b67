/// An ESPHome node, known by Home Assistant's discovery; its states are retained (https://esphome.io/components/mqtt.html).
struct ESPHomeDevice: DeviceModel {
    let room: String

    private var node: String { "\(room)-node" }
    private var sensor: String { "\(node)/sensor/temperature/state" }

    var will: Said { Said(topic: "\(node)/status", payload: "offline", isRetained: true) }
    var commandTopic: String { "\(node)/switch/heatpump/command" }

    var announcements: [Said] {
        let device =
            #""dev":{"ids":"a8032aC0FFEE","name":"\#(node)","sa":"\#(room)","mf":"espressif","sw":"esphome v2024.6.0"}"#
        return [
            Said(topic: "\(node)/status", payload: "online", isRetained: true),
            Said(
                topic: "homeassistant/sensor/\(node)/temperature/config",
                payload:
                    #"{"dev_cla":"temperature","unit_of_meas":"°C","stat_cla":"measurement","name":"Temperature","stat_t":"\#(sensor)","avty_t":"\#(node)/status","uniq_id":"ESPsensortemperature",\#(device)}"#,
                isRetained: true),
            Said(
                topic: "homeassistant/switch/\(node)/heatpump/config",
                payload:
                    #"{"name":"Heatpump","stat_t":"\#(node)/switch/heatpump/state","cmd_t":"\#(commandTopic)","avty_t":"\#(node)/status","uniq_id":"ESPswitchheatpump",\#(device)}"#,
                isRetained: true),
        ]
    }

    func isOn(command payload: [UInt8]) -> Bool? {
        switch String(decoding: payload, as: UTF8.self).uppercased() {
        case "ON": true
        case "OFF": false
        default: nil
        }
    }

    func number(of celsius: Double) -> String { decimals(celsius, 1) }

    func readings(_ number: String, celsius: Double, second: Int64) -> [Said] {
        [Said(topic: sensor, payload: number, isRetained: true)]
    }

    func state(isOn: Bool, watts: Double) -> [Said] {
        [Said(topic: "\(node)/switch/heatpump/state", payload: isOn ? "ON" : "OFF", isRetained: true)]
    }

    func broken(_ number: Int) -> [Said] {
        [Said(topic: sensor, payload: ["nan", "85.0"][number % 2])]
    }
}
