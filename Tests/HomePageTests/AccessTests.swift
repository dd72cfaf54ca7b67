import HTTP
import Testing

@testable import HomePage

@Suite struct AccessTests {
    private let open = Access(password: nil, token: "t0ken")
    private let guarded = Access(password: "open sesame", token: "t0ken")

    private func request(_ method: String = "GET", _ headers: [String: String]) -> HTTPRequest {
        HTTPRequest(method: method, target: "/override", headers: headers.map { ($0.key, $0.value) })
    }

    @Test(arguments: [
        "localhost", "localhost:8088", "LOCALHOST:1", "127.0.0.1:8088", "127.9.9.9", "[::1]:8088", "[::1]",
    ])
    func `this machine's own names are served`(host: String) {
        #expect(open.refusal(of: request("GET", ["host": host])) == nil)
    }

    @Test(arguments: [
        "evil.example", "evil.example:8088", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.2", "",
        "0.0.0.0:80", "[::2]:1",
    ])
    func `a foreign name that points at this machine is not`(host: String) {
        #expect(open.refusal(of: request("GET", ["host": host])) == .foreignHost)
    }

    @Test func `no host, or two, are not believed`() {
        #expect(open.refusal(of: request("GET", [:])) == .foreignHost)
        let twice = HTTPRequest(method: "GET", target: "/", headers: [("host", "localhost"), ("host", "evil.example")])
        #expect(open.refusal(of: twice) == .foreignHost)
    }

    @Test func `with a password, exactly the right one is let in, whatever the name`() {
        // printf 'hearth:open sesame' | base64
        let right = "Basic aGVhcnRoOm9wZW4gc2VzYW1l"
        #expect(guarded.refusal(of: request("GET", ["host": "box.lan", "authorization": right])) == nil)
        for wrong in [
            "", "Basic", "Basic ", right.lowercased(), right + "=", "Bearer aGVhcnRoOm9wZW4gc2VzYW1l",
            "Basic aGVhcnRoOg==", "Basic Om9wZW4gc2VzYW1l",
        ] {
            #expect(guarded.refusal(of: request("GET", ["host": "box.lan", "authorization": wrong])) == .unauthorized)
        }
        #expect(guarded.refusal(of: request("GET", ["host": "localhost"])) == .unauthorized)
    }

    private let good = [
        "host": "localhost:8088", "origin": "http://localhost:8088", "x-hearth-token": "t0ken",
        "content-type": "application/json; charset=utf-8", "sec-fetch-site": "same-origin",
    ]

    @Test func `a change that our page asks for is allowed, also behind a TLS proxy`() {
        #expect(open.refusalOfChange(request("POST", good)) == nil)
        #expect(open.refusalOfChange(request("POST", good.merging(["origin": "https://localhost:8088"]) { $1 })) == nil)
    }

    @Test(arguments: [
        ("x-hearth-token", "guess"), ("x-hearth-token", ""), ("x-hearth-token", "t0ke"),
        ("origin", "http://evil.example"),
        ("origin", "null"), ("origin", "http://localhost:8089"), ("origin", "http://localhost:8088.evil.example"),
        ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("sec-fetch-site", "none"),
    ])
    func `what another site can send is refused`(header: String, value: String) {
        #expect(open.refusalOfChange(request("POST", good.merging([header: value]) { $1 })) == .foreignOrigin)
    }

    @Test(arguments: ["x-hearth-token", "origin", "host"]) func `what is missing is refused`(header: String) {
        #expect(open.refusalOfChange(request("POST", good.filter { $0.key != header })) == .foreignOrigin)
    }

    @Test(arguments: [
        "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp",
    ])
    func `what a form can send is not JSON`(type: String) {
        #expect(open.refusalOfChange(request("POST", good.merging(["content-type": type]) { $1 })) == .notJSON)
    }

    @Test func `a token is 256 bits, and another one each time`() {
        let tokens = Set((0..<50).map { _ in Access.freshToken() })
        #expect(tokens.count == 50 && tokens.allSatisfy { $0.count == 64 && $0.allSatisfy(\.isHexDigit) })
    }

    /// RFC 4648 section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64 as the standard has it`(plain: String, encoded: String) {
        #expect(base64(Array(plain.utf8)) == encoded)
    }
}
