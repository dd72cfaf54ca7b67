import TestSupport
import Testing

@testable import MQTT

/// Which version and how much of a will the next attempt asks for.
@Suite(.timeLimit(.minutes(1)))
struct ChoiceTests {
    private let closed = Disconnection(.lost, "closed")
    private let silent = Disconnection(.timeout, "no CONNACK")
    private let away = Disconnection(.unreachable, "refused")
    private let minute = 60 * second

    @Test func silenceAtVersion5MakesTheSecondAttempt311AndVersion5Rests() {
        var choice = VersionChoice(settings(1))
        #expect(choice.isImpatient)
        #expect(choice.failed(silent, atConnect: true, now: 0) == true)
        #expect(choice.current == .v311 && !choice.isImpatient)
        choice.accepted(now: 0)
        _ = choice.failed(closed, atConnect: false, now: second)
        choice.begin(now: 2 * second)
        #expect(choice.current == .v5, "the first silence may have been the network's")
        #expect(choice.failed(silent, atConnect: true, now: 6 * second) == true)
        choice.accepted(now: 10 * second)
        _ = choice.failed(closed, atConnect: false, now: 20 * second)
        choice.begin(now: 30 * second)
        #expect(choice.current == .v311, "silence costs seconds at each connection")
        choice.begin(now: 10 * second + minute)
        #expect(choice.current == .v5, "it is tried again later")
        // Each time it was in vain it rests longer.
        #expect(choice.failed(silent, atConnect: true, now: 2 * minute) == true)
        choice.accepted(now: 2 * minute)
        choice.begin(now: 5 * minute)
        #expect(choice.current == .v311)
        choice.begin(now: 6 * minute)
        #expect(choice.current == .v5)
    }

    @Test func aCloseAtVersion5MakesTheSecondAttempt311AndVersion5ComesFirstAtTheNextConnection() {
        var choice = VersionChoice(settings(1))
        #expect(choice.failed(closed, atConnect: true, now: 0) == true)
        #expect(choice.current == .v311)
        choice.accepted(now: second)
        _ = choice.failed(closed, atConnect: false, now: 2 * second)
        choice.begin(now: 3 * second)
        #expect(choice.current == .v5)
    }

    /// A link that was cut at the first CONNECT looks like a broker that does not know v5.
    @Test(
        arguments: [(Disconnection(.lost, "closed"), 1), (Disconnection(.timeout, "no CONNACK"), 10)]
            as [(Disconnection, Int64)])
    func aSingleFailureIsASuspicionThatIsLookedIntoOnce(_ cause: Disconnection, _ minutes: Int64) {
        var choice = VersionChoice(settings(1))
        _ = choice.failed(cause, atConnect: true, now: 0)
        choice.begin(now: 0)
        #expect(choice.current == .v311 && choice.renewal == nil, "not before it was accepted")
        choice.accepted(now: second)
        #expect(choice.renewal == second + minutes * minute)
        // The connection is renewed, and v5 fails again: that is proof.
        let renewed = Disconnection(.reconfigured, "v5 is tried")
        #expect(choice.failed(renewed, atConnect: false, now: second + minutes * minute) == false)
        choice.begin(now: second + minutes * minute)
        #expect(choice.current == .v5)
        #expect(choice.failed(cause, atConnect: true, now: second + minutes * minute) && choice.current == .v311)
        choice.begin(now: second + minutes * minute)
        choice.accepted(now: second + minutes * minute)
        #expect(choice.renewal == nil, "nothing more is interrupted for it")
    }

    @Test func whatSpokeVersion5InBetweenIsLookedIntoAgain() {
        var choice = VersionChoice(settings(1))
        for round in 0..<3 {
            let now = Int64(round) * 60 * minute
            for _ in 0..<30 where choice.current == .v5 { _ = choice.failed(closed, atConnect: true, now: now) }
            choice.begin(now: now)
            choice.accepted(now: now)
            #expect(choice.current == .v311 && choice.renewal == now + minute)
            _ = choice.failed(Disconnection(.reconfigured, ""), atConnect: false, now: now + minute)
            choice.begin(now: now + minute)
            choice.accepted(now: now + minute)
            #expect(choice.current == .v5 && choice.renewal == nil)
        }
    }

    @Test func aBrokerThatSaysItDoesNotKnowVersion5IsNotAskedInBetween() {
        var choice = VersionChoice(settings(1))
        _ = choice.failed(
            Disconnection(.refused, "no", reason: .unsupportedProtocolVersion), atConnect: false, now: 0)
        choice.begin(now: 0)
        choice.accepted(now: 0)
        #expect(choice.current == .v311 && choice.renewal == nil)
    }

    @Test func aCloseAtBothVersionsGivesEachItsTurn() {
        var choice = VersionChoice(settings(1))
        for _ in 0..<5 {
            #expect(choice.failed(closed, atConnect: true, now: 0) && choice.current == .v311)
            #expect(!choice.failed(closed, atConnect: true, now: 0) && choice.current == .v5)
        }
    }

    /// A proxy accepts and closes while the broker behind it starts again; on 3.1.1 commands would lose their properties.
    @Test func aBrokerThatHasSpokenVersion5IsNotSoonTriedWith311() {
        var choice = VersionChoice(settings(1))
        choice.accepted(now: 0)
        #expect(!choice.isImpatient)
        for number in 1..<30 {
            #expect(choice.failed(closed, atConnect: true, now: Int64(number)) == false)
            #expect(choice.current == .v5)
        }
        // But in the end: another broker may have taken its place.
        #expect(choice.failed(closed, atConnect: true, now: 30) == true)
        #expect(choice.current == .v311)
    }

    @Test func aRefusalOfVersion5IsBelievedForAnHour() {
        let refused = Disconnection(.refused, "no", reason: .unsupportedProtocolVersion)
        var choice = VersionChoice(settings(1))
        _ = choice.failed(closed, atConnect: false, now: 0)
        #expect(choice.failed(refused, atConnect: false, now: 0) && choice.current == .v311)
        choice.accepted(now: 0)
        choice.begin(now: 59 * minute)
        #expect(choice.current == .v311)
        choice.begin(now: 60 * minute)
        #expect(choice.current == .v5)
    }

    @Test func aBrokerThatGoesAwayDuringTheTrialIsMetWithVersion5() {
        var choice = VersionChoice(settings(1))
        _ = choice.failed(closed, atConnect: true, now: 0)
        #expect(choice.failed(away, atConnect: false, now: 0) == false)
        #expect(choice.current == .v5)
    }

    @Test(arguments: [ProtocolPolicy.version5, .version311])
    func aFixedVersionStays(_ policy: ProtocolPolicy) {
        var fixed = settings(1)
        fixed.protocolPolicy = policy
        var choice = VersionChoice(fixed)
        for cause in [closed, silent, Disconnection(.refused, "no", reason: .unsupportedProtocolVersion)] {
            #expect(choice.failed(cause, atConnect: true, now: 0) == false)
            choice.begin(now: 100 * minute)
            #expect(choice.current.rawValue == policy.rawValue && !choice.isImpatient)
        }
    }

    // MARK: The will

    private let will = Publication(topic: "w", payload: [1], qos: 1, retain: true)

    private func refused(_ code: UInt8) -> Disconnection {
        Disconnection(.refused, "no", reason: ReasonCode(rawValue: code))
    }

    @Test func aRefusedWillShrinksAtOnce() {
        var choice = WillChoice(will)
        #expect(choice.will == will)
        #expect(choice.failed(refused(0x9A), atConnect: false) == true)
        #expect(choice.will?.retain == false && choice.will?.qos == 1)
        #expect(choice.failed(refused(0x9B), atConnect: false) == true)
        #expect(choice.will?.retain == false && choice.will?.qos == 0)
        // Still refused: it is not what the code says.
        #expect(choice.failed(refused(0x9B), atConnect: false) == true)
        #expect(choice.will == nil && choice.admission == .none)
        choice.accepted()
        #expect(choice.will == nil)
    }

    @Test func aWillThatAnACLForbidsIsLeftOutAndComesBackWhenItWasNotTheReason() {
        var choice = WillChoice(will)
        #expect(choice.failed(refused(0x87), atConnect: false) && choice.will == nil)
        #expect(!choice.failed(refused(0x87), atConnect: false) && choice.will == will)
    }

    @Test(arguments: [0x84, 0x85, 0x86, 0x88, 0x8B] as [UInt8])
    func aRefusalForAnotherReasonKeepsTheWill(_ code: UInt8) {
        var choice = WillChoice(will)
        #expect(!choice.failed(refused(code), atConnect: false) && choice.will == will)
    }

    @Test func whereTheBrokerClosesWithAndWithoutTakeTurns() {
        var choice = WillChoice(will)
        #expect(!choice.failed(closed, atConnect: true) && choice.will == nil)
        #expect(!choice.failed(closed, atConnect: true) && choice.will == will)
        choice.accepted()
        for _ in 0..<3 { #expect(!choice.failed(closed, atConnect: true) && choice.will == will) }
        #expect(!choice.failed(closed, atConnect: true) && choice.will == nil)
    }

    @Test func withoutAWillNothingIsTriedTwice() {
        var choice = WillChoice(nil)
        for cause in [refused(0x9A), refused(0x87), closed] { #expect(choice.failed(cause, atConnect: true) == false) }
    }

    // MARK: Addresses

    @Test(
        arguments: [
            ("mqtt://127.0.0.1", "\"127.0.0.1\""), ("broker.lan:8883", "\"broker.lan\" and port = 8883"),
            ("[::1]", "\"::1\""), ("[::1]:1883", "\"::1\" and port = 1883"), ("broker ", "\"broker\""),
            (" broker", "\"broker\""), ("broker/mqtt", "\"broker\""), ("mqtts://u@b.example:8883/x", "\"b.example\""),
            ("bro ker", "\"bro\""), ("", "empty"), ("://", "no name"), ("a\tb", "\"a\""), ("broker:", "\"broker\""),
        ])
    func anAddressWithMoreThanTheNameIsNamedWithWhatToWrite(_ host: String, _ says: String) throws {
        let problem = try #require(BrokerAddress.problem(host, portKey: "port"))
        #expect(problem.contains(says), "\(problem)")
    }

    @Test(arguments: [
        "127.0.0.1", "localhost", "broker.lan", "::1", "fe80::1%eth0", "2001:db8::1", "a_b-c", "größe.de",
    ])
    func aNameOrAnAddressIsFine(_ host: String) {
        #expect(BrokerAddress.problem(host, portKey: "port") == nil)
    }
}

extension ChoiceTests {
    @Test func aBrokerThatClosesAtQoS1Gets0UntilThatDoesNotHelp() {
        var choice = QoSChoice()
        choice.ended(isSuspicious: true, brief: true, now: 0)
        #expect(choice.maximum(now: 0) == 2, "once may be the network")
        choice.ended(isSuspicious: false, brief: false, now: 0)
        choice.ended(isSuspicious: true, brief: true, now: 0)
        #expect(choice.maximum(now: 0) == 2)
        choice.ended(isSuspicious: true, brief: true, now: 0)
        #expect(choice.maximum(now: 1) == 0 && choice.maximum(now: 3600 * second) == 2)
        choice.ended(isSuspicious: false, brief: true, now: 2)
        choice.ended(isSuspicious: false, brief: true, now: 3)
        #expect(choice.maximum(now: 4) == 2)
    }
}
