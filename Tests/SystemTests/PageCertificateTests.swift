import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    /// The started `hearth-web`, with no gateway behind it. A browser's side is curl and openssl: other implementations than the
    /// server's.
    @Suite("The page's certificate")
    struct PageCertificateTests {
        @Test func `the page is served to who trusts the authority, and to nobody who does not`() async throws {
            let web = try await Web()
            let (trusted, text) = try await web.curl("--cacert", web.files.ca, web.page)
            #expect(trusted == .code(0) && text.hasPrefix("<svg"))
            // 60: the peer's certificate cannot be authenticated (man curl).
            #expect(try await web.curl(web.page).0 == .code(60))
            #expect(try await web.curl("--cacert", web.files.ca, "--tls-max", "1.1", web.page).0 != .code(0))
            let (again, both) = try await web.curl("--cacert", web.files.ca, web.page, web.page)
            #expect(again == .code(0) && both == text + text, "two requests on one connection")
        }

        @Test func `who asks without TLS is told to write https`() async throws {
            let web = try await Web()
            let (_, text) = try await web.curl("--include", "http://localhost:\(web.port)/")
            #expect(text.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && text.contains("https://"))
        }

        @Test func `clients that say nothing or leave within the handshake keep nobody out`() async throws {
            let web = try await Web()
            // More than it has connections for who has not asked yet.
            let silent = try (0..<100).map { _ in try SilentClient(port: web.port) }
            defer { _ = silent.count }
            #expect(try await web.curl("--cacert", web.files.ca, web.page).0 == .code(0))
        }

        @Test func `a renewed certificate is taken, and half of a renewal is not`() async throws {
            let web = try await Web()
            let before = try await web.serial()
            let key = try Data(contentsOf: URL(fileURLWithPath: web.files.serverKey))
            // Never seen as a whole: the key first is another's, as between the two writes of a renewal.
            web.process.send(SIGSTOP)
            try await web.files.renewServer()
            let renewed = try Data(contentsOf: URL(fileURLWithPath: web.files.serverKey))
            try key.write(to: URL(fileURLWithPath: web.files.serverKey))
            web.process.send(SIGCONT)
            try await eventually(within: .seconds(30), "half of a renewal is told") {
                web.process.output.contains(web.files.serverKey)
                    && web.process.output.contains("read before is used on")
            }
            #expect(try await web.serial() == before)
            try renewed.write(to: URL(fileURLWithPath: web.files.serverKey))
            try await eventually(within: .seconds(30), "the renewal is told") {
                web.process.output.contains("the page's certificate was renewed")
            }
            #expect(try await web.serial() != before)
            #expect(web.process.output.components(separatedBy: "read before is used on").count == 2, "said once")
        }

        @Test func `files that cannot be used are named with what is wrong`() async throws {
            let files = try await Certificates()
            func words(_ certificate: String?, _ key: String?) async throws -> String {
                var arguments = ["--listen", "127.0.0.1:\(try freePort())"]
                if let certificate { arguments += ["--tls-certificate", certificate] }
                if let key { arguments += ["--tls-key", key] }
                let web = try ChildProcess("hearth-web", arguments)
                // EX_CONFIG of sysexits.h.
                #expect(try await web.wait() == .code(78))
                return web.output
            }
            #expect(try await words(files.serverCertificate, nil).contains("--tls-key FILE"))
            #expect(try await words(nil, files.serverKey).contains("--tls-certificate FILE"))
            #expect(try await words("/nonexistent", files.serverKey).contains("--tls-certificate /nonexistent: "))
            #expect(try await words(files.serverKey, files.serverKey).contains("no certificate"))
            #expect(try await words(files.serverCertificate, files.serverCertificate).contains("no private key"))
            #expect(try await words(files.serverCertificate, files.clientKey).contains("not the key of"))
        }

        /// Days that are not yet whole do not count: of two, one is left a second later.
        @Test(arguments: [
            (0, "has expired"), (1, "expires today; renew it"), (2, "in 1 day;"), (14, "in 13 days;"), (15, nil),
        ])
        func `the end is said from two weeks before`(validDays: Int, words: String?) async throws {
            let files = try await Certificates(days: validDays)
            try await Task.sleep(for: .milliseconds(1100))
            let web = try await Web(files)
            if let words { try await eventually("its end is said") { web.process.output.contains(words) } }
            let said = web.process.output.split(separator: "\n").filter { $0.contains(files.serverCertificate) }
            #expect(said.count == (words == nil ? 0 : 1), "\(said)")
        }
    }
}

/// `hearth-web` with a certificate for localhost, listening.
private struct Web {
    let files: Certificates
    let port: Int
    let process: ChildProcess

    /// One of its files, for which no gateway is asked.
    var page: String { "https://localhost:\(port)/icon.svg" }

    init() async throws { try await self.init(Certificates(days: 30)) }

    init(_ files: Certificates) async throws {
        self.files = files
        port = try freePort()
        let process = try ChildProcess(
            "hearth-web",
            [
                "--listen", "127.0.0.1:\(port)", "--socket", files.directory.file("none.sock"),
                "--tls-certificate", files.serverCertificate, "--tls-key", files.serverKey,
            ])
        self.process = process
        try await eventually("it listens") { process.output.contains("scheme=https") }
    }

    func curl(_ arguments: String...) async throws -> (ChildProcess.Exit, String) {
        try await ChildProcess.run("/usr/bin/curl", ["--silent", "--max-time", "10"] + arguments)
    }

    /// The serial number of the certificate that is served.
    func serial() async throws -> String {
        let command = """
            /usr/bin/openssl s_client -connect localhost:\(port) </dev/null 2>/dev/null |
                /usr/bin/openssl x509 -noout -serial
            """
        return try await ChildProcess.run("/bin/sh", ["-c", command]).1
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
