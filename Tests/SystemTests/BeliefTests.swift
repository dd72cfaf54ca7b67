import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What Control believes, by what the pump hears.
    @Suite("A value is enough to heat by: clocks, repetitions, backlogs, made-up names, other controllers")
    struct BeliefTests {
        // MARK: Times

        @Test(
            "frost at 3 °C is heated against, whatever the reading says about its time",
            arguments: [
                #""timestamp": "2165-08-14T03:12:01", "#, #""timestamp": "0000-00-00T00:00:00", "#,
                #""timestamp": null, "#, "", #""timestamp": "1970-01-01T00:00:00", "#, #""timestamp": 0, "#,
                #""timestamp": 1795424400, "#, #""timestamp": "", "#, #""timestamp": {"now": []}, "#,
                #""timestamp": "yesterday", "#,
            ])
        func frost(_ time: String) async throws {
            let house = try await House()
            // Once before with the same broken clock, so that it stands still.
            try await house.send("{\(time)\"value\": 22.0}")
            try await house.send("{\(time)\"value\": 3.0}")
            try await house.hears("1")
            #expect(house.heard() == ["1"])
            try await house.rig.stop()
        }

        @Test("a byte-identical repetition is no sign of life: the room is blind, the pump stops, and that is said")
        func repetition() async throws {
            let house = try await House("stale_after = \"3s\"")
            let payload = house.reading(18, at: .now)
            try await house.send(payload)
            try await house.hears("1")
            let start = ContinuousClock.now
            while house.heard().last != "0", ContinuousClock.now - start < .seconds(20) {
                try await house.send(payload)
                try? await eventually(within: .milliseconds(200)) { house.heard().last == "0" }
            }
            #expect(house.heard() == ["1", "0"])
            #expect(ContinuousClock.now - start > .seconds(2), "it was heard once")
            let found = try await house.finding("room-blind")
            #expect(found["text"].string?.contains("only repeats old readings") == true, "\(found["text"])")
            try await house.send(house.reading(18, at: .now))
            try await eventually("the sensor is back, and so is the heat") { house.heard() == ["1", "0", "1"] }
            try await house.rig.stop()
        }

        @Test("of a backlog of six readings only the last decides", arguments: [18.0, 26.0])
        func backlog(_ last: Double) async throws {
            let house = try await House()
            let start = Date.now - 7 * 3600
            try await house.send(house.reading(18, at: start))
            try await house.hears("1")
            let values = (0..<6).map { $0 % 2 == 0 ? 44 - last : last }
            try await house.send(
                values.enumerated().map { house.reading($1, at: start + Double($0 + 1) * 3600) }
                    .joined(separator: "\n"))
            try await house.rig.status { $0["rooms"][0]["temperature"].double == last }
            // The seventh is ordinary, and decides nothing new: whatever was to be said has been said.
            try await house.send(house.reading(last == 18 ? 17 : 27, at: start + 6 * 3600 + 1))
            try await house.rig.status { $0["rooms"][0]["temperature"].double == (last == 18 ? 17 : 27) }
            try await house.hears(last == 18 ? "1" : "0")
            #expect(house.heard() == (last == 18 ? ["1"] : ["1", "0"]))
            try await house.rig.stop()
        }

        @Test("ordinary readings decide at once, however fast they come")
        func fastReadings() async throws {
            let house = try await House()
            let start = Date.now
            let lines = (0..<6).map { house.reading($0 % 2 == 0 ? 18 : 26, at: start + Double($0)) }
            try await house.send(lines.joined(separator: "\n"))
            try await eventually(within: .seconds(2), "six commands") { house.heard().count == 6 }
            #expect(house.heard() == ["1", "0", "1", "0", "1", "0"])
            try await house.rig.stop()
        }

        @Test("a sensor whose clock was set back an hour is heated by again after three readings")
        func clockSetBack() async throws {
            let house = try await House()
            let start = Date.now
            try await house.send(house.reading(22, at: start))
            try await house.rig.status { $0["rooms"][0]["temperature"].double == 22 }
            var sent = 0
            while house.heard().isEmpty, sent < 8 {
                try await house.send(house.reading(18, at: start - 3600 + Double(sent)))
                sent += 1
                #expect(sent >= 3 || house.heard().isEmpty, "older than the newest known")
                if sent < 3 {
                    try await Task.sleep(for: .seconds(1))
                } else {
                    try? await eventually(within: .seconds(1)) { !house.heard().isEmpty }
                }
            }
            #expect(house.heard() == ["1"] && sent == 3, "after \(sent)")
            try await house.rig.stop()
        }

        // MARK: Limits

        @Test("above overheat_above no override keeps the pump running")
        func overheated() async throws {
            let house = try await House("overheat_above = 27.5")
            try await house.send(house.reading(26, at: .now))
            try await house.hears("0")
            _ = try Varlink.call(
                "io.hearth.Gateway.Override", ["room": "office", "pump": "on"], socket: house.rig.socket)
            try await eventually("the override") { house.heard() == ["0", "1"] }
            try await house.send(house.reading(27.4, at: .now))
            try await house.send(house.reading(27.6, at: .now))
            try await eventually("too warm") { house.heard() == ["0", "1", "0"] }
            let status = try house.rig.currentStatus()
            #expect(status["rooms"][0]["temperature"].double == 27.6)
            try await house.rig.stop()
        }

        @Test("under local authority a command of the cloud ends a minute after the cloud's link")
        func cloudCommand() async throws {
            let house = try await House()
            try await house.send(house.reading(22, at: .now))
            try await house.rig.status { $0["links"][2]["state"].string == "connected" }
            try await publish(#"{"status": "1"}"#, to: "home1/office/heatpump/set", port: house.rig.cloud.port)
            try await house.hears("1")
            house.rig.cloud.kill()
            let gone = ContinuousClock.now
            try await house.send(house.reading(26, at: .now))
            try await eventually(within: .seconds(75), "the cloud's word ends") { house.heard() == ["1", "0"] }
            let passed = ContinuousClock.now - gone
            #expect(passed > .seconds(50) && passed < .seconds(70), "\(passed)")
            try await house.rig.stop()
        }

        @Test("a restart is no stop: the pump's rest goes on from the retained state")
        func rest() async throws {
            let house = try await House("min_off = \"10s\"\nmin_on = \"0s\"")
            // Rest counts from the start, when nobody knows.
            try await house.send(house.reading(18, at: .now))
            try await house.hears("1", within: .seconds(20))
            try await house.send(house.reading(26, at: .now))
            try await eventually("off") { house.heard() == ["1", "0"] }
            let states = try await Recorder(port: house.rig.home.port, topic: "hearth/rooms/office")
            try await eventually("the state is kept") {
                states.arrivals.last?.payload.contains(#""pump":"off""#) == true
            }
            try await Task.sleep(for: .seconds(5))
            house.rig.kill()
            try await house.rig.startAndSubscribe()
            try await house.send(house.reading(18, at: .now))
            try await eventually(within: .seconds(20), "heated again") { house.heard().last == "1" }
            // On the wire: who listens may hear it later.
            let times = house.rig.homeWire.published.filter { $0.topic == "office/heatpump" }.map {
                (isOn: String(decoding: $0.payload, as: UTF8.self).contains("\"1\""), time: $0.time)
            }
            let stop = try #require(times.firstIndex { !$0.isOn })
            let start = try #require(times[stop...].first { $0.isOn })
            let rested = start.time - times[stop].time
            #expect(rested > .milliseconds(9800) && rested < .milliseconds(13_000), "\(rested) \(states.arrivals)")
            try await house.rig.stop()
        }

        @Test("more than six starts an hour are an alarm, and the log stays short")
        func cycles() async throws {
            let house = try await House()
            for number in 0..<20 {
                let isCold = number % 2 == 0
                try await house.send(house.reading(isCold ? 17 : 27, at: .now))
                try await house.hears(isCold ? "1" : "0")
                guard number == 11 else { continue }
                #expect(House.finding("pump-cycles", in: try house.rig.currentStatus()) == nil, "six are not too many")
            }
            let told = try await house.finding("pump-cycles")
            #expect(told["room"].string == "office" && told["severity"].string == "heating", "\(told)")
            let said = house.rig.hearthd?.output.split(separator: "\n").count { $0.contains("heat pump lane=control") }
            #expect(said == 8, "\(house.rig.hearthd?.output ?? "")")
            try await house.rig.stop()
        }

        // MARK: Names

        @Test("after 1200 made-up names a real room at 3.5 °C is heated, and the flood is told")
        func madeUpNames() async throws {
            let house = try await House("[rooms.kitchen]")
            let states = try await Recorder(port: house.rig.home.port, topic: "hearth/rooms/+")
            try await house.flood(1200) { ("made-up-\($0)/temperature", #"{"value": 21}"#, false) }
            let found = try await house.finding("too-many-rooms")
            #expect(found["advice"].string?.contains("[rooms.NAME]") == true)
            for room in ["office", "kitchen"] {
                try await house.send(house.reading(3.5, at: .now), to: room)
                try await house.hears("1", in: room)
            }
            #expect(Set(house.pump.arrivals.map(\.topic)) == ["office/heatpump", "kitchen/heatpump"])
            // What is gone with the next name leaves nothing at the broker, and nothing has to be taken back.
            try await eventually("the broker keeps the office's state") {
                states.arrivals.contains { $0.topic == "hearth/rooms/office" && !$0.payload.isEmpty }
            }
            let written = Set(states.arrivals.map(\.topic))
            #expect(written.contains("hearth/rooms/made-up-500") && !written.contains("hearth/rooms/made-up-1190"))
            try await house.rig.stop()
        }

        @Test("retained states of rooms that nobody hears take no place, and keep nobody from being heated")
        func retainedNames() async throws {
            let house = try await House(start: false)
            let time = Date.now.formatted(.iso8601)
            try await house.flood(1100) {
                (
                    "hearth/rooms/fake\($0)", #"{"pump": "on", "since": "\#(time)", "time": "\#(time)"}"#, true
                )
            }
            try await house.rig.startAndSubscribe()
            try await house.send(house.reading(3.5, at: .now))
            try await house.hears("1")
            let rooms = try house.rig.currentStatus()["rooms"].array?.compactMap { $0["room"].string }
            #expect(rooms == ["office"])
            #expect(!house.pump.arrivals.contains { $0.topic.hasPrefix("fake") })
            try await house.rig.stop()
        }

        @Test(
            "hearth forget: the pump is stopped, the room leaves the status and the retained state, and may come back")
        func forget() async throws {
            let house = try await House()
            try await house.send(house.reading(18, at: .now))
            try await house.hears("1")
            let states = try await Recorder(port: house.rig.home.port, topic: "hearth/rooms/office")
            try await eventually("its state") { !states.arrivals.isEmpty }
            let result = try await ChildProcess.run("hearth", ["forget", "office", "--socket", house.rig.socket])
            #expect(result.exit == .code(0), "\(result.output)")
            try await eventually("its pump is stopped") { house.heard() == ["1", "0"] }
            try await house.rig.status { $0["rooms"].array?.isEmpty == true }
            try await eventually("its state is taken away") { states.arrivals.last?.payload.isEmpty == true }
            let late = try await Recorder(port: house.rig.home.port, topic: "hearth/#")
            try await eventually("what is retained") { late.arrivals.contains { $0.topic == "hearth/gateway/status" } }
            #expect(!late.arrivals.contains { $0.topic == "hearth/rooms/office" })
            try await house.send(house.reading(18, at: .now))
            try await eventually("it is back") { house.heard() == ["1", "0", "1"] }
            try await house.rig.stop()
        }

        // MARK: Others

        @Test("somebody else's command to the pump is answered at once, and told")
        func foreignCommand() async throws {
            let house = try await House()
            try await house.send(house.reading(18, at: .now))
            try await house.hears("1")
            try await publish(#"{"status": "0"}"#, to: "office/heatpump", port: house.rig.home.port)
            try await eventually(within: .seconds(3), "ours again") {
                let heard = house.pump.arrivals
                return heard.count >= 3 && heard[heard.count - 2].payload.contains("0")
                    && heard.last?.payload == heard.first?.payload
            }
            let found = try await house.finding("foreign-controller")
            #expect(found["text"].string?.contains("office/heatpump") == true && found["severity"].string == "heating")
            try await house.rig.stop()
        }

        @Test("messages that hold no temperature are told with topic, sample and what to write")
        func setAside() async throws {
            let house = try await House()
            try await house.send(#"{"temp": 20.5}"#, to: "garage")
            let found = try await house.finding("readings-set-aside")
            #expect(found["severity"].string == "cold" && found["subject"].string == "garage/temperature")
            #expect(found["text"].string?.contains(#"{"temp": 20.5}"#) == true, "\(found["text"])")
            #expect(found["advice"].string?.contains(#"value = "temp", room = "garage""#) == true, "\(found["advice"])")
            try await house.send(house.reading(22, at: .now), to: "garage")
            try await house.rig.status { House.finding("readings-set-aside", in: $0) == nil }
            try await house.rig.stop()
        }
    }
}
