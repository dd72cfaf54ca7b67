/// How to reach a Kafka cluster and what to expect of it.
public struct KafkaSettings: Sendable, Equatable {
    /// Bootstrap servers, `host:port` separated by commas. One that answers is enough.
    public var bootstrap: String
    /// Names this program in the brokers' logs, metrics and quotas.
    public var clientID: String
    /// How long an append or a commit may wait for the brokers, retries included. At least a second.
    public var appendTimeout: Duration = .seconds(20)
    /// How long the producer waits for company before it sends. Adds to every append.
    public var linger: Duration = .milliseconds(5)
    /// Without a heartbeat for so long, a reader's partitions go to others. A reader with an instance name that is
    /// back sooner gets its own. Brokers accept 6 s to 30 min by default.
    public var sessionTimeout: Duration = .seconds(45)
    /// A reader that does not read for so long loses its partitions.
    public var maxPollInterval: Duration = .seconds(300)
    /// A partition that has events and delivers none for twice so long has its consumer replaced.
    public var stallTimeout: Duration = .seconds(30)
    /// Bound on what one reader fetches ahead, KiB. Back-pressure: nothing more is fetched until it is read.
    public var prefetchKilobytes = 8_192
    /// Largest event, key, value and headers together. Topics need `max.message.bytes` of at least this.
    public var maxEventBytes = 1_000_000
    /// How events travel and lie: `none`, `gzip`, `snappy`, `lz4` or `zstd`. Readers unpack it by themselves, as far as
    /// they know it: kafka-python without further packages reads gzip and none.
    public var compression = "lz4"
    /// Where this program runs, for brokers that let a reader fetch from a replica nearby (KIP-392).
    public var rack: String?
    /// TLS, SASL and further librdkafka properties, applied last.
    public var access = KafkaAccess()

    public init(bootstrap: String, clientID: String = "hearth") {
        self.bootstrap = bootstrap
        self.clientID = clientID
    }
}

extension KafkaSettings {
    /// https://github.com/confluentinc/librdkafka/blob/v2.0.2/CONFIGURATION.md
    private var common: [(name: String, value: String)] {
        [
            ("bootstrap.servers", bootstrap),
            ("client.id", clientID),
            ("socket.keepalive.enable", "true"),
            ("socket.nagle.disable", "true"),
            ("socket.timeout.ms", "15000"),
            ("reconnect.backoff.max.ms", "3000"),
            // A topic made after we asked for it is noticed within this time; the default is five minutes.
            ("topic.metadata.refresh.interval.ms", "10000"),
        ]
    }

    var producer: [(name: String, value: String)] {
        common + [
            // Implies acks=all, at most five requests in flight and endless retries until message.timeout.ms.
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("linger.ms", String(linger.milliseconds)),
            ("compression.type", compression),
            // The Java clients' partitioner: a key goes to the same partition whoever writes it.
            ("partitioner", "murmur2_random"),
            ("message.timeout.ms", String(appendTimeout.milliseconds)),
            ("request.timeout.ms", String(min(10_000, max(1, appendTimeout.milliseconds / 2)))),
            ("message.max.bytes", String(max(1_000_000, maxEventBytes))),
            ("queue.buffering.max.messages", "100000"),
            ("queue.buffering.max.kbytes", "65536"),
        ] + access.properties
    }

    func consumer(group: String, instance: String?) -> [(name: String, value: String)] {
        var list = common
        list += [
            ("group.id", group),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // The default, largest, would silently skip what retention or a new group has not read.
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_committed"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("session.timeout.ms", String(sessionTimeout.milliseconds)),
            ("heartbeat.interval.ms", String(min(3_000, max(1, sessionTimeout.milliseconds / 3)))),
            ("max.poll.interval.ms", String(max(maxPollInterval, sessionTimeout).milliseconds)),
            ("queued.max.messages.kbytes", String(prefetchKilobytes)),
            ("queued.min.messages", "5000"),
            ("fetch.message.max.bytes", "524288"),
            ("fetch.max.bytes", String(max(4_194_304, maxEventBytes + 65_536))),
            ("fetch.error.backoff.ms", "200"),
            // A broker should answer a waiting fetch when something arrives. librdkafka's mock and Tansu answer at the end of
            // the wait, whose default of 500 ms each reading would take. At rest it costs twenty small requests a second.
            ("fetch.wait.max.ms", "50"),
            // More than the half second between two searches for a group's coordinator. With the default of 100 ms a
            // commit that was refused with NOT_COORDINATOR is queued again before the new coordinator is found, is
            // thrown back when its address is set (rd_kafka_broker_fail), and declares it dead, for ever: seen in 2.0.2
            // whenever a coordinator moves.
            ("retry.backoff.ms", "1000"),
        ]
        if let instance { list.append(("group.instance.id", instance)) }
        if let rack { list.append(("client.rack", rack)) }
        return list + access.properties
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
