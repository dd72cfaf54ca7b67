import Foundation
import Glibc

/// A port whose SYNs nobody answers, like a black-holed address: its queue of connections is full.
public final class UnansweredPort: Sendable {
    public let port: Int
    private let descriptors: [Int32]

    public init(port: Int = 0, isIPv6: Bool = false) throws {
        let listener = try isIPv6 ? listenOnIPv6Loopback(port: port) : listenOnLoopback(port: port)
        self.port = listener.port
        listen(listener.descriptor, 0)
        var opened = [listener.descriptor]
        // A backlog of 0 holds one connection; Linux drops the SYNs of all further ones.
        for _ in 0..<4 {
            if let client = try? startConnecting(port: listener.port, isIPv6: isIPv6) { opened.append(client) }
        }
        descriptors = opened
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }

    /// Whether the resolver gives localhost an IPv6 address, and first.
    public static var hasIPv6Localhost: Bool {
        var found: UnsafeMutablePointer<addrinfo>?
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        guard getaddrinfo("localhost", nil, &hints, &found) == 0, let first = found else { return false }
        defer { freeaddrinfo(found) }
        guard first.pointee.ai_family == AF_INET6 else { return false }
        guard let listener = try? listenOnIPv6Loopback(port: 0) else { return false }
        close(listener.descriptor)
        return true
    }
}

private func startConnecting(port: Int, isIPv6: Bool) throws -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
    guard descriptor >= 0 else { throw SocketError("socket") }
    if isIPv6 {
        withIPv6Loopback(port) { _ = connect(descriptor, $0, $1) }
    } else {
        withLoopback(port) { _ = connect(descriptor, $0, $1) }
    }
    return descriptor
}
