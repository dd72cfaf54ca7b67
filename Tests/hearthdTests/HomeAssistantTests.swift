import Heating
import MQTT
import Machine
import Testing

@testable import hearthd

/// Keys that Home Assistant's documentation has for a platform, abbreviated, with the kind of value. Sources, read for
/// each: https://www.home-assistant.io/integrations/mqtt/ (abbreviations, device discovery), …/climate.mqtt/,
/// …/sensor.mqtt/, …/binary_sensor.mqtt/. Unknown keys are ignored there, so a misspelled one would go unnoticed.
private let documented: [String: [String: Kind]] = [
    "climate": [
        "p": .text, "uniq_id": .text, "name": .textOrNull,
        "modes": .texts(["auto", "off", "cool", "heat", "dry", "fan_only"]),
        "mode_stat_t": .topic, "mode_stat_tpl": .template, "mode_cmd_t": .topic, "temp_stat_t": .topic,
        "temp_stat_tpl": .template, "temp_cmd_t": .topic, "curr_temp_t": .topic, "curr_temp_tpl": .template,
        "act_t": .topic, "act_tpl": .template, "pr_modes": .texts(["frost", "eco", "comfort"]),
        "pr_mode_stat_t": .topic,
        "pr_mode_val_tpl": .template, "pr_mode_cmd_t": .topic, "min_temp": .number, "max_temp": .number,
        "temp_step": .number, "precision": .number, "temp_unit": .oneOf(["C", "F"]),
    ],
    "switch": [
        "p": .text, "uniq_id": .text, "name": .text, "ic": .icon, "stat_t": .topic, "val_tpl": .template,
        "cmd_t": .topic,
    ],
    "sensor": [
        "p": .text, "uniq_id": .text, "name": .text, "dev_cla": .oneOf(["temperature", "timestamp"]),
        "stat_cla": .oneOf(["measurement", "total", "total_increasing"]),
        "unit_of_meas": .oneOf(["°C", "°F", "readings"]), "sug_dsp_prc": .number, "ic": .icon,
        "ent_cat": .oneOf(["diagnostic"]), "stat_t": .topic, "val_tpl": .template, "exp_aft": .number,
        "json_attr_t": .topic, "json_attr_tpl": .attributes,
    ],
    "binary_sensor": [
        "p": .text, "uniq_id": .text, "name": .text, "dev_cla": .oneOf(["running", "problem", "connectivity"]),
        "stat_t": .topic, "val_tpl": .template, "pl_on": .text, "pl_off": .text,
        "ent_cat": .oneOf(["diagnostic", "config"]), "json_attr_t": .topic, "json_attr_tpl": .attributes,
    ],
]

private enum Kind {
    case text, textOrNull, topic, template, attributes, icon, number
    case texts([String])
    case oneOf([String])

    func accepts(_ value: JSON) -> Bool {
        switch self {
        case .text: value.string?.isEmpty == false
        case .textOrNull: value.isNull || value.string?.isEmpty == false
        case .icon: value.string?.hasPrefix("mdi:") ?? false
        case .attributes:
            value.string.map { $0.hasPrefix("{{ {") && $0.contains("} | tojson") && $0.hasSuffix(" }}") } ?? false
        case .topic: value.string.map { !$0.isEmpty && !$0.contains("+") && !$0.contains("#") } ?? false
        case .template: value.string.map { $0.hasPrefix("{{ value_json.") && $0.hasSuffix(" }}") } ?? false
        case .number: value.double != nil
        case .texts(let known):
            value.array.map { !$0.isEmpty && $0.allSatisfy { known.contains($0.string ?? "") } } ?? false
        case .oneOf(let known): known.contains(value.string ?? "")
        }
    }
}

@Suite("Home Assistant")
struct HomeAssistantTests {
    private func configuration(_ more: String = "discovery = true") throws -> Configuration {
        try Configuration(text: "home = \"home1\"\n[home_assistant]\n\(more)", file: "test", environment: [:])
    }

    private func room(_ name: String) throws -> Room { try #require(Room(name)) }

    private func message(_ topic: String, _ text: String) -> Message {
        Message(topic: topic, payload: Array(text.utf8), userProperties: [])
    }

    /// What is offered to a broker that holds `retained` and knows `rooms`, by topic, in order.
    private func descriptions(
        _ configuration: Configuration, rooms: [String], retained: [(String, String)] = [], seconds: Int = 20,
        change: (inout HomeAssistant, Int) -> Void = { _, _ in }
    ) throws -> [(topic: String, payload: String)] {
        try AnnouncementScene(configuration).run(rooms: rooms, retained: retained, seconds: seconds, change: change)
    }

    private func check(_ components: [(key: String, value: JSON)]) throws {
        for (id, component) in components {
            #expect(id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }, "\(id)")
            let known = try #require(documented[component["p"]?.string ?? ""], "\(id): unknown platform")
            for (key, value) in component.object?.members ?? [] {
                #expect(known[key]?.accepts(value) == true, "\(id): \(key) = \(value)")
            }
            #expect(component["uniq_id"] != nil, "\(id) has no unique id")
        }
    }

    @Test("a room is a device with an area of its own behind the gateway, every field of it documented")
    func roomDevice() throws {
        let description = RoomDescription(
            room: try room("Küche 1"), name: "Küche", rules: .init(), unit: .celsius, gateway: "hearth_home1",
            page: "http://hearth.local:8088")
        #expect(description.device["sa"]?.string == "Küche" && description.device["name"]?.string == "Küche")
        #expect(description.device["via_device"]?.string == "hearth_home1")
        #expect(description.device["cu"]?.string == "http://hearth.local:8088")
        #expect(description.device["ids"]?.array?.count == 1)
        let components = description.components
        try check(components)
        #expect(
            components.map { $0.value["p"]?.string } == [
                "climate", "switch", "sensor", "binary_sensor", "binary_sensor", "sensor", "sensor",
            ])
        let ids = components.compactMap { $0.value["uniq_id"]?.string }
        #expect(Set(ids).count == ids.count)
        let climate = try #require(components.first?.value)
        #expect(climate["modes"]?.array?.compactMap(\.string) == ["off", "heat", "auto"])
        // These come together or not at all, and a preset called "none" is refused.
        #expect(climate["pr_modes"] != nil && climate["pr_mode_cmd_t"] != nil)
    }

    @Test("the gateway is a device with its cloud link, backlog, first alarm and version; without a cloud none of that")
    func gatewayDevice() throws {
        let home = try #require(HomeID("home1"))
        let description = GatewayDescription(home: home, gateway: "hearth_home1", page: nil, hasCloud: true)
        #expect(description.device["ids"]?[0]?.string == "hearth_home1" && description.device["cu"] == nil)
        try check(description.components)
        #expect(description.components.count == 4)
        let bare = GatewayDescription(home: home, gateway: "hearth_home1", page: nil, hasCloud: false)
        #expect(bare.components.count == 2)
        let long = GatewayState(firstAlarm: String(repeating: "ä", count: 400), alarms: 1)
        let state = try JSON.parse(long.publication.payload)
        #expect(state["alarm"]?.string?.count ?? 999 <= 255 && state["alarm_text"]?.string?.count == 400)
        #expect(state["cloud"]?.isNull == true)
    }

    @Test("in a house of °F every temperature of the description is one")
    func fahrenheit() throws {
        let description = RoomDescription(
            room: try room("office"), name: "office", rules: .init(), unit: .fahrenheit, gateway: "g", page: nil)
        let climate = try #require(description.components.first?.value)
        #expect(climate["temp_unit"]?.string == "F" && climate["min_temp"]?.double == 41)
        #expect(climate["max_temp"]?.double == 95)
        let sensor = try #require(description.components.first { $0.key.hasSuffix("_temperature") }?.value)
        #expect(sensor["unit_of_meas"]?.string == "°F")
    }

    // MARK: - What is there and true no longer

    private let gatewayTopic = "homeassistant/device/hearth_home1/config"

    @Test("the gateway is described before the rooms, which refer to it")
    func order() throws {
        let seen = try descriptions(try configuration(), rooms: ["office", "den"])
        #expect(seen.map(\.topic).first == gatewayTopic)
        #expect(
            Set(seen.map(\.topic)) == [
                gatewayTopic, "homeassistant/device/hearth_home1_office/config",
                "homeassistant/device/hearth_home1_den/config",
            ])
        #expect(!seen.contains { $0.payload.isEmpty })
    }

    @Test("entities that an older version had described elsewhere go, once each with its platform alone")
    func olderVersion() throws {
        let old =
            #"{"dev":{"ids":["hearth_home1"]},"o":{"name":"Hearth"},"avty_t":"hearth/gateway/status","cmps":{"#
            + #""home1_office_climate":{"p":"climate","uniq_id":"home1_office_climate"}}}"#
        let seen = try descriptions(try configuration(), rooms: ["office"], retained: [(gatewayTopic, old)])
        let gateway = seen.filter { $0.topic == gatewayTopic }.compactMap { try? JSON.parse($0.payload.utf8) }
        #expect(gateway.count == 2)
        #expect(gateway[0]["cmps"]?["home1_office_climate"] == ["p": "climate"])
        #expect(gateway[1]["cmps"]?["home1_office_climate"] == nil)
        let first = try #require(seen.firstIndex { $0.topic.contains("_office") })
        #expect(seen[..<first].count { $0.topic == gatewayTopic } == 2, "the ids are free before they are used again")
    }

    @Test("the devices of a home that was renamed, of rooms that went and of a discovery that is off go; others' stay")
    func removals() throws {
        func ours(_ id: String) -> (String, String) {
            (
                "homeassistant/device/\(id)/config",
                #"{"dev":{},"o":{"name":"Hearth"},"avty_t":"hearth/gateway/status","cmps":{}}"#
            )
        }
        let foreign = ("homeassistant/device/0x00/config", #"{"dev":{},"o":{"name":"Zigbee2MQTT"},"cmps":{}}"#)
        let held = [ours("hearth_old"), ours("hearth_old_office"), ours("hearth_home1_gone"), foreign]
        let gone = try descriptions(try configuration(), rooms: ["office"], retained: held)
            .filter(\.payload.isEmpty).map(\.topic)
        #expect(Set(gone) == Set(held.dropLast().map(\.0)))

        let off = try descriptions(try configuration(""), rooms: ["office"], retained: held)
        #expect(Set(off.map(\.topic)) == Set(held.dropLast().map(\.0)) && off.allSatisfy(\.payload.isEmpty))
    }

    @Test("a room that goes while we run takes its device with it")
    func roomGoes() throws {
        let scene = AnnouncementScene(try configuration())
        let den = try room("den")
        let seen = try scene.run(rooms: ["office", "den"], seconds: 20) { assistant, second in
            if second == 10 {
                scene.rooms[den] = nil
                assistant.forget(den)
            }
        }
        #expect(seen.last { $0.topic.hasSuffix("_den/config") }?.payload == "")
    }

    @Test("names that are no identifiers stay different")
    func identifiers() {
        let names = ["a b", "a_b", "a-b", "ab", "ä", "a/b", "A b"]
        #expect(Set(names.map(HomeAssistant.identifier)).count == names.count)
    }

    @Test("what its card sends becomes a wish or a mode; anything else becomes nothing")
    func wishes() throws {
        let assistant = HomeAssistant(try configuration())
        func command(_ topic: String, _ text: String) -> HomeAssistant.Command? {
            assistant.command(message("hearth/rooms/office/" + topic, text))
        }
        // "Heat" is a target and not a pump that runs whatever the temperature is.
        #expect(command("mode/set", "heat")?.what == .keep && command("mode/set", "heat")?.mode == .auto)
        #expect(command("mode/set", "off")?.mode == .off && command("mode/set", "off")?.what == .releaseOverride)
        #expect(command("mode/set", "auto")?.what == .release && command("mode/set", "auto")?.mode == .auto)
        #expect(command("mode/set", "cool") == nil)
        #expect(command("forced/set", "ON")?.what == .pump(isOn: true) && command("forced/set", "ON")?.wish?.end == nil)
        #expect(command("forced/set", "OFF")?.what == .releaseOverride && command("forced/set", "on") == nil)
        #expect(command("preset/set", "eco")?.what == .hold(.preset(.eco)) && command("preset/set", "on") == nil)
        #expect(command("preset/set", "none")?.what == .releaseHold)
        let target = command("target/set", "21.5")
        #expect(target?.what == .hold(.temperature(21.5)) && target?.mode == nil)
        #expect(target?.wish?.end == .untilChanged && target?.wish?.source == .homeAssistant)
        #expect(command("target/set", "0x15") == nil && command("target/set", "900") == nil)
        #expect(command("other/set", "on") == nil)
        #expect(HomeAssistant(try configuration("")).command(message("hearth/rooms/office/mode/set", "heat")) == nil)
        let american = HomeAssistant(
            try Configuration(
                text: "home = \"home1\"\ntemperature_unit = \"F\"\n[home_assistant]\ndiscovery = true", file: "test",
                environment: [:]))
        #expect(
            american.command(message("hearth/rooms/office/target/set", "68"))?.what == .hold(.temperature(20)))
    }

    @Test("it is born with a message on its own topic only")
    func birth() throws {
        let assistant = HomeAssistant(try configuration("discovery = true\nprefix = \"ha\""))
        #expect(assistant.isBirth(message("ha/status", "online")))
        #expect(
            !assistant.isBirth(message("ha/status", "offline"))
                && !assistant.isBirth(message("homeassistant/status", "online")))
    }
}

/// A broker that takes everything, as far as Home Assistant's side of Control meets it, and time that passes.
private final class AnnouncementScene {
    private var assistant: HomeAssistant
    private let configuration: Configuration
    var rooms: [Room: RoomToDescribe] = [:]

    init(_ configuration: Configuration) {
        self.configuration = configuration
        assistant = HomeAssistant(configuration)
    }

    func run(
        rooms names: [String], retained: [(String, String)] = [], seconds: Int,
        change: (inout HomeAssistant, Int) -> Void = { _, _ in }
    ) throws -> [(topic: String, payload: String)] {
        rooms = Dictionary(
            uniqueKeysWithValues: names.compactMap { Room($0) }.map {
                ($0, RoomToDescribe(settings: configuration.settings(for: $0), name: $0.name))
            })
        let start = Clock.now
        assistant.met(now: start)
        for (topic, payload) in retained {
            let message = Message(topic: topic, payload: Array(payload.utf8), userProperties: [])
            let isTaken = assistant.isDescription(message)
            #expect(isTaken)
        }
        var seen: [(topic: String, payload: String)] = []
        for step in 0..<(seconds * 20) {
            if step % 20 == 0 { change(&assistant, step / 20) }
            let due = assistant.announce(now: start + .milliseconds(Int64(step) * 50)) { rooms }
            for publication in due.publications {
                seen.append((publication.topic, String(decoding: publication.payload, as: UTF8.self)))
            }
        }
        return seen
    }
}

@Suite("Wishes on their way to Control")
struct ControlMailboxTests {
    @Test("the cloud's wish and a person's for one room do not replace each other; the person's is taken last")
    func bothWishes() throws {
        let mailbox = ControlMailbox()
        let room = try #require(Room("office"))
        func post(_ isOn: Bool, _ source: Thermostat.Source) -> Bool {
            mailbox.post(.init(what: .pump(isOn: isOn), end: nil, source: source), for: room)
        }
        #expect(post(true, .cli) && post(false, .cloud) && post(true, .cloud))
        let taken = mailbox.take().ordered
        #expect(taken.map(\.wish.source) == [.cloud, .cli])
        #expect(taken.first?.wish.what == .pump(isOn: true))
        #expect(mailbox.take().ordered.isEmpty)
    }
}
