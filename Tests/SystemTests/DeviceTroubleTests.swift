import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    @Suite("devices: one that lies, and one that has another name from now on")
    struct DeviceTroubleTests {
        private func simulated(_ rig: Rig, _ more: [String] = []) throws -> ChildProcess {
            try ChildProcess(
                "hearth-sim",
                ["devices", "--port", "\(rig.home.port)", "--kinds", "zigbee2mqtt", "--interval", "0.5"] + more)
        }

        @Test("a plug that confirms and takes no power is told by its watts; one that runs is not")
        func lie() async throws {
            let rig = try await Rig(
                configuration: House.alwaysCold + """

                    [[sensors]]
                    kind = "zigbee2mqtt"
                    topic = "zigbee2mqtt/office sensor"
                    room = "office"
                    [[pumps]]
                    kind = "zigbee2mqtt"
                    device = "office plug"
                    rooms = ["office"]
                    starting_time = "3s"
                    """)
            try await rig.startAndSubscribe()
            let home = try await Recorder(port: rig.home.port)
            let liar = try simulated(rig, ["--lie", "zigbee2mqtt"])
            try await eventually(within: .seconds(20), "the plug is called and confirms") {
                home.arrivals.contains { $0.topic == "zigbee2mqtt/office plug/set" }
                    && home.arrivals.contains {
                        $0.topic == "zigbee2mqtt/office plug" && $0.payload.contains(#""state":"ON""#)
                    }
            }
            let status = try await rig.status(within: .seconds(60)) { House.finding("pump-power", in: $0) != nil }
            let finding = House.finding("pump-power", in: status)
            let text = finding?["text"].string
            #expect(text?.hasSuffix("says that it runs but takes 0 W") == true, "\(status["alarms"])")
            #expect(finding?["severity"].string == "heating" && finding?["room"].string == "office")
            #expect(House.finding("pump-unconfirmed", in: status) == nil, "it has confirmed")
            try await liar.terminate()

            let honest = try simulated(rig)
            try await rig.status(within: .seconds(60)) { House.finding("pump-power", in: $0) == nil }
            try await always(for: .seconds(5), "it stays so") {
                (try? rig.currentStatus()).map { House.finding("pump-power", in: $0) == nil } ?? true
            }
            try await honest.terminate()
            try await rig.stop()
        }

        @Test(
            "a sensor that is renamed while hearthd runs: its room is told to be silent, and found under the new name")
        func renamed() async throws {
            let rig = try await Rig(
                configuration: House.alwaysCold + """

                    stale_after = "8s"
                    [[sensors]]
                    kind = "zigbee2mqtt"
                    topic = "zigbee2mqtt/office sensor"
                    room = "office"
                    """)
            try await rig.startAndSubscribe()
            try await nameSensor("office sensor", rig)
            try await publish(#"{"temperature":18.25}"#, to: "zigbee2mqtt/office sensor", port: rig.home.port)
            func temperature(_ status: JSONValue) -> Double? {
                status["rooms"].array?.first { $0["room"].string == "office" }?["temperature"].double
            }
            try await rig.status { temperature($0) == 18.25 }

            try await nameSensor("bureau", rig)
            let port = rig.home.port
            let speaking = Task {
                while !Task.isCancelled {
                    try? await publish(#"{"temperature":18.75}"#, to: "zigbee2mqtt/bureau", port: port)
                    try? await Task.sleep(for: .milliseconds(500))
                }
            }
            defer { speaking.cancel() }
            let blind = try await rig.status(within: .seconds(60)) { House.finding("room-blind", in: $0) != nil }
            #expect(House.finding("room-blind", in: blind)?["room"].string == "office")
            #expect(temperature(blind) != 18.75, "nobody said that it is the same room")

            let list = try await ChildProcess.run(
                ChildProcess.binary("hearth"),
                ["devices", "--for", "3s", "--socket", rig.socket, "--write", "--yes", "--room", "bureau=office"])
            #expect(list.exit == .code(0) && list.output.contains("bureau"), "\(list.output)")
            Glibc.kill(try #require(rig.hearthd).processID, SIGHUP)
            let status = try await rig.status(within: .seconds(30)) {
                temperature($0) == 18.75 && House.finding("room-blind", in: $0) == nil
            }
            #expect(status["rooms"].array?.count == 1, "no second room: \(status["rooms"])")
            try await rig.stop()
        }

        /// What Zigbee2MQTT keeps at the broker of its one sensor, which has this name now.
        private func nameSensor(_ name: String, _ rig: Rig) async throws {
            try await publish(
                #"""
                [{"ieee_address":"0x00158d0001dead","type":"EndDevice","friendly_name":"\#(name)","supported":true,"definition":{"model":"WSDCGQ11LM","vendor":"Aqara","exposes":[{"access":1,"name":"temperature","property":"temperature","type":"numeric","unit":"°C"}]}}]
                """#, to: "zigbee2mqtt/bridge/devices", port: rig.home.port, options: ["-r"])
        }
    }
}
