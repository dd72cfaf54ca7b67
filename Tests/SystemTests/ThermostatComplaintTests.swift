import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// One test for each kind of complaint about thermostats that people have filed for years, by the threads' words.
    @Suite("What people complain about in thermostats does not happen here")
    struct ThermostatComplaintTests {
        private func rig(_ thermostat: String, more: String = "") async throws -> Rig {
            try await Rig(configuration: "[thermostat]\n\(thermostat)\n\(more)")
        }

        /// A live sensor: its clock goes on.
        private func read(_ value: Double, _ rig: Rig, room: String = "office") async throws {
            let now = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            try await publish(
                #"{"timestamp": "\#(now)", "value": \#(value)}"#, to: "\(room)/temperature",
                port: rig.home.port)
        }

        /// What the pump was told on the wire, without repetitions, with the time of each change.
        private func changes(_ rig: Rig, room: String = "office") -> [(isOn: Bool, time: ContinuousClock.Instant)] {
            var changes: [(isOn: Bool, time: ContinuousClock.Instant)] = []
            for command in rig.homeWire.published where command.topic == "\(room)/heatpump" {
                let isOn = String(decoding: command.payload, as: UTF8.self).contains("\"1\"")
                if changes.last?.isOn != isOn { changes.append((isOn, command.time)) }
            }
            return changes
        }

        private func told(_ isOn: Bool, _ rig: Rig, within limit: Duration = .seconds(10)) async throws {
            do {
                try await eventually(within: limit, "the pump is told \(isOn ? "on" : "off")") {
                    changes(rig).last?.isOn == isOn
                }
            } catch {
                throw Failure("\(error): \(rig.hearthd?.output ?? "")")
            }
        }

        private func override(_ pump: String, seconds: Int?, _ rig: Rig) throws {
            var parameters: [String: Any] = ["room": "office", "pump": pump]
            parameters["seconds"] = seconds
            _ = try Varlink.call("io.hearth.Gateway.Override", parameters, socket: rig.socket)
        }

        @Test(
            "\"if it was heating, it will overheat\": a sensor that died stops the pump, also one that is missing since a restart"
        )
        func deadSensor() async throws {
            let rig = try await rig("stale_after = \"2s\"")
            try await rig.startAndSubscribe()
            try await read(18, rig)
            try await told(true, rig)
            try await told(false, rig)
            try await read(18, rig)
            try await told(true, rig)
            rig.kill()
            try await rig.startAndSubscribe()
            try await told(false, rig)
            try await rig.status { $0["alarms"].array?.contains { $0["name"].string == "room-blind" } ?? false }
        }

        @Test(
            "\"safety mode although the sensor is alive\": an unchanged value is a sign of life, and safety ends by itself"
        )
        func unchangedValue() async throws {
            let rig = try await rig("stale_after = \"2s\"")
            try await rig.startAndSubscribe()
            for _ in 0..<10 {
                try await read(18, rig)
                try await Task.sleep(for: .milliseconds(500))
            }
            #expect(changes(rig).map(\.isOn) == [true], "five seconds of the same value are no silence")
            try await told(false, rig)
            try await read(18, rig)
            try await told(true, rig)
        }

        @Test("\"on and off every second\": the compressor keeps its times, whoever wants what")
        func shortCycling() async throws {
            let rig = try await rig("min_on = \"2s\"\nmin_off = \"2s\"")
            try await rig.startAndSubscribe()
            let deadline = ContinuousClock.now + .seconds(9)
            var value = 18.0
            while ContinuousClock.now < deadline {
                try await read(value, rig)
                value = value == 18 ? 26 : 18
                if Bool.random() { try override(Bool.random() ? "on" : "off", seconds: 1, rig) }
            }
            let seen = changes(rig)
            #expect(seen.count >= 3, "it does follow: \(seen.count) changes")
            for (before, after) in zip(seen, seen.dropFirst()) {
                #expect(after.time - before.time > .milliseconds(1900), "\(after.time - before.time)")
            }
        }

        @Test(
            "\"one lost message and the boiler is never on again\": the command is repeated, and again when the broker is back"
        )
        func lostCommand() async throws {
            let rig = try await rig("refresh = \"1s\"\nstale_after = \"5m\"")
            try await rig.startAndSubscribe()
            try await read(18, rig)
            func count() -> Int { rig.homeWire.published.count { $0.topic == "office/heatpump" } }
            try await eventually("three times") { count() >= 3 }
            try await rig.home.restart()
            let before = count()
            try await eventually("again after the broker's restart") { count() > before }
        }

        @Test(
            "\"the retained command was replayed\": what is retained or waited while we were away is not obeyed as new")
        func replayedCommand() async throws {
            let rig = try await rig("")
            let command = #"{"status": "1", "for": "PT1H"}"#
            try await publish(command, to: "home1/office/heatpump/set", port: rig.cloud.port, options: ["-r"])
            try await rig.startAndSubscribe()
            try await read(26, rig)
            try await told(false, rig)
            rig.kill()
            try await publish(command, to: "home1/office/heatpump/set", port: rig.cloud.port)
            try await rig.startAndSubscribe()
            try await rig.status { $0["links"][2]["state"].string == "connected" }
            try await read(26, rig)
            // A live one is obeyed: from here on nothing older can be on its way.
            try await publish(#"{"status": "0", "for": "PT1H"}"#, to: "home1/office/heatpump/set", port: rig.cloud.port)
            try await rig.status { $0["rooms"][0]["override"]["pump"].string == "off" }
            #expect(!changes(rig).contains { $0.isOn })
        }

        @Test("\"manual holds that never end\": an override ends by itself, says when, and a restart changes neither")
        func endlessHold() async throws {
            let rig = try await rig("stale_after = \"5m\"")
            try await rig.startAndSubscribe()
            try await read(26, rig)
            try await told(false, rig)
            let began = ContinuousClock.now
            // Longer than a restart takes among others.
            try override("on", seconds: 30, rig)
            try await told(true, rig)
            let left = try await rig.status { !$0["rooms"][0]["override"].isNull }["rooms"][0]["override"]
            #expect(left["source"].string == "cli" && (left["secondsLeft"].double ?? 99) <= 30)
            rig.kill()
            try await rig.startAndSubscribe()
            let after = try await rig.status { !$0["rooms"][0]["override"].isNull }["rooms"][0]["override"]
            #expect(after["source"].string == "cli" && (after["secondsLeft"].double ?? 99) <= 30)
            try await read(26, rig)
            try await told(false, rig, within: .seconds(40))
            let lasted = ContinuousClock.now - began
            #expect(lasted > .seconds(29) && lasted < .seconds(33), "thirty seconds, restart included: \(lasted)")
            try await rig.status { $0["rooms"][0]["override"].isNull }
        }

        @Test("\"set it back at night\": a preset for a while moves the limits, and they come back")
        func preset() async throws {
            let rig = try await rig("stale_after = \"5m\"")
            try await rig.startAndSubscribe()
            try await read(19, rig)
            try await told(true, rig)
            try override("frost", seconds: 3, rig)
            try await told(false, rig)
            let room = try await rig.status { !$0["rooms"][0]["hold"].isNull }["rooms"][0]
            #expect(room["hold"]["target"].string == "frost" && room["preset"].string == "frost")
            try await told(true, rig)
        }
    }

    @Suite("Home Assistant, played by a script")
    struct HomeAssistantPeerTests {
        @Test("finds the device, is told again when it starts, steers a room, and sees the gateway go")
        func peer() async throws {
            let rig = try await Rig(
                configuration: "[home_assistant]\ndiscovery = true\n[thermostat]\nstale_after = \"5m\"")
            let assistant = try await Recorder(port: rig.home.port, topic: "homeassistant/device/+/config")
            let states = try await Recorder(port: rig.home.port, topic: "hearth/#")
            try await rig.startAndSubscribe()
            try await publish(
                #"{"timestamp": "2026-11-23T10:00:00", "value": 22}"#, to: "office/temperature", port: rig.home.port)
            func descriptions() -> [Recorder.Arrival] {
                assistant.arrivals.filter { $0.payload.contains("office_climate") }
            }
            try await eventually("a description with the room") { !descriptions().isEmpty }
            #expect(assistant.arrivals.first?.topic == "homeassistant/device/hearth_home1/config", "the gateway first")
            try await eventually("what the gateway says of itself") {
                states.arrivals.contains { $0.topic == "hearth/gateway/state" && $0.payload.contains("\"alarm\"") }
            }
            let known = descriptions().count
            try await publish("online", to: "homeassistant/status", port: rig.home.port)
            try await eventually("another one after the birth message") { descriptions().count > known }
            func state() throws -> JSONValue? {
                try states.arrivals.last { $0.topic == "hearth/rooms/office" && !$0.payload.isEmpty }
                    .map { try JSONValue(text: $0.payload) }
            }
            func shows(_ what: String, _ condition: @escaping (JSONValue) -> Bool) async throws {
                try await eventually(what) { try state().map(condition) ?? false }
            }
            try await shows("the room's state with its temperature") { $0["temperature"].double == 22 }
            func send(_ text: String, _ topic: String) async throws {
                try await publish(text, to: "hearth/rooms/office/\(topic)/set", port: rig.home.port)
            }

            // One call of Home Assistant, set_temperature with hvac_mode: the mode first, then the target.
            try await send("heat", "mode")
            try await send("21.5", "target")
            try await rig.status {
                $0["rooms"][0]["hold"]["target"].string == "21.5" && $0["rooms"][0]["hold"]["secondsLeft"].isNull
            }
            try await shows("its card says heat to 21.5") {
                $0["mode"].string == "heat" && $0["target"].double == 21.5 && $0["until"].isNull
            }
            #expect(!rig.homeWire.published.contains { $0.topic == "office/heatpump" && isOn($0.payload) })

            try await send("ON", "forced")
            try await rig.status { $0["rooms"][0]["override"]["source"].string == "home-assistant" }
            try await shows("a forced run with its end") { $0["forced"].string == "ON" && !$0["until"].isNull }
            try await send("OFF", "forced")
            try await rig.status { $0["rooms"][0]["override"].isNull && !$0["rooms"][0]["hold"].isNull }

            try await send("none", "preset")
            try await rig.status { $0["rooms"][0]["hold"].isNull }
            try await send("off", "mode")
            try await rig.status { $0["rooms"][0]["mode"].string == "off" }
            try await shows("off") { $0["mode"].string == "off" && $0["action"].string == "off" }
            try await send("eco", "preset")
            try await rig.status { $0["rooms"][0]["hold"]["target"].string == "eco" }

            rig.kill()
            try await eventually("the last will says offline") {
                states.arrivals.last { $0.topic == "hearth/gateway/status" }?.payload == "offline"
            }
            try await publish("ON", to: "hearth/rooms/office/forced/set", port: rig.home.port, options: ["-r"])
            try await rig.startAndSubscribe()
            try await eventually("and online again") {
                states.arrivals.last { $0.topic == "hearth/gateway/status" }?.payload == "online"
            }
            try await publish(
                #"{"timestamp": "2026-11-23T10:00:01", "value": 18}"#, to: "office/temperature", port: rig.home.port)
            let status = try await rig.status { $0["counters"]["readings"].int ?? 0 >= 1 }["rooms"][0]
            #expect(status["override"].isNull, "a retained command is nobody's wish")
            #expect(status["mode"].string == "off" && status["hold"]["target"].string == "eco", "both outlive a kill")
            try await send("auto", "mode")
            try await rig.status { $0["rooms"][0]["pump"].string == "on" && $0["rooms"][0]["mode"].string == "auto" }
        }

        private func isOn(_ payload: some Sequence<UInt8>) -> Bool {
            String(decoding: Array(payload), as: UTF8.self).contains("\"1\"")
        }
    }
}

extension SystemTests {
    @Suite("Other settings are tried on the recorded past")
    struct ReplayCommandTests {
        @Test("hearth replay shows what a lower limit would have done, from the real journal, and switches nothing")
        func replay() async throws {
            let rig = try await Rig(configuration: "[thermostat]\nstale_after = \"5m\"")
            try await rig.startAndSubscribe()
            for value in [18.0, 19, 26, 18, 26] {
                try await publish(
                    #"{"timestamp": "2026-11-23T10:00:00", "value": \#(value)}"#, to: "office/temperature",
                    port: rig.home.port)
            }
            try await rig.status { $0["counters"]["recorded"].int ?? 0 >= 5 }
            let before = rig.homeWire.published.count { $0.topic == "office/heatpump" }
            let other = try rig.directory.write("home = \"x\"\n[thermostat]\non_below = 17.0\n", to: "other.toml")
            let result = try await ChildProcess.run(
                ChildProcess.binary("hearth"), ["replay", "--config", other, "--socket", rig.socket, "--json"])
            #expect(result.exit == .code(0), "\(result.output)")
            let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            let room = (json?["rooms"] as? [[String: Any]])?.first
            #expect((room?["current"] as? [String: Any])?["starts"] as? Int == 2)
            #expect((room?["new"] as? [String: Any])?["starts"] as? Int == 0)
            #expect((room?["new"] as? [String: Any])?["readings"] as? Int == 5)
            #expect(rig.homeWire.published.count { $0.topic == "office/heatpump" } == before)
            let bad = try rig.directory.write("home = \"x\"\n[thermostat]\non_belov = 17.0\n", to: "bad.toml")
            let refusal = try await ChildProcess.run(
                ChildProcess.binary("hearth"), ["replay", "--config", bad, "--socket", rig.socket])
            #expect(refusal.exit != .code(0) && refusal.output.contains("on_belov"))
        }
    }
}
