import Foundation
import Synchronization
import TestSupport
import Testing

@testable import MQTT

/// Brokers that take less than is asked for, or send what they must not.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct StubbornBrokerTests {
    let broker: ScriptedBroker

    init() throws {
        broker = try ScriptedBroker()
    }

    @Test func aBrokerThatDoesNotAnswerVersion5IsTriedWith311() async throws {
        var settings = settings(broker.port)
        settings.answerTimeout = 300 * millisecond
        let recorder = Recorder()
        try await withConnection(settings, recorder) { _ in
            let start = ContinuousClock.now
            #expect(try await broker.peer(0).packet(.connect).protocolLevel == 5)
            #expect(try await broker.acceptMQTT(1).packet(.connect).protocolLevel == 4)
            #expect(ContinuousClock.now - start < .seconds(3), "not the whole time of an attempt")
            try await eventually { recorder.connectCount == 1 }
            #expect(recorder.now.disconnected.isEmpty, "another version is no failure")
        }
    }

    @Test func aBrokerThatClosesAtVersion5IsTriedWith311AtOnceAndVersion5ComesFirstAgain() async throws {
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            let first = try await broker.peer(0)
            #expect(try await first.packet(.connect).protocolLevel == 5)
            first.close()
            let trial = try await broker.acceptMQTT(1)
            #expect(try await trial.packet(.connect).protocolLevel == 4)
            trial.close()
            // In case the broker was only restarting.
            #expect(try await broker.acceptMQTT(2).packet(.connect).protocolLevel == 5)
            try await eventually { recorder.connectCount == 2 }
            #expect(recorder.now.connected.map(\.version) == [.v311, .v5])
        }
    }

    /// The network cut the first CONNECT; the broker knows v5.
    @Test func aLinkCutAtItsFirstConnectDoesNotStayOn311() async throws {
        var settings = settings(broker.port)
        settings.suspicionTime = 300 * millisecond
        let recorder = Recorder()
        try await withConnection(settings, recorder) { _ in
            try await broker.peer(0).close()
            let second = try await broker.acceptMQTT(1)
            #expect(try await second.packet(.connect).protocolLevel == 4)
            try await eventually { recorder.connectCount == 1 }
            // In order, so that the broker sends no will.
            _ = try await second.packet(.disconnect)
            #expect(try await broker.acceptMQTT(2).packet(.connect).protocolLevel == 5)
            try await eventually { recorder.connectCount == 2 }
            #expect(recorder.now.connected.map(\.version) == [.v311, .v5])
        }
    }

    @Test func aBrokerThatDoesNotKnowVersion5IsInterruptedOnceOnly() async throws {
        var settings = settings(broker.port)
        settings.suspicionTime = 200 * millisecond
        let recorder = Recorder()
        try await withConnection(settings, recorder) { _ in
            try await broker.peer(0).close()
            _ = try await broker.acceptMQTT(1)
            let trial = try await broker.peer(2)
            #expect(try await trial.packet(.connect).protocolLevel == 5)
            trial.close()
            #expect(try await broker.acceptMQTT(3).packet(.connect).protocolLevel == 4)
            try await eventually { recorder.connectCount == 2 }
            try await always(for: .seconds(1), "the connection lasts") { recorder.now.disconnected.count == 1 }
        }
    }

    /// Will flags of CONNECT (3.1.2.5 to 3.1.2.7): will 0x04, QoS 1 0x08, retain 0x20.
    @Test(
        arguments: [(0x9A, 0x0C, "unretained"), (0x9B, 0x04, "plain"), (0x87, 0, "none")] as [(UInt8, UInt8, String)])
    func aRefusedWillCostsNoConnection(_ reason: UInt8, _ expected: UInt8, _ admission: String) async throws {
        var settings = settings(broker.port)
        settings.will = Publication(topic: "w", payload: bytes("off"), qos: 1, retain: true)
        let admissions = Lines()
        let recorder = Recorder(onConnected: { admissions.add("\($0.will)") })
        try await withConnection(settings, recorder) { _ in
            let first = try await broker.peer(0)
            #expect(try await first.packet(.connect).body[7] & 0x3C == 0x2C)
            first.write(Packet.connack(reason: reason))
            first.close()
            let second = try await broker.acceptMQTT(1)
            #expect(try await second.packet(.connect).body[7] & 0x3C == expected)
            try await eventually { recorder.connectCount == 1 }
            #expect(recorder.now.disconnected.isEmpty)
            #expect(admissions.all == [admission])
        }
    }

    @Test func whatTheBrokerDoesNotOfferIsLeftOut() async throws {
        let recorder = Recorder(onConnected: { link in
            #expect(link.maximumQoS == 0 && !link.canRetain)
            try link.publish(Publication(topic: "t", payload: [1], qos: 1, retain: true))
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            // Maximum QoS (0x24) 0, Retain Available (0x25) 0.
            let peer = try await broker.acceptMQTT(properties: [0x24, 0, 0x25, 0])
            let packet = try await peer.packet(.publish)
            #expect(packet.qos == 0 && !packet.isRetained)
            try await eventually { recorder.now.published.count == 1 }
        }
    }

    /// libmosquitto 2.0.11 asserts on a property that MQTT 5 does not know, in every packet that has properties.
    @Test(
        arguments: [
            [0x20, 5, 0, 0, 2, 0x7F, 0],  // CONNACK
            Packet.connack() + [0x30, 8, 0, 1, 0x74, 2, 0x7F, 0, 1, 2],  // PUBLISH
            Packet.connack() + [0x40, 6, 0, 1, 0, 2, 0x7F, 0],  // PUBACK
            Packet.connack() + [0x50, 6, 0, 1, 0, 2, 0x7F, 0],  // PUBREC
            Packet.connack() + [0x62, 6, 0, 1, 0, 2, 0x7F, 0],  // PUBREL
            Packet.connack() + [0x70, 6, 0, 1, 0, 2, 0x7F, 0],  // PUBCOMP
            Packet.connack() + [0x90, 6, 0, 1, 2, 0x7F, 0, 0],  // SUBACK
            Packet.connack() + [0xB0, 6, 0, 1, 2, 0x7F, 0, 0],  // UNSUBACK
            Packet.connack() + [0xE0, 4, 0, 2, 0x7F, 0],  // DISCONNECT
            Packet.connack() + [0xF0, 4, 0x18, 2, 0x7F, 0],  // AUTH
        ] as [[UInt8]])
    func anUnknownPropertyEndsTheConnectionOnly(_ packets: [UInt8]) async throws {
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            let peer = try await broker.peer(0)
            _ = try await peer.packet(.connect)
            peer.write(packets)
            try await eventually { peer.isEnded }
            // Properties are unreadable from there, so the next attempt asks for none.
            let next = try await broker.acceptMQTT(1)
            #expect(try await next.packet(.connect).protocolLevel == 4)
            next.write(Packet.publish("a/temperature", [1], id: 3, properties: nil))
            try await eventually { next.acknowledged == [3] }
            for ended in recorder.now.disconnected.map(\.cause) where ended.kind == .protocolError {
                #expect(ended.message.contains("does not know"), "\(ended)")
            }
        }
    }

    @Test func anUnknownPropertyBehindTLSEndsTheConnectionOnly() async throws {
        let certificates = try await Certificates()
        let peer = try await TLSScriptedBroker(certificates)
        let recorder = Recorder()
        var settings = settings(peer.port)
        settings.tls = TLS(caFile: certificates.ca)
        try await withConnection(settings, recorder) { _ in
            try await eventually { peer.packets.first?.kind == .connect }
            peer.write(Packet.connack() + Packet.publish("a/temperature", [1], id: 1, properties: [0x7F, 0]))
            let cause = try await recorder.disconnection()
            #expect(cause.kind == .protocolError && cause.message.contains("does not know"), "\(cause)")
        }
    }

    @Test func aSecondAcceptanceIsAnError() async throws {
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            let peer = try await broker.acceptMQTT()
            try await eventually { recorder.connectCount == 1 }
            peer.write(Packet.connack())
            let cause = try await recorder.disconnection()
            #expect(cause.kind == .protocolError && cause.message.contains("twice"), "\(cause)")
        }
    }

    @Test func aPasswordFileMayBeginWithAByteOrderMark() async throws {
        let directory = try TemporaryDirectory()
        var settings = settings(broker.port)
        settings.username = "u"
        settings.passwordFile = try directory.write("\u{FEFF}geheim\r\n", to: "password")
        try await withConnection(settings, Recorder()) { _ in
            let connect = try await broker.acceptMQTT().packet(.connect)
            #expect(connect.body.suffix(8) == [0, 6] + bytes("geheim"))
        }
    }
}

/// Texts from a connection's thread.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
