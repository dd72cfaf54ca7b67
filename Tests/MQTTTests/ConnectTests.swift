import TestSupport
import Testing

@testable import MQTT

/// The CONNECT packet, byte for byte, and what follows from the answers to it.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ConnectTests {
    let broker: ScriptedBroker

    init() throws {
        broker = try ScriptedBroker()
    }

    @Test func version5CarriesSessionExpiryAndReceiveMaximum() async throws {
        var settings = settings(broker.port, clientID: "gw")
        settings.keepAlive = 30
        settings.sessionExpiry = 86_400
        settings.receiveMaximum = 1000
        try await withConnection(settings, Recorder()) { _ in
            let connect = try await broker.acceptMQTT().packet(.connect)
            #expect(
                connect.bytes == [0x10, 23, 0, 4] + bytes("MQTT") + [5, 0x00, 0, 30]
                    // Session Expiry Interval (0x11), Receive Maximum (0x21).
                    + [8, 0x11, 0, 1, 0x51, 0x80, 0x21, 0x03, 0xE8] + [0, 2] + bytes("gw"))
        }
    }

    @Test func everySettingReachesThePacket() async throws {
        let directory = try TemporaryDirectory()
        var settings = settings(broker.port, clientID: "gw")
        settings.cleanStart = true
        settings.keepAlive = 600
        settings.maximumPacketSize = 65_536
        settings.username = "u"
        settings.passwordFile = try directory.write("secret\n", to: "password")
        settings.will = Publication(
            topic: "w", payload: bytes("off"), qos: 1, retain: true, userProperties: [UserProperty("k", "v")])
        try await withConnection(settings, Recorder()) { _ in
            let connect = try await broker.acceptMQTT().packet(.connect)
            #expect(
                connect.body == [0, 4] + bytes("MQTT") + [5, 0b1110_1110, 0x02, 0x58]
                    + [13, 0x11, 0, 0, 0, 0, 0x27, 0, 1, 0, 0, 0x21, 0x03, 0xE8] + [0, 2] + bytes("gw")
                    + [7, 0x26, 0, 1] + bytes("k") + [0, 1] + bytes("v") + [0, 1] + bytes("w") + [0, 3] + bytes("off")
                    + [0, 1] + bytes("u") + [0, 6] + bytes("secret"))
        }
    }

    @Test(
        arguments: [
            [0x20, 2, 0, 1],  // CONNACK of 3.1.1: unacceptable protocol version
            [0x20, 3, 0, 0x84, 0],  // CONNACK of v5: unsupported protocol version
        ] as [[UInt8]])
    func aRefusedVersion5FallsBackTo311AndStaysThere(_ answer: [UInt8]) async throws {
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { connection in
            let first = try await broker.peer(0)
            #expect(try await first.packet(.connect).protocolLevel == 5)
            first.write(answer)
            first.close()
            let second = try await broker.acceptMQTT(1)
            #expect(try await second.packet(.connect).protocolLevel == 4)
            try await eventually { recorder.connectCount == 1 }
            #expect(recorder.now.connected.first?.version == .v311)
            #expect(recorder.now.disconnected.isEmpty, "falling back is no failure")
            guard case .connected(_, version: .v311) = connection.state else {
                Issue.record("\(connection.state)")
                return
            }
            second.write(Packet.publish("a/temperature", [1], id: 3, properties: nil))
            try await eventually { second.acknowledged == [3] }
            second.close()
            #expect(try await broker.acceptMQTT(2).packet(.connect).protocolLevel == 4)
        }
    }

    @Test func aRefusalNamesTheBrokerTheReasonAndTheSetting() async throws {
        var settings = settings(broker.port)
        settings.username = "home1"
        let recorder = Recorder()
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.peer()
            _ = try await peer.packet(.connect)
            // Reason String (0x1F): "banned".
            peer.write(Packet.connack(reason: 0x87, properties: [0x1F, 0, 6] + bytes("banned")))
            let cause = try await recorder.disconnection()
            #expect(cause.kind == .refused && cause.reason == .notAuthorised)
            for part in ["127.0.0.1:\(broker.port)", "not authorised", "banned", "'home1'", "password_file"] {
                #expect(cause.message.contains(part), "\(cause)")
            }
            #expect(recorder.now.disconnected.first?.after == 0)
        }
    }

    @Test func aDisconnectOfTheBrokerGivesItsReason() async throws {
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            try await broker.acceptMQTT().write([0xE0, 1, 0x8E])
            let cause = try await recorder.disconnection()
            #expect(cause.kind == .disconnectedByBroker && cause.reason == .sessionTakenOver)
            #expect(cause.message.contains("'gateway'"), "\(cause)")
            #expect(recorder.now.disconnected.first.map { $0.after > 0 } == true)
        }
    }

    @Test func aMissingPasswordFileIsNamedAndNeverMeansAnonymous() async throws {
        let directory = try TemporaryDirectory()
        var settings = settings(broker.port)
        settings.username = "home1"
        settings.passwordFile = directory.file("password")
        let recorder = Recorder()
        try await withConnection(settings, recorder) { _ in
            let cause = try await recorder.disconnection(2)
            #expect(cause.kind == .configuration && cause.message.contains(directory.file("password")), "\(cause)")
            #expect(broker.peers.isEmpty)
            try directory.write("", to: "password")
            try await eventually { recorder.now.disconnected.contains { $0.cause.message.contains("is empty") } }
            #expect(broker.peers.isEmpty)
            // Read at each attempt, so the operator need not restart anything.
            try directory.write("geheim\r\n", to: "password")
            let connect = try await broker.acceptMQTT().packet(.connect)
            #expect(connect.body.suffix(8) == [0, 6] + bytes("geheim"))
        }
    }

    @Test func newSettingsFinishTheOldConnectionAndOpenANewOne() async throws {
        let other = try ScriptedBroker()
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.age = 10 * second
        try await withConnection(settings, recorder) { connection in
            let peer = try await broker.acceptMQTT()
            peer.write(Packet.publish("a/temperature", [1], id: 9))
            try await always(for: .milliseconds(100)) { peer.acknowledged.isEmpty }
            settings.port = other.port
            connection.reconfigure(settings)
            try await other.acceptMQTT()
            try await eventually { recorder.connectCount == 2 }
            #expect(recorder.messageCount == 1)
            try await eventually { peer.packets.map(\.kind) == [.connect, .puback, .disconnect] }
            #expect(try await recorder.disconnection().kind == .reconfigured)
        }
    }
}
