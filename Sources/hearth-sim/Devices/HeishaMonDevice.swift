/// A HeishaMon at a Panasonic heat pump; all its topics are retained
/// (https://github.com/heishamon/HeishaMon/blob/main/MQTT-Topics.md).
struct HeishaMonDevice: DeviceModel {
    private let base = "panasonic_heat_pump"

    var will: Said { Said(topic: "\(base)/LWT", payload: "Offline", isRetained: true) }
    var commandTopic: String { "\(base)/commands/SetHeatpump" }
    var announcements: [Said] { [Said(topic: "\(base)/LWT", payload: "Online", isRetained: true)] }

    func isOn(command payload: [UInt8]) -> Bool? {
        switch String(decoding: payload, as: UTF8.self) {
        case "1": true
        case "0": false
        default: nil
        }
    }

    func number(of celsius: Double) -> String { decimals(celsius, 1) }

    func readings(_ number: String, celsius: Double, second: Int64) -> [Said] {
        [
            main("Room_Thermostat_Temp", number), main("Outside_Temp", "4"),
            main("Main_Outlet_Temp", decimals(celsius + 12, 2)),
        ]
    }

    func state(isOn: Bool, watts: Double) -> [Said] {
        [main("Heatpump_State", isOn ? "1" : "0"), main("Heat_Power_Consumption", decimals(watts, 0))]
    }

    func broken(_ number: Int) -> [Said] { [main("Room_Thermostat_Temp", ["-128", "-78"][number % 2])] }

    private func main(_ name: String, _ payload: String) -> Said {
        Said(topic: "\(base)/main/\(name)", payload: payload, isRetained: true)
    }
}
