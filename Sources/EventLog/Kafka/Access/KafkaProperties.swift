/// Further librdkafka properties from a file, one `name=value` a line, `#` for comments.
///
/// Some are refused by name, with librdkafka's `topic.` before it too: what would break a promise of this program, and what has a
/// setting of its own.
/// https://github.com/confluentinc/librdkafka/blob/v2.0.2/CONFIGURATION.md
enum KafkaProperties {
    /// - Throws: `settings`, with file, line and reason. Never shows a value, which may be a secret.
    static func parse(_ text: String, path: String) throws(EventLogError) -> [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        // A line end of two characters is one newline, and an editor's mark of the encoding no part of a name.
        let lines = text.drop { $0 == "\u{FEFF}" }.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let place = "\(path), line \(index + 1)"
            guard let equals = line.firstIndex(of: "="), equals != line.startIndex else {
                throw EventLogError(.settings, "\(place): name=value is expected.")
            }
            let name = String(trimmed(line[..<equals]))
            let value = String(trimmed(line[line.index(after: equals)...]))
            if let reason = refusal(of: name) {
                throw EventLogError(.settings, "\(place): \(name) cannot be set: \(reason). Take the line away.")
            }
            if let reason = refusal(of: name, value: value) {
                throw EventLogError(.settings, "\(place): \(name) \(reason).")
            }
            if found.contains(where: { $0.name == name }) {
                throw EventLogError(.settings, "\(place): \(name) is there twice. Take one line away.")
            }
            found.append((name, value))
        }
        return found
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return text
    }

    /// Why a property cannot be given; nil if it can.
    static func refusal(of name: String) -> String? {
        let names = [name, name.hasPrefix("topic.") ? String(name.dropFirst("topic.".count)) : name]
        return refused.first { $0.names.contains(where: names.contains) }?.reason
    }

    /// Why it cannot have this value, as goes on after its name; nil if it can.
    private static func refusal(of name: String, value: String) -> String? {
        switch name {
        case "retry.backoff.ms" where (Int(value) ?? 0) < 600:
            "must be 600 or more: sooner than the group's coordinator is looked for, a commit is lost for ever when it "
                + "moves. Raise it"
        case "enable.ssl.certificate.verification" where value != "true":
            "cannot be turned off: whoever answers could confirm readings and throw them away. Name the cluster's "
                + "authority in KAFKA_CA_FILE"
        case "topic.metadata.refresh.interval.ms" where (Int(value) ?? 0) < 1:
            "must be 1 or more: partitions that are added would be read by nobody. Raise it"
        default: nil
        }
    }

    /// By what each would break.
    static let refused: [(names: [String], reason: String)] =
        [
            (
                ["acks", "request.required.acks"],
                "a home may forget a reading only after all in-sync replicas have it"
            ),
            (
                ["enable.idempotence"],
                "without it a retry may store a home's readings out of their order"
            ),
            (
                ["retries", "message.send.max.retries", "max.in.flight", "max.in.flight.requests.per.connection"],
                "the idempotent producer decides it"
            ),
            (
                ["message.timeout.ms", "delivery.timeout.ms", "request.timeout.ms", "request.required.timeout.ms"],
                "an append has to be answered within its own time, or the producer is thrown away"
            ),
            (
                ["delivery.report.only.error", "dr_cb", "dr_msg_cb", "enabled_events"],
                "an append waits for the report of each of its events"
            ),
            (
                ["partitioner", "partitioner_cb", "queuing.strategy", "message.max.bytes"],
                "it decides whether and in which order a home's readings arrive"
            ),
            (
                ["transactional.id"],
                "appends are no transactions, and every one would fail"
            ),
            (
                ["enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store"],
                "a pipeline commits what is in the database, and nothing else"
            ),
            (
                ["auto.offset.reset", "topic.auto.offset.reset"],
                "a new group, or one that retention has overtaken, would pass over readings"
            ),
            (
                ["offset.store.method", "offset.store.path", "offset.store.sync.interval.ms"],
                "offsets belong to the group, for whichever replica comes next"
            ),
            (
                ["isolation.level"],
                "what a producer took back would become points"
            ),
            (
                ["group.protocol.type", "topic.blacklist"],
                "a pipeline would read nothing"
            ),
            (
                ["enable.gapless.guarantee", "api.version.request"],
                "the producer would be thrown away for every home because of one event, or of what it does not know of the brokers"
            ),
            (
                ["log.queue"],
                "what is wrong with a broker would be told to nobody"
            ),
            (
                ["enable.partition.eof", "default_topic_conf", "opaque"],
                "the program sets it where it needs it"
            ),
            (
                ["test.mock.num.brokers"],
                "readings would go to a pretended cluster in this process's memory"
            ),
            (
                ["sasl.oauthbearer.config", "enable.sasl.oauthbearer.unsecure.jwt", "sasl.oauthbearer.method"],
                "the token comes from KAFKA_TOKEN_FILE"
            ),
        ] + own.map { ([$0.key], "it has a setting of its own, \($0.value)") }

    /// Settings of this program that are librdkafka's too.
    private static let own = [
        "bootstrap.servers": "KAFKA_HOST", "metadata.broker.list": "KAFKA_HOST",
        "security.protocol": "KAFKA_SECURITY_PROTOCOL", "ssl.ca.location": "KAFKA_CA_FILE",
        "ssl.certificate.location": "KAFKA_CERT_FILE", "ssl.key.location": "KAFKA_KEY_FILE",
        "ssl.key.password": "KAFKA_KEY_PASSWORD_FILE", "sasl.mechanism": "KAFKA_SASL_MECHANISM",
        "sasl.mechanisms": "KAFKA_SASL_MECHANISM", "sasl.username": "KAFKA_USERNAME",
        "sasl.password": "KAFKA_PASSWORD_FILE", "compression.type": "KAFKA_COMPRESSION",
        "compression.codec": "KAFKA_COMPRESSION", "client.rack": "KAFKA_RACK", "group.instance.id": "KAFKA_INSTANCE",
        "session.timeout.ms": "KAFKA_SESSION_TIMEOUT", "group.id": "KAFKA_PREFIX",
    ]
}
