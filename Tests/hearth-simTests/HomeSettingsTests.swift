import Testing

@testable import hearth_sim

@Suite struct HomeSettingsTests {
    private typealias Flags = HomeSettings.Flags

    private let container = [
        "MQTT_HOST": "broker", "MQTT_PORT": "2883", "SENSOR_TOPIC_DATA": "attic/temperature",
        "SENSOR_TOPIC_STATUS": "attic/heatpump",
    ]

    @Test func `without flags and environment it is the default home on this machine`() throws {
        let settings = try HomeSettings(flags: Flags(), environment: [:])
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 1883)
        #expect(settings.sensors.map(\.name) == ["office", "kitchen", "bedroom", "bathroom", "living-room"])
        #expect(settings.sensors[0].dataTopic == "office/temperature")
        #expect(settings.sensors[0].statusTopic == "office/heatpump")
    }

    @Test func `the sensor container's environment makes one room on exactly those topics`() throws {
        let settings = try HomeSettings(flags: Flags(), environment: container)
        #expect(settings.host == "broker")
        #expect(settings.port == 2883)
        #expect(
            settings.sensors == [
                HomeSettings.Sensor(name: "attic", dataTopic: "attic/temperature", statusTopic: "attic/heatpump")
            ])
    }

    @Test func `the topics need not follow Hearth's grammar`() throws {
        let environment = ["SENSOR_TOPIC_DATA": "t", "SENSOR_TOPIC_STATUS": "some/where/else"]
        let settings = try HomeSettings(flags: Flags(), environment: environment)
        #expect(settings.sensors == [HomeSettings.Sensor(name: "t", dataTopic: "t", statusTopic: "some/where/else")])
    }

    @Test func `flags win over the environment`() throws {
        let settings = try HomeSettings(
            flags: Flags(host: "other", port: 9, rooms: nil), environment: container)
        #expect(settings.host == "other")
        #expect(settings.port == 9)
    }

    @Test func `an empty variable counts as unset`() throws {
        let environment = ["MQTT_HOST": "", "MQTT_PORT": "", "SENSOR_TOPIC_DATA": "", "SENSOR_TOPIC_STATUS": ""]
        #expect(
            try HomeSettings(flags: Flags(), environment: environment) == HomeSettings(flags: Flags(), environment: [:])
        )
    }

    @Test(arguments: [
        ["SENSOR_TOPIC_DATA": "a/temperature"], ["SENSOR_TOPIC_STATUS": "a/heatpump"], ["MQTT_PORT": "mqtt"],
        ["MQTT_PORT": "0"], ["MQTT_PORT": "65536"],
    ])
    func `half an environment is refused`(environment: [String: String]) {
        #expect(throws: HomeSettings.Conflict.self) { try HomeSettings(flags: Flags(), environment: environment) }
    }

    @Test(arguments: [[], [""], ["a", "a"], ["a/b"], ["+"], ["#"]])
    func `rooms that are no topic levels are refused`(rooms: [String]) {
        #expect(throws: HomeSettings.Conflict.self) {
            try HomeSettings(flags: Flags(host: nil, port: nil, rooms: rooms), environment: [:])
        }
    }

    @Test func `rooms and a container's topics exclude each other`() {
        #expect(throws: HomeSettings.Conflict.self) {
            try HomeSettings(flags: Flags(host: nil, port: nil, rooms: ["office"]), environment: container)
        }
    }
}
