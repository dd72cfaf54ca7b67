import Foundation
import Heating
import TestSupport
import Testing

extension SystemTests {
    @Suite("What the cloud broker takes, and what it does not")
    struct SizeTests {
        private func load(_ count: Int, port: Int) async throws {
            let result = try await ChildProcess.run(
                ChildProcess.binary("hearth-sim"),
                ["load", "--port", "\(port)", "--count", "\(count)", "--reliable", "--json"])
            try #require(result.exit == .code(0), "\(result.output)")
        }

        @Test(
            "a backlog drains through a broker with a small packet, one large reading is named, the rest goes on",
            arguments: [
                "max_packet_size 2000", "max_packet_size 4096", "max_packet_size 300", "message_size_limit 1000",
            ])
        func small(_ limit: String) async throws {
            let rig = try await Rig(
                confirm: "ingestor", cloudBroker: Mosquitto.fast + "\n\(limit)\n")
            try await rig.startAndSubscribe()
            // Not to be compressed: frames are.
            let noise = (0..<12_000).map { _ in String("abcdefghijklmnopqrstuvwxyz0123456789".randomElement() ?? "x") }
                .joined()
            let large = #"{"timestamp": "2026-11-23T10:00:00", "value": 20, "note": "\#(noise)"}"#
            try await load(1000, port: rig.home.port)
            try await publish(large, to: "talker/temperature", port: rig.home.port)
            try await load(1000, port: rig.home.port)
            try await rig.status { $0["counters"]["recorded"].int ?? 0 >= 2001 }
            // Only now does somebody listen, and finds a backlog.
            let ingestor = try ScriptedIngestor(port: rig.cloud.port) { records in
                // As the real one does: what follows one another is one range, which fits into a small packet.
                SequenceRanges(records.map { $0.sequence...$0.sequence }).ranges
            }
            defer { ingestor.stop() }
            let status = try await rig.status(within: .seconds(60)) { $0["uplink"]["backlog"].int == 0 }
            let newest = try #require(status["journal"]["newest"].int)
            let arrived = Set(ingestor.sequences)
            let missing = Set((1...Int64(newest))).subtracting(arrived)
            #expect(missing.count == 1, "all but the large one")
            #expect(status["journal"]["setAside"]["too_large_for_cloud"].int == 1)
            let finding = status["alarms"].array?.first { $0["name"].string == "record-too-large" }
            #expect(finding?["subject"].string == "talker/temperature")
            #expect(rig.hearthd?.output.contains("cannot read the journal") == false)
            // And live readings go on.
            try await publish(
                #"{"timestamp": "2026-11-23T11:00:00", "value": 21}"#, to: "r/temperature", port: rig.home.port)
            try await eventually("the next one arrives") { ingestor.sequences.contains { $0 > Int64(newest) } }
        }

        @Test("a cloud that reads temperatures only: nothing lost, at most one in a hundred twice over two kills")
        func temperaturesOnly() async throws {
            let rig = try await Rig(confirm: "broker")
            let reader = try await Recorder(port: rig.cloud.port, topic: "+/+/temperature")
            defer { reader.stop() }
            try await rig.startAndSubscribe()
            var first = 0
            for _ in 0..<3 {
                let lines = (first..<first + 400).map {
                    "{\"timestamp\": \"2026-11-23T10:\($0 / 60 % 60 + 10):\($0 % 50 + 10).\(1_000_000 + $0)\", \"value\": \($0 / 50 % 2 == 0 ? 15 : 30)}"
                }
                let file = try rig.directory.write(lines.joined(separator: "\n") + "\n", to: "lines")
                let result = try await ChildProcess.run(
                    "/bin/sh", ["-c", "/usr/bin/mosquitto_pub -p \(rig.home.port) -q 1 -l -t r/temperature < \(file)"])
                try #require(result.exit == .code(0))
                first += 400
                try await eventually("they arrived") { Set(reader.arrivals.map(\.payload)).count >= first }
                try await rig.status { $0["uplink"]["backlog"].int == 0 }
                try await always(for: .milliseconds(1300), "nothing waits; the cursor is written after a second") {
                    try rig.currentStatus()["uplink"]["backlog"].int == 0
                }
                rig.kill()
                try await rig.startAndSubscribe()
            }
            let arrivals = reader.arrivals.map(\.payload)
            #expect(Set(arrivals).count == 1200)
            #expect(arrivals.count <= 1212, "\(arrivals.count - 1200) came twice")
            #expect(try rig.currentStatus()["alarms"].array?.contains { $0["name"].string == "cloud-refuses" } == false)
        }

        @Test("a minute without confirmations is told with the causes to look for, and ends with the next one")
        func unconfirmed() async throws {
            let rig = try await Rig(confirm: "ingestor")
            let ingestor = try ScriptedIngestor(port: rig.cloud.port)
            defer { ingestor.stop() }
            try await eventually("the ingestor listens") { ingestor.isConnected }
            try await rig.startAndSubscribe()
            try await load(10, port: rig.home.port)
            func finding(_ status: JSONValue) -> JSONValue? {
                status["alarms"].array?.first { $0["name"].string == "unconfirmed" }
            }
            let status = try await rig.status(within: .seconds(75)) { finding($0) != nil }
            #expect(finding(status)?["advice"].string?.contains("home1/gateway/ack") == true)
            #expect(finding(status)?["severity"].string == "forwarding")
            ingestor.acknowledge([1...10])
            try await rig.status { finding($0) == nil }
        }
    }
}
