import Foundation
import Glibc

@testable import Influx

/// An InfluxDB 2 write endpoint that is strict about requests and answers what a test tells it.
///
/// Checks method, path, query, token, precision, content type, compression and every line. Keeps the points of
/// requests it confirmed as the database would: the last value of a point wins.
final class InfluxStub: @unchecked Sendable {
    struct Request: Sendable {
        /// Counts the requests of all connections from 0.
        var number: Int
        var method: String
        var path: String
        var query: [String: String]
        var headers: [String: String]
        var points: [ParsedPoint]
        var compressedBytes: Int
        var contentBytes: Int
    }

    enum Answer: Sendable {
        /// 204 when the request conforms, else what InfluxDB 2 answers.
        case conforming
        /// 204 after so many seconds.
        case delayed(Double)
        /// Stores nothing.
        case status(Int, body: String = "", headers: [String] = [])
        /// Stores nothing and compresses its answer, whether that was asked for or not.
        case compressed(Int, body: String)
        /// Stores all but the points for which it is true and answers 422 as 2.x does, or 204 without any.
        case partial(status: Int = 422, poison: @Sendable (ParsedPoint) -> Bool)
        /// Reads the request and never answers.
        case hang
        /// One byte per second.
        case slow
        /// Stores nothing and closes without an answer.
        case cut
        /// Stores everything and resets the connection before the answer.
        case storedThenReset
        /// Stores everything, answers 204 and closes at once.
        case storedThenCut
        /// Stores everything, but only half of the status line arrives.
        case storedHalfAnswered

        var isEndless: Bool {
            switch self {
            case .hang, .slow: true
            default: false
            }
        }
    }

    static let token = "secret-token=="
    let url: String
    private let listener: CInt
    private let script: @Sendable (Request) -> Answer
    private let lock = NSLock()
    private var state = State()
    private let hasEnded = DispatchSemaphore(value: 0)

    struct State {
        var stored: [String: ParsedPoint] = [:]
        /// Confirmed points, repeats included.
        var writes = 0
        var requests: [Request] = []
        var violations: [String] = []
        var connections = 0
        var busySeries: [String: Int] = [:]
        var inFlight = 0
        var mostInFlight = 0
        var sockets: Set<CInt> = []
        var isStopped = false
    }

    init(port: UInt16 = 0, _ script: @escaping @Sendable (Request) -> Answer = { _ in .conforming }) throws {
        let (listener, port) = try listeningSocket(port: port)
        self.listener = listener
        self.script = script
        url = "http://127.0.0.1:\(port)"
        Thread.detachNewThread { [weak self, hasEnded] in
            defer { hasEnded.signal() }
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0, let self, self.isOpen(socket) else {
                    if socket >= 0 { close(socket) }
                    return
                }
                Thread.detachNewThread { self.serve(socket) }
            }
        }
    }

    /// Closes everything; the threads end.
    func stop() {
        let wasStopped = lock.withLock {
            defer { state.isStopped = true }
            for socket in state.sockets { shutdown(socket, CInt(SHUT_RDWR)) }
            return state.isStopped
        }
        if wasStopped { return }
        shutdown(listener, CInt(SHUT_RDWR))
        // Not before the thread has left `accept`: the number could be another stub's listener by its next one.
        hasEnded.wait()
        close(listener)
    }

    var snapshot: State { lock.withLock { state } }

    private func isOpen(_ socket: CInt) -> Bool {
        lock.withLock {
            if !state.isStopped { state.sockets.insert(socket) }
            state.connections += 1
            return !state.isStopped
        }
    }

    private func serve(_ socket: CInt) {
        var connection = StubConnection(socket: socket)
        while let message = try? connection.next() {
            guard answer(message, socket) else { break }
        }
        lock.withLock { _ = state.sockets.remove(socket) }
        close(socket)
    }

    /// - Returns: whether the connection goes on.
    private func answer(_ message: StubConnection.Message, _ socket: CInt) -> Bool {
        let content = message.content
        let points = content.flatMap { try? LineParser.parse($0) } ?? []
        let series = Set(points.map(\.series))
        let request = lock.withLock {
            let request = Request(
                number: state.requests.count, method: message.method, path: message.path, query: message.query,
                headers: message.headers, points: points, compressedBytes: message.body.count,
                contentBytes: content?.count ?? 0)
            state.requests.append(request)
            if let fault = fault(message, isGzip: content != nil, points) { state.violations.append(fault) }
            state.inFlight += 1
            state.mostInFlight = max(state.mostInFlight, state.inFlight)
            for name in series {
                if state.busySeries[name, default: 0] > 0 { state.violations.append("two in flight: \(name)") }
                state.busySeries[name, default: 0] += 1
            }
            return request
        }
        let answer = script(request)
        if case .delayed(let seconds) = answer { usleep(UInt32(seconds * 1e6)) }
        // Before the answer, since the client may send the next request at once. A request that is never
        // answered stores nothing, and its client gives up without telling us.
        lock.withLock {
            for name in series { state.busySeries[name, default: 1] -= 1 }
            if !answer.isEndless { state.inFlight -= 1 }
        }
        defer { if answer.isEndless { lock.withLock { state.inFlight -= 1 } } }
        return (try? carryOut(answer, message, points, socket)) ?? false
    }

    private func carryOut(
        _ answer: Answer, _ message: StubConnection.Message, _ points: [ParsedPoint], _ socket: CInt
    ) throws -> Bool {
        switch answer {
        case .conforming, .delayed:
            if let (status, body) = refusal(message) {
                try send(socket, status, body: body)
            } else {
                store(points)
                try send(socket, 204)
            }
            return true
        case .status(let status, let body, let headers):
            try send(socket, status, body: body, headers: headers)
            return true
        case .compressed(let status, let body):
            let zipped = try RequestBody(level: 1)
            Array(body.utf8).withUnsafeBytes { zipped.set($0) }
            let lines = [
                "HTTP/1.1 \(status) Status", "Content-Encoding: gzip", "Content-Length: \(zipped.bytes.count)", "\r\n",
            ]
            try sendAll(socket, Array(lines.joined(separator: "\r\n").utf8) + Array(zipped.bytes))
            return true
        case .partial(let status, let isPoison):
            let bad = points.filter(isPoison)
            store(points.filter { !isPoison($0) })
            let text =
                "failure writing points to database: partial write: field type conflict: input field "
                + "\\\"value\\\" on measurement \\\"m\\\" is type string, "
                + "already exists as type float dropped=\(bad.count)"
            if bad.isEmpty {
                try send(socket, 204)
            } else {
                try send(socket, status, body: "{\"code\":\"unprocessable entity\",\"message\":\"\(text)\"}")
            }
            return true
        case .hang:
            // Until the client gives up or the test ends.
            while let part = try receive(socket), !part.isEmpty {}
            return false
        case .slow:
            for byte in Array("HTTP/1.1 204 No Content\r\n\r\n".utf8) {
                try sendAll(socket, [byte])
                sleep(1)
            }
            return false
        case .cut:
            return false
        case .storedThenReset:
            store(points)
            resetOnClose(socket)
            return false
        case .storedThenCut:
            store(points)
            try send(socket, 204)
            return false
        case .storedHalfAnswered:
            store(points)
            try sendAll(socket, Array("HTTP/1.1 20".utf8))
            return false
        }
    }

    private func store(_ points: [ParsedPoint]) {
        lock.withLock {
            state.writes += points.count
            for point in points { state.stored[point.identity] = point }
        }
    }

    private func send(_ socket: CInt, _ status: Int, body: String = "", headers: [String] = []) throws {
        var lines = ["HTTP/1.1 \(status) Status"] + headers
        if status != 204 { lines.append("Content-Length: \(body.utf8.count)") }
        try sendAll(socket, Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8))
    }

    /// What InfluxDB 2 answers to a request that is wrong as a whole.
    private func refusal(_ message: StubConnection.Message) -> (Int, String)? {
        func error(_ code: String, _ text: String) -> String { "{\"code\":\"\(code)\",\"message\":\"\(text)\"}" }
        if message.method != "POST" { return (405, error("method not allowed", "allow: POST")) }
        if message.path != "/api/v2/write" { return (404, error("not found", "path not found")) }
        if message.headers["authorization"] != "Token \(Self.token)" {
            return (401, error("unauthorized", "unauthorized access"))
        }
        if message.query["org"] != "cloud & home" { return (400, error("invalid", "organization name not found")) }
        if message.query["bucket"] != "raw" { return (404, error("not found", "bucket not found")) }
        if message.query["precision"] != "ns" { return (400, error("invalid", "invalid precision")) }
        return nil
    }

    private func fault(_ message: StubConnection.Message, isGzip: Bool, _ points: [ParsedPoint]) -> String? {
        if let (status, text) = refusal(message) { return "\(status) \(text)" }
        if message.query.count != 3 { return "query \(message.query)" }
        if message.headers["content-encoding"] != "gzip" { return "not compressed" }
        if message.headers["content-type"] != "text/plain; charset=utf-8" { return "content type" }
        if message.headers["expect"] != nil { return "expects 100-continue" }
        if !isGzip { return "not gzip" }
        if points.isEmpty { return "no points, or not line protocol" }
        return nil
    }
}
