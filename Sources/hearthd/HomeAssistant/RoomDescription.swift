import Heating

/// A room as Home Assistant's device: climate, forced run, temperature, heat pump, problem, and what was asked for until when.
/// All of them read the room's retained state (``StateTopic``).
///
/// Abbreviations as Home Assistant's list has them; facts from https://www.home-assistant.io/integrations/mqtt/ and the pages
/// of the platforms (climate.mqtt, switch.mqtt, sensor.mqtt, binary_sensor.mqtt).
struct RoomDescription {
    let room: Room
    /// What people call it.
    let name: String
    let rules: Thermostat.Settings
    let unit: TemperatureUnit
    /// The gateway's identifier; the room's begins with it.
    let gateway: String
    /// Where a browser finds the page; nil: nobody said.
    let page: String?

    private var id: String { "\(gateway)_\(HomeAssistant.identifier(room.name))" }
    private var state: String { StateTopic.topic(of: room) }

    /// With a suggested area, so that it lands there by itself. The gateway's device must be known before this one.
    var device: JSON {
        let link: [(key: String, value: JSON)] = page.map { [("cu", .string($0))] } ?? []
        return .object(
            .init(
                [
                    ("ids", [.string(id)]), ("name", .string(name)), ("mf", "Hearth"), ("mdl", "Room"),
                    ("sa", .string(name)), ("via_device", .string(gateway)),
                ] + link))
    }

    var components: [(key: String, value: JSON)] {
        [climate, forcedRun, temperature, pump, problem, asked, end].map { name, members in
            ("\(id)_\(name)", .object(.init([("uniq_id", .string("\(id)_\(name)"))] + members)))
        }
    }

    // Whoever forgets a room clears its state: the empty message reaches entities that Home Assistant is about to remove, and a
    // template without a guard leaves an error in its log for each of them.
    private static func value(_ name: String) -> JSON {
        .string("{{ value_json.\(name) if value_json is defined else 'None' }}")
    }

    private static func attributes(_ name: String) -> JSON {
        .string("{{ {'\(name)': value_json.\(name)} | tojson if value_json is defined else '{}' }}")
    }

    private typealias Component = (String, [(key: String, value: JSON)])

    /// Its name is the device's. `off` and `auto` are settings without an end, `heat` holds the target until it is changed.
    private var climate: Component {
        let highest = Thermostat.Settings.highestTarget
        return (
            "climate",
            [
                ("p", "climate"), ("name", nil), ("modes", ["off", "heat", "auto"]),
                ("mode_stat_t", .string(state)), ("mode_stat_tpl", Self.value("mode")),
                ("mode_cmd_t", .string(state + "/mode/set")),
                ("temp_stat_t", .string(state)), ("temp_stat_tpl", Self.value("target")),
                ("temp_cmd_t", .string(state + "/target/set")),
                ("curr_temp_t", .string(state)), ("curr_temp_tpl", Self.value("temperature")),
                ("act_t", .string(state)), ("act_tpl", Self.value("action")),
                ("pr_modes", .array(Preset.allCases.map { .string($0.rawValue) })),
                ("pr_mode_stat_t", .string(state)), ("pr_mode_val_tpl", Self.value("preset")),
                ("pr_mode_cmd_t", .string(state + "/preset/set")),
                ("min_temp", .number(unit.text(rules.frostBelow))), ("max_temp", .number(unit.text(highest))),
                ("temp_step", unit == .celsius ? 0.5 : 1), ("precision", 0.1), ("temp_unit", .string(unit.rawValue)),
            ]
        )
    }

    /// The pump by hand, until `override_ttl` has passed or the room is too warm.
    private var forcedRun: Component {
        (
            "forced",
            [
                ("p", "switch"), ("name", "Forced run"), ("ic", "mdi:fire"), ("stat_t", .string(state)),
                ("val_tpl", Self.value("forced")), ("cmd_t", .string(state + "/forced/set")),
            ]
        )
    }

    private var temperature: Component {
        (
            "temperature",
            [
                ("p", "sensor"), ("name", "Temperature"), ("dev_cla", "temperature"), ("stat_cla", "measurement"),
                ("unit_of_meas", .string(unit.symbol)), ("sug_dsp_prc", 1), ("stat_t", .string(state)),
                ("val_tpl", Self.value("temperature")),
                ("exp_aft", JSON(max(60, rules.staleAfter.components.seconds))),
            ]
        )
    }

    private var pump: Component {
        (
            "pump",
            [
                ("p", "binary_sensor"), ("name", "Heat pump"), ("dev_cla", "running"), ("stat_t", .string(state)),
                ("val_tpl", Self.value("pump")), ("pl_on", "on"), ("pl_off", "off"),
                // Few and seldom changing: each set of attributes is a row in the recorder.
                ("json_attr_t", .string(state)), ("json_attr_tpl", Self.attributes("waits")),
            ]
        )
    }

    private var problem: Component {
        (
            "problem",
            [
                ("p", "binary_sensor"), ("name", "Problem"), ("dev_cla", "problem"), ("ent_cat", "diagnostic"),
                ("stat_t", .string(state)), ("val_tpl", Self.value("problem")), ("json_attr_t", .string(state)),
                ("json_attr_tpl", Self.attributes("alarm")),
            ]
        )
    }

    private var asked: Component {
        (
            "asked",
            [
                ("p", "sensor"), ("name", "Asked for"), ("ic", "mdi:account-clock"), ("stat_t", .string(state)),
                ("val_tpl", Self.value("asked")),
            ]
        )
    }

    /// When a hold or a forced run ends; unknown where nobody asked, or until it is changed.
    private var end: Component {
        (
            "until",
            [
                ("p", "sensor"), ("name", "Until"), ("dev_cla", "timestamp"), ("stat_t", .string(state)),
                ("val_tpl", Self.value("until")),
            ]
        )
    }
}
