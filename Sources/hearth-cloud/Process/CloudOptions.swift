import ArgumentParser
import Foundation
import Influx
import Logging
import MQTT

struct LogOptions: ParsableArguments {
    @Option(
        "LOG_LEVEL", .word("trace, debug, info, notice, warning or error"), default: "info",
        help: "trace, debug, info, notice, warning or error")
    var level: Setting<Logger.Level>
}

struct HTTPOptions: ParsableArguments {
    @Option(
        "HTTP_PORT", .whole(0...UInt16.max, "a port number"), default: "8080",
        help: "Port of /healthz, /readyz and /metrics; 0: none")
    var port: Setting<UInt16>
}

struct BrokerOptions: ParsableArguments {
    @Option("MQTT_HOST", .host(portKey: "MQTT_PORT"), default: "127.0.0.1", help: "The cloud broker")
    var host: Setting<String>

    @Option("MQTT_PORT", .port, default: "1884", help: "Its port")
    var port: Setting<Int>

    @Option("MQTT_PROTOCOL", .word("auto, 5 or 3.1.1"), default: "auto", help: "MQTT version: auto, 5 or 3.1.1")
    var protocolPolicy: Setting<ProtocolPolicy>

    @Option("MQTT_USERNAME")
    var username: Setting<String>

    @Option("MQTT_PASSWORD_FILE", help: "File with the password")
    var passwordFile: Setting<String>

    @Option("MQTT_CA_FILE", help: "CA to trust; turns TLS on")
    var caFile: Setting<String>

    @Option("MQTT_CERT_FILE", help: "Client certificate")
    var certificateFile: Setting<String>

    @Option("MQTT_KEY_FILE", help: "Its key")
    var keyFile: Setting<String>

    @Option(
        "MQTT_CLIENT_ID", help: "Stable per replica: the broker keeps this client's session",
        note: "default: one that cannot be guessed")
    var clientID: Setting<String>

    @Option(
        "MQTT_SESSION_EXPIRY", .whole(0...30 * 86_400, "0 to 2592000 seconds"), default: "3600",
        help: "Seconds for which the broker keeps the session of a client that is gone")
    var sessionExpiry: Setting<UInt32>

    /// Whether somebody has said where the broker is; for services that can do without one.
    var isGiven: Bool { host.given != nil || port.given != nil }

    /// Connection settings for a service of this role.
    func settings(role: String) throws -> ConnectionSettings {
        let name = ProcessInfo.processInfo.hostName
        var settings = ConnectionSettings(
            host: try host.value, port: try port.value, clientID: clientID.given ?? "hearth-\(role)-\(name)")
        settings.sessionExpiry = try sessionExpiry.value
        settings.protocolPolicy = try protocolPolicy.value
        settings.username = username.given
        settings.passwordFile = passwordFile.given
        settings.tls = try tls()
        return settings
    }

    private func tls() throws -> TLS? {
        guard (certificateFile.given == nil) == (keyFile.given == nil) else {
            throw SettingError("MQTT_CERT_FILE and MQTT_KEY_FILE go together")
        }
        guard let caFile = caFile.given else {
            if certificateFile.given != nil { throw SettingError("a client certificate needs MQTT_CA_FILE") }
            return nil
        }
        return TLS(caFile: caFile, certificateFile: certificateFile.given, keyFile: keyFile.given)
    }
}

struct EventLogOptions: ParsableArguments {
    enum Engine: String { case journal, kafka }

    @Option("EVENT_LOG", .word("journal or kafka"), default: "journal", help: "journal (one machine) or kafka")
    var engine: Setting<Engine>

    @Option("JOURNAL_PATH", default: "/var/lib/hearth/events.sqlite", help: "The embedded log's file")
    var journalPath: Setting<String>

    @Option(
        "JOURNAL_MAX_SIZE", .whole(16...(1 << 24), "a number of MiB from 16 up"), default: "4096",
        help: "Its size limit in MiB")
    var journalMaxSize: Setting<Int64>

    @OptionGroup var kafka: KafkaOptions

    @Option("KAFKA_TOPIC", default: "raw_sensor_data", help: "Topic of the raw readings")
    var rawTopic: Setting<String>

    @Option("TOPIC_CLEAN", default: "clean-data", help: "Topic of the clean readings")
    var cleanTopic: Setting<String>

    /// What was written, right or wrong: whoever opens the log says what is wrong with it.
    func isEngine(_ one: Engine) -> Bool { engine.text == one.rawValue }

    var topics: LogTopics {
        LogTopics(
            raw: rawTopic.text, clean: cleanTopic.text, prefix: isEngine(.kafka) ? kafka.prefix.text : "")
    }

    /// - Throws: `SettingError` for names that no cluster takes, and for two topics of one name: a pipeline would read what it
    ///   has written itself, without an end.
    func checkTopics() throws {
        for setting in [rawTopic, cleanTopic] where isEngine(.kafka) && !Self.isTopicName(setting.text) {
            throw setting.failure(
                "must be letters, digits, dots, dashes and underscores, at most 200, not \"\(setting.text)\"")
        }
        let own = topics
        if isEngine(.kafka), let long = own.all.first(where: { $0.utf8.count > 249 }) {
            throw kafka.prefix.failure(
                "must be shorter: \"\(long)\" has \(long.utf8.count) characters, and a topic at most 249")
        }
        for (setting, name, taken) in [
            (rawTopic, own.raw, [own.clean, own.commands]),
            (cleanTopic, own.clean, [own.raw, own.commands, own.deadLetter, own.held]),
        ] where taken.contains(name) {
            throw setting.failure("must be a name of its own: \"\(name)\" is another topic of the event log")
        }
    }

    private static func isTopicName(_ text: String) -> Bool {
        let isPlain = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "._-".utf8.contains(byte)
        }
        return isPlain && (1...200).contains(text.utf8.count) && text != "." && text != ".."
    }
}

struct InfluxOptions: ParsableArguments {
    enum API: String { case v1, v2, v3 }

    @Option("INFLUX_URL", default: "http://influxdb-svc:8086")
    var url: Setting<String>

    @Option("INFLUX_API", .word("v1, v2 or v3"), default: "v2", help: "v1, v2 or v3")
    var api: Setting<API>

    @Option("INFLUX_TOKEN", help: "Prefer the file")
    var token: Setting<String>

    @Option("INFLUX_TOKEN_FILE", help: "File with the token")
    var tokenFile: Setting<String>

    @Option("INFLUX_CA_FILE", help: "CA to trust for https, PEM")
    var caFile: Setting<String>

    @Option("INFLUX_USERNAME", help: "User of the v1 API")
    var username: Setting<String>

    @Option("INFLUX_PASSWORD_FILE", help: "File with its password")
    var passwordFile: Setting<String>

    @Option("INFLUX_ORG", default: "cloud")
    var organization: Setting<String>

    @Option("INFLUX_BUCKET", help: "Bucket of a single service")
    var bucket: Setting<String>

    @Option("INFLUX_BUCKET_RAW", default: "raw")
    var rawBucket: Setting<String>

    @Option("INFLUX_BUCKET_CLEAN", default: "clean")
    var cleanBucket: Setting<String>

    @Option("INFLUX_BUCKET_AGGREGATE", default: "aggregate")
    var aggregateBucket: Setting<String>

    var buckets: [String] { [rawBucket.text, cleanBucket.text, aggregateBucket.text] }

    /// Writer settings for one bucket.
    func settings(bucket name: String) throws -> InfluxSettings {
        if let problem = InfluxSettings.problem(ofAddress: url.text) { throw url.failure("cannot be used: \(problem)") }
        var settings = InfluxSettings(url: url.text, target: try target(name))
        let options = self
        settings.renewed = { try? options.target(name) }
        if let file = caFile.given {
            guard FileManager.default.isReadableFile(atPath: file) else {
                throw caFile.failure("\(file) cannot be read; mount the certificate there")
            }
            settings.caFile = file
        }
        return settings
    }

    private func target(_ name: String) throws -> InfluxSettings.Target {
        switch try api.value {
        case .v1:
            guard (username.given == nil) == (passwordFile.given == nil) else {
                throw SettingError("INFLUX_USERNAME and INFLUX_PASSWORD_FILE go together")
            }
            return .v1(database: name, username: username.given, password: try secret(passwordFile))
        case .v2:
            return .v2(organization: organization.text, bucket: name, token: try readToken(for: .v2))
        case .v3:
            return .v3(database: name, token: try readToken(for: .v3))
        }
    }

    /// The text of the file that a setting names; nil where it names none.
    private func secret(_ setting: Setting<String>) throws -> String? {
        guard let file = setting.given else { return nil }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw setting.failure("\(file) cannot be read; mount the secret there")
        }
        // Nor is an editor's mark of the encoding part of it.
        let secret = text.trimmingCharacters(in: .whitespacesAndNewlines.union(["\u{FEFF}"]))
        guard !secret.isEmpty else { throw setting.failure("\(file) is empty; put the secret into it") }
        return secret
    }

    private func readToken(for api: API) throws -> String {
        if username.given != nil {
            throw SettingError("INFLUX_USERNAME is for INFLUX_API=v1; \(api) has INFLUX_TOKEN_FILE")
        }
        guard let token = try secret(tokenFile) ?? token.given else {
            throw SettingError("the \(api) API needs INFLUX_TOKEN_FILE (or INFLUX_TOKEN)")
        }
        return token
    }
}
