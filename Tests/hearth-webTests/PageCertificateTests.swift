import Foundation
import Glibc
import HTTP
import TestSupport
import Testing

@testable import hearth_web

/// A browser's side is curl and openssl: other implementations than the server's.
@Suite(.timeLimit(.minutes(1))) struct PageCertificateTests {
    @Test func `the page is served to who trusts the authority, and to nobody who does not`() async throws {
        let files = try await Certificates()
        let certificate = try PageCertificate(certificateFile: files.serverCertificate, keyFile: files.serverKey)
        try await withSecureServer(certificate) { port in
            let page = "https://localhost:\(port)/hello"
            let (trusted, text) = try await curl("--cacert", files.ca, page)
            #expect(trusted == .code(0) && text == "GET /hello\n")
            // 60: the peer's certificate cannot be authenticated (man curl).
            #expect(try await curl(page).0 == .code(60))
            #expect(try await curl("--cacert", files.ca, "--tls-max", "1.1", page).0 != .code(0))
            let (again, both) = try await curl("--cacert", files.ca, page, page)
            #expect(again == .code(0) && both == "GET /hello\nGET /hello\n", "two requests on one connection")
        }
    }

    @Test func `who asks without TLS is told to write https`() async throws {
        let files = try await Certificates()
        let certificate = try PageCertificate(certificateFile: files.serverCertificate, keyFile: files.serverKey)
        try await withSecureServer(certificate) { port in
            let (_, text) = try await curl("--include", "http://localhost:\(port)/")
            #expect(text.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && text.contains("https://"))
        }
    }

    @Test func `clients that say nothing or leave within the handshake keep nobody out`() async throws {
        let files = try await Certificates()
        let certificate = try PageCertificate(certificateFile: files.serverCertificate, keyFile: files.serverKey)
        let limits = HTTPLimits(connections: 4, requestTime: .seconds(30))
        try await withSecureServer(certificate, limits) { port in
            let silent = try (0..<8).map { _ in try SilentClient(port: port) }
            defer { _ = silent.count }
            #expect(try await curl("--cacert", files.ca, "https://localhost:\(port)/").0 == .code(0))
        }
    }

    @Test func `a renewed certificate is taken, and half of a renewal is not`() async throws {
        let files = try await Certificates()
        let certificate = try PageCertificate(certificateFile: files.serverCertificate, keyFile: files.serverKey)
        #expect(try certificate.renew() == false)
        try await withSecureServer(certificate) { port in
            let before = try await serial(port)
            let key = try Data(contentsOf: URL(fileURLWithPath: files.serverKey))
            try await files.renewServer()
            let renewed = try Data(contentsOf: URL(fileURLWithPath: files.serverKey))
            try key.write(to: URL(fileURLWithPath: files.serverKey))
            let error = #expect(throws: SettingsError.self) { try certificate.renew() }
            #expect(error?.description.contains(files.serverKey) == true)
            #expect(try certificate.renew() == false, "said once")
            #expect(try await serial(port) == before)
            try renewed.write(to: URL(fileURLWithPath: files.serverKey))
            #expect(try certificate.renew())
            #expect(try await serial(port) != before)
        }
    }

    @Test func `files that cannot be used are named with what is wrong`() async throws {
        let files = try await Certificates()
        func words(_ certificate: String?, _ key: String?) -> String {
            let error = #expect(throws: SettingsError.self) {
                try WebSettings(
                    listen: "127.0.0.1:1", passwordFile: nil, tlsCertificate: certificate, tlsKey: key)
            }
            return error?.description ?? ""
        }
        #expect(words(files.serverCertificate, nil).contains("--tls-key FILE"))
        #expect(words(nil, files.serverKey).contains("--tls-certificate FILE"))
        #expect(words("/nonexistent", files.serverKey).contains("--tls-certificate /nonexistent: "))
        #expect(words(files.serverKey, files.serverKey).contains("no certificate"))
        #expect(words(files.serverCertificate, files.serverCertificate).contains("no private key"))
        #expect(words(files.serverCertificate, files.clientKey).contains("not the key of"))
        let settings = try WebSettings(
            listen: "127.0.0.1:1", passwordFile: nil, tlsCertificate: files.serverCertificate, tlsKey: files.serverKey)
        #expect(settings.certificate != nil)
    }

    @Test(arguments: [(-1, "has expired"), (0, "today"), (1, "in 1 day;"), (13, "in 13 days"), (14, nil)])
    func `the end is said from two weeks before`(days: Int, words: String?) {
        let said = PageCertificate.words(daysLeft: days, file: "/etc/page.crt")
        #expect(said?.contains(words ?? "") == (words == nil ? nil : true))
    }

    @Test func `days are counted from the certificate's own end`() async throws {
        let files = try await Certificates(days: 30)
        let certificate = try PageCertificate(certificateFile: files.serverCertificate, keyFile: files.serverKey)
        let now = Int64(Date().timeIntervalSince1970) * 1_000_000_000
        #expect([29, 30].contains(certificate.days(at: now)))
        #expect([-2, -1].contains(certificate.days(at: now + 31 * 86_400_000_000_000)))
    }

    // MARK: -

    private func curl(_ arguments: String...) async throws -> (ChildProcess.Exit, String) {
        try await ChildProcess.run("/usr/bin/curl", ["--silent", "--max-time", "10"] + arguments)
    }

    /// The serial number of the certificate that is served.
    private func serial(_ port: Int) async throws -> String {
        let command = """
            /usr/bin/openssl s_client -connect localhost:\(port) </dev/null 2>/dev/null |
                /usr/bin/openssl x509 -noout -serial
            """
        return try await ChildProcess.run("/bin/sh", ["-c", command]).1
    }

    private func withSecureServer(
        _ certificate: PageCertificate, _ limits: HTTPLimits = HTTPLimits(), _ body: (Int) async throws -> Void
    ) async throws {
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        var server = HTTPServer(host: "127.0.0.1", port: 0, limits: limits) {
            HTTPResponse(200, text: "\($0.method) \($0.path)\n")
        }
        server.prepare = { try certificate.secure($0) }
        let task = Task { [server] in try await server.run { continuation.yield($0) } }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        do { try await body(port) } catch {
            task.cancel()
            throw error
        }
        task.cancel()
        try await task.value
    }
}

/// Begins a handshake and says no more.
private final class SilentClient {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = try connectToLoopback(port: port)
        _ = send(descriptor, [22, 3, 1] as [UInt8], 3, Int32(MSG_NOSIGNAL))
    }

    deinit { close(descriptor) }
}
