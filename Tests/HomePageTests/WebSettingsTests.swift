import Foundation
import Testing

@testable import HomePage

@Suite struct WebSettingsTests {
    @Test(arguments: [
        ("127.0.0.1:8088", "127.0.0.1", 8088, true), ("[::1]:1", "::1", 1, true),
        ("localhost:80", "localhost", 80, true),
        ("0.0.0.0:8088", "0.0.0.0", 8088, false), ("[::]:8088", "::", 8088, false), ("box.lan:0", "box.lan", 0, false),
        ("128.0.0.1:1", "128.0.0.1", 1, false),
    ])
    func `an address, and whether only this machine reaches it`(text: String, host: String, port: Int, isLoopback: Bool)
        throws
    {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.port == port && address.isLoopback == isLoopback)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", "8088", ":8088", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:8088", "a:-1",
    ])
    func `what is no address`(text: String) {
        #expect(ListenAddress(text) == nil)
        #expect(throws: SettingsError.self) { try WebSettings(listen: text, passwordFile: nil) }
    }

    @Test func `beyond this machine only with a password, and the message says what to do`() throws {
        let error = #expect(throws: SettingsError.self) { try WebSettings(listen: "0.0.0.0:8088", passwordFile: nil) }
        #expect(error?.description.contains("--password-file") == true)
        try withFile("correct horse\nsecond line\n") { file in
            let settings = try WebSettings(listen: "0.0.0.0:8088", passwordFile: file)
            #expect(settings.access.password == "correct horse")
        }
        #expect(try WebSettings(listen: "127.0.0.1:1", passwordFile: nil).access.password == nil)
    }

    @Test(arguments: ["", "short\n", "\nlater line that is long", "\u{FFFD}"])
    func `an empty or short password is none`(text: String) throws {
        try withFile(text) { file in
            #expect(throws: SettingsError.self) { try WebSettings(listen: "127.0.0.1:1", passwordFile: file) }
        }
    }

    @Test func `a file that is not there is an error, never an open door`() {
        #expect(throws: SettingsError.self) {
            try WebSettings(listen: "127.0.0.1:1", passwordFile: "/nonexistent/password")
        }
    }

    /// A file that is gone after the test.
    private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "hearth-web-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        try text.write(to: url, atomically: true, encoding: .utf8)
        try body(url.path)
    }
}
