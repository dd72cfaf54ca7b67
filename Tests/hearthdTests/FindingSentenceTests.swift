import Foundation
import Heating
import MQTT
import Testing

@testable import hearthd

/// What the gateway says and the page shows in another language: the enumerations are the list, the page's files are read as they are.
@Suite("sentences: each in every language of the page, with the same values")
struct FindingSentenceTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Sources/HomePage/Page")

    private static let sentences =
        RoomSentence.allCases.map(\.rawValue) + DeviceSentence.allCases.map(\.rawValue)
        + FindingSentence.allCases.map(\.rawValue) + SettingSentence.allCases.map(\.rawValue)
        + SettingName.allCases.map(\.rawValue) + RefusalSentence.allCases.map(\.rawValue)
        + LinkSentence.allCases.map(\.rawValue) + DisconnectionSentence.allCases.map(\.rawValue)

    /// The page's own words, and those that it has for the gateway's.
    private func words(_ language: String) throws -> [Substring: Substring] {
        let texts = try ["words", "said"].map {
            try String(contentsOf: Self.page.appendingPathComponent("\($0).\(language).js"), encoding: .utf8)
        }
        let pairs = texts.flatMap {
            $0.matches(of: /(?m)^  "([^"\\]*)": "([^"\\]*)",$/).map { ($0.output.1, $0.output.2) }
        }
        return Dictionary(pairs) { first, _ in first }
    }

    @Test("reasons, alarms and advice, refusals, and what is said of connections", arguments: ["de", "es", "ca"])
    func translated(language: String) throws {
        let words = try words(language)
        for sentence in Self.sentences {
            guard let translation = words[Substring(sentence)] else {
                Issue.record("said.\(language).js: \"\(sentence)\" is missing")
                continue
            }
            func values(_ text: some StringProtocol) -> [Substring] {
                Substring(text).matches(of: /\{\w+\}/).map(\.output).sorted()
            }
            #expect(values(sentence) == values(translation), "\(sentence)")
        }
    }

    @Test("a sentence in English: values, durations, counts, sentences within sentences, and what has no value")
    func english() {
        let said = Sentence(
            FindingSentence.noReadingDiscarded,
            [
                "room": .text("{time}"), "time": .duration(.seconds(2400)), "why": .number(-127),
                "action": .sentence(Sentence(RoomSentence.pumpIsOff)),
            ])
        #expect(said.text == "no reading from {time} for 40 min: the pump is off; its readings are discarded (-127.0)")
        #expect(Sentence(FindingSentence.times, ["count": .count(7)]).text == "7 times")
        #expect(Sentence(FindingSentence.times).text == "{count} times")
    }

    @Test("a sentence crosses a socket whole")
    func json() throws {
        let said = Sentence(
            FindingSentence.noReadingDiscarded,
            [
                "room": .text("Büro"), "time": .duration(.milliseconds(2500)), "why": .number(19.8),
                "action": .sentence(Sentence(RoomSentence.pumpIsOff)), "count": .count(3),
            ])
        #expect(Sentence(try JSON.parse(said.json.bytes)) == said)
        #expect(Sentence(.string("no sentence")) == nil && Sentence(["with": ["a": 1]]) == nil)
    }

    @Test("reasons in the unit of the house, as codes with values")
    func reasons() {
        let reason = Reason.below(value: 19.96, limit: 20.5)
        #expect(
            reason.sentence(in: .celsius).json
                == Sentence(
                    RoomSentence.below, ["value": .number(20), "limit": .number(20.5)]
                ).json)
        #expect(reason.text(in: .fahrenheit) == "67.9 is below 68.9")
        #expect(Reason.below(value: 20.46, limit: 20.5).text(in: .celsius) == "just below 20.5")
    }

    @Test("why a connection ended is a code with its values, and what Hearth itself ended it for")
    func connections() {
        let words = LinkDescription(
            .waiting(until: 5, lastError: Disconnection(.dropped, LinkSentence.cloudSilent.rawValue)), now: 0)
        #expect(words.said == Sentence(LinkSentence.cloudSilent))
        let other = Disconnection(.dropped, "subscribing to the home broker: {x}").said
        #expect(other.text == "subscribing to the home broker: {x}" && other.pattern == "{words}")
        do throws(Disconnection) {
            _ = try readFile("/nonexistent/password", purpose: "password file", limit: 1)
            Issue.record("read what is not there")
        } catch {
            #expect(
                error.said.text
                    == "cannot read the password file /nonexistent/password: No such file or directory; check the path")
            #expect(error.said.text == error.message)
            #expect(error.said.json["with"]?["purpose"] == Sentence(DisconnectionSentence.passwordFile).json)
        }
        #expect(LinkDescription(.connecting(since: 0, phase: .tcp), now: 1).said == Sentence(LinkSentence.tcp))
        let link = LinkView(name: "record", peer: "home:1883", stopped: other)
        #expect(LinkView(link.json).said == other && link.detail == other.text)
    }
}
