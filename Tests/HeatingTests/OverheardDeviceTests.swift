import Testing

@testable import Heating

/// What programs publish without any list, as their documentation and public issues show it; names of people and places are
/// replaced. What is offered for a room would heat it: a boiler, a chip and a wish must not be.
@Suite("Devices: what is only overheard, and whose temperature it is")
struct OverheardDeviceTests {
    private func found(_ messages: [(topic: String, payload: String)]) -> [FoundDevice] { DeviceSearch(messages).found }

    /// `room: path value unit` of what is offered; "unclear" or "" otherwise.
    private func summary(_ topic: String, _ payload: String) -> String {
        let devices = found([(topic, payload)]).filter(\.isSensor)
        return devices.map { device in
            guard device.standing == .new, case .sensor(let table) = device.table else { return "unclear" }
            let value = device.said.map { "\($0.valueText)\($0.unitAttribute.map { " " + $0 } ?? "")" } ?? "-"
            let path = table.value.map { $0.isEmpty ? "" : "\($0) " } ?? "\(device.kind) "
            return "\(device.room?.name ?? "-"): \(path)\(value)"
        }.joined(separator: ", ")
    }

    @Test(
        "thermostats tell wishes and limits beside the room's temperature",
        arguments: [
            // KartoffelToby/better_thermostat#1699, Koenkk/zigbee2mqtt#14064, domoticz/domoticz#6309
            (
                "z/trv",
                #"{"away_preset_temperature":"5.0","device_temperature":24,"external_temperature_input":null,"internal_heating_setpoint":19.5,"local_temperature":21.5,"occupied_heating_setpoint":5}"#,
                "trv: local_temperature 21.5"
            ),
            (
                "z/0x14b457fffebb7597",
                #"{"external_measured_room_sensor":-8000,"load_room_mean":-8000,"local_temperature":21.59,"occupied_heating_setpoint":20.5,"regulation_setpoint_offset":0}"#,
                "0x14b457fffebb7597: local_temperature 21.59"
            ),
            (
                "z/wall",
                #"{"current_heating_setpoint":22.5,"deadzone_temperature":0.5,"local_temperature":22.5,"local_temperature_calibration":0.1,"max_temperature_limit":29.5,"working_day":"7"}"#,
                "wall: local_temperature 22.5"
            ),
            // gysmo38/mitsubishi2MQTT#79 and its settings; SwiCago/HeatPump; a remote control's word (Tasmota's IRHVAC)
            (
                "hvac/AC1/state",
                #"{"roomTemperature":26.5,"temperature":26,"fan":"AUTO","vane":"AUTO","action":"cooling","mode":"cool"}"#,
                "AC1: roomTemperature 26.5"
            ),
            (
                "hvac/AC1/now",
                #"{"power":"ON","mode":"HEAT","temperature":22,"fan":"AUTO","vane":"AUTO","wideVane":"|"}"#, ""
            ),
            (
                "tele/tasmota_ir/RESULT",
                #"{"IrReceived":{"Protocol":"COOLIX","IRHVAC":{"Vendor":"COOLIX","Mode":"Heat","Power":"On","Celsius":"On","Temp":22,"FanSpeed":"Auto"}}}"#,
                ""
            ),
            // revk/ESP32-Faikin: `home` is the room's, `temp` the wish. No word says so, and nothing is offered.
            (
                "state/LivingAC/status",
                #"{"online":true,"heat":true,"mode":"H","home":21.5,"outside":4.5,"liquid":34.5,"temp":22.0,"fanrpm":600}"#,
                ""
            ),
            // Shelly's Wall Display and BLU TRV: home-assistant/core#115185, the documentation of Gen3's BluTrv
            (
                "ShellyWallDisplay-0008/status/thermostat:0",
                #"{"id":0,"enable":true,"target_C":21,"current_C":20.4,"output":false}"#,
                "ShellyWallDisplay-0008: current_C 20.4"
            ),
            (
                "shellyblugwg3/status/blutrv:200", #"{"id":200,"target_C":21.0,"current_C":19.6,"pos":35,"rssi":-71}"#,
                "shellyblugwg3: current_C 19.6"
            ),
            // absalom-muc/MHI-AC-Ctrl, SW-Configuration.md
            ("Living-MHI-AC-Ctrl/Troom", "21.25", "Living-MHI-AC-Ctrl: 21.25"),
            ("Living-MHI-AC-Ctrl/Tsetpoint", "22", ""),
            ("Living-MHI-AC-Ctrl/OpData/OUTDOOR", "5.5", ""),
            // rvdbreemen/OTGW-firmware, Laxilef/OTGateway, EMS-ESP with single topics, vcontrold
            ("OTGW/value/otgw-AABBCC/Tr", "20.80", "otgw-AABBCC: 20.80"),
            ("OTGW/value/otgw-AABBCC/roomtemperature", "20.80", "otgw-AABBCC: 20.80"),
            ("OTGW/value/otgw-AABBCC/boilertemperature", "25.50", ""), ("OTGW/value/otgw-AABBCC/TrSet", "21.0", ""),
            (
                "opentherm/state",
                #"{"slave":{"modulation":{"current":20},"heating":{"currentTemp":25.1,"returnTemp":23.0,"indoorTemp":21.4,"outdoorTemp":4.2}}}"#,
                "opentherm: slave.heating.indoorTemp 21.4"
            ),
            ("ems-esp/thermostat/hc1/currtemp", "19.7", "hc1: 19.7"), ("ems-esp/thermostat/hc1/seltemp", "21", ""),
            ("openv/getTempRaumNorSollM1", "21.000000", ""),
            (
                "tado/zones/1/state",
                #"{"sensorDataPoints":{"insideTemperature":{"celsius":20.91,"fahrenheit":69.64}},"setting":{"temperature":{"celsius":21.0}}}"#,
                "zones-1: sensorDataPoints.insideTemperature.celsius 20.91"
            ),
        ])
    func thermostats(topic: String, payload: String, means: String) { #expect(summary(topic, payload) == means) }

    @Test(
        "a device's own inside, pipes, stores and machines are no room",
        arguments: [
            // https://shelly-api-docs.shelly.cloud/gen1/#shelly1pm-mqtt
            ("shellies/shelly1pm-BB/temperature", "32.3"), ("shellies/shelly1pm-BB/temperature_f", "90.1"),
            ("shellies/shelly1pm-BB/overtemperature", "0"),
            // ESPHome's internal_temperature, OctoPrint, Bambu, a computer, an inverter
            ("node1/sensor/internal_temperature/state", "31.2"),
            ("octoPrint/temperature/tool0", #"{"actual":21.5,"target":0.0}"#),
            ("device/01P/report", #"{"print":{"bed_temper":25.0,"nozzle_temper":26.2,"chamber_temper":24}}"#),
            ("rpi/sensors/cpu_temperature", "30.3"), ("glances/host/sensors", #"{"temperature_core":25}"#),
            ("solar/inverter/temperature", "28.5"), ("teslamate/cars/1/inside_temp", "18.2"),
            ("kitchen/fridge/temperature", "4.5"), ("garden/pool/temperature", "27.5"),
            ("aquarium/water/temperature", "24.8"),
            // Names in the languages of the page.
            ("wp/Vorlauftemperatur", "31.2"), ("haus/Außentemperatur", "4.2"), ("casa/exterior/temperatura", "8.5"),
            ("casa/caldera/temperatura", "30.5"), ("wp/WarmwasserTemp", "31.0"),
        ])
    func noRooms(topic: String, payload: String) { #expect(summary(topic, payload) == "") }

    @Test(
        "a number that is no room's is named and not offered",
        arguments: [
            ("home/OMG/SYStoMQTT", #"{"uptime":120,"tempc":48.2,"freemem":112000}"#),
            ("tele/sonoffpow/SENSOR", #"{"ANALOG":{"Temperature":48.2},"ENERGY":{"Power":12},"TempUnit":"C"}"#),
            ("kitchen/cold store", #"{"temperature":-18}"#),
        ])
    func extremes(topic: String, payload: String) { #expect(summary(topic, payload) == "unclear") }

    @Test(
        "the value of a topic that speaks of a temperature, and the room that the topic names",
        arguments: [
            // domoticz/domoticz#5409, zwave-js/zwave-js-ui#38: named topics, value ids, and the whole value
            (
                "zwave/living/thermostat/49/0/Air_temperature", #"{"time":1616676412332,"value":21.3}"#,
                "living: value 21.3"
            ),
            (
                "zwave/5/sensor_multilevel/endpoint_0/Air_temperature",
                #"{"time":1616676412332,"value":20.9,"nodeName":"Hall"}"#, "zwave-5: value 20.9"
            ),
            ("zwave/Office/49/0/Air_temperature", "21.06", "Office: 21.06"),
            (
                "zwave/den/49/0/Air_temperature", #"{"unit":"°F","value":70.3,"nodeId":12}"#, "den: value 70.3 F"
            ),
            ("zwave/Office/67/0/setpoint/1", #"{"time":1616676412332,"value":20.0}"#, ""),
            // mqtt-smarthome (hue2mqtt, hm2mqtt), CCU-Jack, ioBroker, tado
            ("hue/status/temperature/Hallway", #"{"val":20.53,"ts":1600000000000}"#, "Hallway: val 20.53"),
            ("hm/status/Bath/1:ACTUAL_TEMPERATURE", #"{"val":21.9,"ts":1500000000000}"#, "Bath: val 21.9"),
            (
                "device/status/000A1709A3F0B2/1/ACTUAL_TEMPERATURE", #"{"ts":1796025600123,"v":21.5,"s":0}"#,
                "000A1709A3F0B2-1: v 21.5"
            ),
            ("device/status/000A1709A3F0B2/1/SET_POINT_TEMPERATURE", #"{"ts":1796025600123,"v":19.5,"s":0}"#, ""),
            ("zigbee/0/00158d000123/temperature", #"{"val":20.1,"ack":true,"q":0}"#, "00158d000123: val 20.1"),
            (
                "tado/Home/LivingRoom/insideTemperature", #"{"celsius":20.91,"fahrenheit":69.64}"#,
                "LivingRoom: celsius 20.91"
            ),
            // ESPHome's sensors and climates, openHAB, arachnetech/homebridge-mqttthing#40, homes in other languages
            ("node1/sensor/kitchen_temperature/state", "20.3", "kitchen: 20.3"),
            ("livingac/climate/ac/current_temperature/state", "21.5", "livingac: 21.5"),
            ("livingac/climate/ac/target_temperature/state", "22.0", ""),
            ("openhab/out/LivingRoom_Temp/state", "20.8 °C", "LivingRoom: 20.8"),
            ("/wohnung/kueche/temperature", "21.53", "kueche: 21.53"),
            ("casa/salon/temperatura", "20.4", "salon: 20.4"),
            ("Haus Nord/Büro/Temperatur °C", "21,5", "Büro: 21.5"),
            ("home/🛋️ Salon/temperature", "20.6", "🛋️ Salon: 20.6"),
            ("homie/5/thermo/main/temperature", "20.4", "thermo: 20.4"),
            // arachnetech/homebridge-mqttthing#18, Tasmota's Zigbee bridge, Shelly Gen1's add-on
            (
                "stat/sonoff/STATUS10", #"{"StatusSNS":{"DS18B20":{"Temperature":25.3},"TempUnit":"C"}}"#,
                "sonoff: StatusSNS.DS18B20.Temperature 25.3"
            ),
            (
                "tele/zbbridge/6FBD/SENSOR", #"{"ZbReceived":{"0x6FBD":{"Device":"0x6FBD","Temperature":20.5}}}"#,
                "6FBD: ZbReceived.0x6FBD.Temperature 20.5"
            ),
            ("shellies/shelly1-AA/ext_temperatures", #"{"0":{"tC":21.44,"tF":70.59}}"#, "shelly1-AA: 0.tC 21.44"),
            // theengs/decoder#410: the topic has the address without its colons; bachya/ecowitt2mqtt#236
            (
                "home/TheengsGateway/BTtoMQTT/A4C1386A7A30",
                #"{"id":"A4:C1:38:6A:7A:30","model":"TH Sensor","tempc":21.7,"tempf":71.06,"hum":48.1}"#,
                "A4C1386A7A30: tempc 21.7"
            ),
            (
                "ecowitt/GW2000", #"{"dateutc":"2022-07-20 23:41:55","tempf":"55.0","tempinf":"66.2","humidity":"99"}"#,
                "GW2000: tempinf 66.2 F"
            ),
            ("boards/hall", #"{"temperature":294.65,"unit":"K"}"#, "hall: temperature 294.65 K"),
            ("boards/den", #"{"temperature":70.3,"unit":"F"}"#, "den: temperature 70.3 F"),
        ])
    func values(topic: String, payload: String, means: String) { #expect(summary(topic, payload) == means) }

    @Test("a prefix of one's own, with slashes: the kind is known all the same, sensor and switch")
    func prefixes() {
        let devices = found([
            ("eg/bad/shelly/status/temperature:0", #"{"id": 0,"tC":22.1, "tF":71.8}"#),
            ("eg/bad/shelly/status/switch:0", #"{"id":0,"output":true,"apower":900}"#),
            ("zigbee2mqtt/eg/plug", #"{"state":"OFF","power":0}"#), ("zigbee2mqtt/eg/plug/set", #"{"state":"OFF"}"#),
            ("house/esp/attic/sensor/temperature/state", "19.5"),
        ])
        #expect(
            devices.map { "\($0.kind) \($0.name) \($0.topic)" } == [
                "shelly eg/bad/shelly eg/bad/shelly/status/temperature:0",
                "esphome house/esp/attic house/esp/attic/sensor/temperature/state",
                "shelly eg/bad/shelly eg/bad/shelly/command/switch:0", "zigbee2mqtt eg/plug zigbee2mqtt/eg/plug/set",
            ])
        #expect(devices.first?.room == Room("eg-bad-shelly"))
    }

    @Test("no two devices share a room because a channel's number is all that their topics tell")
    func channels() {
        let devices = found(
            (1...3).map { ("device/status/00A\($0)/1/ACTUAL_TEMPERATURE", #"{"v":21.5}"#) })
        #expect(Set(devices.compactMap { $0.room?.name }).count == 3)
    }
}
