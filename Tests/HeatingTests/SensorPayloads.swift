@testable import Heating

/// What sensors and relays of each kind send, and what it means.
extension DevicePayloadTests {
    // https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, Koenkk/zigbee-herdsman-converters#1020,
    // Koenkk/zigbee2mqtt#20481, zigbee2mqtt/hassio-zigbee2mqtt#827
    static let zigbee = of(
        "zigbee2mqtt",
        [
            Case("zigbee2mqtt/office", #"{"temperature": 27.34, "humidity": 44.72}"#, means: "office 27.34"),
            Case(
                "zigbee2mqtt/Temperature_Guest",
                #"{"battery":97,"elapsed":352420,"humidity":61.85,"last_seen":"2024-01-01T19:10:43+01:00","linkquality":204,"power_outage_count":43270,"pressure":995.6,"temperature":19.34,"voltage":2995}"#,
                means: "Temperature_Guest 19.34"),
            Case(
                "zigbee2mqtt/Temperatur Wohnung",
                #"{"battery":97,"humidity":45.07,"linkquality":224,"power_outage_count":805,"pressure":997.2,"temperature":21.58,"voltage":2995}"#,
                means: "Temperatur Wohnung 21.58"),
            Case("zigbee2mqtt/Küche", #"{"temperature":20,"last_seen":1576425000298}"#, means: "Küche 20"),
            Case("zigbee2mqtt/lamp", #"{"state": "ON","brightness": 215,"color_temp": 325}"#, means: "(missing_value)"),
            Case("zigbee2mqtt/office", #"{"battery":null,"temperature":null,"linkquality":84}"#, means: "null_value"),
            Case("zigbee2mqtt/bridge", #"{"temperature":1}"#, means: ""),
            Case(
                "zigbee2mqtt/office", #"{"temperature":21.5}"#, means: "(retained)",
                isRetained: true),
            Case(
                "zigbee2mqtt/office", #"{"temperature":21.5}"#, means: "office 21.5", rule: { $0.retained = "use" },
                isRetained: true),
            Case(
                "zigbee2mqtt/kitchen/thermometer", #"{"temperature":21.5}"#, means: "kitchen-thermometer 21.5",
                rule: { $0.topic = "zigbee2mqtt/{room...}" }),
            Case(
                "zigbee2mqtt/kitchen/thermometer", #"{"temperature":21.5}"#, means: "kitchen 21.5",
                rule: {
                    $0.topic = "zigbee2mqtt/{room...}"
                    $0.rooms = [("kitchen/thermometer", "kitchen")]
                }),
            Case(
                "zigbee2mqtt/kitchen/thermometer/get", #"{"temperature":""}"#, means: "",
                rule: { $0.topic = "zigbee2mqtt/{room...}" }),
            Case(
                "zigbee2mqtt/bridge/devices", #"[{"friendly_name":"office"}]"#, means: "",
                rule: { $0.topic = "zigbee2mqtt/{room...}" }),
            Case(
                "zigbee2mqtt/0x00158d0001dead", #"{"temperature":-3.07}"#, means: "office -3.07",
                rule: { $0.rooms = [("0x00158d0001dead", "office")] }),
            Case(
                "zigbee2mqtt/plug", #"{"power":0,"consumption":0.32,"temperature":16,"linkquality":34}"#,
                means: "(unlisted)", rule: { $0.rooms = [("plug", "")] }),
            Case(
                "zigbee2mqtt/office", #"{"temperature": 27.34, "humidity": 44.72}"#, means: "office 44.72",
                rule: { $0.measure = "humidity" }),
        ])

    // https://tasmota.github.io/docs/MQTT/, home-assistant/core#98699, hobbyquaker/homekit2mqtt#168,
    // arachnetech/homebridge-mqttthing#613, arendst/Tasmota#4637, arendst/Tasmota#5985,
    // grzegorz914/homebridge-tasmota-control#8
    static let tasmota = of(
        "tasmota",
        [
            Case(
                "tele/office/SENSOR",
                #"{"Time":"2021-09-23T18:26:49","DHT11":{"Temperature":20.0,"Humidity":60.0,"DewPoint":12.0},"TempUnit":"C"}"#,
                means: "office 20.0"),
            Case(
                "tele/Weather2023/SENSOR",
                #"{"Time":"2023-08-20T11:09:47","DS18B20":{"Id":"3CE10457A8F9","Temperature":27.9},"BME280":{"Temperature":27.8,"Humidity":54.5,"DewPoint":17.8,"Pressure":1018.0},"BH1750":{"Illuminance":171},"PressureUnit":"hPa","TempUnit":"C"}"#,
                means: "Weather2023 27.9"),
            Case(
                "tele/Weather2023/SENSOR",
                #"{"Time":"2023-08-20T11:09:47","DS18B20":{"Id":"3CE10457A8F9","Temperature":27.9},"BME280":{"Temperature":27.8,"Humidity":54.5},"TempUnit":"C"}"#,
                means: "Weather2023 27.8", rule: { $0.value = "BME280.Temperature" }),
            Case(
                "tele/pool/SENSOR",
                #"{"Time":"2023-03-05T17:58:13","DS18B20":{"Id":"000000038069","Temperature":20},"TempUnit":"C"}"#,
                means: "pool 20"),
            Case(
                "tele/th16/SENSOR",
                #"{"Time":"2024-02-03T12:40:40","DS18B20-1":{"Id":"0316856449FF","Temperature":23.7},"DS18B20-2":{"Id":"051686FC27FF","Temperature":23.8},"TempUnit":"C"}"#,
                means: "th16 23.8", rule: { $0.value = "DS18B20-2.Temperature" }),
            Case(
                "tele/office/SENSOR",
                #"{"Time":"2018-12-19T09:22:43","AM2301":{"Temperature":null,"Humidity":null},"TempUnit":"C"}"#,
                means: "null_value"),
            Case(
                "tele/office/SENSOR",
                #"{"Time":"2019-06-26T17:24:29","SI7021":{"Temperature":70.2,"Humidity":41.0},"TempUnit":"F"}"#,
                means: "office 70.2 F"),
            Case(
                "tele/office/SENSOR", #"{"Time":"2019-06-26T17:24:29","SI7021":{"Temperature":70.2,"Humidity":41.0}}"#,
                means: "unknown_unit"),
            Case(
                "tele/office/SENSOR", #"{"Time":"2023-03-05T17:58:13","DS18B20":{"Temperature":85.0},"TempUnit":"C"}"#,
                means: "office 85.0 fault"),
            Case(
                "tele/office/SENSOR", #"{"Time":"2023-03-05T17:58:13","DS18B20":{"Temperature":185.0},"TempUnit":"F"}"#,
                means: "office 185.0 F fault"),
            Case(
                "tele/office/SENSOR",
                #"{"Time":"2018-04-02T17:09:50","DHT22":{"Temperature":nan,"Humidity":nan},"TempUnit":"C"}"#,
                means: "not_finite"),
            Case(
                "tele/esp32/SENSOR", #"{"Time":"2024-02-24T22:20:38","ESP32":{"Temperature":53.3},"TempUnit":"C"}"#,
                means: "(missing_value)"),
            Case(
                "tele/tasmota_9CF9D1/SENSOR", #"{"Time":"2024-02-24T22:20:38","Switch1":"ON"}"#,
                means: "(missing_value)"),
        ])

    // https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Temperature, enesbcs/Shelly_MQTT#99,
    // home-assistant/core#177168
    static let shelly = of(
        "shelly",
        [
            Case("office/status/temperature:0", #"{"id": 0,"tC":19.0, "tF":66.2}"#, means: "office 19.0"),
            Case(
                "shellyplusht-c049ef8bc088/status/temperature:0", #"{"id": 0,"tC":19.8, "tF":67.6}"#,
                means: "bath 19.8", rule: { $0.rooms = [("shellyplusht-c049ef8bc088", "bath")] }),
            Case(
                "office/status/temperature:0", #"{"id":0,"tC":null,"tF":null,"errors":["read"]}"#, means: "null_value"),
            Case("office/status/temperature:0", #"{"id":0,"tC":85.0,"tF":185.0}"#, means: "office 85.0 fault"),
            Case(
                "shellyplusht-c049ef8bc088/events/rpc",
                #"{"src":"shellyplusht-c049ef8bc088","dst":"shellyplusht-c049ef8bc088/events","method":"NotifyFullStatus","params":{"ts":1669541352.21,"ble":{},"cloud":{"connected":false},"devicepower:0":{"id": 0,"battery":{"V":0.43, "percent":0},"external":{"present":true}},"ht_ui":{},"humidity:0":{"id": 0,"rh":57.6},"mqtt":{"connected":true},"sys":{"mac":"C049EF8BC088","restart_required":false,"time":null,"unixtime":null,"uptime":0},"temperature:0":{"id": 0,"tC":19.0, "tF":66.2},"wifi":{"sta_ip":"192.168.1.43","status":"got ip","rssi":-60},"ws":{"connected":false}}}"#,
                means: "bath 19.0",
                rule: {
                    $0.topic = "+/events/rpc"
                    $0.value = "params.temperature:0.tC"
                    $0.time = "params.ts"
                    $0.roomAt = "src"
                    $0.rooms = [("shellyplusht-c049ef8bc088", "bath")]
                }),
            Case(
                "shellyplus1pm-1/events/rpc",
                #"{"src":"shellyplus1pm-1","dst":"shellyplus1pm-1/events","method":"NotifyStatus","params":{"ts":1698999934.81,"mqtt":{"connected":true}}}"#,
                means: "(missing_value)",
                rule: {
                    $0.topic = "{room}/events/rpc"
                    $0.value = "params.temperature:0.tC"
                }),
            Case(
                "office/status/humidity:0", #"{"id": 0,"rh":57.6}"#, means: "office 57.6",
                rule: { $0.measure = "humidity" }),
            Case(
                "office/status/temperature:0", #"{"id": 0,"tC":19.0, "tF":66.2}"#, means: "office 66.2 F",
                rule: {
                    $0.value = "tF"
                    $0.unit = "F"
                }),
        ])

    // https://shelly-api-docs.shelly.cloud/gen1/#mqtt-support, home-assistant/core#49415, home-assistant/core#64856,
    // StyraHem/ShellyForHASS#278
    static let shelly1 = of(
        "shelly1",
        [
            Case("shellies/office/sensor/temperature", "22.38", means: "office 22.38"),
            Case("shellies/office/sensor/temperature", "74.53", means: "office 74.53 F", rule: { $0.unit = "F" }),
            Case("shellies/office/sensor/temperature", "999", means: "office 999 fault"),
            Case("shellies/office/sensor/temperature", "-99.5", means: "office -99.5 fault"),
            Case(
                "shellies/shelly1-XXXXXX/ext_temperature/0", "47.69", means: "boiler 47.69",
                rule: {
                    $0.topic = "shellies/{room}/ext_temperature/0"
                    $0.rooms = [("shelly1-XXXXXX", "boiler")]
                }),
            Case("shellies/office/sensor/temperature", "22.38\0", means: "office 22.38"),
            Case("shellies/office/sensor/battery", "96", means: "office 96", rule: { $0.measure = "battery" }),
        ])

    // https://esphome.io/components/mqtt.html, home-assistant/core#18240, esphome/esphome#7768, esphome/esphome#10411
    static let esphome = of(
        "esphome",
        [
            Case("weather-sensor/sensor/temperature/state", "21.48", means: "weather-sensor 21.48"),
            Case("office/sensor/temperature/state", "nan", means: "not_finite"),
            Case("office/sensor/temperature/state", "None", means: "unavailable"),
            Case("office/sensor/temperature/state", "unavailable", means: "unavailable"),
            Case("office/sensor/temperature/state", "85.0", means: "office 85.0 fault"),
            Case(
                "office/sensor/temperature/state", "-127.00", means: "office -127.00 fault"
            ),
            Case("office/sensor/temperature/state", "", means: "(empty)"),
            Case(
                "node/sensor/bed_room_temperature/state", "19.06", means: "bed_room 19.06",
                rule: { $0.topic = "+/sensor/{room}_temperature/state" }),
            Case(
                "office/sensor/temperature/state", "21.48", means: "(retained)",
                isRetained: true),
        ])

    // https://homieiot.github.io/specification/spec-core-v4_0_0/ (payloads; an empty string is one byte of zero)
    static let homie = of(
        "homie",
        [
            Case("homie/office/thermostat/temperature", "21.5", means: "office 21.5"),
            Case("homie/office/thermostat/temperature", "1.0e1", means: "office 1.0e1"),
            Case("homie/office/thermostat/temperature", "-5", means: "office -5"),
            Case("homie/office/thermostat/temperature", "\0", means: "(empty)"),
            Case("homie/office/thermostat/temperature/$unit", "°C", means: ""),
            Case(
                "homie/5/office/thermostat/temperature", "21.5", means: "office 21.5",
                rule: { $0.topic = "homie/5/{room}/+/temperature" }),
            Case("homie/office/thermostat/temperature", "70.7 °F", means: "office 70.7 F"),
        ])

    // https://triq.org/rtl_433/OPERATION.html#mqtt-output, merbanan/rtl_433#2221, merbanan/rtl_433#992
    static let rtl433 = of(
        "rtl_433",
        [
            Case(
                "rtl_433/pi/devices/Prologue-TH/1/9/temperature_C", "17.4", means: "garage 17.4",
                rule: { $0.rooms = [("Prologue-TH/1/9", "garage")] }),
            Case(
                "rtl_433/pi/devices/Fineoffset-WH2/173/temperature_C", "11.3", means: "(unlisted)",
                rule: { $0.rooms = [("Fineoffset-WH2/37", "garage")] }),
            Case(
                "rtl_433/pi/events",
                #"{"time":"2022-10-29 18:42:29","model":"Fineoffset-WH2","id":37,"temperature_C":17.4,"mic":"CRC"}"#,
                means: "garage 17.4",
                rule: {
                    $0.topic = "rtl_433/+/events"
                    $0.value = "temperature_C"
                    $0.time = "time"
                    $0.roomAt = "id"
                    $0.rooms = [("37", "garage")]
                }),
            Case(
                "rtl_433/pi/events",
                #"{"time":"2022-10-29 18:42:32","model":"Fineoffset-WH2","id":173,"temperature_C":11.3,"mic":"CRC"}"#,
                means: "(unlisted)",
                rule: {
                    $0.topic = "rtl_433/+/events"
                    $0.value = "temperature_C"
                    $0.roomAt = "id"
                    $0.rooms = [("37", "garage")]
                }),
            Case(
                "rtl_433/pi/events", #"{"time":"@0.1s","model":"Silvercrest-Remote","button":4}"#, means: "no_name",
                rule: {
                    $0.topic = "rtl_433/+/events"
                    $0.roomAt = "id"
                }),
            Case(
                "rtl_433/pi/devices/Inkbird-ITH20R/57658/temperature_C", "unknown", means: "unavailable",
                rule: { $0.unlisted = "room" }),
        ])
}
