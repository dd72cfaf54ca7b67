import MQTT
import Synchronization
import TestSupport
import Testing

/// Publishing: what leaves, what the answers mean, and what is refused.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct PublishTests {
    let broker: ScriptedBroker

    init() throws {
        broker = try ScriptedBroker()
    }

    @Test func onlyAReasonThatSaysDeliveredIsDelivered() async throws {
        let recorder = Recorder(onConnected: { link in
            for _ in 0..<4 { try link.publish(Publication(topic: "home1/a/temperature", payload: [1])) }
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            let peer = try await broker.acceptMQTT()
            _ = try await peer.packet(.publish, 3)
            let ids = peer.packets(.publish).compactMap(\.packetID)
            // Without reason; 0x10 no matching subscribers; 0x87 not authorised; 0x97 quota exceeded.
            for (id, reason) in zip(ids, [nil, 0x10, 0x87, 0x97] as [UInt8?]) {
                let body = [UInt8(id >> 8), UInt8(id & 0xFF)] + (reason.map { [$0] } ?? [])
                peer.write([0x40, UInt8(body.count)] + body)
            }
            try await eventually { recorder.now.published.count == 4 }
            #expect(recorder.now.published.map(\.packetID) == ids.map(Int32.init))
            #expect(recorder.now.published.map(\.reason.isDelivered) == [true, false, false, false])
            #expect(
                recorder.now.published.map(\.reason) == [
                    .success, .noMatchingSubscribers, .notAuthorised, .quotaExceeded,
                ])
        }
    }

    @Test func theBrokersReceiveMaximumBoundsWhatIsInFlight() async throws {
        let outcome = Mutex<[String]>([])
        let recorder = Recorder(onConnected: { link in
            outcome.withLock { $0.append("maximum \(link.sendMaximum)") }
            for number in 1...3 {
                do throws(LinkError) {
                    try link.publish(Publication(topic: "t", payload: [UInt8(number)]))
                    outcome.withLock { $0.append("in flight \(link.inFlight)") }
                } catch {
                    outcome.withLock { $0.append(error.code.rawValue) }
                }
            }
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            // Receive Maximum (0x21) 2, Maximum Packet Size (0x27) 1000.
            let peer = try await broker.acceptMQTT(properties: [0x21, 0, 2])
            _ = try await peer.packet(.publish, 1)
            #expect(outcome.withLock { $0 } == ["maximum 2", "in flight 1", "in flight 2", "windowFull"])
            let id = try await peer.packet(.publish).packetID ?? 0
            peer.write([0x40, 2, UInt8(id >> 8), UInt8(id & 0xFF)])
            try await eventually { recorder.now.published.count == 1 }
        }
    }

    @Test func qualityOfServiceZeroIsReportedWhenWritten() async throws {
        let recorder = Recorder(onConnected: { link in
            try link.publish(Publication(topic: "t", payload: bytes("x"), qos: 0))
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            let peer = try await broker.acceptMQTT()
            #expect(try await peer.packet(.publish).bytes == [0x30, 5, 0, 1] + bytes("t") + [0] + bytes("x"))
            try await eventually { recorder.now.published.count == 1 }
        }
    }

    @Test func propertiesAndFlagsAreOnTheWire() async throws {
        let recorder = Recorder(onConnected: { link in
            try link.publish(
                Publication(
                    topic: "t", payload: [], retain: true, userProperties: [UserProperty("seq", "7")], messageExpiry: 60
                ))
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            let packet = try await broker.acceptMQTT().packet(.publish)
            #expect(packet.header == 0x33)
            // User Property (0x26), Message Expiry Interval (0x02), behind topic and packet id.
            #expect(
                Array(packet.body.dropFirst(5)) == [14, 0x26, 0, 3] + bytes("seq") + [0, 1] + bytes("7") + [
                    2, 0, 0, 0, 60,
                ])
        }
    }

    @Test func aVersion311ConnectionLeavesPropertiesOut() async throws {
        var settings = settings(broker.port)
        settings.protocolPolicy = .version311
        let recorder = Recorder(onConnected: { link in
            try link.publish(
                Publication(
                    topic: "t", payload: bytes("x"), userProperties: [UserProperty("seq", "7")], messageExpiry: 1))
        })
        try await withConnection(settings, recorder) { _ in
            let peer = try await broker.acceptMQTT()
            #expect(try await peer.packet(.connect).protocolLevel == 4)
            let packet = try await peer.packet(.publish)
            #expect(packet.bytes == [0x32, 6, 0, 1] + bytes("t") + packet.body[3...4] + bytes("x"))
        }
    }

    @Test func subscriptionOptionsAndReasonsAreCarried() async throws {
        let recorder = Recorder(onConnected: { link in
            try link.subscribe(
                ["+/temperature", "+/x"], qos: 2,
                options: SubscriptionOptions(noLocal: true, retainHandling: .doNotSend))
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            let peer = try await broker.acceptMQTT()
            let packet = try await peer.packet(.subscribe)
            // QoS 2 is asked for as 1; No Local is bit 2, Retain Handling bits 4 and 5.
            #expect(
                Array(packet.body.dropFirst(2)) == [0, 0, 13] + bytes("+/temperature") + [0x25, 0, 3] + bytes("+/x") + [
                    0x25
                ])
            peer.write(Packet.suback(packet.packetID ?? 0, reasons: [1, 0x87]))
            try await eventually { recorder.now.granted == [[ReasonCode(rawValue: 1), .notAuthorised]] }
        }
    }

    @Test func whatCannotBeSentIsRefusedAtTheCall() async throws {
        let codes = Mutex<[LinkError.Code]>([])
        let recorder = Recorder(onConnected: { link in
            let publications = [
                Publication(topic: "", payload: []), Publication(topic: "a/+", payload: []),
                Publication(topic: "a\u{0}b", payload: []), Publication(topic: "a\u{7}b", payload: []),
                Publication(topic: "a", payload: [], userProperties: [UserProperty("k", "a\u{0}b")]),
                Publication(topic: "a", payload: [UInt8](repeating: 0, count: 200)),
            ]
            for publication in publications {
                do throws(LinkError) { try link.publish(publication) } catch {
                    codes.withLock { $0.append(error.code) }
                }
            }
            do throws(LinkError) { try link.subscribe(["a#"]) } catch { codes.withLock { $0.append(error.code) } }
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            // Maximum Packet Size (0x27) 100.
            let peer = try await broker.acceptMQTT(properties: [0x27, 0, 0, 0, 100])
            try await eventually { recorder.connectCount == 1 }
            #expect(codes.withLock { $0 } == Array(repeating: .invalid, count: 5) + [.tooLarge, .invalid])
            #expect(peer.packets(.publish).isEmpty)
        }
    }

    /// The library counts some bytes less than there are, and logs without an instance where it notices: that ended the process.
    @Test(arguments: [(0, 87), (1, 85)] as [(UInt8, Int)])
    func whatIsLongerThanTheBrokerTakesIsRefusedToTheByte(qos: UInt8, longest: Int) async throws {
        let refused = Mutex<[Int]>([])
        let recorder = Recorder(onConnected: { link in
            for size in 80...90 {
                let payload = [UInt8](repeating: 0x61, count: size)
                do throws(LinkError) {
                    try link.publish(
                        Publication(topic: "a", payload: payload, qos: qos, userProperties: [UserProperty("k", "v")]))
                } catch {
                    if error.code == .tooLarge { refused.withLock { $0.append(size) } }
                }
            }
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            // Maximum Packet Size (0x27) 100: two bytes of header, the topic's 3, the properties' 8, with QoS 1 the number's 2.
            let peer = try await broker.acceptMQTT(properties: [0x27, 0, 0, 0, 100])
            try await eventually { peer.packets(.publish).count == longest - 79 }
            #expect(refused.withLock { $0 } == Array(longest + 1...90))
            #expect(peer.packets(.publish).map(\.bytes.count) == (80...longest).map { $0 + 100 - longest })
        }
    }

    @Test func aRequestLongerThanTheBrokerTakesIsRefusedToTheByte() async throws {
        let refused = Mutex<[String]>([])
        let recorder = Recorder(onConnected: { link in
            for size in 90...95 {
                let filter = String(repeating: "a", count: size)
                do throws(LinkError) { try link.subscribe([filter]) } catch {
                    if error.code == .tooLarge { refused.withLock { $0.append("subscribe \(size)") } }
                }
                do throws(LinkError) { try link.unsubscribe([filter]) } catch {
                    if error.code == .tooLarge { refused.withLock { $0.append("unsubscribe \(size)") } }
                }
            }
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            // Maximum Packet Size (0x27) 100: two bytes of header, two of the number, one of no properties, two of the filter's
            // length, and one of a subscription's options.
            let peer = try await broker.acceptMQTT(properties: [0x27, 0, 0, 0, 100])
            try await eventually { peer.packets(.unsubscribe).count == 4 }
            #expect(peer.packets(.subscribe).map(\.bytes.count) == [98, 99, 100])
            #expect(peer.packets(.unsubscribe).map(\.bytes.count) == [97, 98, 99, 100])
            let words = ["subscribe 93", "subscribe 94", "unsubscribe 94", "subscribe 95", "unsubscribe 95"]
            #expect(refused.withLock { $0 } == words)
        }
    }

    @Test func whatWasInFlightWhenAConnectionBrokeIsNotSentAgainByItself() async throws {
        let once = Countdown(1)
        let recorder = Recorder(onConnected: { link in
            if once.next() { try link.publish(Publication(topic: "t", payload: [1])) }
        })
        try await withConnection(settings(broker.port), recorder) { _ in
            let first = try await broker.acceptMQTT()
            _ = try await first.packet(.publish)
            first.close()
            let second = try await broker.acceptMQTT(1, sessionPresent: true)
            try await always(for: .milliseconds(200)) { second.packets(.publish).isEmpty }
        }
    }
}
