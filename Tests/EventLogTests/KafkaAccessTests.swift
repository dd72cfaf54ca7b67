import Testing

@testable import EventLog

/// What settings become of librdkafka's properties, and what is refused.
@Suite struct KafkaAccessTests {
    private typealias Setting = KafkaAccess.Setting

    /// Files by path.
    private static let files = [
        "ca": "-----", "cert": "-----", "key": "-----", "secret": "pass word \n", "empty": "\n", "token": "abc\n",
        "properties": "# batches\n batch.size = 50000 \n\nssl.endpoint.identification.algorithm=none\n",
        "windows": "\u{FEFF}batch.size=50000\r\nlinger.ms=1\r\n", "marked": "\u{FEFF}pass word\r\n",
        "kerberos": "sasl.kerberos.service.name=kafka\n",
    ]

    private func access(_ settings: [Setting: String]) throws(EventLogError) -> [String: String] {
        let access = try KafkaAccess({ settings[$0] }, contents: { Self.files[$0] })
        return Dictionary(uniqueKeysWithValues: access.properties)
    }

    private func refusal(_ settings: [Setting: String]) -> String {
        do throws(EventLogError) { _ = try access(settings) } catch {
            #expect(error.code == .settings)
            return error.message
        }
        return "taken"
    }

    @Test("what is given decides the layers; a password never goes over a plain connection unasked")
    func layers() throws {
        #expect(try access([:]) == ["security.protocol": "PLAINTEXT"])
        #expect(
            try access([.caFile: "ca"]) == ["security.protocol": "SSL", "ssl.ca.location": "ca"])
        let client = try access([.certificateFile: "cert", .keyFile: "key", .keyPasswordFile: "secret"])
        #expect(
            client == [
                "security.protocol": "SSL", "ssl.certificate.location": "cert", "ssl.key.location": "key",
                "ssl.key.password": "pass word ",
            ])
        let scram = try access([.mechanism: "scram-sha-512", .username: "ann", .passwordFile: "secret"])
        #expect(
            scram == [
                "security.protocol": "SASL_SSL", "sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": "ann",
                "sasl.password": "pass word ",
            ])
        let plain = try access([
            .securityProtocol: "sasl_plaintext", .mechanism: "PLAIN", .username: "ann", .passwordFile: "secret",
        ])
        #expect(plain["security.protocol"] == "SASL_PLAINTEXT")
        let kerberos = try access([.mechanism: "GSSAPI"])
        #expect(kerberos == ["security.protocol": "SASL_SSL", "sasl.mechanisms": "GSSAPI"])
    }

    @Test("the token stays in its file")
    func token() throws {
        let access = try KafkaAccess(
            { [.mechanism: "OAUTHBEARER", .tokenFile: "token"][$0] }, contents: { Self.files[$0] })
        #expect(access.tokenFile == "token")
        #expect(!access.properties.contains { $0.value.contains("abc") })
    }

    @Test("what does not fit together is refused by name")
    func refused() {
        #expect(refusal([.caFile: "missing"]).contains("KAFKA_CA_FILE missing"))
        #expect(refusal([.certificateFile: "cert"]).contains("KAFKA_KEY_FILE"))
        #expect(refusal([.username: "ann", .passwordFile: "secret"]).contains("KAFKA_SASL_MECHANISM"))
        #expect(refusal([.mechanism: "PLAIN", .username: "ann"]).contains("KAFKA_PASSWORD_FILE"))
        #expect(refusal([.mechanism: "PLAIN", .username: "ann", .passwordFile: "empty"]).contains("empty"))
        #expect(refusal([.mechanism: "AWS_MSK_IAM"]).contains("SCRAM-SHA-512"))
        #expect(refusal([.mechanism: "OAUTHBEARER"]).contains("KAFKA_TOKEN_FILE"))
        #expect(refusal([.mechanism: "GSSAPI", .username: "ann"]).contains("GSSAPI"))
        #expect(refusal([.securityProtocol: "TLS"]).contains("SASL_SSL"))
        // Nothing fails open: a CA that would not be used, a user that would not be asked for.
        #expect(refusal([.securityProtocol: "PLAINTEXT", .caFile: "ca"]).contains("KAFKA_CA_FILE"))
        #expect(
            refusal([.securityProtocol: "SSL", .mechanism: "PLAIN", .username: "a", .passwordFile: "secret"])
                .contains("KAFKA_SASL_MECHANISM"))
        #expect(refusal([.securityProtocol: "SASL_SSL"]).contains("KAFKA_SASL_MECHANISM"))
    }

    @Test("further properties come from a file")
    func properties() throws {
        let found = try access([.propertiesFile: "properties", .caFile: "ca"])
        #expect(found["batch.size"] == "50000" && found["ssl.endpoint.identification.algorithm"] == "none")
        let windows = try access([.propertiesFile: "windows"])
        #expect(windows["batch.size"] == "50000" && windows["linger.ms"] == "1")
    }

    @Test("of a secret's file neither line end nor the mark of its encoding is part of it")
    func secrets() throws {
        for file in ["secret", "marked"] {
            let found = try access([.mechanism: "PLAIN", .username: "a,b=c", .passwordFile: file])
            #expect(found["sasl.password"]?.hasPrefix("pass word") == true && found["sasl.username"] == "a,b=c")
        }
    }

    @Test("a property of TLS or SASL that would not be used is refused, and one that would take any certificate")
    func layersOfProperties() throws {
        #expect(refusal([.propertiesFile: "properties"]).contains("KAFKA_SECURITY_PROTOCOL=SSL"))
        #expect(refusal([.propertiesFile: "properties", .securityProtocol: "SSL"]).contains("KAFKA_CA_FILE"))
        #expect(refusal([.propertiesFile: "kerberos", .caFile: "ca"]).contains("KAFKA_SASL_MECHANISM"))
        #expect(
            try access([.propertiesFile: "kerberos", .mechanism: "GSSAPI"])["sasl.kerberos.service.name"] == "kafka")
    }

    @Test(
        "librdkafka takes a topic's property with `topic.` before it too, so that is refused as well",
        arguments: [
            "acks", "partitioner", "message.timeout.ms", "enable.auto.commit", "auto.offset.reset", "compression.type",
        ])
    func prefixed(_ name: String) {
        #expect(throws: EventLogError.self) { try KafkaProperties.parse("topic.\(name)=x", path: "p") }
    }

    @Test(
        "a property that would break a promise is refused by name, with its line and reason",
        arguments: KafkaProperties.refused.flatMap(\.names) + ["enable.ssl.certificate.verification"])
    func promises(_ name: String) {
        let error = #expect(throws: EventLogError.self) {
            try KafkaProperties.parse("linger.ms=1\n\(name)=secret", path: "/etc/kafka")
        }
        #expect(error?.message.contains("/etc/kafka, line 2: \(name)") == true)
        #expect(error?.message.contains("secret") == false)
        #expect(error?.code == .settings && error?.isTransient == false)
    }

    @Test(
        "what the engine itself sets is either refused or harmless to change",
        arguments: KafkaSettings(bootstrap: "b").producer.map(\.name)
            + KafkaSettings(bootstrap: "b").consumer(group: "g", instance: "i").map(\.name))
    func decided(_ name: String) {
        // Times and sizes, and how the group divides partitions (KafkaReader takes either protocol).
        let free = [
            "client.id", "socket.keepalive.enable", "socket.nagle.disable", "socket.timeout.ms",
            "reconnect.backoff.max.ms", "topic.metadata.refresh.interval.ms", "linger.ms",
            "queue.buffering.max.messages",
            "queue.buffering.max.kbytes", "partition.assignment.strategy", "heartbeat.interval.ms",
            "max.poll.interval.ms",
            "queued.max.messages.kbytes", "queued.min.messages", "fetch.message.max.bytes", "fetch.max.bytes",
            "fetch.error.backoff.ms", "fetch.wait.max.ms", "retry.backoff.ms",
        ]
        #expect((KafkaProperties.refusal(of: name) == nil) == free.contains(name))
    }

    @Test("a property twice, a line without a value and a back-off that loses commits are refused")
    func malformed() {
        for text in [
            "linger.ms=1\nlinger.ms=2", "linger.ms", "=1", "retry.backoff.ms=100", "linger.ms=1\r\nacks=0",
            "linger.ms=1\racks=0", "topic.metadata.refresh.interval.ms=-1",
        ] {
            #expect(throws: EventLogError.self, "\(text)") { try KafkaProperties.parse(text, path: "p") }
        }
        #expect(throws: Never.self) { try KafkaProperties.parse("retry.backoff.ms=600\r\n", path: "p") }
    }

    @Test("librdkafka's sentences lead to the setting")
    func causes() {
        let sentences = [
            "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker": "KAFKA_CA_FILE",
            "Disconnected while requesting ApiVersion: might be caused by incorrect security.protocol configuration "
                + "(connecting to a SSL listener?)": "KAFKA_CA_FILE",
            "SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?": "without SSL",
            "Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required": "KAFKA_CERT_FILE",
            "Receive failed: error:0A000418:SSL routines::tlsv1 alert unknown ca": "KAFKA_CERT_FILE",
            "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: X":
                "KAFKA_SASL_MECHANISM",
            "SASL authentication error: Authentication failed": "KAFKA_PASSWORD_FILE",
            "Disconnected: verify that security.protocol is correctly configured, broker might require SASL authentication":
                "KAFKA_SASL_MECHANISM",
            "Failed to resolve 'kafka-typo:9092': Name or service not known": "KAFKA_HOST",
            "Connect to ipv4#127.0.0.1:1 failed: Connection refused": "KAFKA_HOST",
        ]
        for (sentence, setting) in sentences {
            #expect(BrokerComplaints.cause(sentence)?.contains(setting) == true, "\(sentence)")
        }
        #expect(BrokerComplaints.cause("Disconnected (after 4ms in state UP)") == nil)
    }

    @Test("a complaint is told once a minute and forgotten after that")
    func complaints() {
        let complaints = BrokerComplaints()
        let minute = BrokerComplaints.memory
        let (first, second) = (
            "b:1: Connection refused (after 4ms in state CONNECT)",
            "b:2: Connection refused (after 9ms in state CONNECT)"
        )
        #expect(complaints.isNews(first, now: 0))
        #expect(!complaints.isNews(second, now: minute - 1))
        #expect(complaints.isNews(first, now: minute))
        complaints.add(first, now: 0)
        complaints.add(second, now: minute - 1)
        complaints.add("b:2: Send failed: Broken pipe", now: minute)
        #expect(complaints.latest(now: minute)?.hasPrefix("b:2: Connection refused: nothing listens there") == true)
        #expect(complaints.latest(now: 2 * minute - 1) == "b:2: Send failed: Broken pipe")
        #expect(complaints.latest(now: 3 * minute) == nil)
        complaints.add(first, now: 3 * minute)
        complaints.clear()
        #expect(complaints.latest(now: 3 * minute) == nil)
    }
}
