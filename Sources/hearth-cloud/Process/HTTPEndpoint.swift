import Foundation
import HTTP
import Prometheus
import ServiceLifecycle

/// What one process runs beside its probes: a flow of ingest and pipelines, or the actuator.
protocol ProbedService: Sendable {
    func start() throws
    /// Blocks until everything at hand is finished, for at most about four seconds.
    func stop()
    /// Why this process should be restarted; nil when its loops advance. Never tied to a peer being reachable.
    var standstill: String? { get }
    /// What keeps it from doing its work now; empty when ready.
    var hindrances: [String] { get }
    /// What a person may want to know of it while it is ready.
    var notes: [String] { get }
    var samples: [MetricSample] { get }
    /// The dead letters of its event log, for `hearth-cloud dead-letters`; nil where it has none.
    var deadLetters: DeadLetterDesk? { get }
    /// What it shows to a person beside the probes; nil for a path that it does not know. May take a tenth of a second.
    func page(_ path: String) -> HTTPResponse?
}

extension ProbedService {
    var notes: [String] { [] }
    var deadLetters: DeadLetterDesk? { nil }
    func page(_ path: String) -> HTTPResponse? { nil }
}

/// `/healthz`, `/readyz` and `/metrics` of one process.
struct HTTPEndpoint: Service {
    let port: UInt16
    let service: any ProbedService

    func run() async throws {
        guard port != 0 else {
            try await gracefulShutdown()
            return
        }
        let server = HTTPServer(host: Self.everyAddress, port: Int(port)) { [service] request in
            if request.path == DeadLetterDesk.path { return await Self.deadLetters(request, service) }
            return await Self.answer(request, service)
        }
        do {
            try await cancelWhenGracefulShutdown { try await server.run() }
        } catch let error where !(error is CancellationError) {
            throw SettingError(
                "--http-port (HTTP_PORT) \(port) cannot be listened on: \(error). Another process may have it (ss -ltnp); "
                    + "end that, or set another")
        }
    }

    /// Both families where there are both: a cluster may have IPv6 alone, and its kubelet asks there.
    private static var everyAddress: String {
        func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        let isDual = !read("/proc/net/if_inet6").isEmpty && !read("/proc/sys/net/ipv6/bindv6only").hasPrefix("1")
        return isDual ? "::" : "0.0.0.0"
    }

    /// Only for this machine, and not for a page in somebody's browser there.
    private static func deadLetters(_ request: HTTPRequest, _ service: any ProbedService) async -> HTTPResponse {
        guard let desk = service.deadLetters else { return text(404, "not found") }
        guard request.isFromThisMachine, request.method == "POST", request.header(DeadLetterDesk.header) != nil else {
            return text(403, "only for hearth-cloud dead-letters on this machine")
        }
        do {
            let answer = try await blocking { try desk.answer(request.body) }
            return HTTPResponse(200, text: answer)
        } catch {
            return text(500, "\(error)")
        }
    }

    private static func answer(_ request: HTTPRequest, _ service: any ProbedService) async -> HTTPResponse {
        guard request.method == "GET" || request.method == "HEAD" else { return HTTPResponse(405, text: "only GET\n") }
        switch request.path {
        case "/healthz": return service.standstill.map { text(503, $0) } ?? text(200, "ok")
        case "/readyz":
            let hindrances = service.hindrances
            return hindrances.isEmpty
                ? text(200, (["ready"] + service.notes).joined(separator: "\n"))
                : text(503, (hindrances + service.notes).joined(separator: "\n"))
        case "/metrics":
            return HTTPResponse(200, text: PrometheusText.encode(service.samples), type: PrometheusText.contentType)
        default: return (try? await blocking { service.page(request.path) }) ?? text(404, "not found")
        }
    }

    private static func text(_ status: Int, _ text: String) -> HTTPResponse { HTTPResponse(status, text: text + "\n") }
}

/// The flow itself, until the process is told to stop.
struct FlowService: Service {
    let service: any ProbedService

    func run() async throws {
        try service.start()
        try? await gracefulShutdown()
        await withCheckedContinuation { continuation in
            startThread("stop") {
                service.stop()
                continuation.resume()
            }
        }
    }
}
