@testable import Heating

/// What sensors and relays of each kind send, and what it means.
extension DevicePayloadTests {
    // https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, Koenkk/zigbee-herdsman-converters#1020,
    // Koenkk/zigbee2mqtt#20481, zigbee2mqtt/hassio-zigbee2mqtt#827
    static let zigbee: [Case] = [
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/office", payload: #"{"temperature": 27.34, "humidity": 44.72}"#,
            means: "office 27.34"),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/Temperature_Guest",
            payload:
                #"{"battery":97,"elapsed":352420,"humidity":61.85,"last_seen":"2024-01-01T19:10:43+01:00","linkquality":204,"power_outage_count":43270,"pressure":995.6,"temperature":19.34,"voltage":2995}"#,
            means: "Temperature_Guest 19.34"),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/Temperatur Wohnung",
            payload:
                #"{"battery":97,"humidity":45.07,"linkquality":224,"power_outage_count":805,"pressure":997.2,"temperature":21.58,"voltage":2995}"#,
            means: "Temperatur Wohnung 21.58"),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/Küche", payload: #"{"temperature":20,"last_seen":1576425000298}"#,
            means: "Küche 20"),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/lamp",
            payload: #"{"state": "ON","brightness": 215,"color_temp": 325}"#, means: "(missing_value)"),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/office",
            payload: #"{"battery":null,"temperature":null,"linkquality":84}"#, means: "null_value"),
        Case(kind: "zigbee2mqtt", topic: "zigbee2mqtt/bridge", payload: #"{"temperature":1}"#, means: ""),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/office", payload: #"{"temperature":21.5}"#, means: "(retained)",
            isRetained: true),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/office", payload: #"{"temperature":21.5}"#, means: "office 21.5",
            rule: { $0.retained = "use" }, isRetained: true),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/kitchen/thermometer", payload: #"{"temperature":21.5}"#,
            means: "kitchen-thermometer 21.5", rule: { $0.topic = "zigbee2mqtt/{room...}" }),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/kitchen/thermometer", payload: #"{"temperature":21.5}"#,
            means: "kitchen 21.5",
            rule: {
                $0.topic = "zigbee2mqtt/{room...}"
                $0.rooms = [("kitchen/thermometer", "kitchen")]
            }),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/kitchen/thermometer/get", payload: #"{"temperature":""}"#,
            means: "",
            rule: { $0.topic = "zigbee2mqtt/{room...}" }),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/bridge/devices", payload: #"[{"friendly_name":"office"}]"#,
            means: "",
            rule: { $0.topic = "zigbee2mqtt/{room...}" }),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/0x00158d0001dead", payload: #"{"temperature":-3.07}"#,
            means: "office -3.07",
            rule: { $0.rooms = [("0x00158d0001dead", "office")] }),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/plug",
            payload: #"{"power":0,"consumption":0.32,"temperature":16,"linkquality":34}"#, means: "(unlisted)",
            rule: { $0.rooms = [("plug", "")] }),
        Case(
            kind: "zigbee2mqtt", topic: "zigbee2mqtt/office", payload: #"{"temperature": 27.34, "humidity": 44.72}"#,
            means: "office 44.72",
            rule: { $0.measure = "humidity" }),
    ]

    // https://tasmota.github.io/docs/MQTT/, home-assistant/core#98699, hobbyquaker/homekit2mqtt#168,
    // arachnetech/homebridge-mqttthing#613, arendst/Tasmota#4637, arendst/Tasmota#5985,
    // grzegorz914/homebridge-tasmota-control#8
    static let tasmota: [Case] = [
        Case(
            kind: "tasmota", topic: "tele/office/SENSOR",
            payload:
                #"{"Time":"2021-09-23T18:26:49","DHT11":{"Temperature":20.0,"Humidity":60.0,"DewPoint":12.0},"TempUnit":"C"}"#,
            means: "office 20.0"),
        Case(
            kind: "tasmota", topic: "tele/Weather2023/SENSOR",
            payload:
                #"{"Time":"2023-08-20T11:09:47","DS18B20":{"Id":"3CE10457A8F9","Temperature":27.9},"BME280":{"Temperature":27.8,"Humidity":54.5,"DewPoint":17.8,"Pressure":1018.0},"BH1750":{"Illuminance":171},"PressureUnit":"hPa","TempUnit":"C"}"#,
            means: "Weather2023 27.9"),
        Case(
            kind: "tasmota", topic: "tele/Weather2023/SENSOR",
            payload:
                #"{"Time":"2023-08-20T11:09:47","DS18B20":{"Id":"3CE10457A8F9","Temperature":27.9},"BME280":{"Temperature":27.8,"Humidity":54.5},"TempUnit":"C"}"#,
            means: "Weather2023 27.8", rule: { $0.value = "BME280.Temperature" }),
        Case(
            kind: "tasmota", topic: "tele/pool/SENSOR",
            payload: #"{"Time":"2023-03-05T17:58:13","DS18B20":{"Id":"000000038069","Temperature":20},"TempUnit":"C"}"#,
            means: "pool 20"),
        Case(
            kind: "tasmota", topic: "tele/th16/SENSOR",
            payload:
                #"{"Time":"2024-02-03T12:40:40","DS18B20-1":{"Id":"0316856449FF","Temperature":23.7},"DS18B20-2":{"Id":"051686FC27FF","Temperature":23.8},"TempUnit":"C"}"#,
            means: "th16 23.8", rule: { $0.value = "DS18B20-2.Temperature" }),
        Case(
            kind: "tasmota", topic: "tele/office/SENSOR",
            payload: #"{"Time":"2018-12-19T09:22:43","AM2301":{"Temperature":null,"Humidity":null},"TempUnit":"C"}"#,
            means: "null_value"),
        Case(
            kind: "tasmota", topic: "tele/office/SENSOR",
            payload: #"{"Time":"2019-06-26T17:24:29","SI7021":{"Temperature":70.2,"Humidity":41.0},"TempUnit":"F"}"#,
            means: "office 70.2 F"),
        Case(
            kind: "tasmota", topic: "tele/office/SENSOR",
            payload: #"{"Time":"2019-06-26T17:24:29","SI7021":{"Temperature":70.2,"Humidity":41.0}}"#,
            means: "unknown_unit"),
        Case(
            kind: "tasmota", topic: "tele/office/SENSOR",
            payload: #"{"Time":"2023-03-05T17:58:13","DS18B20":{"Temperature":85.0},"TempUnit":"C"}"#,
            means: "office 85.0 fault"),
        Case(
            kind: "tasmota", topic: "tele/office/SENSOR",
            payload: #"{"Time":"2023-03-05T17:58:13","DS18B20":{"Temperature":185.0},"TempUnit":"F"}"#,
            means: "office 185.0 F fault"),
        Case(
            kind: "tasmota", topic: "tele/office/SENSOR",
            payload: #"{"Time":"2018-04-02T17:09:50","DHT22":{"Temperature":nan,"Humidity":nan},"TempUnit":"C"}"#,
            means: "not_finite"),
        Case(
            kind: "tasmota", topic: "tele/esp32/SENSOR",
            payload: #"{"Time":"2024-02-24T22:20:38","ESP32":{"Temperature":53.3},"TempUnit":"C"}"#,
            means: "(missing_value)"),
        Case(
            kind: "tasmota", topic: "tele/tasmota_9CF9D1/SENSOR",
            payload: #"{"Time":"2024-02-24T22:20:38","Switch1":"ON"}"#,
            means: "(missing_value)"),
    ]

    // https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Temperature, enesbcs/Shelly_MQTT#99,
    // home-assistant/core#177168
    static let shelly: [Case] = [
        Case(
            kind: "shelly", topic: "office/status/temperature:0", payload: #"{"id": 0,"tC":19.0, "tF":66.2}"#,
            means: "office 19.0"),
        Case(
            kind: "shelly", topic: "shellyplusht-c049ef8bc088/status/temperature:0",
            payload: #"{"id": 0,"tC":19.8, "tF":67.6}"#,
            means: "bath 19.8", rule: { $0.rooms = [("shellyplusht-c049ef8bc088", "bath")] }),
        Case(
            kind: "shelly", topic: "office/status/temperature:0",
            payload: #"{"id":0,"tC":null,"tF":null,"errors":["read"]}"#, means: "null_value"),
        Case(
            kind: "shelly", topic: "office/status/temperature:0", payload: #"{"id":0,"tC":85.0,"tF":185.0}"#,
            means: "office 85.0 fault"),
        Case(
            kind: "shelly", topic: "shellyplusht-c049ef8bc088/events/rpc",
            payload:
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
            kind: "shelly", topic: "shellyplus1pm-1/events/rpc",
            payload:
                #"{"src":"shellyplus1pm-1","dst":"shellyplus1pm-1/events","method":"NotifyStatus","params":{"ts":1698999934.81,"mqtt":{"connected":true}}}"#,
            means: "(missing_value)",
            rule: {
                $0.topic = "{room}/events/rpc"
                $0.value = "params.temperature:0.tC"
            }),
        Case(
            kind: "shelly", topic: "office/status/humidity:0", payload: #"{"id": 0,"rh":57.6}"#, means: "office 57.6",
            rule: { $0.measure = "humidity" }),
        Case(
            kind: "shelly", topic: "office/status/temperature:0", payload: #"{"id": 0,"tC":19.0, "tF":66.2}"#,
            means: "office 66.2 F",
            rule: {
                $0.value = "tF"
                $0.unit = "F"
            }),
    ]

    // https://shelly-api-docs.shelly.cloud/gen1/#mqtt-support, home-assistant/core#49415, home-assistant/core#64856,
    // StyraHem/ShellyForHASS#278
    static let shelly1: [Case] = [
        Case(kind: "shelly1", topic: "shellies/office/sensor/temperature", payload: "22.38", means: "office 22.38"),
        Case(
            kind: "shelly1", topic: "shellies/office/sensor/temperature", payload: "74.53", means: "office 74.53 F",
            rule: { $0.unit = "F" }),
        Case(kind: "shelly1", topic: "shellies/office/sensor/temperature", payload: "999", means: "office 999 fault"),
        Case(
            kind: "shelly1", topic: "shellies/office/sensor/temperature", payload: "-99.5", means: "office -99.5 fault"),
        Case(
            kind: "shelly1", topic: "shellies/shelly1-XXXXXX/ext_temperature/0", payload: "47.69",
            means: "boiler 47.69",
            rule: {
                $0.topic = "shellies/{room}/ext_temperature/0"
                $0.rooms = [("shelly1-XXXXXX", "boiler")]
            }),
        Case(kind: "shelly1", topic: "shellies/office/sensor/temperature", payload: "22.38\0", means: "office 22.38"),
        Case(
            kind: "shelly1", topic: "shellies/office/sensor/battery", payload: "96", means: "office 96",
            rule: { $0.measure = "battery" }),
    ]

    // https://esphome.io/components/mqtt.html, home-assistant/core#18240, esphome/esphome#7768, esphome/esphome#10411
    static let esphome: [Case] = [
        Case(
            kind: "esphome", topic: "weather-sensor/sensor/temperature/state", payload: "21.48",
            means: "weather-sensor 21.48"),
        Case(kind: "esphome", topic: "office/sensor/temperature/state", payload: "nan", means: "not_finite"),
        Case(kind: "esphome", topic: "office/sensor/temperature/state", payload: "None", means: "unavailable"),
        Case(kind: "esphome", topic: "office/sensor/temperature/state", payload: "unavailable", means: "unavailable"),
        Case(kind: "esphome", topic: "office/sensor/temperature/state", payload: "85.0", means: "office 85.0 fault"),
        Case(
            kind: "esphome", topic: "office/sensor/temperature/state", payload: "-127.00", means: "office -127.00 fault"
        ),
        Case(kind: "esphome", topic: "office/sensor/temperature/state", payload: "", means: "(empty)"),
        Case(
            kind: "esphome", topic: "node/sensor/bed_room_temperature/state", payload: "19.06", means: "bed_room 19.06",
            rule: { $0.topic = "+/sensor/{room}_temperature/state" }),
        Case(
            kind: "esphome", topic: "office/sensor/temperature/state", payload: "21.48", means: "(retained)",
            isRetained: true),
    ]

    // https://homieiot.github.io/specification/spec-core-v4_0_0/ (payloads; an empty string is one byte of zero)
    static let homie: [Case] = [
        Case(kind: "homie", topic: "homie/office/thermostat/temperature", payload: "21.5", means: "office 21.5"),
        Case(kind: "homie", topic: "homie/office/thermostat/temperature", payload: "1.0e1", means: "office 1.0e1"),
        Case(kind: "homie", topic: "homie/office/thermostat/temperature", payload: "-5", means: "office -5"),
        Case(kind: "homie", topic: "homie/office/thermostat/temperature", payload: "\0", means: "(empty)"),
        Case(kind: "homie", topic: "homie/office/thermostat/temperature/$unit", payload: "°C", means: ""),
        Case(
            kind: "homie", topic: "homie/5/office/thermostat/temperature", payload: "21.5", means: "office 21.5",
            rule: { $0.topic = "homie/5/{room}/+/temperature" }),
        Case(kind: "homie", topic: "homie/office/thermostat/temperature", payload: "70.7 °F", means: "office 70.7 F"),
    ]

    // https://triq.org/rtl_433/OPERATION.html#mqtt-output, merbanan/rtl_433#2221, merbanan/rtl_433#992
    static let rtl433: [Case] = [
        Case(
            kind: "rtl_433", topic: "rtl_433/pi/devices/Prologue-TH/1/9/temperature_C", payload: "17.4",
            means: "garage 17.4", rule: { $0.rooms = [("Prologue-TH/1/9", "garage")] }),
        Case(
            kind: "rtl_433", topic: "rtl_433/pi/devices/Fineoffset-WH2/173/temperature_C", payload: "11.3",
            means: "(unlisted)", rule: { $0.rooms = [("Fineoffset-WH2/37", "garage")] }),
        Case(
            kind: "rtl_433", topic: "rtl_433/pi/events",
            payload:
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
            kind: "rtl_433", topic: "rtl_433/pi/events",
            payload:
                #"{"time":"2022-10-29 18:42:32","model":"Fineoffset-WH2","id":173,"temperature_C":11.3,"mic":"CRC"}"#,
            means: "(unlisted)",
            rule: {
                $0.topic = "rtl_433/+/events"
                $0.value = "temperature_C"
                $0.roomAt = "id"
                $0.rooms = [("37", "garage")]
            }),
        Case(
            kind: "rtl_433", topic: "rtl_433/pi/events",
            payload: #"{"time":"@0.1s","model":"Silvercrest-Remote","button":4}"#, means: "no_name",
            rule: {
                $0.topic = "rtl_433/+/events"
                $0.roomAt = "id"
            }),
        Case(
            kind: "rtl_433", topic: "rtl_433/pi/devices/Inkbird-ITH20R/57658/temperature_C", payload: "unknown",
            means: "unavailable", rule: { $0.unlisted = "room" }),
    ]
}
