import GatewayClient
import HTTP
import Heating
import Logging
import Testing

@testable import hearth_web

@Suite struct SiteTests {
    private let board = StatusBoard()

    private func site(password: String? = nil) throws -> Site {
        var settings = try WebSettings(listen: "127.0.0.1:8088", passwordFile: nil)
        settings.access = Access(password: password, token: "t0ken")
        return Site(settings: settings, socket: "/nonexistent/socket", board: board, logger: Logger(label: "test"))
    }

    private func get(_ target: String, _ method: String = "GET", host: String = "localhost") -> HTTPRequest {
        HTTPRequest(method: method, target: target, headers: [("host", host)])
    }

    private func text(_ response: HTTPResponse) -> String { String(decoding: response.bytes ?? [], as: UTF8.self) }

    @Test(arguments: ["/", "/app.css", "/app.js", "/chart.js", "/icon.svg", "/healthz", "/metrics"])
    func `every file is there, with a policy that lets nothing in and nothing out`(path: String) async throws {
        let response = try await site().answer(get(path))
        #expect(response.status == 200 && !text(response).isEmpty)
        let headers = Dictionary(response.headers) { first, _ in first }
        let policy = headers["content-security-policy"] ?? ""
        #expect(policy.hasPrefix("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("http"))
        #expect(headers["x-content-type-options"] == "nosniff" && headers["cache-control"] == "no-store")
    }

    @Test func `the page brings its token, no inline script or style, and nothing from elsewhere`() async throws {
        let page = text(try await site().answer(get("/")))
        #expect(page.contains(#"<meta name="hearth-token" content="t0ken">"#))
        for forbidden in ["<script>", "style=\"", "<style", " onclick", "https://", "//cdn"] {
            #expect(!page.contains(forbidden))
        }
        for file in [Page.script, Page.chartScript, Page.css] {
            for forbidden in [
                "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "https://", "@import",
                "url(",
            ] {
                #expect(!file.contains(forbidden))
            }
        }
    }

    @Test(arguments: [
        "/../etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/%2e%2e/", "/app.css/../../etc/passwd",
        "/app.js%00", "/.git/config",
        "/index.html", "/APP.CSS", "", "*",
    ])
    func `no other path leads anywhere`(target: String) async throws {
        let response = try await site().answer(get(target))
        #expect(response.status == 404 && text(response) == "not found\n")
    }

    @Test func `the wrong method is named, and a foreign name is not served`() async throws {
        #expect(try await site().answer(get("/override")).status == 405)
        #expect(try await site().answer(get("/", "POST")).status == 405)
        #expect(try await site().answer(get("/", "HEAD")).status == 200)
        #expect(try await site().answer(get("/", host: "evil.example")).status == 421)
    }

    @Test func `with a password nothing at all is served without it`() async throws {
        for path in ["/", "/events", "/metrics", "/history?span=day", "/nowhere"] {
            let response = try await site(password: "long enough").answer(get(path))
            #expect(response.status == 401 && response.headers.contains { $0.name == "www-authenticate" })
        }
    }

    private func change(_ body: String, _ extra: [(String, String)] = []) -> HTTPRequest {
        HTTPRequest(
            method: "POST", target: "/override",
            headers: [
                ("host", "localhost"), ("origin", "http://localhost"), ("x-hearth-token", "t0ken"),
                ("content-type", "application/json"),
            ] + extra, body: Array(body.utf8))
    }

    @Test func `an override without its proof is refused, with it it is passed on`() async throws {
        let forged = HTTPRequest(
            method: "POST", target: "/override", headers: [("host", "localhost"), ("content-type", "text/plain")],
            body: Array(#"{"room":"office","pump":"on"}"#.utf8))
        #expect(try await site().answer(forged).status == 403)
        // There is no daemon here: 503 tells that it was passed on.
        let response = try await site().answer(change(#"{"room":"office","pump":"on","seconds":60}"#))
        #expect(response.status == 503 && text(response) == "{\"error\":\"hearthd is not running\"}\n")
    }

    @Test(arguments: [
        "", "{", "[]", #"{"room":"office"}"#, #"{"room":"","pump":"on"}"#, #"{"room":"a","pump":"ON"}"#,
        #"{"room":1,"pump":"on"}"#, #"{"room":"a","pump":"on","seconds":0}"#, #"{"room":"a","pump":"on","seconds":-1}"#,
        #"{"room":"a","pump":"on","seconds":"60"}"#, #"{"room":"a","pump":"on","seconds":1.5}"#,
        #"{"room":"a","pump":"auto","seconds":5}"#,
    ])
    func `a wish that makes no sense is refused here`(body: String) async throws {
        #expect(try await site().answer(change(body)).status == 400)
    }

    @Test func `the history is asked for by two names only`() async throws {
        #expect(try await site().answer(get("/history")).status == 400)
        #expect(try await site().answer(get("/history?span=year")).status == 400)
        #expect(try await site().answer(get("/history?span=day")).status == 503)
    }

    @Test func `events begin with the latest word, and the number of open pages is bounded`() async throws {
        board.publish(.status(["home": "home1"]))
        let response = try await site().answer(get("/events"))
        guard case .stream(let stream) = response.body else { Issue.record("no stream"); return }
        board.publish(.lost("hearthd is not running"))
        var events = stream.makeAsyncIterator()
        #expect(
            await events.next().map { String(decoding: $0, as: UTF8.self) }
                == "event: status\ndata: {\"home\":\"home1\"}\n\n")
        #expect(
            await events.next().map { String(decoding: $0, as: UTF8.self) }
                == "event: lost\ndata: {\"reason\":\"hearthd is not running\"}\n\n")
        var others: [HTTPResponse] = []
        for _ in 0..<StatusBoard.streamLimit + 5 { others.append(try await site().answer(get("/events"))) }
        #expect(others.count { $0.status == 200 } == StatusBoard.streamLimit - 1)
        #expect(others.last?.status == 503)
    }
}
