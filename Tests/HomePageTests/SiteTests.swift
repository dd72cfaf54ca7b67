import Compression
import GatewayClient
import HTTP
import Heating
import Logging
import Testing

@testable import HomePage

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

    @Test(arguments: ["/", "/healthz", "/metrics"] + Page.files.keys.sorted())
    func `every file is there, with a policy that lets nothing in and nothing out`(path: String) async throws {
        let response = try await site().answer(get(path))
        #expect(response.status == 200 && !text(response).isEmpty)
        let headers = Dictionary(response.headers) { first, _ in first }
        let policy = headers["content-security-policy"] ?? ""
        #expect(policy.hasPrefix("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("http"))
        #expect(headers["x-content-type-options"] == "nosniff" && headers["cache-control"] == "no-store")
    }

    @Test(arguments: ["/app.js", "/words.js", "/said.de.js", "/page.css"])
    func `a text is sent packed to who takes it so, and as it is to others`(path: String) async throws {
        func answer(_ accepted: String?) async throws -> HTTPResponse {
            var request = get(path)
            if let accepted { request.headers.append(("accept-encoding", accepted)) }
            return try await site().answer(request)
        }
        let plain = try #require(try await answer(nil).bytes)
        #expect(plain == Page.files[path]?.bytes)
        for other in ["gzip, br", "identity"] { #expect(try await answer(other).bytes == plain) }
        let response = try await answer("gzip, deflate, br")
        #expect(response.headers.contains { $0.name == "content-encoding" && $0.value == "deflate" })
        let packed = try #require(response.bytes)
        #expect(packed.count * 2 < plain.count)
        #expect(FrameCompression.zlib.decompress(packed, plain.count) == plain)
    }

    @Test func `the page brings its token, no inline script or style, and nothing from elsewhere`() async throws {
        let page = text(try await site().answer(get("/")))
        #expect(page.contains(#"<meta name="hearth-token" content="t0ken">"#))
        for forbidden in ["<script>", "style=\"", "<style", " onclick", "https://", "//cdn"] {
            #expect(!page.contains(forbidden))
        }
        for file in Page.files.values where file.type.hasPrefix("text/") {
            for forbidden in [
                "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "https://", "@import",
                "url(",
            ] {
                #expect(!file.text.contains(forbidden))
            }
        }
    }

    /// A reverse proxy may serve the page below any path.
    @Test func `every address in the page is relative, and every file that it names is there`() throws {
        let texts = [("page.html", Page.html(token: "t"))] + Page.files.map { ($0.key, $0.value.text) }
        let references = /(?:href=|src=|from |import\(|fetch\(|EventSource\()["'`]([^"'`$?]*)/
        for (name, text) in texts where !name.hasSuffix(".svg") {
            for match in text.matches(of: references) {
                let target = String(match.output.1)
                #expect(!target.hasPrefix("/") && !target.contains("://"), "\(name): \(target)")
                guard !target.hasPrefix("#"),
                    ![
                        "./", "events", "history", "history.csv", "override", "metrics", "settings", "set", "devices",
                        "forget",
                    ].contains(target)
                else {
                    continue
                }
                let path = target.hasPrefix("./") ? String(target.dropFirst()) : "/" + target
                #expect(Page.files[path] != nil, "\(name): \(target)")
            }
        }
    }

    @Test(arguments: [
        "/../etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/%2e%2e/", "/page.css/../../etc/passwd",
        "/app.js%00", "/.git/config",
        "/index.html", "/page.html", "/PAGE.CSS", "", "*",
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
        #expect(response.status == 503 && response.headers.contains { $0.value == "application/json" })
        let answer = try JSON.parse(response.bytes ?? [])
        #expect(answer["error"]?.string == "hearthd is not running")
        #expect(answer["say"].flatMap { Sentence($0) } == Sentence(WebSentence.notRunning))
    }

    @Test func `the search for devices is the page's alone to start`() async throws {
        #expect(try await site().answer(get("/devices")).status == 405)
        func search(_ body: String, token: String) -> HTTPRequest {
            HTTPRequest(
                method: "POST", target: "/devices",
                headers: [
                    ("host", "localhost"), ("origin", "http://localhost"), ("x-hearth-token", token),
                    ("content-type", "application/json"),
                ], body: Array(body.utf8))
        }
        #expect(try await site().answer(search(#"{"again":true}"#, token: "guessed")).status == 403)
        #expect(try await site().answer(search(#"{"again":1}"#, token: "t0ken")).status == 400)
        #expect(try await site().answer(search(#"{"again":true}"#, token: "t0ken")).status == 503)
    }

    @Test(arguments: [
        ("\"eco\"", "eco"), ("\"frost\"", "frost"), ("\"comfort\"", "comfort"), ("\"21.5\"", "21.5"), ("21.5", "21.5"),
        ("-5", "-5"), ("\"auto\"", "auto"),
    ])
    func `a preset and a temperature are passed on as hearthd reads them`(written: String, pump: String) throws {
        let wish = OverrideWish(Array(#"{"room":"office","pump":\#(written)}"#.utf8))
        let read = try #require(wish?.pump)
        #expect(read == pump || (try? JSON.parse(read.utf8))?.double == (try? JSON.parse(pump.utf8))?.double)
    }

    @Test(arguments: [
        "", "{", "[]", #"{"room":"office"}"#, #"{"room":"","pump":"on"}"#, #"{"room":"a","pump":"ON"}"#,
        #"{"room":1,"pump":"on"}"#, #"{"room":"a","pump":"21,5"}"#, #"{"room":"a","pump":"warm"}"#,
        #"{"room":"a","pump":true}"#, #"{"room":"a","pump":"+5"}"#, #"{"room":"a","pump":"on","seconds":0}"#,
        #"{"room":"a","pump":"on","seconds":-1}"#,
        #"{"room":"a","pump":"on","seconds":"60"}"#, #"{"room":"a","pump":"on","seconds":1.5}"#,
        #"{"room":"a","pump":"auto","seconds":5}"#, #"{"room":"a","all":true,"pump":"eco"}"#,
        #"{"all":false,"pump":"eco"}"#, #"{"room":"a","pump":"eco","seconds":5,"untilChanged":true}"#,
    ])
    func `a wish that makes no sense is refused here`(body: String) async throws {
        #expect(try await site().answer(change(body)).status == 400)
    }

    @Test func `the whole house is meant only when it is said`() throws {
        let wish = OverrideWish(Array(#"{"all":true,"pump":"eco","untilChanged":true}"#.utf8))
        #expect(wish?.room == nil && wish?.pump == "eco" && wish?.isUntilChanged == true && wish?.seconds == nil)
        let settings = SettingsWish(Array(#"{"room":"office","settings":{"target":20.5,"schedule":null}}"#.utf8))
        #expect(settings?.room == "office" && settings?.settings.map(\.key) == ["target", "schedule"])
        #expect(settings?.settings.last?.value.isNull == true)
        for body in [
            #"{"settings":{"mode":"off"}}"#, #"{"room":"a","all":true,"settings":{"mode":"off"}}"#, #"{"all":true}"#,
        ] {
            #expect(SettingsWish(Array(body.utf8)) == nil)
        }
        #expect(SettingsWish(Array(#"{"all":true,"settings":{"mode":"off"}}"#.utf8))?.room == nil)
    }

    @Test(arguments: ["/set", "/forget"])
    func `no change is made without its proof`(path: String) async throws {
        let forged = HTTPRequest(
            method: "POST", target: path, headers: [("host", "localhost"), ("content-type", "application/json")],
            body: Array(#"{"room":"office","settings":{"mode":"off"}}"#.utf8))
        #expect(try await site().answer(forged).status == 403)
        #expect(try await site().answer(get(path)).status == 405)
    }

    @Test func `the history is asked for by the names of its spans only`() async throws {
        #expect(try await site().answer(get("/history")).status == 400)
        #expect(try await site().answer(get("/history?span=decade")).status == 400)
        #expect(try await site().answer(get("/history?span=day")).status == 503)
    }

    @Test func `events begin with the latest word, and the number of open pages is bounded`() async throws {
        let heard = ContinuousClock.now
        board.publish(["home": "home1"], now: heard)
        let response = try await site().answer(get("/events"))
        guard case .stream(let stream) = response.body else { Issue.record("no stream"); return }
        board.publish(lost: .stopped, "hearthd is not running", now: heard + .milliseconds(1_240))
        var events = stream.makeAsyncIterator()
        #expect(
            await events.next().map { String(decoding: $0, as: UTF8.self) }
                == "event: status\ndata: {\"home\":\"home1\"}\n\n")
        #expect(
            await events.next().map { String(decoding: $0, as: UTF8.self) }
                == "event: lost\ndata: {\"kind\":\"stopped\",\"reason\":\"hearthd is not running\","
                + "\"status\":{\"home\":\"home1\"},\"ageSeconds\":1.2}\n\n")
        var others: [HTTPResponse] = []
        for _ in 0..<StatusBoard.streamLimit + 5 { others.append(try await site().answer(get("/events"))) }
        #expect(others.count { $0.status == 200 } == StatusBoard.streamLimit - 1)
        #expect(others.last?.status == 503)
    }

    @Test func `a page that is opened while the gateway is gone learns what it said last, and how old that is`() async {
        let heard = ContinuousClock.now
        board.publish(["home": "home1"], now: heard)
        board.publish(lost: .stopped, "hearthd has hung up", now: heard + .seconds(1))
        board.publish(lost: .silent, "hearthd gives no answer", now: heard + .seconds(5))
        var events = board.subscribe(now: heard + .seconds(90))?.makeAsyncIterator()
        let event = await events?.next().map { String(decoding: $0, as: UTF8.self) } ?? ""
        #expect(event.hasPrefix("event: lost\ndata: {\"kind\":\"silent\""))
        #expect(event.contains("\"status\":{\"home\":\"home1\"}") && event.contains("\"ageSeconds\":90"))
    }

    @Test func `a gateway that never answered has no last word`() async {
        board.publish(lost: .stopped, "hearthd is not running", now: .now)
        var events = board.subscribe(now: .now)?.makeAsyncIterator()
        let event = await events?.next().map { String(decoding: $0, as: UTF8.self) } ?? ""
        #expect(event.contains("\"status\":null,\"ageSeconds\":null"))
    }

    @Test func `only a gateway that has ended or is silent means that nobody heats`() {
        #expect(VarlinkError.closed.loss == .stopped && VarlinkError.refused(path: "/s").loss == .stopped)
        #expect(
            VarlinkError.noSocket(path: "/s").loss == .stopped && VarlinkError.timedOut(.seconds(3)).loss == .silent)
        #expect(VarlinkError.denied(path: "/s", group: nil).loss == .hidden)
        #expect(VarlinkError.malformed("HTTP/1.1").loss == .hidden)
    }
}
