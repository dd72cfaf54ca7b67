import Testing

@testable import Heating
@testable import hearthd

// Tables that leave each other nothing, and what is written in a wrong place.
extension DeviceConfigurationTests {
    @Test("two tables of one topic, measure and room: the second would never count, and both lines are named")
    func neverCounts() throws {
        let table = "[[sensors]]\ntopic = \"a/all\"\nroom = \"office\"\nvalue = \"t\"\n"
        let twice = problems(table + table)
        #expect(twice.count == 1 && twice.first?.contains("hearthd.toml:2,") == true, "\(twice)")
        #expect(twice.first?.hasPrefix("hearthd.toml:6: sensors.1: ") == true, "\(twice)")
        let apart = problems(table, [DeviceFile(text: table, file: "devices.d/a.toml")])
        #expect(apart.count == 1 && apart.first?.hasPrefix("devices.d/a.toml:1: ") == true, "\(apart)")
        // Another value in the message is another probe.
        for other in [("office", "bath"), ("a/all", "b/all"), ("\"t\"", "\"u\"")] {
            #expect(problems(table + table.replacing(other.0, with: other.1)).isEmpty)
        }
        #expect(problems(table + table + "measure = \"humidity\"\n").isEmpty)
        let kind = "[[sensors]]\nkind = \"zigbee2mqtt\"\n"
        #expect(problems(kind + kind).count == 1)
        #expect(problems(kind + kind + "except = [\"zigbee2mqtt/lamp\"]\n").isEmpty)
    }

    @Test("a table that another one leaves nothing to is told which, and to stand before it")
    func shadowed() {
        let all = "[[sensors]]\nkind = \"zigbee2mqtt\"\n"
        let one =
            "[[sensors]]\nkind = \"zigbee2mqtt\"\ntopic = \"zigbee2mqtt/trv\"\nvalue = \"local_temperature\"\nroom = \"bath\"\n"
        #expect(problems(one + all).isEmpty)
        let late = problems(all + one)
        #expect(late.count == 1 && late.first?.contains("hearthd.toml:2 takes") == true, "\(late)")
        #expect(late.first?.contains("write this table before it") == true, "\(late)")
        // A rule of listed devices leaves the others.
        #expect(problems(all + "unlisted = \"ignore\"\n" + one).isEmpty)
        #expect(problems(all + "except = [\"zigbee2mqtt/trv\"]\n" + one).isEmpty)
    }

    @Test("a table that takes everything at the broker is refused", arguments: ["#", "+/#", "{room...}"])
    func takesAll(topic: String) {
        let found = problems("[[sensors]]\ntopic = \"\(topic)\"\nroom = \"office\"\n")
        #expect(found.count == 1 && found.first?.contains("takes every topic") == true, "\(found)")
    }

    @Test("two tables that tell one device the same: pumps, a valve and a pump, valves of two rooms, over files")
    func oneDevice() {
        let pump = "[[pumps]]\nrooms = [\"office\"]\nkind = \"zigbee2mqtt\"\ndevice = \"plug\"\n"
        let other = pump.replacing("office", with: "bath")
        let valve = "[rooms.hall]\nvalve = { kind = \"zigbee2mqtt\", device = \"plug\" }\n"
        for second in [other, valve] {
            let found = problems(pump + second)
            #expect(
                found.count == 1 && found.first?.contains("the same as the table at hearthd.toml:2") == true, "\(found)"
            )
            let apart = problems(pump, [DeviceFile(text: second, file: "devices.d/a.toml")])
            #expect(apart.count == 1 && apart.first?.hasPrefix("devices.d/a.toml:") == true, "\(apart)")
        }
        #expect(problems(valve + valve.replacing("hall", with: "attic")).count == 1)
        // One transmitter for several devices: the words tell them apart.
        let radio = "[[pumps]]\nrooms = [\"a\"]\ncommand = \"433/tx\"\non = \"A1\"\noff = \"A0\"\n"
        #expect(problems(radio + radio.replacing("\"a\"", with: "\"b\"").replacing("A", with: "B")).isEmpty)
    }

    @Test("what is put in no place of a topic or a payload is told")
    func marks() {
        func found(_ line: String) -> [String] {
            problems("[[pumps]]\nname = \"a\"\nrooms = [\"office\"]\ncommand = \"a/b\"\n\(line)\n")
        }
        #expect(found("on = '{targt}'").first?.contains("{targt}, which is neither {target} nor {room}") == true)
        #expect(found("state = 'stat/{devise}/POWER'").first?.contains("{devise}, which is neither {device}") == true)
        #expect(found(#"on = '{"a": {"b": "{room}", "t": {target}}}'"#).isEmpty)
        #expect(found("on = '{}'").isEmpty && found("on = '{1}'").isEmpty)
    }

    @Test("a wrong kind is told where it is written, used or not; a valve that is no table, and keys of the other list")
    func wrongPlaces() {
        let kind = problems("[kinds.mine]\ntopic = \"a/#/b\"\nunit = \"zz\"\non_foreign = \"x\"\n")
        #expect(kind.count == 3 && kind.allSatisfy { $0.contains("kinds.mine.") }, "\(kind)")
        #expect(problems("[kinds.mine]\nlike = \"tasmota\"\nvalue = \"t\"\n").isEmpty)
        #expect(problems("[kinds.mine]\nvalue = \"t\"\n[kinds.pump]\non = \"1\"\noff = \"0\"\n").isEmpty)
        #expect(problems("[rooms.office]\nvalve = \"v\"\n").first?.contains("must be a table such as") == true)
        let command = problems("[[sensors]]\nkind = \"tasmota\"\ncommand = \"x\"\n")
        #expect(command.first?.hasSuffix("is not a known key; did you mean [[pumps]]?") == true, "\(command)")
        let topic = problems("[[pumps]]\nkind = \"tasmota\"\nrooms = [\"a\"]\ntopic = \"x\"\n")
        #expect(topic.first?.hasSuffix("is not a known key; did you mean [[sensors]]?") == true, "\(topic)")
    }
}
