import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Brokers that do not give the ingestor what it asks for.
    @Suite("ingest: refused subscriptions")
    struct IngestSubscriptionTests {
        private struct Place {
            let directory: TemporaryDirectory
            let broker: ScriptedBroker
            let service: ChildProcess
            let port: Int

            init() throws {
                directory = try TemporaryDirectory("ingest")
                broker = try ScriptedBroker()
                port = try freePort()
                service = try ChildProcess(
                    "hearth-cloud", ["ingest"],
                    environment: [
                        "MQTT_PORT": "\(broker.port)", "JOURNAL_PATH": directory.file("events.sqlite"),
                        "HTTP_PORT": "\(port)",
                    ])
            }

            /// The ingestor's connection; another one is for the homes' audits.
            func ingestor() async throws -> ScriptedBroker.Peer {
                let peers = [try await broker.acceptMQTT(0), try await broker.acceptMQTT(1)]
                return try await value("a subscription") {
                    peers.first { $0.packets(.subscribe).contains { $0.text.contains("+/frame") } }
                }
            }

            /// Waits until `/readyz` answers with this status and text.
            func answers(_ status: String, _ text: String) async throws {
                let end = ContinuousClock.now + .seconds(20)
                var answer = ""
                while ContinuousClock.now < end {
                    let arguments = ["--silent", "--write-out", "\n%{http_code}", "http://127.0.0.1:\(port)/readyz"]
                    answer = try await ChildProcess.run("/usr/bin/curl", arguments).output
                    if answer.hasSuffix(status), answer.contains(text) { return }
                    try await Task.sleep(for: .milliseconds(100))
                }
                Issue.record("not \(status) with \"\(text)\": \(answer) \(service.output.suffix(900))")
            }

            /// The n-th SUBSCRIBE for the gateways' topics.
            func subscription(_ number: Int, _ peer: ScriptedBroker.Peer) async throws -> Packet {
                try await value(within: .seconds(20), "subscription \(number)") {
                    let found = peer.packets(.subscribe).filter { $0.text.contains("+/frame") }
                    return found.count > number ? found[number] : nil
                }
            }
        }

        @Test("what the broker does not allow makes the service unready, and is asked for until it does")
        func notAllowed() async throws {
            let place = try Place()
            defer { place.broker.close() }
            let peer = try await place.ingestor()
            let first = try await place.subscription(0, peer)
            peer.write(Packet.suback(first.packetID ?? 0, reasons: [0x87, 0x01, 0x87]))
            try await place.answers("503", "refuses the subscription to $share/hearth-ingest/+/+/temperature")
            let second = try await place.subscription(1, peer)
            #expect(!second.text.contains("+/+/heatpump"), "that one was granted")
            peer.write(Packet.suback(second.packetID ?? 0, reasons: [0x01, 0x01]))
            try await place.answers("200", "ready")
        }

        @Test("a broker without shared subscriptions is asked for unshared ones")
        func noSharing() async throws {
            let place = try Place()
            defer { place.broker.close() }
            let peer = try await place.ingestor()
            let first = try await place.subscription(0, peer)
            #expect(first.text.contains("$share"))
            peer.write(Packet.suback(first.packetID ?? 0, reasons: [0x9E, 0x9E, 0x9E]))
            let second = try await place.subscription(1, peer)
            #expect(!second.text.contains("$share"))
            peer.write(Packet.suback(second.packetID ?? 0, reasons: [0x01, 0x01, 0x01]))
            try await place.answers("200", "ready")
        }
    }
}

extension Packet {
    /// To look for topic filters in it.
    fileprivate var text: String { String(decoding: body, as: UTF8.self) }
}
