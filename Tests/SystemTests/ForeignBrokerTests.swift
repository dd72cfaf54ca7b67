import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// RabbitMQ takes half a minute to start, so what is asked of a make is asked of one broker, one after the other.
    @Suite("Brokers of another make, which speak 3.1.1 only")
    struct ForeignBrokerTests {
        @Test(
            "RabbitMQ: a house is heated by it, and forwards to it",
            .enabled(
                if: ForeignBroker.isInstalled(.rabbitMQ), "RabbitMQ is not installed: apt-get install rabbitmq-server"))
        func rabbitMQ() async throws { try await serves(.rabbitMQ) }

        @Test(
            "amqtt: a house is heated by it, and forwards to it",
            .enabled(
                if: ForeignBroker.isInstalled(.amqtt),
                "amqtt is not installed: scripts/test makes .build/peers/amqtt from PyPI"))
        func amqtt() async throws { try await serves(.amqtt) }

        private func serves(_ make: ForeignBroker.Make) async throws {
            let broker = try await ForeignBroker.started(make)
            try await heats(through: broker)
            try await forwards(to: broker)
        }

        /// As home broker: connected within five seconds, and a command leaves within a second of that.
        private func heats(through broker: ForeignBroker) async throws {
            let rig = try await Rig()
            try rig.rewrite {
                $0.replacingOccurrences(of: "port = \(rig.homeWire.port)", with: "port = \(broker.port)")
            }
            let pump = try await Recorder(port: broker.port, topic: "+/heatpump", version: "311")
            try rig.start()
            try await connects("control", rig)
            try await publishReading(17, port: broker.port)
            try await hears(pump, "1", within: .seconds(1), rig)
            try await eventually("the record lane has subscribed") {
                rig.hearthd?.output.contains("recording") ?? false
            }
            try await publishReading(27, port: broker.port)
            try await hears(pump, "0", within: .seconds(1), rig)
            let status = try await status(of: rig) { $0["counters"]["recorded"].int ?? 0 >= 2 }
            #expect(
                status["alarms"].array?.contains { $0["severity"].string == "cold" } == false, "\(status["alarms"])")
            try await rig.stop()
        }

        /// As cloud broker: connected within five seconds; readings arrive, and the cloud's command reaches the pump.
        private func forwards(to broker: ForeignBroker) async throws {
            let rig = try await Rig()
            try rig.rewrite {
                $0.replacingOccurrences(of: "port = \(rig.cloudWire.port)", with: "port = \(broker.port)")
            }
            let pump = try await Recorder(port: rig.home.port, topic: "+/heatpump")
            let cloud = try await Recorder(port: broker.port, topic: "home1/+/temperature", version: "311")
            try rig.start()
            try await connects("uplink", rig)
            try await publishReading(22, port: rig.home.port)
            try await eventually(within: .seconds(2), "the reading is in the cloud") { !cloud.arrivals.isEmpty }
            try await publish(
                #"{"status": "1"}"#, to: "home1/office/heatpump/set", port: broker.port, options: ["-V", "311"])
            try await hears(pump, "1", within: .seconds(1), rig)
            // What was published is confirmed, so nothing is kept.
            try await status(of: rig) { $0["uplink"]["backlog"].int == 0 }
            try await rig.stop()
        }

        // MARK: Around the tests

        private func connects(_ name: String, _ rig: Rig) async throws {
            let deadline = rig.startedAt + .seconds(5)
            try await rig.status(within: max(.zero, deadline - .now)) { status in
                status["links"].array?.contains {
                    $0["name"].string == name && $0["state"].string == "connected"
                        && $0["protocol"].string == "MQTT 3.1.1"
                } ?? false
            }
        }

        /// Waits for the status, and shows what there is instead.
        @discardableResult
        private func status(of rig: Rig, _ wanted: (JSONValue) -> Bool) async throws -> JSONValue {
            do {
                return try await rig.status(wanted)
            } catch {
                throw Failure("\(error): \(try rig.currentStatus())\n\(rig.hearthd?.output ?? "")")
            }
        }

        private func publishReading(_ value: Double, port: Int) async throws {
            try await publish(
                #"{"timestamp": "2026-11-23T10:00:\#(Int(value))", "value": \#(value)}"#, to: "office/temperature",
                port: port, options: ["-V", "311"])
        }

        private func hears(_ pump: Recorder, _ status: String, within limit: Duration, _ rig: Rig) async throws {
            do {
                try await eventually(within: limit, "the pump hears \(status)") {
                    pump.arrivals.contains { $0.payload == "{\"status\": \"\(status)\"}" }
                }
            } catch {
                Issue.record("\(error): \(pump.arrivals)\n\(rig.hearthd?.output ?? "")")
            }
        }
    }
}
