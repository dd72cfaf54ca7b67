import FlyingFox
import FlyingSocks
import Foundation
import Prometheus
import ServiceLifecycle

/// `/healthz`, `/readyz` and `/metrics` of one process.
struct HTTPEndpoint: Service {
    let port: UInt16
    let service: CloudService

    func run() async throws {
        guard port != 0 else {
            try await gracefulShutdown()
            return
        }
        let server = HTTPServer(address: .inet(port: port), timeout: 5, logger: .disabled)
        await server.appendRoute("GET /healthz") { _ in
            service.standstill.map { Self.text(.serviceUnavailable, $0) } ?? Self.text(.ok, "ok")
        }
        await server.appendRoute("GET /readyz") { _ in
            let hindrances = service.hindrances
            return hindrances.isEmpty
                ? Self.text(.ok, "ready") : Self.text(.serviceUnavailable, hindrances.joined(separator: "\n"))
        }
        await server.appendRoute("GET /metrics") { _ in
            HTTPResponse(
                statusCode: .ok, headers: [.contentType: PrometheusText.contentType],
                body: Data(PrometheusText.encode(service.samples).utf8))
        }
        await withGracefulShutdownHandler {
            try? await server.run()
        } onGracefulShutdown: {
            Task { await server.stop(timeout: 1) }
        }
    }

    private static func text(_ status: HTTPStatusCode, _ text: String) -> HTTPResponse {
        HTTPResponse(
            statusCode: status, headers: [.contentType: "text/plain; charset=utf-8"], body: Data((text + "\n").utf8))
    }
}

/// The flow itself, until the process is told to stop.
struct FlowService: Service {
    let service: CloudService

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
