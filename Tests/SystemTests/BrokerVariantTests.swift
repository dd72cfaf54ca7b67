import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite("Brokers that refuse the conveniences: the house is heated, and what is missing is said")
    struct BrokerVariantTests {
        struct Variant: CustomTestStringConvertible, Sendable {
            let testDescription: String
            /// More lines of the broker's configuration.
            var lines = ""
            /// The ACL file; nil: none.
            var acl: String?
            /// More of `hearthd.toml`.
            var configuration = ""
            /// The finding that must appear; nil: nobody can tell.
            var finding: String?
            /// The same where 3.1.1 is spoken.
            var plainFinding: String?
            /// What the finding must contain: the topic, the line to write.
            var says: [String] = []
        }

        private static let sensors = "topic readwrite +/temperature\n"
        private static let pumpsAndSensors = sensors + "topic readwrite +/heatpump\n"

        static let homes = [
            Variant(
                testDescription: "no retained messages", lines: "retain_available false", finding: "home-broker-limits",
                plainFinding: "home-broker-restricts", says: ["retain", "retain_available true"]),
            Variant(
                testDescription: "QoS 0 only", lines: "max_qos 0", finding: "home-broker-limits",
                says: ["QoS", "max_qos 2"]),
            Variant(
                testDescription: "no retained messages and QoS 0 only", lines: "retain_available false\nmax_qos 0",
                finding: "home-broker-limits", plainFinding: "home-broker-restricts", says: ["retain"]),
            Variant(
                testDescription: "an ACL without hearth/#", acl: pumpsAndSensors, finding: "home-broker-restricts",
                plainFinding: "home-broker-restricts", says: ["hearth/", "topic readwrite hearth/#"]),
            Variant(
                testDescription: "an ACL without hearth/#, with Home Assistant", acl: pumpsAndSensors,
                configuration: "[home_assistant]\ndiscovery = true", finding: "home-broker-restricts",
                plainFinding: "home-broker-restricts", says: ["homeassistant/device", "topic write homeassistant/"]),
            Variant(
                testDescription: "an ACL with hearth/gateway/status only",
                acl: pumpsAndSensors + "topic readwrite hearth/gateway/#\n", finding: "home-broker-restricts",
                plainFinding: "home-broker-restricts", says: ["hearth/rooms/+", "topic readwrite hearth/#"]),
            // With 5 nothing can be told, and nothing needs to be: a refused command is answered so.
            Variant(
                testDescription: "an ACL that gives no commands back",
                acl: sensors + "topic write +/heatpump\ntopic readwrite hearth/#\n",
                plainFinding: "commands-unseen", says: ["office/heatpump", "topic readwrite +/heatpump"]),
            Variant(
                testDescription: "an ACL that gives nothing but what is needed, with Home Assistant",
                acl: "topic read +/temperature\ntopic write +/heatpump\n",
                configuration: "[home_assistant]\ndiscovery = true", finding: "home-broker-restricts",
                plainFinding: "home-broker-restricts", says: ["hearth/", "topic write homeassistant/"]),
        ]

        @Test("home broker", arguments: homes, ["auto", "5", "3.1.1"])
        func home(_ variant: Variant, _ version: String) async throws {
            let rig = try await rig(variant, version: version)
            let pump = try await Recorder(port: rig.home.port, topic: "+/heatpump", user: "pump")
            try rig.start()
            try await rig.status { link("control", in: $0)["state"].string == "connected" }
            try await heats(rig, pump, at: 17, expecting: "1")
            try await heats(rig, pump, at: 27, expecting: "0")
            try await heats(rig, pump, at: 16, expecting: "1")
            if let name = version == "3.1.1" ? variant.plainFinding : variant.finding {
                try await tells(variant.says, name, rig)
            }
            let status = try rig.currentStatus()
            let mayBeUnseen = variant.acl?.contains("topic write +/heatpump") == true
            for name in ["commands-refused", "readings-refused", "another-gateway"]
                + (mayBeUnseen ? [] : ["commands-unseen"])
            {
                #expect(House.finding(name, in: status) == nil, "\(rig.hearthd?.output ?? "")")
            }
            let output = rig.hearthd?.output ?? ""
            let aboutHome = output.split(separator: "\n").count { !$0.contains("lane=uplink") }
            #expect(aboutHome <= 20, "\(output)")
            try await rig.stop()
        }

        /// Waits until the findings of the name together say all parts.
        private func tells(_ parts: [String], _ name: String, _ rig: Rig) async throws {
            var words = ""
            do {
                try await eventually(within: .seconds(60), "\(name) says \(parts)") {
                    guard let status = try? rig.currentStatus() else { return false }
                    words = (status["alarms"].array ?? []).filter { $0["name"].string == name }
                        .flatMap { [$0["text"], $0["advice"], $0["subject"]] }.compactMap(\.string)
                        .joined(separator: "\n")
                    return parts.allSatisfy { words.contains($0) }
                }
            } catch {
                Issue.record("\(error): \(words)\n\(rig.hearthd?.output ?? "")")
            }
        }

        @Test("commands that an ACL refuses are the house's most urgent finding, until one is delivered")
        func commandsRefused() async throws {
            let acl = "topic readwrite +/temperature\ntopic readwrite hearth/#\ntopic read +/heatpump\n"
            let variant = Variant(testDescription: "", acl: acl)
            let rig = try await rig(variant, version: "auto")
            let pump = try await Recorder(port: rig.home.port, topic: "+/heatpump")
            try await rig.startAndSubscribe()
            try await publishReading(3.5, rig)
            let status = try await rig.status { House.finding("commands-refused", in: $0) != nil }
            let found = try #require(House.finding("commands-refused", in: status))
            #expect(found["severity"].string == "cold" && found["room"].string == "office")
            #expect(found["advice"].string?.contains("topic write +/heatpump") == true)
            #expect(status["alarms"].array?.first?["name"].string == "commands-refused", "\(status["alarms"])")
            for name in ["another-gateway", "no-home-broker"] { #expect(House.finding(name, in: status) == nil) }
            #expect(pump.arrivals.isEmpty)

            try acl.replacingOccurrences(of: "topic read +/heatpump", with: "topic readwrite +/heatpump")
                .write(toFile: rig.directory.file("acl"), atomically: true, encoding: .utf8)
            rig.home.send(SIGHUP)
            try await eventually(within: .seconds(40), "the command leaves") { !pump.arrivals.isEmpty }
            try await rig.status(within: .seconds(40)) { House.finding("commands-refused", in: $0) == nil }
            try await rig.stop()
        }

        @Test("also where 3.1.1 answers them as if they were taken, and closes")
        func commandsRefusedPlainly() async throws {
            let acl = "topic readwrite +/temperature\ntopic readwrite hearth/#\ntopic read +/heatpump\n"
            let rig = try await rig(Variant(testDescription: "", acl: acl), version: "3.1.1")
            try await rig.startAndSubscribe()
            for _ in 0..<20 where House.finding("commands-refused", in: try rig.currentStatus()) == nil {
                try await publishReading(3.5, rig)
                try await Task.sleep(for: .milliseconds(250))
            }
            let status = try await rig.status { House.finding("commands-refused", in: $0) != nil }
            #expect(status["alarms"].array?.first?["name"].string == "commands-refused", "\(status["alarms"])")
            #expect(House.finding("another-gateway", in: status) == nil)
            try await rig.stop()
        }

        @Test(
            "cloud broker", arguments: ["retain_available false", "max_qos 0", "retain_available false\nmax_qos 0"],
            ["auto", "3.1.1"])
        func cloud(_ lines: String, _ version: String) async throws {
            let rig = try await Rig(cloudBroker: Mosquitto.fast + "\n" + lines)
            try rig.rewrite { $0.replacingOccurrences(of: "[cloud]", with: "[cloud]\nprotocol = \"\(version)\"") }
            let cloud = try await Recorder(port: rig.cloud.port, topic: "home1/+/temperature")
            try await rig.startAndSubscribe()
            try await publishReading(17, rig)
            // A 3.1.1 broker only closes at what it does not take: a few attempts at the pace of a cloud link.
            try await eventually(within: .seconds(60), "the reading is in the cloud") { !cloud.arrivals.isEmpty }
            // 3.1.1 has no words for it: the broker takes QoS 0 and drops the flag without telling.
            if version == "auto" { try await rig.status { House.finding("cloud-broker-limits", in: $0) != nil } }
            try await rig.stop()
        }

        @Test("readings that arrive at QoS 0 are told, and those at QoS 1 are not", arguments: [true, false])
        func quality(_ upgrades: Bool) async throws {
            let lines = Mosquitto.fast.replacingOccurrences(
                of: "upgrade_outgoing_qos true", with: "upgrade_outgoing_qos \(upgrades)")
            let rig = try await Rig(homeBroker: lines)
            try await rig.startAndSubscribe()
            for value in 0..<8 { try await publishReading(20 + Double(value) / 10, rig, qos: 0) }
            try await rig.status { $0["counters"]["recorded"].int ?? 0 >= 8 }
            let status = try await rig.status { upgrades || House.finding("readings-at-qos0", in: $0) != nil }
            #expect((House.finding("readings-at-qos0", in: status) == nil) == upgrades)
            try await rig.stop()
        }

        @Test("two gateways with one home's name: both say so and stand back, also where the broker does not tell")
        func rivals() async throws {
            let rig = try await Rig()
            let other = try await Rig()
            try other.rewrite {
                $0.replacingOccurrences(of: "port = \(other.cloudWire.port)", with: "port = \(rig.cloudWire.port)")
            }
            try await rig.startAndSubscribe()
            try await other.startAndSubscribe()
            try await other.status(within: .seconds(40)) { House.finding("another-gateway", in: $0) != nil }
            try await rig.status(within: .seconds(40)) { House.finding("another-gateway", in: $0) != nil }
            let status = try other.currentStatus()
            #expect(House.finding("another-gateway", in: status)?["text"].string?.contains("home1") == true)
            try await rig.stop()
            try await other.stop()
        }

        // MARK: Around the tests

        private func rig(_ variant: Variant, version: String) async throws -> Rig {
            let directory = try TemporaryDirectory("acl")
            var lines = Mosquitto.fast + "\n" + variant.lines
            if let acl = variant.acl {
                // Those who look and those who measure are somebody else.
                let others = "\nuser pump\ntopic readwrite #\nuser sensor\ntopic readwrite #\n"
                lines += "\nacl_file \(try directory.write(acl + others, to: "acl"))"
            }
            let rig = try await Rig(configuration: variant.configuration, homeBroker: lines, in: directory)
            try rig.rewrite { $0.replacingOccurrences(of: "[local]", with: "[local]\nprotocol = \"\(version)\"") }
            return rig
        }

        private func link(_ name: String, in status: JSONValue) -> JSONValue {
            status["links"].array?.first { $0["name"].string == name } ?? status["none"]
        }

        private func publishReading(_ value: Double, _ rig: Rig, qos: Int = 0) async throws {
            try await publish(
                #"{"timestamp": "2026-11-23T10:00:00", "value": \#(value)}"#, to: "office/temperature",
                port: rig.home.port, qos: qos, options: ["-u", "sensor"])
        }

        /// Publishes readings until the pump hears the status; some may come while there is no connection.
        private func heats(_ rig: Rig, _ pump: Recorder, at value: Double, expecting status: String) async throws {
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(3) {
                try await publishReading(value, rig)
                if pump.arrivals.last?.payload == "{\"status\": \"\(status)\"}" { return }
                try await Task.sleep(for: .milliseconds(50))
            }
            Issue.record("no command \(status) at \(value): \(rig.hearthd?.output ?? "")")
        }
    }
}
