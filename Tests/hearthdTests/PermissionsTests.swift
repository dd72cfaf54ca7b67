import Heating
import MQTT
import Testing

@testable import hearthd

/// What may be sent to a broker, learnt from its answers and its closes.
struct PermissionsTests {
    private let denied = ReasonCode.notAuthorised
    private let pump = Permissions.Kind.command("office/heatpump")

    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test func aConvenienceWaitsUntilEverythingElseIsAnswered() {
        var permissions = Permissions()
        permissions.sent(1, .readings, topic: "+/temperature", now: at(0))
        #expect(!permissions.allows(.state, now: at(0)) && permissions.allows(pump, now: at(0)))
        #expect(permissions.answered(1, refusal: nil, now: at(0)) == nil)
        #expect(permissions.allows(.state, now: at(0)))
        permissions.sent(2, .state, topic: "hearth/rooms/a", now: at(0))
        #expect(!permissions.allows(.discovery, now: at(0)), "one at a time")
        _ = permissions.answered(2, refusal: nil, now: at(0))
        permissions.sent(3, pump, topic: "office/heatpump", now: at(0))
        #expect(permissions.allows(.state, now: at(0)), "what was taken is known to be harmless")
        #expect(!permissions.allows(.discovery, now: at(0)))
        #expect(permissions.allows(.discovery, now: at(11)), "an answer that never comes holds nothing up")
    }

    @Test func whereTheBrokerClosesTheConvenienceIsWithheldForLongerEachTimeAndTold() {
        var permissions = Permissions()
        permissions.sent(1, .state, topic: "hearth/rooms/a", now: at(0))
        #expect(permissions.closed(byPeer: true, now: at(0.1)).isEmpty, "once may be the network")
        #expect(!permissions.allows(.state, now: at(1)) && permissions.allows(.status, now: at(1)))
        #expect(permissions.allows(.state, now: at(3)))
        permissions.sent(1, .state, topic: "hearth/rooms/a", now: at(3))
        #expect(
            permissions.closed(byPeer: true, now: at(3.1)) == [.refused(.state, topic: "hearth/rooms/a", nil)])
        #expect(!permissions.allows(.state, now: at(13)))
        #expect(permissions.allows(.state, now: at(14)))
        permissions.sent(1, .state, topic: "hearth/rooms/a", now: at(14))
        #expect(permissions.answered(1, refusal: nil, now: at(14)) == .allowed(.state, topic: "hearth/rooms/a"))
    }

    @Test func ofSeveralSuspectsTheConveniencesAreWithheldFirst() {
        var permissions = Permissions()
        permissions.sent(1, pump, topic: "office/heatpump", now: at(0))
        permissions.sent(2, .status, topic: "hearth/gateway/status", now: at(0))
        _ = permissions.closed(byPeer: true, now: at(0.1))
        #expect(permissions.allows(pump, now: at(0.1)) && !permissions.allows(.status, now: at(0.1)))
    }

    @Test func aCommandIsNotHeldBackForOneClose() {
        var permissions = Permissions()
        permissions.sent(1, pump, topic: "office/heatpump", now: at(0))
        #expect(permissions.closed(byPeer: true, now: at(0.1)).isEmpty)
        #expect(permissions.allows(pump, now: at(0.1)))
        for time in [0.4, 0.8] {
            permissions.sent(1, pump, topic: "office/heatpump", now: at(time))
            #expect(permissions.closed(byPeer: true, now: at(time)) == [.refused(pump, topic: "office/heatpump", nil)])
        }
        #expect(!permissions.allows(pump, now: at(1)))
        #expect(permissions.allows(.command("kitchen/heatpump"), now: at(1)), "other pumps are heard")
    }

    @Test func aRefusalIsALessonAndExplainsTheCloseBehindIt() {
        var permissions = Permissions()
        permissions.sent(1, pump, topic: "office/heatpump", now: at(0))
        #expect(
            permissions.answered(1, refusal: denied, now: at(0.1)) == .refused(pump, topic: "office/heatpump", denied))
        #expect(permissions.explainsClose(now: at(0.2)) && !permissions.explainsClose(now: at(20)))
        #expect(!permissions.allows(pump, now: at(0.2)))
        #expect(permissions.nextRetry(after: at(0.2)) == at(1.1))
    }

    @Test func aFloodOfPumpsLeavesNothingBehind() {
        var permissions = Permissions()
        for number in Int32(1)...5000 {
            let (topic, now) = ("room\(number)/heatpump", at(Double(number)))
            permissions.sent(number, .command(topic), topic: topic, now: now)
            _ = permissions.answered(number, refusal: number % 2 == 0 ? denied : nil, now: now)
        }
        #expect(permissions.remembered <= 2100)
        #expect(!permissions.allows(.command("room5000/heatpump"), now: at(5000)), "what was refused just now is")
    }

    /// Mosquitto 2.0.11 speaking 3.1.1: a PUBACK that says nothing, and the close right behind it.
    @Test func anAnswerWithoutAWordIsNoLeaveUntilTheConnectionOutlivesIt() {
        var permissions = Permissions()
        permissions.sent(1, .status, topic: "hearth/gateway/status", now: at(0))
        #expect(permissions.answered(1, refusal: nil, isTold: false, now: at(0.01)) == nil)
        #expect(permissions.settle(now: at(0.1)).packets.isEmpty && permissions.nextRetry(after: at(0.1)) == at(0.21))
        #expect(!permissions.allows(.state, now: at(0.1)), "one at a time")
        #expect(permissions.explainsClose(now: at(0.1)) && permissions.returnsAtOnce(now: at(0.1)))
        #expect(permissions.closed(byPeer: true, now: at(0.1)).isEmpty && !permissions.allows(.status, now: at(1)))
        permissions.sent(1, .status, topic: "hearth/gateway/status", now: at(3))
        _ = permissions.answered(1, refusal: nil, isTold: false, now: at(3.01))
        #expect(
            permissions.closed(byPeer: true, now: at(3.02)) == [.refused(.status, topic: "hearth/gateway/status", nil)])
        permissions.sent(1, .status, topic: "hearth/gateway/status", now: at(30))
        _ = permissions.answered(1, refusal: nil, isTold: false, now: at(30))
        let settled = permissions.settle(now: at(30.5))
        #expect(settled.packets == [1])
        #expect(settled.lessons == [.allowed(.status, topic: "hearth/gateway/status")])
        #expect(permissions.allows(.state, now: at(30.5)) && !permissions.explainsClose(now: at(30.5)))
    }

    @Test func aCommandThatIsAnsweredWithoutAWordAndClosedAtIsRefusedInTheEnd() {
        var permissions = Permissions()
        for time in [0.0, 1, 2] {
            permissions.sent(1, pump, topic: "office/heatpump", now: at(time))
            _ = permissions.answered(1, refusal: nil, isTold: false, now: at(time))
            #expect(permissions.returnsAtOnce(now: at(time)) == (time < 2), "twice, then at the pace of attempts")
            let lessons = permissions.closed(byPeer: true, now: at(time + 0.01))
            #expect(lessons == (time > 0 ? [.refused(pump, topic: "office/heatpump", nil)] : []))
        }
    }

    @Test func anEndThatIsNotTheBrokersSuspectsNothing() {
        var permissions = Permissions()
        permissions.sent(1, .state, topic: "hearth/rooms/a", now: at(0))
        #expect(permissions.closed(byPeer: false, now: at(0.1)).isEmpty && permissions.allows(.state, now: at(0.1)))
    }
}

/// Two gateways with one name.
struct RivalryTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test func theOneThatWasTakenOverWaitsLongerEachTimeAndSaysSoForAnHour() {
        var rivalry = Rivalry(base: .seconds(5), cap: .seconds(60), guessCap: .seconds(2))
        var waits: [Duration?] = []
        for time in 0..<6 { waits.append(rivalry.ended(.takenOver, after: .seconds(1), now: at(Double(time)))) }
        #expect(waits == [5, 10, 20, 40, 60, 60].map { Duration.seconds($0) })
        #expect(rivalry.isSeen(now: at(3604)) && !rivalry.isSeen(now: at(3606)))
        #expect(rivalry.ended(.takenOver, after: .seconds(9000), now: at(9999)) == .seconds(5))
    }

    @Test func closesSoonAfterTheAcceptanceAreASignWhenTheyRepeatWithoutAFailureBetween() {
        var rivalry = Rivalry(base: .seconds(1), cap: .seconds(60), guessCap: .seconds(2))
        for time in 0..<3 { #expect(rivalry.ended(.closed, after: .seconds(1), now: at(Double(time))) == nil) }
        let waits = (3..<7).map { rivalry.ended(.closed, after: .seconds(1), now: at(Double($0))) }
        #expect(waits == [1, 2, 2, 2].map { .seconds($0) }, "a guess waits less long")
        #expect(rivalry.isSeen(now: at(4)))
    }

    @Test func aBrokerThatRestartsIsNoRival() {
        var rivalry = Rivalry(base: .seconds(1), cap: .seconds(60), guessCap: .seconds(2))
        for time in 0..<50 {
            #expect(rivalry.ended(.closed, after: .seconds(1), now: at(Double(time))) == nil)
            #expect(rivalry.ended(.noConnection, after: .zero, now: at(Double(time))) == nil)
        }
        #expect(!rivalry.isSeen(now: at(50)))
    }

    @Test func connectionsThatLastAndOtherEndsAreNoSign() {
        var rivalry = Rivalry(base: .seconds(1), cap: .seconds(60), guessCap: .seconds(2))
        for time in 0..<50 {
            let end: Rivalry.End = time % 2 == 0 ? .other : .closed
            #expect(rivalry.ended(end, after: .seconds(30), now: at(Double(time * 30))) == nil)
        }
    }
}

/// What Record learns about how readings are delivered.
struct RecordingTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    private func readings(_ count: Int, qos: UInt8) -> [Message] {
        Array(repeating: Message(topic: "office/temperature", payload: [1], qos: qos), count: count)
    }

    @Test func readingsAtQoS0AreFlaggedAndReadingsAtQoS1Not() {
        var quality = DeliveryQuality()
        #expect(!quality.saw(readings(50, qos: 1)) && quality.finding == nil)
        #expect(quality.saw(readings(2, qos: 0)) == false, "one may have slipped in at the start")
        #expect(quality.saw(readings(1, qos: 0)) == true)
        #expect(quality.finding?.advice.contains("upgrade_outgoing_qos true") == true)
        #expect(!quality.saw(readings(19, qos: 1)) && quality.finding != nil)
        #expect(quality.saw(readings(1, qos: 1)) && quality.finding == nil)
    }

    @Test func readingsOfOtherDevicesAreReadingsToo() {
        for topic in ["zigbee2mqtt/office", "tele/office/SENSOR", "office/humidity", "x/status/temperature:0"] {
            var quality = DeliveryQuality()
            let batch = Array(repeating: Message(topic: topic, payload: [1], qos: 0), count: 3)
            #expect(quality.saw(batch) == true, "\(topic)")
            #expect(quality.finding?.text.contains(topic) == true)
        }
    }

    @Test func newsOfOtherDevicesAreNoReadings() {
        var quality = DeliveryQuality()
        let batch = Array(repeating: Message(topic: "zigbee2mqtt/bridge/logging", payload: [1], qos: 0), count: 9)
        let isNews = quality.saw(batch) { _ in false }
        #expect(!isNews && quality.finding == nil)
    }

    @Test func commandsAreNoReadings() {
        var quality = DeliveryQuality()
        let commands = Array(repeating: Message(topic: "office/heatpump", payload: [1], qos: 0), count: 9)
        #expect(quality.saw(commands) == false)
    }

    @Test func aSubscriptionGrantedAtQoS0IsFlaggedUntilReadingsComeAtQoS1() {
        var quality = DeliveryQuality()
        #expect(quality.granted(0) == true)
        #expect(quality.finding?.advice.contains("max_qos 2") == true)
        #expect(quality.saw(readings(1, qos: 1)) && quality.finding == nil)
    }

    @Test func aFilterThatIsRefusedDoesNotTakeTheOtherAwayAndIsAskedForAgain() {
        var subscriptions = RecordSubscriptions()
        subscriptions.connected()
        #expect(subscriptions.due(now: at(0)) == ["+/temperature", "+/heatpump"])
        subscriptions.asked("+/temperature", 1, now: at(0))
        subscriptions.asked("+/heatpump", 2, now: at(0))
        #expect(subscriptions.due(now: at(1)).isEmpty)
        let granted = subscriptions.answered(1, [ReasonCode(rawValue: 1)], now: at(1))
        #expect(granted?.filter == "+/temperature" && granted?.finding == nil)
        let refused = subscriptions.answered(2, [.notAuthorised], now: at(1))
        #expect(refused?.finding?.advice.contains("topic read +/heatpump") == true)
        #expect(subscriptions.due(now: at(30)).isEmpty)
        #expect(subscriptions.due(now: at(31)) == ["+/heatpump"])
    }

    @Test func whereTheBrokerClosesTheReadingsAreAskedForAlone() {
        var subscriptions = RecordSubscriptions()
        for time in 0..<2 {
            subscriptions.connected()
            for (number, filter) in subscriptions.due(now: at(Double(time))).enumerated() {
                subscriptions.asked(filter, Int32(number), now: at(Double(time)))
                if filter == "+/temperature", time > 0 {
                    _ = subscriptions.answered(Int32(number), [.success], now: at(Double(time)))
                }
            }
            #expect(subscriptions.ended(after: 1, now: at(Double(time))) == (time == 0))
        }
        subscriptions.connected()
        #expect(subscriptions.due(now: at(3)) == ["+/temperature"])
    }
}
