import ArgumentParser
import Foundation
import Heating
import Influx
import MQTT

/// Defaults from the environment: every setting of `hearth-cloud` is a flag and an environment variable, and the flag
/// wins. Secrets come from files.
enum Variable {
    static func text(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    static func text(_ name: String, _ fallback: String) -> String { text(name) ?? fallback }
}

/// A setting that cannot be used, with what to do about it.
struct SettingError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

struct LogOptions: ParsableArguments {
    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning or error (LOG_LEVEL).")
    var level = Variable.text("LOG_LEVEL", "info")
}

struct HTTPOptions: ParsableArguments {
    @Option(name: .customLong("http-port"), help: "Port of /healthz, /readyz and /metrics; 0: none (HTTP_PORT).")
    var port = Variable.text("HTTP_PORT", "8080")

    func number() throws -> UInt16 {
        guard let number = UInt16(port) else { throw SettingError("HTTP_PORT must be a port number, not \"\(port)\"") }
        return number
    }
}

struct BrokerOptions: ParsableArguments {
    @Option(name: .customLong("mqtt-host"), help: "The cloud broker (MQTT_HOST).")
    var host = Variable.text("MQTT_HOST", "127.0.0.1")

    @Option(name: .customLong("mqtt-port"), help: "Its port (MQTT_PORT).")
    var port = Variable.text("MQTT_PORT", "1884")

    @Option(name: .customLong("mqtt-protocol"), help: "MQTT version: auto, 5 or 3.1.1 (MQTT_PROTOCOL).")
    var protocolName = Variable.text("MQTT_PROTOCOL", "auto")

    @Option(name: .customLong("mqtt-username"), help: "(MQTT_USERNAME)")
    var usernameFlag: String?
    var username: String? { usernameFlag ?? Variable.text("MQTT_USERNAME") }

    @Option(name: .customLong("mqtt-password-file"), help: "File with the password (MQTT_PASSWORD_FILE).")
    var passwordFileFlag: String?
    var passwordFile: String? { passwordFileFlag ?? Variable.text("MQTT_PASSWORD_FILE") }

    @Option(name: .customLong("mqtt-ca-file"), help: "CA to trust; turns TLS on (MQTT_CA_FILE).")
    var caFileFlag: String?
    var caFile: String? { caFileFlag ?? Variable.text("MQTT_CA_FILE") }

    @Option(name: .customLong("mqtt-cert-file"), help: "Client certificate (MQTT_CERT_FILE).")
    var certificateFileFlag: String?
    var certificateFile: String? { certificateFileFlag ?? Variable.text("MQTT_CERT_FILE") }

    @Option(name: .customLong("mqtt-key-file"), help: "Its key (MQTT_KEY_FILE).")
    var keyFileFlag: String?
    var keyFile: String? { keyFileFlag ?? Variable.text("MQTT_KEY_FILE") }

    @Option(
        name: .customLong("mqtt-client-id"),
        help:
            "Stable per replica: the broker keeps this client's session (MQTT_CLIENT_ID; default: one that cannot be guessed)."
    )
    var clientIDFlag: String?
    var clientID: String? { clientIDFlag ?? Variable.text("MQTT_CLIENT_ID") }

    @Option(
        name: .customLong("mqtt-session-expiry"),
        help: "Seconds for which the broker keeps the session of a client that is gone (MQTT_SESSION_EXPIRY).")
    var sessionExpiry = Variable.text("MQTT_SESSION_EXPIRY", "3600")

    /// Whether somebody has said where the broker is; for services that can do without one.
    var isGiven: Bool {
        Variable.text("MQTT_HOST") != nil || Variable.text("MQTT_PORT") != nil || host != "127.0.0.1" || port != "1884"
    }

    /// Connection settings for a service of this role.
    func settings(role: String) throws -> ConnectionSettings {
        guard let port = Int(port), (1...65535).contains(port) else {
            throw SettingError("MQTT_PORT must be a port number, not \"\(port)\"")
        }
        guard (certificateFile == nil) == (keyFile == nil) else {
            throw SettingError("MQTT_CERT_FILE and MQTT_KEY_FILE go together")
        }
        guard let expiry = UInt32(sessionExpiry), expiry <= 30 * 86_400 else {
            throw SettingError("MQTT_SESSION_EXPIRY must be 0 to 2592000 seconds, not \"\(sessionExpiry)\"")
        }
        guard let policy = ProtocolPolicy(rawValue: protocolName) else {
            throw SettingError("MQTT_PROTOCOL must be auto, 5 or 3.1.1, not \"\(protocolName)\"")
        }
        if let problem = BrokerAddress.problem(self.host, portKey: "MQTT_PORT") {
            throw SettingError("MQTT_HOST \(problem)")
        }
        if certificateFile != nil, caFile == nil { throw SettingError("a client certificate needs MQTT_CA_FILE") }
        let host = ProcessInfo.processInfo.hostName
        var settings = ConnectionSettings(
            host: self.host, port: port, clientID: clientID ?? "hearth-\(role)-\(host)")
        settings.sessionExpiry = expiry
        settings.protocolPolicy = policy
        settings.username = username
        settings.passwordFile = passwordFile
        settings.tls = caFile.map { TLS(caFile: $0, certificateFile: certificateFile, keyFile: keyFile) }
        return settings
    }
}

struct EventLogOptions: ParsableArguments {
    @Option(name: .customLong("event-log"), help: "journal (one machine) or kafka (EVENT_LOG).")
    var engine = Variable.text("EVENT_LOG", "journal")

    @Option(name: .customLong("journal-path"), help: "The embedded log's file (JOURNAL_PATH).")
    var journalPath = Variable.text("JOURNAL_PATH", "/var/lib/hearth/events.sqlite")

    @Option(name: .customLong("journal-max-size"), help: "Its size limit in MiB (JOURNAL_MAX_SIZE).")
    var journalMaxSize = Variable.text("JOURNAL_MAX_SIZE", "4096")

    @OptionGroup var kafka: KafkaOptions

    @Option(name: .customLong("kafka-topic"), help: "Topic of the raw readings (KAFKA_TOPIC).")
    var rawTopic = Variable.text("KAFKA_TOPIC", "raw_sensor_data")

    @Option(name: .customLong("topic-clean"), help: "Topic of the clean readings (TOPIC_CLEAN).")
    var cleanTopic = Variable.text("TOPIC_CLEAN", "clean-data")

    var topics: LogTopics {
        LogTopics(raw: rawTopic, clean: cleanTopic, prefix: engine == "kafka" ? kafka.prefix : "")
    }
}

struct InfluxOptions: ParsableArguments {
    @Option(name: .customLong("influx-url"), help: "(INFLUX_URL)")
    var url = Variable.text("INFLUX_URL", "http://influxdb-svc:8086")

    @Option(name: .customLong("influx-api"), help: "v1, v2 or v3 (INFLUX_API).")
    var api = Variable.text("INFLUX_API", "v2")

    @Option(name: .customLong("influx-token"), help: "Prefer the file (INFLUX_TOKEN).")
    var tokenFlag: String?
    var token: String? { tokenFlag ?? Variable.text("INFLUX_TOKEN") }

    @Option(name: .customLong("influx-token-file"), help: "File with the token (INFLUX_TOKEN_FILE).")
    var tokenFileFlag: String?
    var tokenFile: String? { tokenFileFlag ?? Variable.text("INFLUX_TOKEN_FILE") }

    @Option(name: .customLong("influx-ca-file"), help: "CA to trust for https, PEM (INFLUX_CA_FILE).")
    var caFileFlag: String?
    var caFile: String? { caFileFlag ?? Variable.text("INFLUX_CA_FILE") }

    @Option(name: .customLong("influx-username"), help: "User of the v1 API (INFLUX_USERNAME).")
    var usernameFlag: String?
    var username: String? { usernameFlag ?? Variable.text("INFLUX_USERNAME") }

    @Option(name: .customLong("influx-password-file"), help: "File with its password (INFLUX_PASSWORD_FILE).")
    var passwordFileFlag: String?
    var passwordFile: String? { passwordFileFlag ?? Variable.text("INFLUX_PASSWORD_FILE") }

    @Option(name: .customLong("influx-org"), help: "(INFLUX_ORG)")
    var organization = Variable.text("INFLUX_ORG", "cloud")

    @Option(name: .customLong("influx-bucket"), help: "Bucket of a single service (INFLUX_BUCKET).")
    var bucketFlag: String?
    var bucket: String? { bucketFlag ?? Variable.text("INFLUX_BUCKET") }

    @Option(name: .customLong("influx-bucket-raw"), help: "(INFLUX_BUCKET_RAW)")
    var rawBucket = Variable.text("INFLUX_BUCKET_RAW", "raw")

    @Option(name: .customLong("influx-bucket-clean"), help: "(INFLUX_BUCKET_CLEAN)")
    var cleanBucket = Variable.text("INFLUX_BUCKET_CLEAN", "clean")

    @Option(name: .customLong("influx-bucket-aggregate"), help: "(INFLUX_BUCKET_AGGREGATE)")
    var aggregateBucket = Variable.text("INFLUX_BUCKET_AGGREGATE", "aggregate")

    /// Writer settings for one bucket.
    func settings(bucket name: String) throws -> InfluxSettings {
        var settings = InfluxSettings(url: url, target: try target(name))
        if let caFile {
            guard FileManager.default.isReadableFile(atPath: caFile) else {
                throw SettingError("INFLUX_CA_FILE \(caFile) cannot be read; mount the certificate there")
            }
            settings.caFile = caFile
        }
        return settings
    }

    private func target(_ name: String) throws -> InfluxSettings.Target {
        switch api {
        case "v1":
            guard (username == nil) == (passwordFile == nil) else {
                throw SettingError("INFLUX_USERNAME and INFLUX_PASSWORD_FILE go together")
            }
            let password = try passwordFile.map { try Self.secret($0, "INFLUX_PASSWORD_FILE") }
            return .v1(database: name, username: username, password: password)
        case "v2":
            if username != nil { throw SettingError("INFLUX_USERNAME is for INFLUX_API=v1; v2 has INFLUX_TOKEN_FILE") }
            return .v2(organization: organization, bucket: name, token: try readToken())
        case "v3":
            if username != nil { throw SettingError("INFLUX_USERNAME is for INFLUX_API=v1; v3 has INFLUX_TOKEN_FILE") }
            return .v3(database: name, token: try readToken())
        default: throw SettingError("INFLUX_API must be v1, v2 or v3, not \"\(api)\"")
        }
    }

    private static func secret(_ file: String, _ variable: String) throws -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw SettingError("\(variable) \(file) cannot be read; mount the secret there")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func readToken() throws -> String {
        if let tokenFile {
            return try Self.secret(tokenFile, "INFLUX_TOKEN_FILE")
        }
        guard let token else { throw SettingError("the \(api) API needs INFLUX_TOKEN_FILE (or INFLUX_TOKEN)") }
        return token
    }
}
