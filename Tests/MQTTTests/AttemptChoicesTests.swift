import TestSupport
import Testing

@testable import MQTT

/// What the next attempt asks for, whether it follows at once, and by when it must succeed. Nothing waits here.
@Suite struct AttemptChoicesTests {
    private let closed = Disconnection(.lost, "closed")
    private let away = Disconnection(.unreachable, "refused")

    private func refused(_ reason: ReasonCode) -> Disconnection {
        Disconnection(.refused, "refused", reason: reason)
    }

    private func withWill() -> ConnectionSettings {
        var settings = settings(1)
        settings.will = Publication(topic: "gone", payload: [], qos: 1, retain: true)
        return settings
    }

    @Test func anotherVersionIsTriedAtOnceAndABrokerThatIsAwayIsWaitedFor() {
        var choices = AttemptChoices(settings(1))
        #expect(choices.failed(away, wasConnected: false, atConnect: false, now: 0) == false)
        #expect(choices.version.current == .v5)
        #expect(choices.failed(closed, wasConnected: false, atConnect: true, now: 0) == true)
        #expect(choices.version.current == .v311)
        #expect(
            choices.failed(closed, wasConnected: false, atConnect: true, now: 0) == false, "neither version was taken")
    }

    @Test func aConnectionThatEndedIsNotMadeAgainAtOnce() {
        var choices = AttemptChoices(settings(1))
        choices.accepted(now: 0)
        let cause = refused(.unsupportedProtocolVersion)
        #expect(choices.failed(cause, wasConnected: true, atConnect: false, now: 1) == false)
        #expect(choices.version.current == .v311, "and what it showed is kept")
    }

    @Test func aBrokerWithAnotherRefusalEachTimeGetsThreeAttemptsAtOnceAndThenAWait() {
        var choices = AttemptChoices(withWill())
        let refusals: [ReasonCode] = [
            .unsupportedProtocolVersion, .retainNotSupported, .qosNotSupported, .notAuthorised, .notAuthorised,
        ]
        let isImmediate = refusals.map {
            choices.failed(refused($0), wasConnected: false, atConnect: false, now: 0)
        }
        #expect(isImmediate == [true, true, true, false, false])
        #expect(choices.will.admission == .full, "the will was not it")
        // After the wait the count begins again.
        #expect(choices.failed(refused(.retainNotSupported), wasConnected: false, atConnect: false, now: 0) == true)
    }

    @Test func otherSettingsForgetWhatWasLearnedOfTheBroker() {
        var choices = AttemptChoices(withWill())
        choices.unanswered(over: .ipv6)
        _ = choices.failed(refused(.retainNotSupported), wasConnected: false, atConnect: false, now: 0)
        _ = choices.failed(refused(.unsupportedProtocolVersion), wasConnected: false, atConnect: false, now: 0)
        for _ in 0..<2 { choices.ended(isSuspicious: true, brief: true, now: 0) }
        #expect(choices.maximumQoS(now: 1) == 0)
        choices.forget(settings(2))
        #expect(choices.version.current == .v5 && choices.will.will == nil && choices.will.admission == .full)
        #expect(choices.family.only == nil && choices.maximumQoS(now: 1) == 2)
    }

    @Test func ipv6WithoutAnAnswerIsLeftOutOnceAndThenBothAreTriedAgain() {
        var family = FamilyChoice()
        family.unanswered(over: .ipv4)
        #expect(family.only == nil, "the name may have no other")
        family.unanswered(over: nil)
        #expect(family.only == nil)
        family.unanswered(over: .ipv6)
        #expect(family.only == .ipv4)
        family.unanswered(over: .ipv4)
        #expect(family.only == nil)
    }

    @Test func anAttemptsTimeCountsFromTheResolversAnswerAndIsShortWhereSilenceIsAnAnswer() {
        let settings = settings(1)  // 5 s, and 4 s for the answer to a version that was never spoken.
        var clock = AttemptClock()
        clock.began(at: 10 * second)
        clock.resolved(at: 30 * second, settings)
        #expect(clock.start == 10 * second && clock.end == 35 * second && clock.limit == 5 * second)
        var patient = clock
        patient.asked(at: 30 * second + 1, isImpatient: false, settings)
        #expect(patient == clock)
        var late = clock
        late.asked(at: 33 * second, isImpatient: true, settings)
        #expect(late.end == 35 * second, "never longer than the attempt")
        clock.asked(at: 30 * second, isImpatient: true, settings)
        #expect(clock.end == 34 * second && clock.limit == 4 * second)
    }

    @Test func anAnswerTimeThatIsNotShorterChangesNothing() {
        var settings = settings(1)
        settings.answerTimeout = settings.connectTimeout
        var clock = AttemptClock()
        clock.resolved(at: 0, settings)
        let before = clock
        clock.asked(at: 0, isImpatient: true, settings)
        #expect(clock == before)
    }
}
