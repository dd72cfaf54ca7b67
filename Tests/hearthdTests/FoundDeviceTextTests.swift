import Heating
import Testing

@testable import hearthd

@Suite("Devices: what is found becomes a file that reads the same")
struct FoundDeviceTextTests {
    private static let arrival = Timestamp(nanoseconds: 1_795_953_600_000_000_000)

    /// Names as people and programs give them; each also as a member's.
    static let names = [
        "office", "Büro oben", #"the "best" room"#, "back\\slash", "it's", "tab\there", "del\u{7F}ete", "bell\u{7}",
        "a=b , c",
        "é", "e\u{301}", "日本", "🏠", "[sensors]", "x.y", "*", " lead", "\u{202E}rtl", "'''", "\"\"\"",
    ]

    @Test("the same payload gives the same number, and the room that was chosen", arguments: names)
    func roundTrip(name: String) throws {
        var heard = HeardTopics()
        let topic = "home/\(name)/all"
        let member = JSON.string(name).serialized()
        let payload = "{\(member):{\"temperature\":20.50},\"n\":1}"
        heard.hear(topic, Array(payload.utf8), isRetained: false)
        let path = "{{ value_json[\(member)].temperature }}"
        // A quote or a backslash in a template's name is not of the common forms.
        let isCommon = !name.contains("\"") && !name.contains("\\") && !member.contains("\\")
        let template = isCommon ? #","value_template":\#(JSON.string(path).serialized())"# : ""
        if isCommon {
            heard.hear(
                "homeassistant/sensor/x/config",
                Array(
                    #"{"device_class":"temperature","state_topic":\#(JSON.string(topic).serialized())\#(template)}"#
                        .utf8),
                isRetained: true)
        }
        let found = DeviceSearch(heard, rules: DeviceRules([]), pumps: [], arrival: Self.arrival).found
        let device = try #require(found.first { $0.isSensor }, "\(found)")
        #expect(device.standing == .new, "\(device)")
        #expect(device.said?.valueText == "20.50")
        let room = JSON.string(name).serialized()
        let text = (device.lines + ["room = \(room)"]).joined(separator: "\n") + "\n"
        let configuration = try Configuration(
            text: "home = \"h\"\n", file: "f", environment: [:],
            fragments: [.init(text: text, file: "devices.d/x.toml")])
        let outcomes = configuration.devices.rules.read(
            topic: topic, payload: Array(payload.utf8), isRetained: false, arrival: Self.arrival)
        guard case .reading(let reading)? = outcomes.first else {
            Issue.record("\(text)\n\(outcomes)")
            return
        }
        #expect(reading.valueText == "20.50")
        #expect(Array(reading.room.name.utf8) == Array(name.utf8))
    }

    @Test("a pump's table commands what was found", arguments: names)
    func pump(name: String) throws {
        let list =
            #"[{"type":"Router","friendly_name":\#(JSON.string(name).serialized()),"definition":{"exposes":[{"type":"switch","features":[{"property":"state"}]}]}}]"#
        var heard = HeardTopics()
        heard.hear("zigbee2mqtt/bridge/devices", Array(list.utf8), isRetained: true)
        let found = DeviceSearch(heard, rules: DeviceRules([]), pumps: [], arrival: Self.arrival).found
        let device = try #require(found.first)
        let text = (device.lines + ["rooms = [\"office\"]"]).joined(separator: "\n") + "\n"
        let configuration = try Configuration(
            text: "home = \"h\"\n", file: "f", environment: [:],
            fragments: [.init(text: text, file: "devices.d/x.toml")])
        let pump = try #require(configuration.devices.pumps.first)
        #expect(Array(pump.mainTopic.utf8) == Array("zigbee2mqtt/\(name)/set".utf8))
        #expect(Array(pump.name.utf8) == Array(name.utf8))
        #expect(pump.commands(isOn: true).map { String(decoding: $0.payload, as: UTF8.self) } == [#"{"state": "ON"}"#])
    }
}
