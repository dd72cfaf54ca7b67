import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite("The cloud goes away")
    struct OutageTests {
        @Test("heating goes on, the order per room is kept, nothing is missing", arguments: ["black hole", "refused"])
        func outage(kind: String) async throws {
            let rig = try await Rig()
            let cloud = try await Recorder(port: rig.cloud.port, topic: "home1/#")
            // With "auto" a link that is cut at its first CONNECT is tried with 3.1.1 next, which has no properties.
            try rig.rewrite { $0.replacingOccurrences(of: "[cloud]", with: "[cloud]\nprotocol = \"5\"") }
            rig.cloudWire.set(kind == "refused" ? .refuse : .blackHole)
            try await rig.startAndSubscribe()
            let pump = try await Recorder(port: rig.home.port, topic: "office/heatpump")
            for round in 0..<3 {
                try await reading(19, round * 2, rig)
                try await eventually("started") {
                    pump.arrivals.filter { $0.payload == #"{"status": "1"}"# }.count > round
                }
                try await reading(26, round * 2 + 1, rig)
                try await eventually("stopped") {
                    pump.arrivals.filter { $0.payload == #"{"status": "0"}"# }.count > round
                }
            }
            let load = try await ChildProcess.run(
                ChildProcess.binary("hearth-sim"),
                ["load", "--port", "\(rig.home.port)", "--count", "3000", "--rooms", "3", "--reliable", "--json"])
            #expect(load.exit == .code(0))
            try await rig.status { $0["uplink"]["backlog"].int ?? 0 >= 3012 }
            #expect(cloud.arrivals.filter { $0.topic.hasSuffix("/temperature") }.isEmpty)

            rig.cloudWire.set(.pass)
            rig.cloudWire.cut()
            try await rig.status(within: .seconds(90)) { $0["uplink"]["backlog"].int == 0 }
            try await eventually("everything arrives") {
                Set(cloud.arrivals.filter { $0.topic.contains("/room") }.map { $0.topic + $0.payload }).count == 3000
            }
            // The commands that were given at home, with when and why.
            let commands = cloud.arrivals.filter { $0.topic == "home1/office/heatpump" }
            #expect(commands.count >= 6)
            #expect(
                commands.allSatisfy { $0.properties.contains("reason:") && $0.properties.contains("timestamp:") },
                "\(commands.map { "\($0.payload) \($0.properties)" })")
            for room in ["room1", "room2", "room3"] {
                let arrived = cloud.arrivals.filter { $0.topic == "home1/\(room)/temperature" }.map(\.payload)
                var seen = Set<String>()
                let first = arrived.filter { seen.insert($0).inserted }
                #expect(first == first.sorted(), "numbered payloads of one room sort in the order they were sent")
            }
        }

        private func reading(_ value: Int, _ number: Int, _ rig: Rig) async throws {
            let time = "2026-11-23T10:00:\(String(format: "%02d", number))"
            try await publish(
                "{\"timestamp\": \"\(time)\", \"value\": \(value)}", to: "office/temperature", port: rig.home.port)
        }

        @Test("a link that flaps every second loses and reorders nothing")
        func flapping() async throws {
            let rig = try await Rig()
            let cloud = try await Recorder(port: rig.cloud.port, topic: "home1/+/temperature")
            try await rig.startAndSubscribe()
            let load = try ChildProcess(
                "hearth-sim",
                ["load", "--port", "\(rig.home.port)", "--count", "4000", "--rate", "400", "--reliable", "--json"])
            while load.isRunning {
                rig.cloudWire.cut()
                try await Task.sleep(for: .milliseconds(1000))
            }
            try await rig.status(within: .seconds(90)) { $0["uplink"]["backlog"].int == 0 }
            try await eventually("everything arrives") {
                Set(cloud.arrivals.map { $0.topic + $0.payload }).count == 4000
            }
        }
    }
}
