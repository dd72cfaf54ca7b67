import Foundation
import MQTT
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: Mosquitto.isInstalled, "mosquitto is not installed"))
struct TLSTests {
    let certificates: Certificates

    init() async throws {
        certificates = try await Certificates()
    }

    private func broker(_ more: String = "", certificates: Certificates? = nil) async throws -> Mosquitto {
        let certificates = certificates ?? self.certificates
        return try await Mosquitto.started(
            """
            cafile \(certificates.ca)
            certfile \(certificates.serverCertificate)
            keyfile \(certificates.serverKey)
            allow_anonymous true
            max_inflight_messages 1000
            max_queued_messages 0
            \(more)
            """)
    }

    private func secured(_ port: Int, host: String = "localhost", ca: String? = nil) -> ConnectionSettings {
        var settings = settings(port)
        settings.host = host
        settings.tls = TLS(caFile: ca ?? certificates.ca)
        return settings
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func messagesPassInBothDirections(_ host: String) async throws {
        let broker = try await broker()
        let recorder = Recorder(
            filters: ["t"],
            onConnected: { link in
                for number in 1...500 {
                    try link.publish(
                        Publication(topic: "t", payload: bytes("\(number) ") + [UInt8](repeating: 32, count: 500)))
                }
            })
        try await withConnection(secured(broker.port, host: host), recorder) { _ in
            try await eventually { recorder.messageCount == 500 && recorder.now.published.count == 500 }
        }
    }

    /// libmosquitto 2.0.11 with an external loop: after some 278 queued packets its internal pipe is full, each read
    /// stops after one packet, and the rest of a TLS record waits decrypted where no poll sees it.
    @Test func messagesInLargeRecordsDoNotStallBehindTheLibrarysPipe() async throws {
        let broker = try await TLSScriptedBroker(certificates)
        let recorder = Recorder()
        try await withConnection(secured(broker.port), recorder) { _ in
            try await eventually { broker.packets.first?.kind == .connect }
            broker.write(Packet.connack())
            try await eventually { recorder.connectCount == 1 }
            for start in stride(from: UInt16(1), to: 400, by: 100) {
                broker.write((start..<start + 100).flatMap { Packet.publish("office/temperature", [1], id: $0) })
                try await eventually { recorder.messageCount == Int(start) + 99 }
            }
            broker.write((401...900).flatMap { Packet.publish("office/temperature", [1, 2, 3], id: $0) })
            try await eventually(within: .seconds(5), "500 messages in one go") { recorder.messageCount == 900 }
            try await eventually {
                broker.packets.filter { $0.kind == .puback }.compactMap(\.packetID) == Array(1...900)
            }
        }
    }

    @Test func theBatchLimitHoldsWithinALargeRecord() async throws {
        let broker = try await TLSScriptedBroker(certificates)
        let recorder = Recorder()
        var settings = secured(broker.port)
        settings.batch.messages = 50
        try await withConnection(settings, recorder) { _ in
            try await eventually { broker.packets.first?.kind == .connect }
            broker.write(Packet.connack())
            broker.write((0..<400).flatMap { _ in Packet.publish("office/temperature", [1], qos: 0) })
            try await eventually { recorder.messageCount == 400 }
            #expect(recorder.now.batches.map(\.count).max() == 50)
        }
    }

    @Test func aBrokerOfAnotherAuthorityIsRefusedAndTheFileNamed() async throws {
        let broker = try await broker()
        let other = try await Certificates()
        let cause = try await failure(secured(broker.port, ca: other.ca))
        #expect(cause.kind == .tls && cause.message.contains(other.ca), "\(cause)")
        #expect(cause.message.contains("is it the CA that signed it"), "\(cause)")
    }

    @Test func theSystemsAuthoritiesDoNotCoverAThrowAwayOne() async throws {
        let broker = try await broker()
        var settings = secured(broker.port)
        settings.tls = TLS()
        let cause = try await failure(settings)
        #expect(cause.kind == .tls && cause.message.contains("the system's CAs"), "\(cause)")
    }

    @Test func aCertificateForAnotherNameIsRefused() async throws {
        let wrong = try await Certificates(serverNames: "DNS:broker.example")
        let broker = try await broker(certificates: wrong)
        let cause = try await failure(secured(broker.port, ca: wrong.ca))
        #expect(cause.kind == .tls && cause.message.contains("'localhost'"), "\(cause)")
    }

    @Test func aClientCertificateThatIsRequiredIsAskedFor() async throws {
        let broker = try await broker("require_certificate true")
        var settings = secured(broker.port)
        let cause = try await failure(settings)
        #expect(cause.message.contains("certificate"), "\(cause)")
        settings.tls?.certificateFile = certificates.clientCertificate
        settings.tls?.keyFile = certificates.clientKey
        let recorder = Recorder()
        try await withConnection(settings, recorder) { _ in
            try await eventually { recorder.connectCount == 1 }
        }
    }

    @Test func filesThatCannotBeUsedAreNamed() async throws {
        let directory = try TemporaryDirectory()
        var settings = secured(1, ca: directory.file("missing.crt"))
        #expect(try await failure(settings).message.contains(directory.file("missing.crt")))

        let broker = try await broker()
        let garbage = try directory.write("no certificate", to: "garbage.crt")
        settings = secured(broker.port, ca: garbage)
        let cause = try await failure(settings)
        #expect(cause.kind == .tls && cause.message.contains(garbage), "\(cause)")

        settings = secured(broker.port)
        settings.tls?.certificateFile = certificates.clientCertificate
        #expect(try await failure(settings).kind == .configuration)
        settings.tls?.keyFile = certificates.serverKey
        #expect(try await failure(settings).message.contains(certificates.serverKey))
    }

    @Test func aPortWithoutTLSIsRecognised() async throws {
        let broker = try await Mosquitto.started()
        let cause = try await failure(secured(broker.port))
        #expect(cause.kind == .tls && cause.message.contains("is it the broker's TLS port?"), "\(cause)")
    }

    @Test func aRenewedCertificateAuthorityIsReadAtTheNextAttempt() async throws {
        let broker = try await broker()
        let directory = try TemporaryDirectory()
        let other = try await Certificates()
        let file = try directory.write(try String(contentsOfFile: other.ca, encoding: .utf8), to: "ca.crt")
        let recorder = Recorder()
        try await withConnection(secured(broker.port, ca: file), recorder) { _ in
            _ = try await recorder.disconnection()
            try directory.write(try String(contentsOfFile: certificates.ca, encoding: .utf8), to: "ca.crt")
            try await eventually { recorder.connectCount == 1 }
        }
    }

    private func failure(_ settings: ConnectionSettings) async throws -> Disconnection {
        let recorder = Recorder()
        return try await withConnection(settings, recorder) { _ in try await recorder.disconnection() }
    }
}
