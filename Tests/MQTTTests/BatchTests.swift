import MQTT
import TestSupport
import Testing

/// How messages are gathered, and that they arrive as they were sent.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct BatchTests {
    let broker: ScriptedBroker

    init() throws {
        broker = try ScriptedBroker()
    }

    @Test func noBatchIsLargerThanTheMessageLimit() async throws {
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.messages = 10
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            peer.write((1...25).flatMap { Packet.publish("a/temperature", [], id: $0) })
            try await eventually { peer.acknowledged == Array(1...25) }
            let sizes = recorder.now.batches.map(\.count)
            #expect(sizes.reduce(0, +) == 25)
            #expect(sizes.max() == 10, "the limit was reached, in one write of 25 messages: \(sizes)")
        }
    }

    @Test func aBatchEndsWithTheMessageThatReachesTheByteLimit() async throws {
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.bytes = 1000
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            let payload = [UInt8](repeating: 7, count: 299)
            peer.write((1...12).flatMap { Packet.publish("t", payload, id: $0) })
            try await eventually { recorder.messageCount == 12 }
            #expect(recorder.now.batches.map(\.count).max() == 4)
        }
    }

    /// A user property of five bytes on the wire takes six times as much in memory, and a packet may have 200 000 of them.
    @Test func emptyUserPropertiesCountByWhatTheyTake() async throws {
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.bytes = 6000
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            let properties = (0..<100).flatMap { _ in [UInt8]([0x26, 0, 0, 0, 0]) }
            peer.write((1...12).flatMap { Packet.publish("t", [], id: $0, properties: properties) })
            try await eventually { recorder.messageCount == 12 }
            #expect(recorder.now.batches.map(\.count).max() == 2)
            #expect(recorder.messages.allSatisfy { $0.userProperties.count == 100 })
        }
    }

    @Test func aBatchWaitsForItsAgeAndItsAcknowledgementsWithIt() async throws {
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.age = second
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            let first = ContinuousClock.now
            peer.write((1...2).flatMap { Packet.publish("a/temperature", [], id: $0) })
            try await Task.sleep(for: .milliseconds(50))
            peer.write((3...4).flatMap { Packet.publish("a/temperature", [], id: $0) })
            try await eventually { peer.acknowledged == [1, 2, 3, 4] }
            let waited = try #require(peer.packets(.puback).first).time - first
            #expect(waited >= .seconds(1) && waited < .seconds(4), "\(waited)")
            #expect(recorder.now.batches.map(\.count) == [4])
        }
    }

    @Test func whatComesWhileTheSocketIsLeftAloneIsInTheBatch() async throws {
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.age = second / 2
        settings.batch.pace = second / 10
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            for id in UInt16(1)...4 {
                peer.write(Packet.publish("a/temperature", [], id: id))
                try await Task.sleep(for: .milliseconds(30))
            }
            try await eventually { peer.acknowledged == [1, 2, 3, 4] }
            #expect(recorder.now.batches.map(\.count) == [4])
            // Also what ends the connection is seen.
            peer.write(Packet.publish("a/temperature", [], id: 5))
            peer.close()
            try await eventually { !recorder.now.disconnected.isEmpty }
        }
    }

    @Test func theCountLimitEndsAWaitingBatchEarly() async throws {
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.age = 10 * second
        settings.batch.messages = 3
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            peer.write((1...3).flatMap { Packet.publish("a/temperature", [], id: $0) })
            try await eventually(within: .seconds(3)) { peer.acknowledged == [1, 2, 3] }
        }
    }

    @Test func aPacedStreamIsHandedOverInFewBatchesAndALoneMessageAtOnce() async throws {
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.pace = 5 * second
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            let first = ContinuousClock.now
            peer.write(Packet.publish("a/temperature", [], id: 1))
            try await eventually { peer.acknowledged == [1] }
            #expect(ContinuousClock.now - first < .milliseconds(400), "a message after a pause does not wait")
            // Closer together than a tenth of the pace.
            for id in UInt16(2)...30 {
                peer.write(Packet.publish("a/temperature", [], id: id))
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(recorder.now.batches.map(\.count) == [1])
            // Then the stream pauses, as a broker does whose window is full.
            try await eventually(within: .seconds(3)) { peer.acknowledged == (1...30).map { UInt16($0) } }
            #expect(recorder.now.batches.map(\.count) == [1, 29])
        }
    }

    @Test func aStreamWithoutAPauseIsHandedOverAtItsPace() async throws {
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.pace = second
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            let start = ContinuousClock.now
            var id: UInt16 = 0
            while ContinuousClock.now - start < .seconds(3) {
                id += 1
                peer.write(Packet.publish("a/temperature", [], id: id))
                try await Task.sleep(for: .milliseconds(5))
            }
            try await eventually { peer.acknowledged.count == id }
            // One at once, one a second; more only where this machine paused for a tenth of one.
            let batches = recorder.now.batches.count
            #expect(batches >= 3 && batches <= 12, "\(recorder.now.batches.map(\.count))")
        }
    }

    @Test func everythingAboutAMessageArrives() async throws {
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            let peer = try await broker.acceptMQTT()
            // Two user properties of the same name (0x26), v5 3.3.2.3.7.
            let properties = [0x26, 0, 1] + bytes("a") + [0, 2] + bytes("é") + [0x26, 0, 1] + bytes("a") + [0, 0]
            peer.write(Packet.publish("büro/temperature", [0, 255, 10], id: 77, properties: properties))
            peer.write(Packet.publish("a/heatpump", [], qos: 0, isRetained: true))
            try await eventually { recorder.messageCount == 2 }
            #expect(
                recorder.messages == [
                    Message(
                        topic: "büro/temperature", payload: [0, 255, 10], packetID: 77,
                        userProperties: [UserProperty("a", "é"), UserProperty("a", "")]),
                    Message(topic: "a/heatpump", payload: [], qos: 0, isRetained: true),
                ])
        }
    }

    @Test func aPayloadOfSeveralMegabytesArrivesWhole() async throws {
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            let peer = try await broker.acceptMQTT()
            let payload = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            peer.write(Packet.publish("a/temperature", payload, id: 1))
            peer.write(Packet.publish("a/temperature", [1], id: 2))
            try await eventually { peer.acknowledged == [1, 2] }
            #expect(recorder.messages.first?.payload == payload)
        }
    }

    @Test(
        arguments: [
            // Invalid UTF-8, an overlong form, NUL, a control character, no topic at all.
            [0x30, 4, 0, 1, 0xFF, 0], [0x30, 5, 0, 2, 0xC0, 0x80, 0], [0x30, 4, 0, 1, 0, 0], [0x30, 4, 0, 1, 7, 0],
            [0x30, 3, 0, 0, 0],
            // QoS 3, a topic longer than the packet, a reserved packet type, packet id 0.
            [0x36, 6, 0, 1, 0x61, 0, 1, 0], [0x30, 4, 0, 9, 0x61, 0], [0xF0, 0], [0x32, 6, 0, 1, 0x61, 0, 0, 0],
        ] as [[UInt8]])
    func aPacketAgainstTheRulesCostsTheConnectionOnly(_ packet: [UInt8]) async throws {
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            let first = try await broker.acceptMQTT()
            first.write(packet)
            let cause = try await recorder.disconnection()
            #expect(cause.kind == .protocolError, "\(cause)")
            #expect(cause.message.contains("127.0.0.1:\(broker.port)"))
            let second = try await broker.acceptMQTT(1)
            second.write(Packet.publish("a/temperature", [1], id: 1))
            try await eventually { second.acknowledged == [1] }
        }
    }
}
