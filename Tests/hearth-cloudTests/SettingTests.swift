import ArgumentParser
import EventLog
import Foundation
import Influx
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

    @Test(
        "two topics of one name are refused, since a pipeline would read what it writes",
        arguments: [
            ["--kafka-topic", "clean-data"], ["--kafka-topic", "heatpump_state"],
            ["--topic-clean", "raw_sensor_data.dead-letter"], ["--topic-clean", "raw_sensor_data.held"],
            ["--event-log", "kafka", "--kafka-prefix", "a.", "--topic-clean", "raw_sensor_data"],
            ["--event-log", "kafka", "--kafka-topic", "a/b"], ["--event-log", "kafka", "--topic-clean", "a b"],
            ["--event-log", "kafka", "--kafka-topic", ".."],
        ])
    func topics(_ arguments: [String]) throws {
        let options = try EventLogOptions.parse(arguments)
        let error = #expect(throws: SettingError.self) { try options.checkTopics() }
        #expect(["KAFKA_TOPIC", "TOPIC_CLEAN"].contains { error?.description.contains($0) == true })
        try EventLogOptions.parse([]).checkTopics()
        try EventLogOptions.parse(["--kafka-topic", "readings", "--topic-clean", "clean"]).checkTopics()
    }

    @Test(
        "Kafka's servers are taken as people write them",
        arguments: [
            "kafka-svc:9092", "b1:9092,b2:9092, b3:9093", "kafka", "[::1]:9092", "[2001:db8::1]", "10.0.0.1:1",
            "my_broker:65535",
        ])
    func servers(_ text: String) throws {
        #expect(try EventLogOptions.parse(["--kafka-host", text]).kafka.settings(role: "test").bootstrap == text)
    }

    @Test(
        "what librdkafka would connect elsewhere with, or nowhere, is refused",
        arguments: [
            "http://kafka:9092", "SSL://kafka:9093", "kafka:port", "kafka:99999", "kafka:0", "kafka:", " ", ",",
            "a:1,,b:2",
            "::1", "2001:db8::1:9092", "a:1;b:2", "a:1 b:2", "user@kafka:9092", "[::1", "[::1]x:9092",
            "kafka:9092/topic",
        ])
    func wrongServers(_ text: String) throws {
        let options = try EventLogOptions.parse(["--kafka-host", text])
        let error = #expect(throws: SettingError.self) { try options.kafka.settings(role: "test") }
        #expect(error?.description.contains("--kafka-host (KAFKA_HOST) must be host:port") == true)
    }

    @Test("a prefix that makes a topic's name longer than Kafka takes is refused")
    func longPrefix() throws {
        let options = try EventLogOptions.parse([
            "--event-log", "kafka", "--kafka-prefix", String(repeating: "p", count: 100), "--kafka-topic",
            String(repeating: "t", count: 140),
        ])
        let error = #expect(throws: SettingError.self) { try options.checkTopics() }
        #expect(error?.description.contains("KAFKA_PREFIX") == true && error?.description.contains("249") == true)
    }

    @Test(
        "an address without a port that is one, and a secret without content, are told with the variable",
        arguments: [
            "127.0.0.1:8086", "http://a:b:c", "http://h:99999", "https://h:/x", "http://h/ x",
        ])
    func database(_ address: String) throws {
        let options = try InfluxOptions.parse(["--influx-url", address, "--influx-token", "t"])
        let error = #expect(throws: SettingError.self) { try options.settings(bucket: "raw") }
        #expect(error?.description.contains("INFLUX_URL") == true && error?.description.contains(address) == true)
        let file = FileManager.default.temporaryDirectory.appending(path: "hearth-token-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        #expect(FileManager.default.createFile(atPath: file, contents: Data("\n".utf8)))
        for flag in ["--influx-token-file", "--influx-password-file"] {
            var arguments = ["--influx-url", "http://[::1]:8086/db", flag, file]
            if flag == "--influx-password-file" { arguments += ["--influx-api", "v1", "--influx-username", "u"] }
            let empty = try InfluxOptions.parse(arguments)
            let problem = #expect(throws: SettingError.self) { try empty.settings(bucket: "raw") }
            #expect(problem?.description.contains("is empty") == true && problem?.description.contains("_FILE") == true)
        }
        try Data("\u{FEFF}next\r\n".utf8).write(to: URL(fileURLWithPath: file))
        let right = try InfluxOptions.parse(["--influx-url", "http://u:p@h:8086", "--influx-token-file", file])
        let settings = try right.settings(bucket: "raw")
        #expect(settings.target == .v2(organization: "cloud", bucket: "raw", token: "next"))
        try Data("after\n".utf8).write(to: URL(fileURLWithPath: file))
        #expect(settings.renewed?() == .v2(organization: "cloud", bucket: "raw", token: "after"), "read anew")
        try Data().write(to: URL(fileURLWithPath: file))
        #expect(settings.renewed?() == nil, "a file that is just being written is no new token")
    }

    @Test("what a service cannot start by is told from what went wrong later")
    func isAboutSettings() {
        #expect(HearthCloud.isAboutSettings(SettingError("x")))
        #expect(HearthCloud.isAboutSettings(EventLogError(.settings, "x")))
        #expect(HearthCloud.isAboutSettings(InfluxError.invalidSetting("x")))
        #expect(!HearthCloud.isAboutSettings(EventLogError(.storage, "x")))
        #expect(!HearthCloud.isAboutSettings(InfluxError.requestFailed("x")))
    }
}
