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
        "p": .text, "uniq_id": .text, "name": .text,
        "modes": .texts(["auto", "off", "cool", "heat", "dry", "fan_only"]),
        "mode_stat_t": .topic, "mode_stat_tpl": .template, "mode_cmd_t": .topic, "temp_stat_t": .topic,
        "temp_stat_tpl": .template, "temp_cmd_t": .topic, "curr_temp_t": .topic, "curr_temp_tpl": .template,
        "act_t": .topic, "act_tpl": .template, "pr_modes": .texts(["frost", "eco", "comfort"]),
        "pr_mode_stat_t": .topic,
        "pr_mode_val_tpl": .template, "pr_mode_cmd_t": .topic, "min_temp": .number, "max_temp": .number,
        "temp_step": .number, "precision": .number, "temp_unit": .oneOf(["C", "F"]),
    ],
    "sensor": [
        "p": .text, "uniq_id": .text, "name": .text, "dev_cla": .oneOf(["temperature"]),
        "stat_cla": .oneOf(["measurement", "total", "total_increasing"]), "unit_of_meas": .oneOf(["°C"]),
        "stat_t": .topic,
        "val_tpl": .template, "exp_aft": .number,
    ],
    "binary_sensor": [
        "p": .text, "uniq_id": .text, "name": .text, "dev_cla": .oneOf(["running", "problem"]), "stat_t": .topic,
        "val_tpl": .template, "pl_on": .text, "pl_off": .text, "ent_cat": .oneOf(["diagnostic", "config"]),
        "json_attr_t": .topic,
    ],
]

private enum Kind {
    case text, topic, template, number
    case texts([String])
    case oneOf([String])

    func accepts(_ value: JSON) -> Bool {
        switch self {
        case .text: value.string?.isEmpty == false
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

    @Test("the description is a device discovery message, every field of it documented")
    func discovery() throws {
        let assistant = HomeAssistant(try configuration())
        let settings: [Room: Thermostat.Settings] = [try room("office"): .init(), try room("Küche 1"): .init()]
        let publication = assistant.discovery(settings)
        #expect(publication.topic == "homeassistant/device/hearth_home1/config" && publication.retain)
        let json = try JSON.parse(publication.payload)
        #expect(json.object?.members.map(\.key) == ["dev", "o", "avty_t", "qos", "cmps"])
        #expect(json["dev"]?["ids"]?.array?.count == 1 && json["o"]?["name"]?.string == "Hearth")
        #expect(json["avty_t"]?.string == "hearth/gateway/status")
        let components = try #require(json["cmps"]?.object?.members)
        #expect(components.count == 8)
        for (id, component) in components {
            #expect(id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }, "\(id)")
            let known = try #require(documented[component["p"]?.string ?? ""], "\(id): unknown platform")
            for (key, value) in component.object?.members ?? [] {
                #expect(known[key]?.accepts(value) == true, "\(id): \(key) = \(value)")
            }
            #expect(component["uniq_id"] != nil, "\(id) has no unique id")
        }
        let ids = components.compactMap { $0.value["uniq_id"]?.string }
        #expect(Set(ids).count == ids.count)
        let climate = try #require(components.first { $0.value["p"]?.string == "climate" }?.value)
        // These come together or not at all, and a preset called "none" is refused.
        #expect(climate["pr_modes"] != nil && climate["pr_mode_cmd_t"] != nil)
    }

    @Test("names that are no identifiers stay different")
    func identifiers() {
        let names = ["a b", "a_b", "a-b", "ab", "ä", "a/b", "A b"]
        #expect(Set(names.map(HomeAssistant.identifier)).count == names.count)
    }

    @Test("what its card sends becomes a wish; anything else becomes nothing")
    func wishes() throws {
        let assistant = HomeAssistant(try configuration())
        func what(_ topic: String, _ text: String) -> ControlMailbox.Wish.What? {
            assistant.wish(message("hearth/rooms/office/" + topic, text))?.wish.what
        }
        #expect(what("mode/set", "heat") == .pump(isOn: true) && what("mode/set", "off") == .pump(isOn: false))
        #expect(what("mode/set", "auto") == .release && what("mode/set", "cool") == nil)
        #expect(what("preset/set", "eco") == .hold(.preset(.eco)) && what("preset/set", "on") == nil)
        #expect(what("preset/set", "none") == .releaseHold)
        #expect(what("target/set", "21.5") == .hold(.middle(21.5)) && what("target/set", "0x15") == nil)
        #expect(what("target/set", "900") == nil && what("other/set", "on") == nil)
        #expect(assistant.wish(message("hearth/rooms/office/mode/set", "heat"))?.wish.source == .homeAssistant)
        #expect(HomeAssistant(try configuration("")).wish(message("hearth/rooms/office/mode/set", "heat")) == nil)
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

@Suite("Wishes on their way to Control")
struct ControlMailboxTests {
    @Test("the cloud's wish and a person's for one room do not replace each other; the person's is taken last")
    func bothWishes() throws {
        let mailbox = ControlMailbox()
        let room = try #require(Room("office"))
        func post(_ isOn: Bool, _ source: Thermostat.Source) -> Bool {
            mailbox.post(.init(what: .pump(isOn: isOn), duration: nil, source: source), for: room)
        }
        #expect(post(true, .cli) && post(false, .cloud) && post(true, .cloud))
        let taken = mailbox.take().ordered
        #expect(taken.map(\.wish.source) == [.cloud, .cli])
        #expect(taken.first?.wish.what == .pump(isOn: true))
        #expect(mailbox.take().ordered.isEmpty)
    }

    @Test("a rest that has just begun is known after a restart, however soon its state was written")
    func restJustBegun() throws {
        let room = try #require(Room("office"))
        for _ in 0..<200 {
            let now = Clock.now
            var thermostat = Thermostat(now: now)
            _ = thermostat.handle(.reading(26), now: now)
            let state = StateTopic.state(of: room, thermostat.status, heardAt: now, now: now)
            let wall = Timestamp(nanoseconds: Clock.wallNanoseconds + 5_000_000_000)
            let found = StateTopic.decision(topic: state.topic, payload: state.payload, now: wall)
            let lasting = try #require(found?.lasting), silence = try #require(found?.silence)
            #expect(abs(lasting / .seconds(1) - 5) < 1 && abs(silence / .seconds(1) - 5) < 1)
        }
    }

    @Test("what is left of an override after a restart, also when the clock has lost itself")
    func restored() throws {
        let room = try #require(Room("office"))
        var thermostat = Thermostat(now: .zero)
        _ = thermostat.handle(.override(on: true, for: .seconds(3600), source: .page), now: .zero)
        let state = StateTopic.state(of: room, thermostat.status, now: .zero)
        let wall = Clock.wall
        func wish(_ offset: Int64) -> ControlMailbox.Wish? {
            StateTopic.decision(
                topic: state.topic, payload: state.payload, now: Timestamp(nanoseconds: wall.nanoseconds + offset))?
                .wishes.first
        }
        let left = try #require(wish(600_000_000_000)?.duration)
        #expect(abs(left / .seconds(1) - 3000) < 5)
        #expect(wish(600_000_000_000)?.what == .pump(isOn: true) && wish(0)?.source == .page)
        #expect(wish(3_700_000_000_000) == nil, "it has ended meanwhile")
        // A box that woke up in 1970: as much as there was when it was written.
        let all = try #require(wish(-wall.nanoseconds + 1)?.duration)
        #expect(abs(all / .seconds(1) - 3600) < 5)
    }
}
