import Heating
import Testing

@testable import hearthd

private let houseText = """
    [[sensors]]
    kind = "zigbee2mqtt"
    topic = "zigbee2mqtt/{room...}"
    rooms = { "0x00158d0001dead" = "office", "eg/bad" = "bath", "lamp" = "" }
    retained = "use"
    stale_after = "2h"

    [[sensors]]
    kind = "tasmota"
    value = "AM2301.Temperature"
    unit = "F"

    [[sensors]]
    kind = "mine"
    measure = "humidity"
    value = "h"

    [[pumps]]
    name = "main"
    rooms = ["office", "bath"]
    kind = "tasmota"
    command = "cmnd/heatpump/POWER"
    state = "stat/heatpump/POWER"
    available = "tele/heatpump/LWT"
    on_foreign = "reassert"
    min_off = "5m"

    [kinds.mine]
    like = "plain"
    topic = "my/{room}/all"
    value = "t"
    command = "my/{device}/set"

    [rooms.office]
    combine = "min"
    disagreement = 2.5
    """

private let setpointText = """
    [[pumps]]
    name = "split"
    rooms = ["office", "bath"]
    command = "ac/set"
    on = "heat"
    off = "off"
    target_command = "ac/temp"
    target_unit = "F"
    target_step = 1.0
    starting_time = "1m"
    [rooms.office]
    valve = { kind = "tasmota", device = "office-valve", on_foreign = "reassert" }
    [rooms.hall]
    valve = { kind = "shelly", device = "hall-valve" }
    """

@Suite("Configuration: sensors, pumps and kinds")
struct DeviceConfigurationTests {
    private func read(_ text: String, _ fragments: [DeviceFile] = []) throws -> Configuration {
        try Configuration(text: "home = \"h\"\n" + text, file: "hearthd.toml", environment: [:], fragments: fragments)
    }

    private func problems(_ text: String, _ fragments: [DeviceFile] = []) -> [String] {
        do {
            _ = try read(text, fragments)
            return []
        } catch let error as ConfigurationError {
            return error.problems.map(\.description)
        } catch {
            return ["unexpected error type: \(error)"]
        }
    }

    @Test("a house of several kinds")
    func house() throws {
        let devices = try read(houseText).devices
        #expect(devices.sensors.map(\.kind) == ["zigbee2mqtt", "tasmota", "mine"])
        #expect(devices.rules.filters == ["zigbee2mqtt/#", "tele/+/SENSOR", "my/+/all", "+/temperature"])
        #expect(devices.sensors[0].retained == .use && devices.sensors[0].staleAfter == .seconds(7200))
        let (bath, officeRoom) = (try #require(Room("bath")), try #require(Room("office")))
        let pump = try #require(devices.pump(of: bath))
        #expect(pump.filters == ["stat/heatpump/POWER", "tele/heatpump/LWT"])
        #expect(pump.state?.read(Array("ON".utf8)) == true)
        #expect(pump.onForeign == .reassert && pump.minOff == .seconds(300))
        let office = try #require(devices.rooms[officeRoom])
        #expect(office.combine == .min && office.disagreement == 2.5)
        let outcomes = devices.rules.read(
            topic: "zigbee2mqtt/eg/bad", payload: Array(#"{"temperature":20.5}"#.utf8), isRetained: false,
            arrival: Timestamp(nanoseconds: 1_795_953_600_000_000_000))
        guard case .reading(let reading)? = outcomes.first else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(reading.recordTopic == "bath/temperature" && reading.obeyed == 20.5)
    }

    @Test("a room's valve belongs to the pump that heats it; without one it is the room's pump")
    func valve() throws {
        let valve = "[rooms.office]\nvalve = { kind = \"zigbee2mqtt\", device = \"office-valve\" }\n"
        let alone = try read(valve).devices
        #expect(
            alone.pumps.map(\.name) == ["office"]
                && alone.pumps.first?.command == "zigbee2mqtt/office-valve/set")
        let pump = "[[pumps]]\nname = \"main\"\nrooms = [\"office\", \"bath\"]\nkind = \"tasmota\"\n"
        let zone = try read(pump + valve).devices
        #expect(zone.pumps.map(\.name) == ["main"])
        #expect(
            zone.rooms[try #require(Room("office"))]?.valve?.state?.topic == "zigbee2mqtt/office-valve")
        // The pump in another file.
        let apart = try read(valve, [DeviceFile(text: pump, file: "devices.d/pump.toml")]).devices
        #expect(apart.pumps.map(\.name) == ["main"] && apart.rooms == zone.rooms)
        let times = "[rooms.office]\nvalve = { kind = \"zigbee2mqtt\", min_on = \"5m\" }\n"
        #expect(problems(times).first?.contains("belongs to the pump") == true)
    }

    @Test("a device with a thermostat needs a command or a target, and a room that wants one")
    func setpoint() throws {
        let trv = """
            [[pumps]]
            rooms = ["office"]
            target_command = "zigbee2mqtt/trv/set"
            target_payload = '{"occupied_heating_setpoint": {target}}'
            target_state = "zigbee2mqtt/trv"
            target_value = "occupied_heating_setpoint"

            """
        let pump = try #require(try read(trv).devices.pumps.first)
        #expect(pump.command == nil && pump.needsTarget && pump.filters == ["zigbee2mqtt/trv"])
        let off = problems(trv + "[rooms.office]\nenabled = false\n")
        #expect(off.count == 1 && off.first?.contains("office has none") == true, "\(off)")
        #expect(problems("[[pumps]]\nrooms = [\"a\"]\n").first?.contains("target_command") == true)
        let wrong = problems(
            trv.replacing("{target}", with: "21") + "target_unit = \"R\"\ntarget_step = 0\n")
        #expect(wrong.count == 3, "\(wrong)")
    }

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

    @Test("with none, only the black box, and the printed configuration has no word of it")
    func none() throws {
        let configuration = try read("")
        #expect(configuration.devices == Devices())
        #expect(configuration.devices.rules.isBlackBoxOnly)
        #expect(!configuration.text.contains("[[sensors]]") && !configuration.text.contains("[[pumps]]"))
    }

    @Test(
        "the printed configuration means the same",
        arguments: [
            houseText, setpointText,
            "[[sensors]]\nkind = \"hearth\"\ntopic = \"up/{room}/temperature\"\n",
        ])
    func printed(text: String) throws {
        let configuration = try read(text)
        let again = try Configuration(text: configuration.text, file: "again", environment: [:])
        #expect(again.text == configuration.text)
        #expect(again.devices.sensors == configuration.devices.sensors)
        #expect(again.devices.pumps == configuration.devices.pumps)
        #expect(again.devices.rooms == configuration.devices.rooms)
    }

    @Test("an unknown kind lists those there are, with file and line")
    func unknownKind() {
        let found = problems("[[sensors]]\nkind = \"zigbe2mqtt\"\n")
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix(
                "hearthd.toml:3: sensors.0.kind: there is no kind \"zigbe2mqtt\"; did you mean \"zigbee2mqtt\"?")
                == true)
        for kind in DeviceKind.builtIn { #expect(found.first?.contains(kind.name) == true) }
    }

    @Test("every problem of every table, each at its line")
    func everyProblem() {
        let found = problems(
            """
            [[sensors]]
            kind = "plain"
            topic = "a/#/b"
            [[sensors]]
            topic = "a/b"
            unit = "R"
            topik = 3
            [[pumps]]
            kind = "tasmota"
            """)
        #expect(found.contains("hearthd.toml:4: sensors.0.topic: # is the last level: \"a/#/b\""))
        #expect(found.contains { $0.hasPrefix("hearthd.toml:5: sensors.1.room: is missing") })
        #expect(found.contains { $0.hasPrefix("hearthd.toml:7: sensors.1.unit: must be") })
        #expect(
            found.contains {
                $0.hasPrefix("hearthd.toml:8: sensors.1.topik: is not a known key; did you mean sensors.1.topic?")
            })
        #expect(found.contains { $0.hasPrefix("hearthd.toml:9: pumps.0.rooms: is missing") })
        #expect(found.count == 5)
    }

    @Test("one table where a list belongs says what to write")
    func singleBrackets() {
        #expect(problems("[sensors]\ntopic = \"a/{room}\"\n").contains { $0.contains("write [[sensors]]") })
    }

    @Test("devices.d is merged in, its problems named by its own files")
    func fragments() throws {
        let kinds = DeviceFile(text: "[kinds.ours]\ntopic = \"o/{room}\"\nvalue = \"t\"\n", file: "devices.d/10.toml")
        let sensors = DeviceFile(
            text: "[[sensors]]\nkind = \"ours\"\n[rooms.bath]\ncombine = \"max\"\n", file: "devices.d/20.toml")
        let devices = try read("[[sensors]]\nkind = \"ours\"\ntopic = \"p/{room}\"\n", [kinds, sensors]).devices
        #expect(devices.sensors.map(\.topic.text) == ["p/{room}", "o/{room}"])
        #expect(devices.rooms.count == 1)
        let wrong = DeviceFile(
            text: "[[sensors]]\nkind = \"tasmota\"\nunit = \"x\"\n[local]\nport = 1\n", file: "devices.d/30.toml")
        let found = problems("", [wrong])
        #expect(found.contains { $0.hasPrefix("devices.d/30.toml:3: sensors.0.unit") })
        #expect(found.contains { $0.hasPrefix("devices.d/30.toml:4: local: is not a known key") })
    }

    @Test("two pumps for one room, and two of one name, are told")
    func twice() {
        let found = problems(
            """
            [[pumps]]
            rooms = ["office"]
            command = "a"
            [[pumps]]
            name = "office"
            rooms = ["bath", "office"]
            command = "b"
            """)
        #expect(found.count == 2)
        #expect(found.contains { $0.contains("is another pump's name") })
        #expect(found.contains { $0.contains("office has a pump already") })
    }

    @Test("a kind of one's own must not be a built-in one's name")
    func takenKind() {
        #expect(problems("[kinds.tasmota]\nvalue = \"t\"\n").contains { $0.contains("is a kind already") })
    }

    /// Room → min_on and min_off in seconds.
    private func times(_ text: String) throws -> [String: [Int64]] {
        let configuration = try Configuration(text: "home = \"h\"\n" + text, file: "hearthd.toml", environment: [:])
        // What is printed must mean the same when it is read.
        let again = try Configuration(text: configuration.text, file: "printed", environment: [:])
        #expect(again.rooms == configuration.rooms && again.thermostat == configuration.thermostat)
        return ["office", "bath", "hall", "attic"].reduce(into: [:]) { times, name in
            guard let room = Room(name) else { return }
            let settings = configuration.settings(for: room)
            times[name] = [settings.minOn, settings.minOff].map(\.components.seconds)
        }
    }

    @Test func aPumpOfAnotherKindRunsAndRestsFiveMinutesAndTheBlackBoxNotAtAll() throws {
        let pumps = """
            [[pumps]]
            rooms = ["office"]
            kind = "tasmota"
            [[pumps]]
            name = "main"
            rooms = ["bath", "hall"]
            kind = "shelly"

            """
        #expect(try times("") == ["office": [0, 0], "bath": [0, 0], "hall": [0, 0], "attic": [0, 0]])
        #expect(
            try times(pumps) == ["office": [300, 300], "bath": [300, 300], "hall": [300, 300], "attic": [0, 0]])
        // What is written counts: the house's, the pump's before it, the room's where it is longer.
        #expect(try times(pumps + "[thermostat]\nmin_off = \"0s\"")["office"] == [300, 0])
        let own = pumps.replacing("kind = \"tasmota\"", with: "kind = \"tasmota\"\nmin_off = \"2m\"")
        #expect(try times(own + "[thermostat]\nmin_off = \"9m\"")["office"] == [300, 120])
        #expect(try times(own + "[rooms.office]\nmin_off = \"1m\"\nmin_on = \"0s\"")["office"] == [0, 120])
        #expect(try times(pumps + "[rooms.bath]\nmin_on = \"10m\"")["bath"] == [600, 300])
    }
}
