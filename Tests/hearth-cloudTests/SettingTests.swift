import ArgumentParser
import Testing

@testable import hearth_cloud

@Suite("Settings: a flag, a variable, a default")
struct SettingTests {
    @Test("the flag wins over the default, and what was given is told from what was not")
    func flag() throws {
        let given = try BrokerOptions.parse(["--mqtt-port", "1999", "--mqtt-username", "ingest"])
        #expect(try given.port.value == 1999 && given.username.given == "ingest" && given.isGiven)
        let plain = try KafkaOptions.parse([])
        #expect(plain.rack.given == nil && plain.compression.text == "lz4")
        #expect(try plain.sessionTimeout.value == 45)
    }

    @Test("what does not do is told when it is used: flag and variable, what was expected, what stands there")
    func failure() throws {
        let options = try BrokerOptions.parse(["--mqtt-port", "70000", "--mqtt-host", "mqtt://cloud:1884"])
        let port = #expect(throws: SettingError.self) { try options.port.value }
        #expect(port?.description == "--mqtt-port (MQTT_PORT) must be a port number, not \"70000\"")
        let host = #expect(throws: SettingError.self) { try options.host.value }
        #expect(host?.description.contains("MQTT_HOST") == true && host?.description.contains("\"cloud\"") == true)
        let setup = try SetupCommand.parse(["--retention", "a year", "--wait", "soon"])
        let retention = #expect(throws: SettingError.self) { try setup.retention.value }
        #expect(
            retention?.description
                == "--retention (RETENTION) must be like 720h or 365d, or forever, not \"a year\"")
        #expect(throws: SettingError.self) { try setup.wait.value }
        #expect(try setup.topicRetention.value == .seconds(7 * 86_400))
    }

    @Test("the help names the variable and the default")
    func help() {
        let help = IngestCommand.helpMessage(columns: 400)
        #expect(help.contains("Its port (MQTT_PORT). (default: 1884)"))
        #expect(help.contains("(MQTT_CLIENT_NAME; default: the host's name)."))
    }
}
