import Foundation
import TestSupport

@testable import EventLog

/// librdkafka's mock, and before it, for engines that have them, TLS by OpenSSL and Kafka's SASL handshake with SCRAM-SHA-512.
struct SharedMock: Sendable {
    let cluster: MockCluster
    private let gate: KafkaGate?
    private let access: [KafkaAccess.Setting: String]

    init(_ engine: Engine) throws {
        cluster = try MockCluster()
        guard engine != .kafka else { (gate, access) = (nil, [:]); return }
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "conformance-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let files = try KafkaGate.Certificates(in: directory.path)
        var arguments = ["--cert", files.path("server.crt"), "--key", files.path("server.key")]
        var access: [KafkaAccess.Setting: String] = [.caFile: files.path("ca.crt")]
        if engine == .saslSSL {
            let password = files.path("password")
            try Data("s3cr,t=\n".utf8).write(to: URL(fileURLWithPath: password))
            arguments += ["--mechanism", "SCRAM-SHA-512", "--user", "ann", "--password-file", password]
            access[.mechanism] = "SCRAM-SHA-512"
            (access[.username], access[.passwordFile]) = ("ann", password)
        }
        gate = try KafkaGate(cluster.bootstrap, arguments)
        self.access = access
    }

    func settings() throws -> KafkaSettings {
        var settings = testSettings(gate?.bootstrap ?? cluster.bootstrap)
        settings.access = try KafkaAccess(
            { access[$0] }, contents: { try? String(contentsOfFile: $0, encoding: .utf8) })
        return settings
    }
}
