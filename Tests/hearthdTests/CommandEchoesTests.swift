import Heating
import Testing

@testable import hearthd

/// What can be told of commands where the broker cannot refuse them.
struct CommandEchoesTests {
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private func listening() -> CommandEchoes {
        var echoes = CommandEchoes()
        echoes.subscribed(7)
        echoes.answered(7, isGranted: true)
        return echoes
    }

    @Test func aCommandThatDoesNotComeBackIsToldAfterAWhile() {
        var echoes = listening()
        echoes.sent("office/heatpump", now: at(0))
        echoes.sent("bath/heatpump", now: at(1))
        echoes.heard("bath/heatpump")
        #expect(echoes.nextDeadline(after: at(1)) == at(20))
        #expect(echoes.missing(now: at(19)) == [])
        #expect(echoes.missing(now: at(20)) == ["office/heatpump"])
        // Said again and again it is not newer.
        echoes.sent("office/heatpump", now: at(60))
        #expect(echoes.missing(now: at(61)) == ["office/heatpump"])
        echoes.heard("office/heatpump")
        #expect(echoes.missing(now: at(100)) == [])
    }

    @Test func whatCannotComeBackIsNotMissed() {
        // Published before it was asked for.
        var early = CommandEchoes()
        early.sent("office/heatpump", now: at(0))
        early.subscribed(7)
        early.answered(7, isGranted: true)
        #expect(early.missing(now: at(100)) == nil)
        // Asked for and refused; that is another finding.
        var refused = CommandEchoes()
        refused.subscribed(7)
        refused.sent("office/heatpump", now: at(0))
        refused.answered(7, isGranted: false)
        refused.sent("office/heatpump", now: at(1))
        #expect(refused.missing(now: at(100)) == nil)
        // Not answered yet.
        var waiting = CommandEchoes()
        waiting.subscribed(7)
        waiting.sent("office/heatpump", now: at(0))
        waiting.answered(8, isGranted: true)
        #expect(waiting.missing(now: at(100)) == nil)
        waiting.answered(7, isGranted: true)
        #expect(
            waiting.missing(now: at(100)) == ["office/heatpump"],
            "published behind the question, it would have come back")
    }

    @Test func aNewConnectionThatHasShownNothingTakesNothingBack() {
        #expect(listening().missing(now: at(5)) == nil)
    }

    @Test func theFindingNamesTheTopicAndTheLine() {
        let finding = Finding.commandsUnseen(["bath/heatpump", "office/heatpump"])
        #expect(finding.text.contains("bath/heatpump and 1 more") && finding.severity == .heating)
        #expect(finding.advice.contains("topic readwrite +/heatpump"))
    }
}

struct RoomDeadlinesTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func whatIsSetIsExactAndWhatWasForgottenIsASecondLate() throws {
        let (office, bath) = (try #require(Room("office")), try #require(Room("bath")))
        var deadlines = RoomDeadlines()
        deadlines.refresh(now: at(0)) { [:] }
        deadlines.set(office, at(300))
        #expect(deadlines.next == at(300) && deadlines.due(now: at(299)).isEmpty)
        #expect(deadlines.due(now: at(300)) == [office])
        deadlines.set(office, nil)
        // The bath's was changed without a word.
        deadlines.refresh(now: at(999)) { [bath: at(500)] }
        #expect(deadlines.next == nil)
        deadlines.refresh(now: at(1000)) { [bath: at(500)] }
        #expect(deadlines.due(now: at(1000)) == [bath])
    }
}

struct EarliestDeadlineTests {
    /// The same numbers in every run (Knuth's MMIX constants).
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64 = 17

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 33
        }
    }

    @Test func theEarliestIsRightHoweverTheyMove() throws {
        var random = Seeded()
        let rooms = try (0..<8).map { try #require(Room("r\($0)")) }
        var (deadlines, known) = (RoomDeadlines(), [Room: Instant]())
        deadlines.refresh(now: .zero) { [:] }
        for _ in 0..<5000 {
            let room = rooms[Int.random(in: 0..<8, using: &random)]
            let instant = Int.random(in: 0..<4, using: &random) == 0 ? nil : Int64.random(in: 0..<50, using: &random)
            known[room] = instant.map(Instant.init(nanoseconds:))
            deadlines.set(room, known[room])
            if Bool.random(using: &random) { continue }
            #expect(deadlines.next == known.values.min())
            let now = Instant(nanoseconds: Int64.random(in: 0..<50, using: &random))
            let due = deadlines.due(now: now)
            #expect(Set(due) == Set(known.filter { $0.value <= now }.keys))
        }
    }
}

struct ManyRoomDeadlinesTests {
    @Test func hundredsOfRoomsAreLookedThroughLessOften() throws {
        var (deadlines, looks) = (RoomDeadlines(), 0)
        let all = Dictionary(
            uniqueKeysWithValues: try (0..<1000).map {
                (try #require(Room("made-up-\($0)")), Instant(nanoseconds: .max))
            })
        for second in Int64(0)..<60 {
            deadlines.refresh(now: Instant(nanoseconds: second * 1_000_000_000)) {
                looks += 1
                return all
            }
        }
        #expect(looks == 6)
    }
}

struct SwitchWordsTests {
    @Test func aPumpThatIsSwitchedWithoutEndFillsNoLog() {
        var words = SwitchWords(perHour: 8)
        let said = (0..<86_400).map { words.say(now: Instant(nanoseconds: $0 * 1_000_000_000)) }
        #expect(said.prefix(8).allSatisfy { $0 == 0 }, "a house that is heated as it should be loses no word")
        #expect(said.compactMap(\.self).count == 8 * 24)
        #expect(said[3600] == 3592, "what was left out is counted")
    }
}
