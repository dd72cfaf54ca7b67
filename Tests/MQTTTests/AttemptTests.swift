import Foundation
import MQTT
import Machine
import TestSupport
import Testing

/// Attempts that lead nowhere, the thread's punctuality, and stopping.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct AttemptTests {
    @Test func aRefusedPortIsNamed() async throws {
        let port = try freePort()
        let recorder = Recorder()
        try await withConnection(settings(port), recorder) { connection in
            let cause = try await recorder.disconnection()
            #expect(cause.kind == .unreachable)
            #expect(cause.message.contains("127.0.0.1:\(port)") && cause.message.contains("is the broker running"))
            try await eventually {
                if case .waiting(_, let error) = connection.state { return error == cause }
                return false
            }
        }
    }

    @Test func aPeerThatSaysNothingIsGivenUpAtTheTimeout() async throws {
        let peer = try ScriptedBroker()
        try await expectTimeout(port: peer.port, phase: .mqtt, says: "no CONNACK")
    }

    @Test func anAddressThatDoesNotAnswerIsGivenUpAtTheTimeout() async throws {
        let silent = try UnansweredPort()
        try await expectTimeout(port: silent.port, phase: .tcp, says: "no TCP connection")
    }

    @Test func aTLSPeerThatSaysNothingIsGivenUpAtTheTimeout() async throws {
        let peer = try ScriptedBroker()
        try await expectTimeout(port: peer.port, tls: TLS(), phase: .tls, says: "TLS handshake")
    }

    @Test func aTLSPeerOfOneByteAtATimeIsGivenUpAtTheTimeout() async throws {
        let peer = try ScriptedBroker()
        let drip = Task {
            let connection = try await peer.peer()
            // The start of a TLS record of 16 kB, slowly.
            for byte in [0x16, 3, 3, 0x3F, 0xFF] + [UInt8](repeating: 2, count: 1000) {
                try Task.checkCancellation()
                connection.write([byte])
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        defer { drip.cancel() }
        try await expectTimeout(port: peer.port, tls: TLS(), phase: .tls, says: "TLS handshake")
    }

    private func expectTimeout(port: Int, tls: TLS? = nil, phase: LinkState.Phase, says: String) async throws {
        var settings = settings(port)
        settings.tls = tls
        settings.connectTimeout = 400 * millisecond
        let recorder = Recorder()
        try await withConnection(settings, recorder) { connection in
            let start = ContinuousClock.now
            try await eventually("phase \(phase)") {
                if case .connecting(_, let current) = connection.state { return current == phase }
                return false
            }
            let cause = try await recorder.disconnection()
            let time = ContinuousClock.now - start
            #expect(cause.kind == .timeout)
            #expect(cause.message.contains("127.0.0.1:\(port)") && cause.message.contains(says), "\(cause)")
            #expect(time > .milliseconds(300) && time < .seconds(4), "\(time)")
        }
    }

    @Test func aWebServerIsRecognised() async throws {
        let peer = try ScriptedBroker()
        let recorder = Recorder()
        try await withConnection(settings(peer.port), recorder) { _ in
            let connection = try await peer.peer()
            _ = try await connection.packet(.connect)
            let body = String(repeating: "<p>Please log in to use this network.</p>", count: 20)
            connection.write(bytes("HTTP/1.1 511 Network Authentication Required\r\n\r\n" + body))
            let cause = try await recorder.disconnection()
            #expect(cause.kind == .protocolError && cause.message.contains("not with MQTT"), "\(cause)")
        }
    }

    @Test func aNameThatDoesNotResolveIsNamed() async throws {
        var settings = settings(1883)
        settings.host = "no-such-host.invalid"
        let recorder = Recorder()
        try await withConnection(settings, recorder) { _ in
            let cause = try await recorder.disconnection(within: .seconds(60))
            #expect(cause.kind == .nameResolution && cause.message.contains("no-such-host.invalid"), "\(cause)")
        }
    }

    @Test(.enabled(if: UnansweredPort.hasIPv6Localhost, "localhost has no IPv6 address here"))
    func aBrokerWhoseIPv6AddressIsDeadIsReachedOverIPv4() async throws {
        let broker = try ScriptedBroker()
        let silent = try UnansweredPort(port: broker.port, isIPv6: true)
        defer { withExtendedLifetime(silent) {} }
        var settings = settings(broker.port)
        settings.host = "localhost"
        settings.connectTimeout = 300 * millisecond
        let recorder = Recorder()
        try await withConnection(settings, recorder) { _ in
            try await broker.acceptMQTT()
            try await eventually { recorder.connectCount == 1 }
        }
    }

    // MARK: Punctuality

    @Test func wakeRunsTheHandlerWithinMilliseconds() async throws {
        let broker = try ScriptedBroker()
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { connection in
            try await broker.acceptMQTT()
            try await eventually { recorder.connectCount == 1 }
            var delays: [Int64] = []
            for _ in 0..<50 {
                let start = Clock.bootNanoseconds
                connection.wake()
                delays.append(try await value { recorder.now.turns.first { $0 >= start } } - start)
            }
            delays.sort()
            #expect(delays[25] < 20 * millisecond, "median \(delays[25]) ns")
        }
    }

    @Test func theHandlersTimerIsKept() async throws {
        let broker = try ScriptedBroker()
        let due = Clock.bootNanoseconds + 300 * millisecond
        let recorder = Recorder(onTurn: { _, now in now < due ? due : nil })
        try await withConnection(settings(broker.port), recorder) { _ in
            try await broker.acceptMQTT()
            let turn = try await value { recorder.now.turns.first { $0 >= due } }
            #expect(turn - due < 500 * millisecond, "a turn a second would come anyway")
        }
    }

    @Test func theThreadShowsProgressWhileNothingHappens() async throws {
        let recorder = Recorder()
        let connection = try await withConnection(settings(try freePort()), recorder) { connection in
            #expect(connection.name == "test")
            let start = Clock.bootNanoseconds
            try await eventually { connection.progress > start + 1500 * millisecond }
            return connection
        }
        #expect(connection.state == .stopped)
    }

    // MARK: Stopping

    @Test func stoppingWhileAPeerIsSilentIsQuick() async throws {
        let peer = try ScriptedBroker()
        let connection = Connection(settings(peer.port), name: "test") { Recorder().handler() }
        try connection.start()
        _ = try await peer.peer().packet(.connect)
        let start = ContinuousClock.now
        #expect(connection.stop(within: second))
        #expect(ContinuousClock.now - start < .milliseconds(900))
        #expect(connection.state == .stopped)
    }

    @Test func theHandlerIsAskedUntilItHasFinished() async throws {
        let broker = try ScriptedBroker()
        let calls = Countdown(3)
        let recorder = Recorder(onStopping: { link in
            let isDone = !calls.next()
            if isDone { _ = try? link?.publish(Publication(topic: "status", payload: bytes("offline"), retain: true)) }
            return isDone
        })
        let connection = Connection(settings(broker.port), name: "test") { recorder.handler() }
        try connection.start()
        let peer = try await broker.acceptMQTT()
        try await eventually { recorder.connectCount == 1 }
        #expect(connection.stop(within: 2 * second))
        try await eventually { peer.packets.map(\.kind) == [.connect, .publish, .disconnect] }
        #expect(recorder.now.stops == 4)
    }

    @Test func aHandlerThatNeverFinishesIsEndedAtTheDeadline() async throws {
        let broker = try ScriptedBroker()
        let recorder = Recorder(onStopping: { _ in false })
        let connection = Connection(settings(broker.port), name: "test") { recorder.handler() }
        try connection.start()
        let peer = try await broker.acceptMQTT()
        try await eventually { recorder.connectCount == 1 }
        let start = ContinuousClock.now
        #expect(connection.stop(within: second))
        let time = ContinuousClock.now - start
        #expect(time > .milliseconds(500) && time < .seconds(3), "\(time)")
        try await eventually { peer.packets(.disconnect).count == 1 }
    }

    @Test func aBlockedThreadDoesNotHoldStopBeyondItsDeadline() async throws {
        let broker = try ScriptedBroker()
        let gate = Gate()
        let recorder = Recorder(onReceived: { _, _ in gate.wait() })
        let connection = Connection(settings(broker.port), name: "test") { recorder.handler() }
        try connection.start()
        let peer = try await broker.acceptMQTT()
        peer.write(Packet.publish("t", [1], id: 1))
        try await eventually { recorder.batchCount == 1 }
        let start = ContinuousClock.now
        #expect(!connection.stop(within: 300 * millisecond))
        #expect(ContinuousClock.now - start < .seconds(1))
        // Nobody waits for it any more: whatever the handler says now, nothing is acknowledged.
        gate.open()
        try await eventually { peer.isEnded }
        #expect(peer.acknowledged.isEmpty)
        #expect(recorder.now.stops == 0)
    }

    @Test func stoppingWhatWasNeverStartedIsHarmless() throws {
        let connection = Connection(settings(1), name: "test") { Recorder().handler() }
        #expect(connection.stop(within: second))
        try connection.start()
        #expect(connection.stop(within: second))
        #expect(connection.state == .stopped)
    }
}
