import Foundation
import Glibc
import HTTP
import Testing

/// A client whose every byte the test writes.
final class RawClient {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// - Returns: false when the server has hung up.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// Everything until the server hangs up; nil when it has not done so within ten seconds.
    func rest() -> String? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 {
                bytes += chunk[..<count]
            } else {
                return count == 0 || errno == ECONNRESET ? String(decoding: bytes, as: UTF8.self) : nil
            }
        }
    }

    /// Reads until `text` has arrived.
    func read(until text: String) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while !String(decoding: bytes, as: UTF8.self).contains(text), recv(descriptor, &byte, 1, 0) == 1 {
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Runs `body` with the port of a server that answers with what it was asked.
func withServer(
    _ limits: HTTPLimits = HTTPLimits(), handler: @escaping HTTPServer.Handler = echo,
    _ body: @escaping @Sendable (Int) throws -> Void
) async throws {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let server = HTTPServer(host: "127.0.0.1", port: 0, limits: limits, handler: handler)
    let task = Task { try await server.run { continuation.yield($0) } }
    var iterator = ports.makeAsyncIterator()
    let port = try #require(await iterator.next())
    // The client blocks; it must not sit on a thread of the concurrency pool.
    let result: Result<Void, any Error> = await withCheckedContinuation { done in
        Thread.detachNewThread { done.resume(returning: Result { try body(port) }) }
    }
    task.cancel()
    try await task.value
    try result.get()
}

@Sendable func echo(_ request: HTTPRequest) async -> HTTPResponse {
    HTTPResponse(200, text: "\(request.method) \(request.path)?\(request.query) \(request.body.count)\n")
}

/// For the blocking side of a test only.
func usleepMilliseconds(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }
