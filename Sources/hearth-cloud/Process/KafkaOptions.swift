import ArgumentParser
import EventLog
import Foundation

/// How to reach a Kafka cluster, and as whom.
struct KafkaOptions: ParsableArguments {
    @Option(name: .customLong("kafka-host"), help: "Kafka bootstrap servers (KAFKA_HOST).")
    var host = Variable.text("KAFKA_HOST", "kafka-svc:9092")

    @Option(
        name: .customLong("kafka-session-timeout"),
        help: "Seconds without a sign of life until a service's partitions go to others (KAFKA_SESSION_TIMEOUT).")
    var sessionTimeout = Variable.text("KAFKA_SESSION_TIMEOUT", "45")

    @Option(
        name: .customLong("kafka-instance"),
        help:
            "A name that stays with this replica across restarts (the pod's name in a StatefulSet), so that a quick restart moves no partitions (KAFKA_INSTANCE)."
    )
    var instanceFlag: String?
    var instance: String? { instanceFlag ?? Variable.text("KAFKA_INSTANCE") }

    @Option(
        name: .customLong("kafka-rack"),
        help: "Where this replica runs, to fetch from a broker nearby; the brokers' broker.rack (KAFKA_RACK).")
    var rackFlag: String?
    var rack: String? { rackFlag ?? Variable.text("KAFKA_RACK") }

    @Option(
        name: .customLong("kafka-prefix"),
        help: "Before the name of every topic and group, for a cluster that others use too (KAFKA_PREFIX).")
    var prefix = Variable.text("KAFKA_PREFIX", "")

    @Option(
        name: .customLong("kafka-compression"),
        help:
            "none, gzip, snappy, lz4 or zstd; kafka-python without further packages reads gzip and none (KAFKA_COMPRESSION)."
    )
    var compression = Variable.text("KAFKA_COMPRESSION", "lz4")

    @Option(
        name: .customLong("kafka-security-protocol"),
        help:
            "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; default by what is given: TLS with a CA or a mechanism, SASL with a mechanism (KAFKA_SECURITY_PROTOCOL)."
    )
    var securityProtocol: String?

    @Option(name: .customLong("kafka-ca-file"), help: "CA to trust, PEM; default the system's (KAFKA_CA_FILE).")
    var caFile: String?

    @Option(name: .customLong("kafka-cert-file"), help: "Client certificate, PEM (KAFKA_CERT_FILE).")
    var certificateFile: String?

    @Option(name: .customLong("kafka-key-file"), help: "Its key (KAFKA_KEY_FILE).")
    var keyFile: String?

    @Option(
        name: .customLong("kafka-key-password-file"), help: "File with the key's password (KAFKA_KEY_PASSWORD_FILE).")
    var keyPasswordFile: String?

    @Option(
        name: .customLong("kafka-sasl-mechanism"),
        help: "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI (KAFKA_SASL_MECHANISM).")
    var mechanism: String?

    @Option(name: .customLong("kafka-username"), help: "Of PLAIN and SCRAM (KAFKA_USERNAME).")
    var username: String?

    @Option(name: .customLong("kafka-password-file"), help: "File with its password (KAFKA_PASSWORD_FILE).")
    var passwordFile: String?

    @Option(
        name: .customLong("kafka-token-file"),
        help: "File with the token of OAUTHBEARER, read again every few minutes (KAFKA_TOKEN_FILE).")
    var tokenFile: String?

    @Option(
        name: .customLong("kafka-properties-file"),
        help:
            "Further librdkafka properties, name=value a line; what would break a promise is refused (KAFKA_PROPERTIES_FILE)."
    )
    var propertiesFile: String?

    private func flag(_ setting: KafkaAccess.Setting) -> String? {
        switch setting {
        case .securityProtocol: securityProtocol
        case .caFile: caFile
        case .certificateFile: certificateFile
        case .keyFile: keyFile
        case .keyPasswordFile: keyPasswordFile
        case .mechanism: mechanism
        case .username: username
        case .passwordFile: passwordFile
        case .tokenFile: tokenFile
        case .propertiesFile: propertiesFile
        }
    }

    /// - Parameter role: part of the client's id in the brokers' logs, metrics and quotas.
    func settings(role: String) throws -> KafkaSettings {
        guard let timeout = Int64(sessionTimeout), (6...1800).contains(timeout) else {
            throw SettingError("KAFKA_SESSION_TIMEOUT must be 6 to 1800 seconds, as brokers accept by default")
        }
        guard ["none", "gzip", "snappy", "lz4", "zstd"].contains(compression) else {
            throw SettingError("KAFKA_COMPRESSION must be none, gzip, snappy, lz4 or zstd, not \"\(compression)\"")
        }
        let isPlain = prefix.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || "._-".utf8.contains(byte)
        }
        guard isPlain, prefix.utf8.count <= 100 else {
            throw SettingError("KAFKA_PREFIX must be letters, digits, dots, dashes and underscores, at most 100")
        }
        var settings = KafkaSettings(bootstrap: host, clientID: "hearth-\(role)")
        settings.sessionTimeout = .seconds(timeout)
        settings.compression = compression
        settings.rack = rack
        settings.access = try KafkaAccess(
            { flag($0) ?? Variable.text($0.rawValue) },
            contents: { try? String(contentsOfFile: $0, encoding: .utf8) })
        return settings
    }
}
