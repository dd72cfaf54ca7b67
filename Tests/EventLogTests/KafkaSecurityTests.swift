import Foundation
import TestSupport
import Testing

@testable import EventLog

/// The engine over TLS, client certificates and SASL: librdkafka's mock behind a gate that has them.
@Suite(.timeLimit(.minutes(3)))
struct KafkaSecurityTests {
    private typealias Setting = KafkaAccess.Setting

    /// A directory with certificates and secrets, made once.
    private static let files = Result { () throws -> KafkaGate.Certificates in
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("gate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let files = try KafkaGate.Certificates(in: directory.path)
        for (name, text) in [("password", "secret"), ("wrong", "guess"), ("token", "aaa.bbb.ccc")] {
            try Data("\(text)\n".utf8).write(to: directory.appendingPathComponent(name))
        }
        return files
    }

    enum Listener: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case plaintext = "PLAINTEXT"
        case ssl = "SSL"
        case clientCertificates = "SSL with client certificates"
        case plain = "SASL_SSL PLAIN"
        case scram256 = "SASL_SSL SCRAM-SHA-256"
        case scram512 = "SASL_SSL SCRAM-SHA-512"
        case oauth = "SASL_SSL OAUTHBEARER"
        case unencrypted = "SASL_PLAINTEXT SCRAM-SHA-512"

        var testDescription: String { rawValue }
        var mechanism: String? { rawValue.hasPrefix("SASL") ? String(rawValue.split(separator: " ")[1]) : nil }
        var isTLS: Bool { rawValue.split(separator: " ")[0].hasSuffix("SSL") }
    }

    private static func gate(_ listener: Listener, _ cluster: MockCluster, _ files: KafkaGate.Certificates) throws
        -> KafkaGate
    {
        var arguments: [String] = []
        if listener.isTLS { arguments += ["--cert", files.path("server.crt"), "--key", files.path("server.key")] }
        if listener == .clientCertificates { arguments += ["--client-ca", files.path("ca.crt")] }
        if let mechanism = listener.mechanism {
            arguments += ["--mechanism", mechanism, "--user", "ann"]
            arguments += ["--password-file", files.path(mechanism == "OAUTHBEARER" ? "token" : "password")]
        }
        return try KafkaGate(cluster.bootstrap, arguments)
    }

    private static func right(_ listener: Listener, _ files: KafkaGate.Certificates) -> [Setting: String] {
        var settings: [Setting: String] = [:]
        if listener.isTLS { settings[.caFile] = files.path("ca.crt") }
        if listener == .clientCertificates {
            (settings[.certificateFile], settings[.keyFile]) = (files.path("client.crt"), files.path("client.key"))
        }
        guard let mechanism = listener.mechanism else { return settings }
        settings[.mechanism] = mechanism
        if !listener.isTLS { settings[.securityProtocol] = "SASL_PLAINTEXT" }
        if mechanism == "OAUTHBEARER" {
            settings[.tokenFile] = files.path("token")
        } else {
            (settings[.username], settings[.passwordFile]) = ("ann", files.path("password"))
        }
        return settings
    }

    private static func log(_ bootstrap: String, _ settings: [Setting: String], timeout: Int64 = 10) throws -> KafkaLog
    {
        var kafka = testSettings(bootstrap)
        kafka.appendTimeout = .seconds(timeout)
        kafka.access = try KafkaAccess(
            { settings[$0] }, contents: { try? String(contentsOfFile: $0, encoding: .utf8) })
        return try KafkaLog(kafka, report: printNotice)
    }

    @Test("events are appended, read and committed", arguments: Listener.allCases)
    func works(_ listener: Listener) async throws {
        let files = try Self.files.get()
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            let gate = try Self.gate(listener, cluster, files)
            let log = try Self.log(gate.bootstrap, Self.right(listener, files))
            defer { log.close() }
            try log.append((0..<100).map { event("raw", "home\($0 % 5)", "\($0)") })
            let reader = try log.reader(group: "g", topics: ["raw"])
            let found = try reader.collect(60)
            try reader.commit(nextOffsets(found))
            let rest = try reader.collect(40)
            #expect(Set((found + rest).map(text)).count == 100)
            try reader.commit(nextOffsets(rest))
            reader.close()
            let next = try log.reader(group: "g", topics: ["raw"])
            try log.append([event("raw", "home1", "later")])
            #expect(try next.collect(1).map(text) == ["later"])
            next.close()
            var scanned = 0
            try log.scan("raw") { _ in scanned += 1 }
            #expect(scanned == 101)
            try log.probe()
        }
    }

    @Test(
        "a password that is changed in its file is taken without a restart, by producer and reader",
        arguments: [
            Listener.plain, .scram256, .unencrypted,
        ])
    func renewedPassword(_ listener: Listener) async throws {
        let files = try Self.files.get()
        try await onThread {
            let cluster = try MockCluster()
            try cluster.command("topic raw 4")
            let gate = try Self.gate(listener, cluster, files)
            let file = files.path("renewed-\(UUID().uuidString)")
            try Data("of yesterday\n".utf8).write(to: URL(fileURLWithPath: file))
            var settings = Self.right(listener, files)
            settings[.passwordFile] = file
            let log = try Self.log(gate.bootstrap, settings, timeout: 3)
            defer { log.close() }
            let reader = try log.reader(group: "g", topics: ["raw"])
            defer { reader.close() }
            #expect(throws: EventLogError.self) { try log.append([event("raw", "home1", "early")]) }
            try Data("secret\n".utf8).write(to: URL(fileURLWithPath: file))
            let end = ContinuousClock.now + .seconds(90)
            var isTaken = false
            while !isTaken, ContinuousClock.now < end {
                isTaken = (try? log.append([event("raw", "home1", "late")])) != nil
            }
            #expect(isTaken)
            #expect(try reader.collect(1).map(text).last == "late")
        }
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        let what: String
        let listener: Listener
        let change: @Sendable (inout [KafkaAccess.Setting: String], KafkaGate.Certificates) -> Void
        let says: String
        var testDescription: String { what }
    }

    private static let mistakes = [
        Mistake(
            what: "TLS is missing", listener: .ssl,
            change: {
                $0[.caFile] = nil; _ = $1
            }, says: "KAFKA_CA_FILE"),
        Mistake(
            what: "the listener is a plain one", listener: .plaintext, change: { $0[.caFile] = $1.path("ca.crt") },
            says: "KAFKA_SECURITY_PROTOCOL"),
        Mistake(
            what: "another authority", listener: .ssl, change: { $0[.caFile] = $1.path("other.crt") },
            says: "not from the authority in KAFKA_CA_FILE"),
        Mistake(
            what: "no client certificate", listener: .clientCertificates,
            change: {
                $0[.certificateFile] = nil; $0[.keyFile] = nil; _ = $1
            }, says: "KAFKA_CERT_FILE"),
        Mistake(
            what: "a foreign client certificate", listener: .clientCertificates,
            change: {
                $0[.certificateFile] = $1.path("other.crt"); $0[.keyFile] = $1.path("other.key")
            },
            says: "does not take the client certificate"),
        Mistake(
            what: "another mechanism", listener: .scram512,
            change: {
                $0[.mechanism] = "PLAIN"; _ = $1
            },
            says: "SCRAM-SHA-512: set KAFKA_SASL_MECHANISM"),
        Mistake(
            what: "a wrong password", listener: .scram512, change: { $0[.passwordFile] = $1.path("wrong") },
            says: "KAFKA_PASSWORD_FILE"),
        Mistake(
            what: "a wrong password, PLAIN", listener: .plain, change: { $0[.passwordFile] = $1.path("wrong") },
            says: "Invalid username or password"),
        Mistake(
            what: "a wrong token", listener: .oauth, change: { $0[.tokenFile] = $1.path("wrong") },
            says: "KAFKA_TOKEN_FILE"),
        Mistake(
            what: "nobody said who we are", listener: .unencrypted,
            change: { settings, _ in settings = [:] }, says: "KAFKA_SASL_MECHANISM"),
    ]

    @Test("a mistake is told with the broker's address and the setting, within the append", arguments: mistakes)
    func told(_ mistake: Mistake) async throws {
        let files = try Self.files.get()
        try await onThread {
            let cluster = try MockCluster(brokers: 1)
            try cluster.command("topic raw 1 1")
            let gate = try Self.gate(mistake.listener, cluster, files)
            var settings = Self.right(mistake.listener, files)
            mistake.change(&settings, files)
            let log = try Self.log(gate.bootstrap, settings, timeout: 2)
            defer { log.close() }
            let error = failure { try log.append([event("raw", "h", "x")]) }
            #expect(error?.isTransient == true)
            #expect(error?.message.contains(gate.bootstrap) == true, "\(error?.message ?? "appended")")
            #expect(error?.message.contains(mistake.says) == true, "\(error?.message ?? "appended")")
            let probed = failure { try log.probe() }
            #expect(probed?.message.contains(mistake.says) == true, "\(probed?.message ?? "answered")")
        }
    }
}
