import Foundation

/// A throw-away certificate authority with a server certificate for localhost and a client certificate.
public struct Certificates: Sendable {
    public let directory: TemporaryDirectory
    public var ca: String { directory.file("ca.crt") }
    public var serverCertificate: String { directory.file("server.crt") }
    public var serverKey: String { directory.file("server.key") }
    public var clientCertificate: String { directory.file("client.crt") }
    public var clientKey: String { directory.file("client.key") }

    /// - Parameter serverNames: what the server certificate is for, in OpenSSL's notation.
    public init(serverNames: String = "DNS:localhost,IP:127.0.0.1", days: Int = 2) async throws {
        directory = try TemporaryDirectory("certificates")
        try await openssl(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
                + ["-subj", "/CN=Hearth test CA", "-keyout", directory.file("ca.key"), "-out", ca])
        try await issue("server", subject: "/CN=localhost", extensions: "subjectAltName=\(serverNames)", days: days)
        try await issue("client", subject: "/CN=gateway", extensions: "extendedKeyUsage=clientAuth", days: 2)
    }

    /// Signs a new server certificate, as a renewal would.
    public func renewServer() async throws {
        try await issue(
            "server", subject: "/CN=localhost", extensions: "subjectAltName=DNS:localhost,IP:127.0.0.1", days: 2)
    }

    private func issue(_ name: String, subject: String, extensions: String, days: Int) async throws {
        let request = directory.file("\(name).csr")
        try await openssl(
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject]
                + ["-keyout", directory.file("\(name).key"), "-out", request])
        let extensionFile = try directory.write(extensions, to: "\(name).ext")
        try await openssl(
            ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", directory.file("ca.key"), "-CAcreateserial"]
                + ["-days", "\(days)", "-extfile", extensionFile, "-out", directory.file("\(name).crt")])
    }

    private func openssl(_ arguments: [String]) async throws {
        let (exit, output) = try await ChildProcess.run("/usr/bin/openssl", arguments)
        guard exit == .code(0) else { throw ChildProcess.CannotStart(description: "openssl \(arguments): \(output)") }
    }
}
