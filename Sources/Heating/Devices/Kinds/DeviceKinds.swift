extension DeviceKind {
    /// The kinds that are known without being told. Each beside the address of what it was read from.
    public static let builtIn: [DeviceKind] = [
        // The black box: hearthd.toml(5), and the contract in this tree.
        DeviceKind(
            name: "hearth", documentation: "hearthd.toml(5)",
            sensor: .init(topic: "{room}/temperature", value: "value", time: "timestamp", isContract: true),
            pump: .init(command: "{room}/heatpump", on: #"{"status": "1"}"#, off: #"{"status": "0"}"#)),

        // last_seen is there when advanced.last_seen asks for it, as ISO 8601 or milliseconds. Names may have slashes, and
        // spaces. Availability is {"state": "online"} since 1.17; that of devices must be switched on, the bridge's is always told.
        DeviceKind(
            name: "zigbee2mqtt", documentation: "https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html",
            sensor: .init(
                topic: "zigbee2mqtt/{room}", value: "temperature", time: "last_seen",
                except: [
                    "zigbee2mqtt/bridge/#", "zigbee2mqtt/{room...}/availability", "zigbee2mqtt/{room...}/set",
                    "zigbee2mqtt/{room...}/get",
                ],
                measures: [
                    "humidity": .init(value: "humidity"), "pressure": .init(value: "pressure"),
                    "power": .init(value: "power"), "battery": .init(value: "battery"), "co2": .init(value: "co2"),
                    "energy": .init(value: "energy"), "illuminance": .init(value: "illuminance"),
                    "pm25": .init(value: "pm25"), "voc": .init(value: "voc"),
                    "local_temperature": .init(value: "local_temperature"),
                ]),
            pump: .init(
                command: "zigbee2mqtt/{device}/set", on: #"{"state": "ON"}"#, off: #"{"state": "OFF"}"#,
                state: ("zigbee2mqtt/{device}", "state", "ON"),
                available: ("zigbee2mqtt/{device}/availability", "state", "online"),
                bridge: "zigbee2mqtt/bridge/state",
                power: ("zigbee2mqtt/{device}", "power"))),

        // One member per sensor chip, TempUnit beside them; Time is local and without a zone; the ESP32's own chip is no
        // room. A DS18B20 that was not read says 85 or -127.
        DeviceKind(
            name: "tasmota", documentation: "https://tasmota.github.io/docs/MQTT/",
            sensor: .init(
                topic: "tele/{room}/SENSOR", value: "*.Temperature", time: "Time", unit: "@TempUnit",
                ignore: ["ESP32"], discard: [85, -127],
                measures: [
                    "humidity": .init(value: "*.Humidity"), "power": .init(value: "ENERGY.Power"),
                    "co2": .init(value: "*.CarbonDioxide"), "energy": .init(value: "ENERGY.Total"),
                    "illuminance": .init(value: "*.Illuminance"),
                    "pressure": .init(value: "*.Pressure"),
                ]),
            pump: .init(
                command: "cmnd/{device}/POWER", on: "ON", off: "OFF", state: ("stat/{device}/POWER", "", "ON"),
                available: ("tele/{device}/LWT", "", "Online"), power: ("tele/{device}/SENSOR", "ENERGY.Power"))),

        // Gen2 and later, with "Generic status update over MQTT" on. Both units are there; tC is °C whatever the display
        // shows. The add-on's DS18B20 says 85 when it was not read.
        DeviceKind(
            name: "shelly", documentation: "https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Mqtt/",
            sensor: .init(
                topic: "{room}/status/temperature:0", value: "tC", discard: [85, -127],
                measures: [
                    "humidity": .init(topic: "{room}/status/humidity:0", value: "rh"),
                    "power": .init(topic: "{room}/status/switch:0", value: "apower"),
                    "battery": .init(topic: "{room}/status/devicepower:0", value: "battery.percent"),
                ]),
            pump: .init(
                command: "{device}/command/switch:0", on: "on", off: "off",
                state: ("{device}/status/switch:0", "output", "true"), available: ("{device}/online", "", "true"),
                power: ("{device}/status/switch:0", "apower"))),

        // Gen1. A number alone, in the unit that the device is set to; 999 is no reading.
        DeviceKind(
            name: "shelly1", documentation: "https://shelly-api-docs.shelly.cloud/gen1/#mqtt-support",
            sensor: .init(
                topic: "shellies/{room}/sensor/temperature", value: "", discard: [999, 1000, 85, -99.5],
                measures: [
                    "humidity": .init(topic: "shellies/{room}/sensor/humidity"),
                    "battery": .init(topic: "shellies/{room}/sensor/battery"),
                    "power": .init(topic: "shellies/{room}/relay/0/power"),
                    "external_temperature": .init(topic: "shellies/{room}/ext_temperature/0"),
                ]),
            pump: .init(
                command: "shellies/{device}/relay/0/command", on: "on", off: "off",
                state: ("shellies/{device}/relay/0", "", "on"), available: ("shellies/{device}/online", "", "true"),
                power: ("shellies/{device}/relay/0/power", "")),
            insides: [
                "shellies/+/temperature", "shellies/+/temperature_f", "shellies/+/temperature_status",
                "shellies/+/overtemperature",
            ]),

        // The node's name, the component and the object's id; numbers alone, "nan" for none. State topics are retained.
        DeviceKind(
            name: "esphome", documentation: "https://esphome.io/components/mqtt.html",
            sensor: .init(
                topic: "{room}/sensor/temperature/state", value: "", discard: [85, -127],
                measures: [
                    "humidity": .init(topic: "{room}/sensor/humidity/state"),
                    "co2": .init(topic: "{room}/sensor/co2/state"),
                    "pressure": .init(topic: "{room}/sensor/pressure/state"),
                    "power": .init(topic: "{room}/sensor/power/state"),
                ]),
            pump: .init(
                command: "{device}/switch/heatpump/command", on: "ON", off: "OFF",
                state: ("{device}/switch/heatpump/state", "", "ON"), available: ("{device}/status", "", "online"),
                power: ("{device}/sensor/power/state", ""))),

        // Conventions 3 and 4, device/node/property. In convention 5 the topics begin with homie/5/.
        DeviceKind(
            name: "homie", documentation: "https://homieiot.github.io/specification/spec-core-v4_0_0/",
            sensor: .init(
                topic: "homie/{room}/+/temperature", value: "",
                measures: [
                    "humidity": .init(topic: "homie/{room}/+/humidity"), "power": .init(topic: "homie/{room}/+/power"),
                ]),
            pump: .init(
                command: "homie/{device}/heatpump/on/set", on: "true", off: "false",
                state: ("homie/{device}/heatpump/on", "", "true"), available: ("homie/{device}/$state", "", "ready"))),

        // devices[/type][/model][/subtype][/channel][/id]: who hears the neighbours' sensors too takes only those that are
        // listed in `rooms`. A number alone.
        DeviceKind(
            name: "rtl_433", documentation: "https://triq.org/rtl_433/OPERATION.html#mqtt-output",
            sensor: .init(
                topic: "rtl_433/+/devices/{room...}/temperature_C", value: "", unlisted: "ignore",
                measures: ["humidity": .init(topic: "rtl_433/+/devices/{room...}/humidity")])),

        // A Panasonic heat pump. -128 and -78 are sensors that are not connected; a state may be -1, which says nothing
        // (TOP0, TOP16, SET1 and LWT of that page).
        DeviceKind(
            name: "heishamon", documentation: "https://github.com/heishamon/HeishaMon/blob/main/MQTT-Topics.md",
            sensor: .init(
                topic: "panasonic_heat_pump/main/Room_Thermostat_Temp", value: "", discard: [-128, -78],
                measures: [
                    "flow_temperature": .init(topic: "panasonic_heat_pump/main/Main_Outlet_Temp"),
                    "return_temperature": .init(topic: "panasonic_heat_pump/main/Main_Inlet_Temp"),
                    "outside_temperature": .init(topic: "panasonic_heat_pump/main/Outside_Temp"),
                    "power": .init(topic: "panasonic_heat_pump/main/Heat_Power_Consumption"),
                ]),
            pump: .init(
                command: "panasonic_heat_pump/commands/SetHeatpump", on: "1", off: "0",
                state: ("panasonic_heat_pump/main/Heatpump_State", "", "1"), stateOff: "0",
                available: ("panasonic_heat_pump/LWT", "", "Online"),
                power: ("panasonic_heat_pump/main/Heat_Power_Consumption", ""))),

        // Boilers and heat pumps of Bosch and Buderus. Formats "nested", booleans "on/off". A command's payload is the value
        // alone or {"data": …}; the last will is on `status` (docs.emsesp.org/Commands, mqtt.cpp of emsesp/EMS-ESP32).
        DeviceKind(
            name: "ems-esp", documentation: "https://docs.emsesp.org/MQTT",
            sensor: .init(
                topic: "ems-esp/thermostat_data", value: "hc1.currtemp",
                measures: [
                    "flow_temperature": .init(topic: "ems-esp/boiler_data", value: "curflowtemp"),
                    "return_temperature": .init(topic: "ems-esp/boiler_data", value: "rettemp"),
                    "outside_temperature": .init(topic: "ems-esp/boiler_data", value: "outdoortemp"),
                ]),
            pump: .init(
                command: "ems-esp/boiler/heatingactivated", on: "on", off: "off",
                state: ("ems-esp/boiler_data", "heatingactivated", "on"),
                available: ("ems-esp/status", "", "online"))),

        // Whatever publishes a number alone.
        DeviceKind(
            name: "plain", documentation: "hearthd.toml(5)", sensor: .init(value: ""),
            pump: .init(on: "ON", off: "OFF")),
    ]
}
