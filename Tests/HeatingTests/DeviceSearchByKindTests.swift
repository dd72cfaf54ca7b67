import Testing

@testable import Heating

// What is found by what devices say alone, without a list.
extension DeviceSearchTests {
    @Test("kinds are known by their topics, without any list")
    func overheard() {
        let devices = found(
            [
                ("shellyplusht-08b61f/status/temperature:0", #"{"id": 0,"tC":22.4, "tF":72.3}"#),
                (
                    "shellyplus1-a8032a/status/switch:0",
                    #"{"id":0,"source":"init","output":false,"apower":0.0,"temperature":{"tC":41.2,"tF":106.2}}"#
                ),
                ("shellies/shellyht-1/sensor/temperature", "21.5"), ("shellies/shelly1-2/relay/0", "off"),
                ("homie/bath/dht/temperature", "20.0"), ("rtl_433/box/devices/Acurite/A/1234/temperature_C", "19.5"),
                ("panasonic_heat_pump/main/Room_Thermostat_Temp", "21"),
                ("panasonic_heat_pump/main/Heatpump_State", "1"),
                ("panasonic_heat_pump/main/Main_Outlet_Temp", "35"), ("panasonic_heat_pump/LWT", "Online"),
                ("ems-esp/thermostat_data", #"{"hc1":{"seltemp":21,"currtemp":20.5}}"#),
                ("ems-esp/boiler_data", #"{"heatingactivated":"on","curflowtemp":40}"#),
                ("tele/cellar/SENSOR", #"{"Time":"2026-11-29T12:00:00","SI7021":{"Temperature":12.5},"TempUnit":"C"}"#),
                ("stat/cellar/POWER", "ON"),
            ], retained: false)
        #expect(
            summary(devices) == [
                "rtl_433 Acurite-A-1234 rtl_433/box/devices/Acurite/A/1234/temperature_C 19.5",
                "homie bath homie/bath/dht/temperature 20.0",
                "tasmota cellar tele/cellar/SENSOR 12.5", "ems-esp ems-esp ems-esp/thermostat_data 20.5",
                "heishamon heishamon panasonic_heat_pump/main/Room_Thermostat_Temp 21",
                "shelly1 shellyht-1 shellies/shellyht-1/sensor/temperature 21.5",
                "shelly shellyplusht-08b61f shellyplusht-08b61f/status/temperature:0 22.4",
                "tasmota pump cellar cmnd/cellar/POWER", "ems-esp pump ems-esp ems-esp/boiler/heatingactivated",
                "heishamon pump heishamon panasonic_heat_pump/commands/SetHeatpump",
                "shelly1 pump shelly1-2 shellies/shelly1-2/relay/0/command",
                "shelly pump shellyplus1-a8032a shellyplus1-a8032a/command/switch:0",
            ])
    }

    @Test("a number that looks like a temperature, where the topic or the member says so")
    func numbers() {
        let devices = found(
            [
                ("home/office/temperature", "21.5"), ("my/esp/all", #"{"temp_c":18.25,"rssi":-60}"#),
                (
                    "shellyplusht-1/events/rpc",
                    #"{"src":"s","params":{"ts":1.0,"temperature:0":{"id":0,"tC":19.5,"tF":67.1}}}"#
                ),
                ("home/meter/power", "20"), ("home/x/target_temperature", "21"), ("pi/cpu_temp", "48"),
                ("home/y/temperature", "nan"), ("home/z/temperature", "998"), ("my/esp/set", #"{"temp":20}"#),
                ("hearth/rooms/office", #"{"temperature":20}"#), ("$SYS/broker/temp", "20"), ("bin/temp", "\u{0}\u{1}"),
                ("office/temperature", #"{"timestamp":"2026-11-29T12:00:00","value":20}"#),
            ], retained: false)
        #expect(
            summary(devices) == [
                "plain esp my/esp/all|temp_c 18.25", "plain office home/office/temperature| 21.5",
                "plain shellyplusht-1 shellyplusht-1/events/rpc|params.temperature:0.tC 19.5",
            ])
    }

    @Test(
        "what is only overheard is called by the level that tells most",
        arguments: [
            (
                "v3/app@ttn/devices/eui-a81758/up", #"{"uplink_message":{"decoded_payload":{"temperature":21.3}}}"#,
                "eui-a81758"
            ),
            ("application/1/device/0102/event/up", #"{"object":{"TempC_SHT":21.3,"Hum_SHT":44}}"#, "0102"),
            ("shelly3/status/temperature:100", #"{"id":100,"tC":20.1,"tF":68.2}"#, "shelly3"),
            ("home/admin/temperature", "20.5", "admin"), ("house/sunset room/temp", "20.5", "sunset room"),
        ])
    func overheardNames(topic: String, payload: String, room: String) {
        #expect(found([(topic, payload)]).map { $0.room?.name } == [room])
    }

    @Test(
        "what a thermostat was told is no room's temperature",
        arguments: [
            ("hvac/office/settings", #"{"power":"ON","mode":"HEAT","temperature":22}"#),
            ("x/trv", #"{"comfort_temperature":21}"#),
            ("boiler/flow/temperature", "41.5"), ("house/outdoor/temp", "3.5"), ("x/y", #"{"target_C":21.0}"#),
        ])
    func notOverheard(topic: String, payload: String) {
        #expect(found([(topic, payload)]).isEmpty)
    }

    @Test(
        "°F that is only overheard is found as °F",
        arguments: [
            ("porch/all", #"{"temp_f":58.2,"hum":40}"#, "plain porch porch/all|temp_f 58.2F"),
            (
                "zwave/den/49/0/Air_temperature", #"{"unit":"°F","value":70.3}"#,
                "plain den zwave/den/49/0/Air_temperature|value 70.3F"
            ),
            ("porch/box", #"{"temperature":58.2,"unit":"F"}"#, "plain box porch/box|temperature 58.2F"),
            ("porch/temperature_F", "58.2", "plain porch porch/temperature_F| 58.2F"),
        ] as [(String, String, String?)])
    func fahrenheit(topic: String, payload: String, means: String?) {
        #expect(summary(found([(topic, payload)])) == [means].compactMap(\.self))
    }

    @Test("a topic on which a receiver tells all that it hears is no room's")
    func sharedTopic() {
        let payload =
            #"{"time":"2022-10-29 18:42:29","model":"Fineoffset-WH2","id":37,"temperature_C":17.4,"mic":"CRC"}"#
        #expect(
            summary(found([("rtl_433/pi/events", payload)])) == ["plain pi rtl_433/pi/events|temperature_C unclear"])
        #expect(summary(found([("omg/RTL_433toMQTT/WH2/37", payload)])).first?.hasSuffix("unclear") == false)
    }

    @Test("what is heard is bounded, the newest counts, and a live message is not replaced by an older one")
    func bounds() {
        var heard = HeardTopics()
        heard.hear("a", [1], isRetained: false)
        heard.hear("a", [2], isRetained: true)
        heard.hear("a", [], isRetained: false)
        #expect(heard["a"]?.payload == [1] && heard.count == 1)
        let page = [UInt8](repeating: 32, count: HeardTopics.payloadLimit)
        for number in 0..<1000 { heard.hear("t/\(number)", page, isRetained: true) }
        #expect(heard.missed > 800 && heard.count < 200)
        heard.hear("big", page + [1], isRetained: true)
        #expect(heard["big"] == nil)
        var many = HeardTopics()
        for number in 0..<5000 { many.hear("t/\(number)", [1], isRetained: false) }
        #expect(many.count == HeardTopics.topicLimit && many.missed == 1000)
    }
}
