import Heating
import Testing

@testable import hearthd

@Suite("hearth devices --test: what a message means")
struct DeviceExplanationTests {
    private func explained(_ topic: String, _ payload: String, _ text: String = "") throws -> String {
        let configuration = try Configuration(
            text: "home = \"h\"\n" + text, file: "hearthd.toml", environment: [:], fragments: [])
        return DeviceExplanation(
            topic: topic, payload: Array(payload.utf8), configuration: configuration,
            arrival: Timestamp(nanoseconds: 1_795_953_600_000_000_000)
        ).text
    }

    private let plain = "[[sensors]]\ntopic = \"p/{room}\"\n"

    // A DS18B20's 85 and -127, the largest values of 16 bits in hundredths and tenths.
    @Test(
        "what the room does not believe is said not to be obeyed",
        arguments: ["85.0", "-127", "327.67", "6553.5", "185 °F"])
    func notBelieved(payload: String) throws {
        #expect(try explained("p/office", payload, plain).contains("not believed: recorded, not obeyed"))
    }

    @Test("what it does, is not", arguments: ["21.5", "70.2 °F", "-5", "2.15e1"])
    func believed(payload: String) throws {
        let text = try explained("p/office", payload, plain)
        #expect(text.hasPrefix("office: temperature ") && !text.contains("not obeyed"), "\(text)")
    }

    @Test("a room's own limits count")
    func ownLimits() throws {
        let sauna = plain + "[rooms.sauna]\nmax_plausible = 120.0\ndiscard = []\n"
        #expect(try !explained("p/sauna", "85.0", sauna).contains("not obeyed"))
        #expect(try explained("p/office", "85.0", sauna).contains("not obeyed"))
    }

    @Test(
        "without a rule the table that reads it is named, whatever form the number has",
        arguments: [
            ("21.5 C", #"value = """#), ("21,5°C", #"value = """#), ("\u{FEFF}21.5\n", #"value = """#),
            ("\u{FEFF}{\"temp\":21.5}\r\n", #"value = "temp""#), ("{\"temp\":21.5}\0", #"value = "temp""#),
            ("[21.5]", #"value = "0""#),
        ])
    func suggestions(payload: String, line: String) throws {
        let text = try explained("my/thermometer", payload)
        #expect(text.contains(line) && text.contains(#"topic = "my/thermometer""#), "\(text)")
    }

    @Test("what is no number gets no table", arguments: ["", "online", "nan", "{", #"{"temperature":null}"#])
    func noNumber(payload: String) throws {
        #expect(try !explained("my/thermometer", payload).contains("[[sensors]]"))
    }
}
