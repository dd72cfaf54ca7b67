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
    func read(_ text: String, _ fragments: [DeviceFile] = []) throws -> Configuration {
        try Configuration(text: "home = \"h\"\n" + text, file: "hearthd.toml", environment: [:], fragments: fragments)
    }

    func problems(_ text: String, _ fragments: [DeviceFile] = []) -> [String] {
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
