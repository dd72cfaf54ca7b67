import Heating
import Testing

struct RepeatedWordsTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    /// Lines and bytes of a day in which each text comes in turn, `pace` seconds apart.
    private func day(_ texts: [String], pace: Double) -> (firstMinute: Int, lines: Int, bytes: Int) {
        var words = RepeatedWords()
        var (first, lines, bytes, number) = (0, 0, 0, 0)
        for second in stride(from: 0, to: 86_400, by: pace) {
            let said = words.say(texts[number % texts.count], now: at(second))
            number += 1
            guard let said else { continue }
            (lines, bytes) = (lines + 1, bytes + said.utf8.count)
            if second < 60 { first += 1 }
        }
        return (first, lines, bytes)
    }

    @Test func aTextIsSaidAtOnceAndThenWithItsCountAfterAMinute() {
        var words = RepeatedWords()
        #expect(words.say("no broker", now: at(0)) == "no broker")
        for tick in 1..<240 { #expect(words.say("no broker", now: at(Double(tick) / 4)) == nil) }
        #expect(words.say("no broker", now: at(60)) == "no broker (240 times in 1 min)")
        #expect(words.say("no broker", now: at(60.25)) == nil)
        #expect(words.say("refused", now: at(61)) == "refused", "a change is said at once")
    }

    @Test func textsThatTakeTurnsAreNotNews() {
        let flapping = day(["connected", "closed"], pace: 0.25)
        #expect(flapping.firstMinute == 2)
        #expect(flapping.lines <= 2 + 20 + 24 + 2 * 48)
    }

    @Test func textsThatAreNewAllTheTimeAreSaidAFewAtATime() {
        let unique = day((0..<100).map { "cause \($0) of many" }, pace: 0.25)
        #expect(unique.firstMinute <= 5)
        #expect(unique.lines <= 5 + 24 + 20 + 24 + 3 * 48)
    }

    @Test(arguments: [["cause"], ["connected", "closed"], (0..<50).map { "\($0)" }])
    func aDayOfThreeLanesStaysBelow200kB(_ texts: [String]) {
        // Level, label and metadata of a line beside its text.
        let line = 180
        let day = day(texts.map { $0 + String(repeating: "x", count: 100) }, pace: 1)
        #expect(3 * (day.bytes + day.lines * line) < 200_000, "\(day)")
    }

    @Test func whatWasNotHeardForAWhileIsNews() {
        var words = RepeatedWords()
        #expect(words.say("closed", now: at(0)) != nil)
        #expect(words.say("closed", now: at(3600)) == "closed")
    }

    @Test func aPeersLongWordsAreCut() throws {
        var words = RepeatedWords()
        let said = words.say(String(repeating: "ä", count: 100_000), now: at(0))
        #expect(try #require(said).count <= RepeatedWords.longestText + 1)
    }
}
