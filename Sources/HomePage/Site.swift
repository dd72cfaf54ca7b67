import CoreMetrics
import GatewayClient
import HTTP
import Heating
import Logging
import Prometheus

/// Every address of the page, and what it answers.
package struct Site: Sendable {
    private let access: Access
    private let socket: String
    private let board: StatusBoard
    private let logger: Logger
    private let registry: MetricsRegistry

    package init(settings: WebSettings, socket: String, board: StatusBoard, logger: Logger) {
        access = settings.access
        self.socket = socket
        self.board = board
        self.logger = logger
        registry = MetricsRegistry([
            "hearth_web_requests_total": .init(help: "Requests answered, by address and status."),
            "hearth_web_request_duration_seconds": .init(help: "How long an answer took to make."),
        ])
    }

    package func answer(_ request: HTTPRequest) async -> HTTPResponse {
        let started = ContinuousClock.now
        let isKnown = Self.routes[request.path] != nil
        var response = await checked(request)
        response.headers += Self.headers
        Counter(
            label: "hearth_web_requests_total",
            dimensions: [("path", isKnown ? request.path : "other"), ("status", "\(response.status)")],
            factory: registry
        ).increment()
        Timer(label: "hearth_web_request_duration_seconds", factory: registry).recordNanoseconds(
            started.duration(to: .now).wholeNanoseconds)
        return response
    }

    // MARK: Routing

    private static let routes: [String: String] = [  // Own names: paths.
        "/": "GET", "/events": "GET", "/history": "GET", "/history.csv": "GET", "/metrics": "GET", "/healthz": "GET",
        "/override": "POST", "/devices": "POST",
        "/forget": "POST", "/settings": "GET", "/set": "POST",
    ].merging(Page.files.mapValues { _ in "GET" }) { own, _ in own }

    private func checked(_ request: HTTPRequest) async -> HTTPResponse {
        if let refusal = access.refusal(of: request) { return await refused(refusal) }
        guard let method = Self.routes[request.path] else { return HTTPResponse(404, text: "not found\n") }
        let isRead = request.method == "GET" || request.method == "HEAD"
        guard method == "GET" ? isRead : request.method == method else {
            var response = HTTPResponse(405, text: "only \(method)\n")
            response.headers.append(("allow", method == "GET" ? "GET, HEAD" : method))
            return response
        }
        return await route(request)
    }

    /// Packed where the browser takes that: no secret is in these files. HTTP's "deflate" is zlib's format (RFC 9110, 8.4.1.2).
    private func response(of file: Page.File, to request: HTTPRequest) -> HTTPResponse {
        let headers = [(name: "content-type", value: file.type), (name: "vary", value: "accept-encoding")]
        let taken = (request.header("accept-encoding") ?? "").split { ", ".contains($0) }
        guard taken.contains("deflate"), let packed = file.packed else {
            return HTTPResponse(200, headers: headers, body: .bytes(file.bytes))
        }
        return HTTPResponse(200, headers: headers + [("content-encoding", "deflate")], body: .bytes(packed))
    }

    private func route(_ request: HTTPRequest) async -> HTTPResponse {
        if let file = Page.files[request.path] {
            return response(of: file, to: request)
        }
        return switch request.path {
        case "/": HTTPResponse(200, text: Page.html(token: access.token), type: "text/html; charset=utf-8")
        case "/events": events()
        case "/history": await history(request)
        case "/history.csv": await table(request)
        case "/metrics": HTTPResponse(200, text: metrics, type: PrometheusText.contentType)
        case "/override": await override(request)
        case "/devices": await devices(request)
        case "/forget": await forget(request)
        case "/settings": await call { (gateway) throws(VarlinkError) in try gateway.settings() }
        case "/set": await set(request)
        default: HTTPResponse(200, text: "ok\n")
        }
    }

    private func refused(_ refusal: Access.Refusal) async -> HTTPResponse {
        switch refusal {
        case .unauthorized:
            // Guessing shall take time; connections are bounded, so waiting costs little.
            try? await Task.sleep(for: .milliseconds(300))
            var response = HTTPResponse(401, text: "sign in as '\(Access.user)'\n")
            response.headers.append(("www-authenticate", "Basic realm=\"Hearth\", charset=\"UTF-8\""))
            return response
        case .foreignHost:
            return HTTPResponse(
                421,
                text: "This address is not served here. Open http://localhost:PORT, also through a tunnel or proxy.\n")
        case .foreignOrigin: return failure(403, Sentence(WebSentence.otherPage))
        case .notJSON: return failure(415, "only application/json is read here")
        }
    }

    /// Nothing is loaded from elsewhere, nothing is sent elsewhere, nobody may frame us, and no script but ours runs.
    static let headers: [(name: String, value: String)] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                + "manifest-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"), ("cache-control", "no-store"),
    ]

    // MARK: What the daemon says

    private func events() -> HTTPResponse {
        guard let stream = board.subscribe(now: .now) else { return HTTPResponse(503, text: "too many open pages\n") }
        return HTTPResponse(200, headers: [("content-type", "text/event-stream")], body: .stream(stream))
    }

    private func history(_ request: HTTPRequest) async -> HTTPResponse {
        guard let span = HistoryTable.span(request.query) else { return failure(400, HistoryTable.spans) }
        return await call { (gateway) throws(VarlinkError) in try gateway.history(span: span) }
    }

    /// The same as a file for a spreadsheet.
    private func table(_ request: HTTPRequest) async -> HTTPResponse {
        guard let span = HistoryTable.span(request.query) else { return failure(400, HistoryTable.spans) }
        var response = await call({ (gateway) throws(VarlinkError) in try gateway.history(span: span) }) {
            HTTPResponse(200, text: HistoryTable.csv($0), type: "text/csv; charset=utf-8")
        }
        response.headers.append(("content-disposition", "attachment; filename=\"hearth-\(span).csv\""))
        return response
    }

    private func forget(_ request: HTTPRequest) async -> HTTPResponse {
        if let refusal = access.refusalOfChange(request) { return await refused(refusal) }
        guard let room = try? JSON.parse(request.body)["room"]?.string, !room.isEmpty else {
            return failure(400, "the name of a room is expected")
        }
        logger.info("forget", metadata: ["room": "\(shown(room))"])
        return await call { (gateway) throws(VarlinkError) in try gateway.forget(room: room) }
    }

    private func set(_ request: HTTPRequest) async -> HTTPResponse {
        if let refusal = access.refusalOfChange(request) { return await refused(refusal) }
        guard let wish = SettingsWish(request.body) else {
            return failure(400, "room (or all) and settings, an object, are expected")
        }
        let keys = wish.settings.map(\.key).joined(separator: " ")
        logger.info("set", metadata: ["room": "\(shown(wish.room))", "settings": "\(keys)"])
        return await call { (gateway) throws(VarlinkError) in
            try gateway.set(room: wish.room, wish.settings.map { ($0.key, $0.value) })
        }
    }

    /// A room's name in a line of the log.
    private func shown(_ room: String?) -> String { room.map { JSON.string($0).serialized() } ?? "all" }

    private func override(_ request: HTTPRequest) async -> HTTPResponse {
        if let refusal = access.refusalOfChange(request) { return await refused(refusal) }
        guard let wish = OverrideWish(request.body) else { return failure(400, OverrideWish.expected) }
        let response = await call { (gateway) throws(VarlinkError) in
            try gateway.override(
                room: wish.room, pump: wish.pump, seconds: wish.seconds, isUntilChanged: wish.isUntilChanged,
                source: "page")
        }
        // The room's name is somebody's input: escaped, so that it cannot forge a line of the log.
        logger.info(
            "override",
            metadata: [
                "room": "\(shown(wish.room))", "pump": "\(wish.pump)",
                "status": "\(response.status)",
            ])
        return response
    }

    /// The search for devices, which goes on at the gateway; the page asks until it is done.
    private func devices(_ request: HTTPRequest) async -> HTTPResponse {
        if let refusal = access.refusalOfChange(request) { return await refused(refusal) }
        guard let again = (try? JSON.parse(request.body))?["again"]?.bool else {
            return failure(400, "again (true or false) is expected")
        }
        return await call { (gateway) throws(VarlinkError) in try gateway.devices(seconds: 15, again: again) }
    }

    private func call(
        _ body: @escaping @Sendable (ControlClient) throws(VarlinkError) -> JSON,
        as response: (JSON) -> HTTPResponse = {
            HTTPResponse(200, text: $0.serialized() + "\n", type: "application/json")
        }
    ) async -> HTTPResponse {
        do {
            let json = try await blocking { [socket] in try body(try ControlClient(socket: socket)) }
            return response(json)
        } catch let error as VarlinkError {
            let status = error.refusalName.map { $0 == "NoSuchRoom" ? 404 : 409 } ?? 503
            return failure(status, error.reason, error.sentence)
        } catch {
            return failure(503, Sentence(WebSentence.stopping))
        }
    }

    private func failure(_ status: Int, _ sentence: Sentence) -> HTTPResponse {
        failure(status, sentence.text, sentence)
    }

    /// - Parameter sentence: the text as a code with values, for who speaks another language; nil for what no person does.
    private func failure(_ status: Int, _ text: String, _ sentence: Sentence? = nil) -> HTTPResponse {
        var members: [(key: String, value: JSON)] = [("error", .string(text))]
        if let sentence { members.append(("say", sentence.json)) }
        return HTTPResponse(
            status, text: JSON.object(.init(members)).serialized() + "\n", type: "application/json")
    }

    private var metrics: String {
        let streams = MetricSample(
            name: "hearth_web_event_streams", help: "Open pages.", kind: .gauge, value: Double(board.streamCount))
        return PrometheusText.encode(gatewaySamples(board.latest, now: .now) + registry.samples + [streams])
    }
}
