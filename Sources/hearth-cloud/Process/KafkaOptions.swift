import ArgumentParser
import EventLog
import Foundation

/// How to reach a Kafka cluster, and as whom.
struct KafkaOptions: ParsableArguments {
    @Option(
        "KAFKA_HOST", .servers, default: "kafka-svc:9092",
        help: "Kafka bootstrap servers, host:port with commas between")
    var host: Setting<String>

    @Option(
        "KAFKA_SESSION_TIMEOUT", .whole(6...1800, "6 to 1800 seconds, as brokers accept by default"), default: "45",
        help: "Seconds without a sign of life until a service's partitions go to others")
    var sessionTimeout: Setting<Int64>

    @Option(
        "KAFKA_INSTANCE",
        help:
            "A name that stays with this replica across restarts (the pod's name in a StatefulSet), so that a quick restart moves no partitions"
    )
    var instance: Setting<String>

    @Option("KAFKA_RACK", help: "Where this replica runs, to fetch from a broker nearby; the brokers' broker.rack")
    var rack: Setting<String>

    @Option(
        "KAFKA_PREFIX", .topicPrefix,
        help: "Before the name of every topic and group, for a cluster that others use too")
    var prefix: Setting<String>

    @Option(
        "KAFKA_COMPRESSION",
        .oneOf(["none", "gzip", "snappy", "lz4", "zstd"], "none, gzip, snappy, lz4 or zstd"), default: "lz4",
        help: "none, gzip, snappy, lz4 or zstd; kafka-python without further packages reads gzip and none")
    var compression: Setting<String>

    @Option(
        "KAFKA_SECURITY_PROTOCOL",
        help:
            "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; default by what is given: TLS with a CA or a mechanism, SASL with a mechanism"
    )
    var securityProtocol: Setting<String>

    @Option("KAFKA_CA_FILE", help: "CA to trust, PEM; default the system's")
    var caFile: Setting<String>

    @Option("KAFKA_CERT_FILE", help: "Client certificate, PEM")
    var certificateFile: Setting<String>

    @Option("KAFKA_KEY_FILE", help: "Its key")
    var keyFile: Setting<String>

    @Option("KAFKA_KEY_PASSWORD_FILE", help: "File with the key's password")
    var keyPasswordFile: Setting<String>

    @Option("KAFKA_SASL_MECHANISM", help: "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI")
    var mechanism: Setting<String>

    @Option("KAFKA_USERNAME", help: "Of PLAIN and SCRAM")
    var username: Setting<String>

    @Option("KAFKA_PASSWORD_FILE", help: "File with its password")
    var passwordFile: Setting<String>

    @Option("KAFKA_TOKEN_FILE", help: "File with the token of OAUTHBEARER, read again every few minutes")
    var tokenFile: Setting<String>

    @Option(
        "KAFKA_PROPERTIES_FILE",
        help: "Further librdkafka properties, name=value a line; what would break a promise is refused")
    var propertiesFile: Setting<String>

    private func access(_ setting: KafkaAccess.Setting) -> Setting<String> {
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
        var settings = KafkaSettings(bootstrap: try host.value, clientID: "hearth-\(role)")
        settings.sessionTimeout = .seconds(try sessionTimeout.value)
        settings.compression = try compression.value
        _ = try prefix.value
        settings.rack = rack.given
        settings.access = try KafkaAccess(
            { access($0).given }, contents: { try? String(contentsOfFile: $0, encoding: .utf8) })
        return settings
    }
}
