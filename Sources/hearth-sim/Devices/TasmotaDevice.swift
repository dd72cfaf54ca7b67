/// A Tasmota with an AM2301 and a relay (https://tasmota.github.io/docs/MQTT/); it answers a command on `stat`, twice.
struct TasmotaDevice: DeviceModel {
    let room: String
    let isFahrenheit: Bool

    private let topic = "tasmota_1A2B3C"

    var will: Said { Said(topic: "tele/\(topic)/LWT", payload: "Offline", isRetained: true) }
    var commandTopic: String { "cmnd/\(topic)/POWER" }
    private var unit: String { isFahrenheit ? "F" : "C" }

    var announcements: [Said] {
        let discovery = "tasmota/discovery/AABBCC1A2B3C"
        let config =
            #"{"ip":"192.0.2.7","dn":"\#(room)","fn":["\#(room)",null,null,null,null,null,null,null],"hn":"tasmota-1A2B3C","mac":"AABBCC1A2B3C","md":"Sonoff TH","ty":0,"if":0,"ofln":"Offline","onln":"Online","state":["OFF","ON","TOGGLE","HOLD"],"sw":"13.1.0","t":"\#(topic)","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1,0,0,0,0,0,0,0],"swc":[-1,-1,-1,-1,-1,-1,-1,-1],"ver":1}"#
        let sensors =
            #"{"sn":{"Time":"2026-11-29T12:00:00","AM2301":{"Temperature":20.5,"Humidity":40.1,"DewPoint":6.5},"TempUnit":"\#(unit)"},"ver":1}"#
        return [
            Said(topic: "tele/\(topic)/LWT", payload: "Online", isRetained: true),
            Said(topic: "\(discovery)/config", payload: config, isRetained: true),
            Said(topic: "\(discovery)/sensors", payload: sensors, isRetained: true),
        ]
    }

    func isOn(command payload: [UInt8]) -> Bool? {
        switch String(decoding: payload, as: UTF8.self).uppercased() {
        case "ON", "1", "TRUE": true
        case "OFF", "0", "FALSE": false
        default: nil
        }
    }

    func number(of celsius: Double) -> String { decimals(isFahrenheit ? celsius * 9 / 5 + 32 : celsius, 1) }

    func readings(_ number: String, celsius: Double, second: Int64) -> [Said] {
        [
            Said(
                topic: "tele/\(topic)/SENSOR",
                payload:
                    #"{"Time":"\#(isoSecond(second))","AM2301":{"Temperature":\#(number),"Humidity":40.1,"DewPoint":6.5},"TempUnit":"\#(unit)"}"#
            )
        ]
    }

    func state(isOn: Bool, watts: Double) -> [Said] {
        let word = isOn ? "ON" : "OFF"
        return [
            Said(topic: "stat/\(topic)/RESULT", payload: #"{"POWER":"\#(word)"}"#),
            Said(topic: "stat/\(topic)/POWER", payload: word),
        ]
    }

    func broken(_ number: Int) -> [Said] {
        let payloads = [
            #"{"Time":"1970-01-01T00:00:12","AM2301":{"Temperature":null,"Humidity":null},"TempUnit":"C"}"#,
            #"{"Time":"2026-11-29T12:00:00","AM2301":{"Temperature":nan},"TempUnit":"C"}"#,
        ]
        return [Said(topic: "tele/\(topic)/SENSOR", payload: payloads[number % payloads.count])]
    }
}
