import MQTT
import TestSupport
import Testing

/// Against a real Mosquitto: sessions, outages, TLS.
@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: Mosquitto.isInstalled, "mosquitto is not installed"))
struct MosquittoTests {
    private func subscriber(_ port: Int) -> ConnectionSettings {
        var settings = settings(port, clientID: "subscriber")
        settings.sessionExpiry = 3600
        return settings
    }

    /// Publishes numbered messages at QoS 1 and waits for their PUBACKs.
    private func publish(_ numbers: ClosedRange<Int>, port: Int, topic: String = "office/temperature") async throws {
        let recorder = Recorder(onConnected: { link in
            for number in numbers { try link.publish(Publication(topic: topic, payload: bytes("\(number)"))) }
        })
        var settings = settings(port, clientID: "publisher")
        settings.cleanStart = true
        try await withConnection(settings, recorder) { _ in
            try await eventually { recorder.now.published.count == numbers.count }
            #expect(recorder.now.published.allSatisfy { $0.reason.isDelivered })
        }
    }

    @Test func theSessionKeepsWhatWasPublishedDuringAnOutage() async throws {
        let broker = try await Mosquitto.started()
        let proxy = try WireProxy(upstream: broker.port)
        defer { proxy.close() }
        let recorder = Recorder(filters: ["+/temperature"])
        try await withConnection(subscriber(proxy.port), recorder) { _ in
            try await eventually { recorder.now.granted.count == 1 }
            proxy.set(.refuse)
            proxy.cut()
            _ = try await recorder.disconnection()
            try await publish(1...500, port: broker.port)
            proxy.set(.pass)
            try await eventually { recorder.messageCount == 500 }
            #expect(recorder.now.connected.map(\.sessionPresent) == [false, true])
            #expect(recorder.messages.map(\.payload) == (1...500).map { bytes("\($0)") })
            try await eventually { proxy.acknowledgedCount == 500 }
        }
    }

    @Test func aBrokerKilledAndRestartedIsFoundAgain() async throws {
        let broker = try await Mosquitto.started()
        let recorder = Recorder(filters: ["+/temperature"])
        try await withConnection(subscriber(broker.port), recorder) { _ in
            try await eventually { recorder.now.granted.count == 1 }
            broker.kill()
            let cause = try await recorder.disconnection()
            #expect(cause.kind == .lost, "\(cause)")
            try await eventually { recorder.now.disconnected.contains { $0.cause.kind == .unreachable } }
            try await broker.start()
            try await eventually { recorder.connectCount == 2 && recorder.now.granted.count == 2 }
            try await publish(1...10, port: broker.port)
            try await eventually { recorder.messageCount == 10 }
        }
    }

    @Test func whatAThrowingHandlerRefusedIsDeliveredAgainWithTheSamePacketID() async throws {
        let broker = try await Mosquitto.started()
        let proxy = try WireProxy(upstream: broker.port)
        defer { proxy.close() }
        let failures = Countdown(3)
        let recorder = Recorder(
            filters: ["+/temperature"], onReceived: { _, _ in if failures.next() { throw NotKept() } })
        try await withConnection(subscriber(proxy.port), recorder) { _ in
            try await eventually { recorder.now.granted.count == 1 }
            try await publish(1...50, port: broker.port)
            try await eventually { proxy.acknowledgedCount == 50 }
            let firstDelivery = proxy.delivered.first { $0.payload == bytes("1") }
            let acknowledged = try #require(proxy.acknowledged.first)
            #expect(acknowledged.packetID == firstDelivery?.packetID && acknowledged.connection == 3)
            #expect(acknowledged.isDuplicate)
            #expect(proxy.acknowledged.map(\.payload) == (1...50).map { bytes("\($0)") })
        }
    }

    @Test func noSubscriberAndNoPermissionAreNotDelivered() async throws {
        let directory = try TemporaryDirectory()
        let rules = try directory.write("topic readwrite allowed/#\n", to: "acl")
        let broker = try await Mosquitto.started("allow_anonymous true\nacl_file \(rules)")
        let recorder = Recorder(onConnected: { link in
            try link.publish(Publication(topic: "allowed/nobody", payload: [1]))
            try link.publish(Publication(topic: "forbidden", payload: [1]))
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            try await eventually { recorder.now.published.count == 2 }
            #expect(recorder.now.published.map(\.reason) == [.noMatchingSubscribers, .notAuthorised])
        }
    }

    @Test func aSecondClientWithTheSameIDIsNamedAsTheCause() async throws {
        let broker = try await Mosquitto.started()
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            try await eventually { recorder.connectCount == 1 }
            let rival = Recorder()
            try await withConnection(settings(broker.port), rival) { _ in
                let cause = try await recorder.disconnection()
                // Mosquitto 2.0.11 only closes; later versions send 0x8E.
                #expect(cause.kind == .lost || cause.reason == .sessionTakenOver)
                #expect(cause.message.contains("'gateway'"), "\(cause)")
            }
        }
    }

    @Test func anAnonymousClientIsToldWhatToSet() async throws {
        let broker = try await Mosquitto.started("allow_anonymous false")
        let recorder = Recorder()
        try await withConnection(settings(broker.port), recorder) { _ in
            let cause = try await recorder.disconnection()
            #expect(cause.kind == .refused && cause.reason == .notAuthorised)
            #expect(cause.message.contains("username") && cause.message.contains("password_file"), "\(cause)")
        }
    }

    @Test func aFrozenBrokerIsNoticedByItsMissingPing() async throws {
        let broker = try await Mosquitto.started()
        defer { broker.send(18) }
        var settings = settings(broker.port)
        settings.keepAlive = 5
        let recorder = Recorder()
        try await withConnection(settings, recorder) { _ in
            try await eventually { recorder.connectCount == 1 }
            broker.send(19)
            let cause = try await recorder.disconnection(within: .seconds(20))
            #expect(cause.kind == .keepAlive && cause.message.contains("5 s"), "\(cause)")
        }
    }
}
