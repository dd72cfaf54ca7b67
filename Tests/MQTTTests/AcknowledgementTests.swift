import MQTT
import TestSupport
import Testing

/// When a PUBACK leaves. The C library queues it before it hands over the message; what is pinned here is that it
/// stays queued until the handler has kept the batch. A scripted broker sees the literal packets.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct AcknowledgementTests {
    let broker: ScriptedBroker

    init() throws {
        broker = try ScriptedBroker()
    }

    private func messages(_ ids: ClosedRange<UInt16>, isDuplicate: Bool = false) -> [UInt8] {
        ids.flatMap { Packet.publish("office/temperature", bytes("\($0)"), id: $0, isDuplicate: isDuplicate) }
    }

    @Test func nonePrecedesTheHandlersReturnAndAllFollowIt() async throws {
        let gate = Gate()
        let recorder = Recorder(onReceived: { _, _ in gate.wait() })
        try await withConnection(settings(broker.port), recorder) { _ in
            let peer = try await broker.acceptMQTT()
            peer.write(messages(1...5))
            try await eventually { recorder.batchCount > 0 }
            try await always(for: .milliseconds(300), "no PUBACK while the handler runs") { peer.acknowledged.isEmpty }
            let opened = ContinuousClock.now
            gate.open()
            try await eventually("all PUBACKs") { peer.acknowledged == [1, 2, 3, 4, 5] }
            #expect(peer.packets(.puback).allSatisfy { $0.time >= opened })
            #expect(recorder.messages.map(\.packetID) == [1, 2, 3, 4, 5])
        }
    }

    @Test func noneLeavesWhenTheHandlerThrowsAndTheRedeliveryIsAcknowledged() async throws {
        let failures = Countdown(1)
        let recorder = Recorder(onReceived: { _, _ in if failures.next() { throw NotKept() } })
        try await withConnection(settings(broker.port), recorder) { _ in
            let first = try await broker.acceptMQTT()
            first.write(messages(1...3))
            try await eventually("the connection is dropped") { first.isEnded }
            #expect(first.acknowledged.isEmpty)
            #expect(first.packets(.disconnect).isEmpty)
            #expect(try await recorder.disconnection().kind == .handlerFailed)

            let second = try await broker.acceptMQTT(1, sessionPresent: true)
            second.write(messages(1...3, isDuplicate: true))
            try await eventually { second.acknowledged == [1, 2, 3] }
            #expect(first.acknowledged.isEmpty)
        }
    }

    @Test func noneLeavesWhenTheHandlerDropsTheLink() async throws {
        let drops = Countdown(1)
        let recorder = Recorder(onReceived: { _, link in if drops.next() { link.drop("the disk is full") } })
        try await withConnection(settings(broker.port), recorder) { _ in
            let first = try await broker.acceptMQTT()
            first.write(messages(1...3))
            try await eventually("the connection is dropped") { first.isEnded }
            #expect(first.acknowledged.isEmpty)
            #expect(try await recorder.disconnection() == Disconnection(.dropped, "the disk is full"))
            try await broker.acceptMQTT(1)
        }
    }

    @Test func noneLeavesDuringShutdownWithAFailingCommit() async throws {
        let gate = Gate()
        let recorder = Recorder(onReceived: { _, _ in
            gate.wait()
            throw NotKept()
        })
        let peer = try await withConnection(settings(broker.port), recorder) { connection in
            let peer = try await broker.acceptMQTT()
            peer.write(messages(1...5))
            try await eventually { recorder.batchCount > 0 }
            async let stopped = stop(connection, within: 3 * second)
            try await always(for: .milliseconds(100)) { peer.acknowledged.isEmpty }
            gate.open()
            #expect(await stopped)
            return peer
        }
        try await eventually { peer.isEnded }
        #expect(peer.acknowledged.isEmpty)
        // A DISCONNECT would have taken the queued PUBACKs along.
        #expect(peer.packets(.disconnect).isEmpty)
    }

    @Test func aWaitingBatchThatCannotBeKeptIsNotAcknowledgedByStopping() async throws {
        let recorder = Recorder(onReceived: { _, _ in throw NotKept() })
        var settings = settings(broker.port)
        settings.batch.age = 10 * second
        let peer = try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            peer.write(messages(1...5))
            try await always(for: .milliseconds(200)) { recorder.batchCount == 0 }
            return peer
        }
        try await eventually { peer.isEnded }
        #expect(recorder.messages.count == 5)
        #expect(peer.acknowledged.isEmpty)
        #expect(peer.packets(.disconnect).isEmpty)
    }

    @Test func aWaitingBatchIsKeptAndAcknowledgedBeforeTheDisconnect() async throws {
        let recorder = Recorder()
        var settings = settings(broker.port)
        settings.batch.age = 10 * second
        let peer = try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            peer.write(messages(1...5))
            try await always(for: .milliseconds(200)) { recorder.batchCount == 0 && peer.acknowledged.isEmpty }
            return peer
        }
        try await eventually { peer.isEnded }
        #expect(peer.packets.map(\.kind) == [.connect] + Array(repeating: .puback, count: 5) + [.disconnect])
        #expect(recorder.messages.count == 5)
    }

    @Test func publishingDoesNotTakeTheAcknowledgementsOfAWaitingBatchAlong() async throws {
        let gate = Gate()
        let once = Countdown(1)
        let recorder = Recorder(onTurn: { link, _ in
            guard let link, gate.isOpened, once.next() else { return nil }
            _ = try? link.publish(Publication(topic: "office/heatpump", payload: []))
            return nil
        })
        var settings = settings(broker.port)
        settings.batch.age = second
        try await withConnection(settings, recorder) { connection in
            let peer = try await broker.acceptMQTT()
            let written = ContinuousClock.now
            peer.write(messages(1...3))
            try await Task.sleep(for: .milliseconds(50))
            gate.open()
            connection.wake()
            try await eventually { peer.acknowledged == [1, 2, 3] }
            let publication = try await peer.packet(.publish)
            let first = try #require(peer.packets(.puback).first)
            #expect(first.time - written >= .milliseconds(950))
            #expect(publication.time >= first.time)
            peer.write([0x40, 2] + [UInt8(0), 1])
        }
    }

    @Test func messagesReadBeforeAConnectionBrokeAreHandedOver() async throws {
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            let peer = try await broker.acceptMQTT()
            peer.write((1...20).flatMap { Packet.publish("office/temperature", bytes("\($0)"), qos: 0) })
            peer.close()
            try await eventually { recorder.messageCount == 20 }
            #expect(try await recorder.disconnection().kind == .lost)
            try await broker.acceptMQTT(1)
        }
    }

    private func stop(_ connection: Connection, within time: Int64) async -> Bool {
        await withCheckedContinuation { continuation in
            onThread { continuation.resume(returning: connection.stop(within: time)) }
        }
    }
}
