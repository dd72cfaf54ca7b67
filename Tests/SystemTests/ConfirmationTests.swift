import Foundation
import Heating
import Synchronization
import TestSupport
import Testing

extension SystemTests {
    @Suite("What is confirmed is deleted, and nothing else")
    struct ConfirmationTests {
        private func readings(_ count: Int, port: Int, first: Int = 0) async throws {
            let result = try await ChildProcess.run(
                Self.simulator(),
                [
                    "load", "--port", "\(port)", "--count", "\(count)", "--first", "\(first)", "--reliable", "--json",
                ])
            try #require(result.exit == .code(0), "\(result.output)")
        }

        private static func simulator() throws -> String { try ChildProcess.binary("hearth-sim") }

        @Test("an ingestor that never answers: nothing is confirmed, everything stays, nothing is flooded")
        func never() async throws {
            let rig = try await Rig(confirm: "ingestor")
            let ingestor = try ScriptedIngestor(port: rig.cloud.port)
            try await eventually("the ingestor listens") { ingestor.isConnected }
            try await rig.startAndSubscribe()
            try await readings(2000, port: rig.home.port)
            try await rig.status { $0["counters"]["recorded"].int ?? 0 >= 2000 }
            try await eventually("all were sent once") { Set(ingestor.sequences).count >= 2000 }
            try await always(for: .seconds(3), "the backlog stays") {
                try rig.currentStatus()["uplink"]["backlog"].int ?? 0 >= 2000
            }
            #expect(ingestor.sequences.count < 3000, "an unanswered window is not sent over and over")
            ingestor.stop()
        }

        @Test("late, twice, out of order, of another epoch, beyond what was sent, and garbage")
        func strange() async throws {
            let rig = try await Rig(confirm: "ingestor")
            let ingestor = try ScriptedIngestor(port: rig.cloud.port)
            try await eventually("the ingestor listens") { ingestor.isConnected }
            try await rig.startAndSubscribe()
            try await readings(1000, port: rig.home.port)
            try await eventually("all were sent") { Set(ingestor.sequences).count >= 1000 }
            let last = try #require(ingestor.sequences.max())

            // None of these may free anything.
            ingestor.acknowledge([1...last], epoch: "another-epoch")
            ingestor.send(Array("{\"epoch\": \"x\", \"ranges\": [[5, 1]]}".utf8))
            ingestor.send([0xff, 0x00, 0x7b])
            ingestor.send(Array("{\"ranges\": 3}".utf8))
            ingestor.acknowledge([(last + 1)...(last + 1_000_000)])
            try await always(for: .seconds(2), "nothing is freed") {
                try rig.currentStatus()["uplink"]["backlog"].int ?? 0 >= 1000
            }
            // Out of order and twice: the low watermark waits for the first gap.
            ingestor.acknowledge([501...last])
            ingestor.acknowledge([501...last])
            try await rig.status { $0["uplink"]["backlog"].int.map { $0 <= 500 } ?? false }
            #expect(try rig.currentStatus()["uplink"]["confirmedThrough"].int == 0)
            ingestor.acknowledge([1...250, 251...500])
            try await rig.status { $0["uplink"]["backlog"].int == 0 }
            #expect(try rig.currentStatus()["uplink"]["confirmedThrough"].int ?? 0 >= Int(last))
            ingestor.stop()
        }

        @Test("a confirmation that was lost: the record is sent again, and after kill -9 only what is unconfirmed")
        func lost() async throws {
            let rig = try await Rig(confirm: "ingestor")
            // Every third record's confirmation never comes.
            let ingestor = try ScriptedIngestor(port: rig.cloud.port) { records in
                records.filter { $0.sequence % 3 != 0 }.map { $0.sequence...$0.sequence }
            }
            try await eventually("the ingestor listens") { ingestor.isConnected }
            try await rig.startAndSubscribe()
            try await readings(900, port: rig.home.port)
            try await rig.status { $0["uplink"]["backlog"].int == 300 }
            let before = ingestor.sequences.count
            rig.kill()
            try await rig.startAndSubscribe()
            try await eventually("the unconfirmed come again") {
                Set(ingestor.sequences.dropFirst(before)).filter { $0 % 3 == 0 }.count >= 300
            }
            let last = try #require(ingestor.sequences.max())
            ingestor.acknowledge([1...last])
            try await rig.status { $0["uplink"]["backlog"].int == 0 }
            ingestor.stop()
        }

        @Test("the cloud broker's memory dies with acknowledged messages in it: they are sent again")
        func brokerAmnesia() async throws {
            let rig = try await Rig(confirm: "ingestor")
            // The ingestor has subscribed once and is away; the broker queues for it, acknowledges, and is killed.
            let absent = try ScriptedIngestor(port: rig.cloud.port)
            try await eventually("the ingestor listens") { absent.isConnected }
            absent.stop()
            try await rig.startAndSubscribe()
            try await readings(400, port: rig.home.port)
            try await eventually("the broker acknowledged") { rig.cloudWire.confirmed.count >= 1 }
            rig.cloud.kill()
            let fresh = try Mosquitto(port: nil)
            try await fresh.start()
            rig.cloudWire.redirect(to: fresh.port)
            let ingestor = try ScriptedIngestor(port: fresh.port) { $0.map { $0.sequence...$0.sequence } }
            try await eventually(within: .seconds(30), "everything arrives after all") {
                Set(ingestor.sequences).count >= 400
            }
            try await rig.status(within: .seconds(30)) { $0["uplink"]["backlog"].int == 0 }
            ingestor.stop()
        }

        @Test("nobody subscribes at the cloud: nothing is flooded, and on its return the ingestor gets all in order")
        func absentIngestor() async throws {
            let rig = try await Rig(confirm: "ingestor")
            try await rig.startAndSubscribe()
            try await readings(1000, port: rig.home.port)
            // A stream is committed ten times a second: the alarm may come before the last of it is in the journal.
            try await rig.status { $0["counters"]["recorded"].int ?? 0 >= 1000 }
            try await rig.status { $0["alarms"].array?.contains { $0["name"].string == "cloud-refuses" } ?? false }
            try await always(for: .seconds(3), "the backlog stays") {
                try rig.currentStatus()["uplink"]["backlog"].int ?? 0 >= 1000
            }
            #expect(rig.cloudWire.published.count < 150, "one window, and then a question now and then")
            let ingestor = try ScriptedIngestor(port: rig.cloud.port) { $0.map { $0.sequence...$0.sequence } }
            try await rig.status(within: .seconds(30)) { $0["uplink"]["backlog"].int == 0 }
            let sequences = ingestor.sequences
            #expect(sequences == sequences.sorted(), "in order, although the first attempts were refused")
            try await rig.status { $0["alarms"].array?.isEmpty ?? false }
            ingestor.stop()
        }

        @Test("with a plain broker a PUBACK confirms; without a subscriber (0x10) nothing does")
        func plainBroker() async throws {
            let rig = try await Rig(confirm: "broker")
            try await rig.startAndSubscribe()
            try await readings(200, port: rig.home.port)
            try await rig.status { $0["counters"]["recorded"].int ?? 0 >= 200 }
            try await always(for: .seconds(2), "no subscriber, so the broker dropped it") {
                try rig.currentStatus()["uplink"]["backlog"].int ?? 0 >= 200
            }
            let recorder = try await Recorder(port: rig.cloud.port, topic: "home1/+/temperature")
            rig.cloudWire.cut()
            try await eventually(within: .seconds(20), "everything arrives") {
                Set(recorder.arrivals.map { $0.topic + $0.payload }).count == 200
            }
            try await rig.status(within: .seconds(20)) { $0["uplink"]["backlog"].int == 0 }
        }
    }
}
