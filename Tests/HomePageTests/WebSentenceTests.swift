import GatewayClient
import Heating
import Testing

@testable import HomePage

@Suite("what the page's own server says")
struct WebSentenceTests {
    @Test("in each language of the page", arguments: ["de", "es", "ca"])
    func translated(language: String) throws {
        let texts = ["words", "said"].map {
            String(decoding: Page.files["/\($0).\(language).js"]?.bytes ?? [], as: UTF8.self)
        }
        for sentence in WebSentence.allCases {
            #expect(texts.contains { $0.contains("  \"\(sentence.rawValue)\": \"") }, "\(sentence)")
        }
    }

    @Test("why the daemon does not answer is a code and its English; a refusal has the daemon's own")
    func errors() {
        let said = Sentence(WebSentence.noAnswer)
        #expect(VarlinkError.timedOut(.seconds(5)).sentence == Sentence(WebSentence.noAnswer))
        #expect(VarlinkError.noSocket(path: "/x").reason == "hearthd is not running")
        let refusal = VarlinkError.refusal(
            name: "io.hearth.Gateway.InvalidSetting", parameters: ["message": "too warm", "say": said.json])
        #expect(refusal.reason == "too warm" && refusal.sentence == said)
        let older = VarlinkError.refusal(name: "x.y", parameters: ["message": "no"])
        #expect(older.reason == "no" && older.sentence == nil)
    }
}
