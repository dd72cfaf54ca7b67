import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite("the example house: checked, and lived in")
    struct ExampleHouseTests {
        private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("systemd/examples/house.toml").path

        /// What a room's pump or valve says of itself.
        private func device(_ room: String, _ part: String, _ status: JSONValue) -> JSONValue? {
            status["rooms"].array?.first { $0["room"].string == room }?[part]
        }

        @Test("--check-config takes it, and what it prints means the same")
        func check() async throws {
            let first = try await ChildProcess.run(
                ChildProcess.binary("hearthd"), ["--config", Self.file, "--check-config"])
            #expect(first.exit == .code(0), "\(first.output)")
            let directory = try TemporaryDirectory("house")
            let again = try directory.write(first.output, to: "again.toml")
            let second = try await ChildProcess.run(
                ChildProcess.binary("hearthd"), ["--config", again, "--check-config"])
            #expect(second.exit == .code(0) && second.output == first.output)
        }

        @Test("eight rooms of seven makes, a heat pump that runs behind the valve of a room that calls, two heaters")
        func lived() async throws {
            let text = try String(contentsOfFile: Self.file, encoding: .utf8)
            let start = try #require(text.range(of: "[thermostat]")).lowerBound
            // Whatever the time of day.
            let house = text[start...].replacing("schedule =", with: "#schedule =")
                .replacing("[thermostat]", with: "[thermostat]\nmin_on = \"0s\"\nmin_off = \"0s\"")
                .replacing("= \"10m\"", with: "= \"0s\"")
            let rig = try await Rig(configuration: String(house))
            let home = try await Recorder(port: rig.home.port)
            try await rig.startAndSubscribe()
            let rooms: [(name: String, topic: String, payload: (Double) -> String, value: Double)] = [
                ("living room", "zigbee2mqtt/living/window", { #"{"temperature":\#($0)}"# }, 21.0),
                ("living room", "zigbee2mqtt/living/shelf", { #"{"temperature":\#($0)}"# }, 22.0),
                ("office", "zigbee2mqtt/0x00158d0001dead", { #"{"temperature":\#($0)}"# }, 19.0),
                (
                    "kitchen", "tele/tasmota_1A2B3C/SENSOR", { #"{"SI7021":{"Temperature":\#($0)},"TempUnit":"C"}"# },
                    22.0
                ),
                (
                    "cellar", "tele/tasmota_4D5E6F/SENSOR",
                    { #"{"DS18B20":{"Temperature":\#($0 * 1.8 + 32)},"TempUnit":"F"}"# }, 5.0
                ),
                ("bathroom", "shellyplus1pm-a8032a/status/temperature:0", { #"{"id":0,"tC":\#($0)}"# }, 24.0),
                ("bedroom", "bedroom-node/sensor/temperature/state", { "\($0)" }, 20.0),
                ("nursery", "rtl_433/box/devices/Acurite-Tower/A/1234/temperature_C", { "\($0)" }, 22.0),
                (
                    "attic", "boards/attic/all",
                    { #"{"env":{"t":\#($0)},"ts":\#(Int(Date.now.timeIntervalSince1970))}"# }, 19.5
                ),
            ]
            for room in rooms { try await publish(room.payload(room.value), to: room.topic, port: rig.home.port) }
            // Neighbours and lamps are nobody's room.
            try await publish("5", to: "rtl_433/box/devices/Acurite-Tower/A/9999/temperature_C", port: rig.home.port)
            try await publish(#"{"state":"ON","temperature":40}"#, to: "zigbee2mqtt/lamp", port: rig.home.port)
            func words(_ topic: String) -> [String] {
                home.arrivals.filter { $0.topic == topic }.map(\.payload).reduce(into: []) {
                    if $0.last != $1 { $0.append($1) }
                }
            }
            let main = "panasonic_heat_pump/commands/SetHeatpump"
            let valve = "zigbee2mqtt/office valve"
            try await eventually("the office's valve opens, the cellar and the attic have their own") {
                words("\(valve)/set").last == #"{"state": "ON"}"#
                    && words("shellyplug-s-b4c1/command/switch:0").last == "on"
                    && words("zigbee2mqtt/attic plug/set").last == #"{"state": "ON"}"#
            }
            try await always(for: .seconds(1), "the heat pump waits for the valve") { !words(main).contains("1") }
            try await publish(#"{"state":"ON"}"#, to: valve, port: rig.home.port)
            try await eventually("it runs, and the valves of the rooms that are warm are closed") {
                words(main).last == "1" && words("cmnd/kitchen_valve/POWER") == ["OFF"]
                    && words("shellyplus1-b8d61a/command/switch:0") == ["off"]
                    && words("bedroom-node/switch/valve/command") == ["OFF"]
                    && words("valves/nursery/set") == ["close"]
                    && words("zigbee2mqtt/living valve/set") == [#"{"state": "OFF"}"#]
            }
            try await publish(#"{"battery":93,"humidity":48.5}"#, to: "zigbee2mqtt/living/shelf", port: rig.home.port)
            let status = try await rig.status { $0["rooms"].array?.count == 8 }
            let temperatures = Dictionary(
                uniqueKeysWithValues: (status["rooms"].array ?? []).compactMap { room in
                    room["room"].string.flatMap { name in room["temperature"].double.map { (name, $0) } }
                })
            #expect(temperatures["living room"] == 21.5 && temperatures["office"] == 19)
            #expect(abs((temperatures["cellar"] ?? 0) - 5) < 1e-9, "°F by the device's own word")
            #expect(Set(temperatures.keys) == Set(rooms.map(\.name)))
            try await publish("1", to: "panasonic_heat_pump/main/Heatpump_State", port: rig.home.port)
            try await publish(#"{"temperature":22.5}"#, to: "zigbee2mqtt/0x00158d0001dead", port: rig.home.port)
            try await eventually("nobody calls any more") { words(main).last == "0" }
            try await always(for: .seconds(1), "the valve stays open while the pump runs on") {
                words("\(valve)/set").last == #"{"state": "ON"}"#
            }
            let told = try await rig.status { device("office", "device", $0)?["says"].string == "on" }
            #expect(device("office", "device", told)?["confirmed"].bool == false)
            #expect(device("office", "valve", told)?["says"].string == "on")
            #expect(
                told["measures"].array?.contains { $0["measure"].string == "battery" && $0["value"].double == 93 }
                    == true)
            try await publish("0", to: "panasonic_heat_pump/main/Heatpump_State", port: rig.home.port)
            try await eventually("it has stopped, and the valve closes") {
                words("\(valve)/set").last == #"{"state": "OFF"}"#
            }
            try await rig.status { device("office", "device", $0)?["confirmed"].bool == true }
            try await rig.stop()
        }
    }
}
