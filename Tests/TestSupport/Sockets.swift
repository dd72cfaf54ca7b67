import Foundation
import Glibc
import Synchronization

/// A socket call failed.
public struct SocketError: Error, CustomStringConvertible {
    public let description: String

    init(_ what: String) {
        description = "\(what): \(String(cString: strerror(errno)))"
    }
}

/// A TCP port on 127.0.0.1 that nobody was using a moment ago, for a program that cannot be asked which one it took.
///
/// Below the range from which the system takes ports by itself, so that no connection made meanwhile gets it, and
/// never the same one twice.
public func freePort() throws -> Int {
    for _ in 0..<1000 {
        let port = Int.random(in: 10_000..<30_000)
        guard handedOut.withLock({ $0.insert(port).inserted }), let listener = try? listenOnLoopback(port: port) else {
            continue
        }
        close(listener.descriptor)
        return port
    }
    throw SocketError("no free port")
}

private let handedOut = Mutex<Set<Int>>([])

/// Whether something accepts TCP connections on this port.
public func isListening(_ port: Int) -> Bool {
    guard let descriptor = try? connectToLoopback(port: port) else { return false }
    close(descriptor)
    return true
}

func listenOnLoopback(port: Int) throws -> (descriptor: Int32, port: Int) {
    try withLoopback(port) { try listen(on: $0, $1, family: AF_INET, port) }
}

func listenOnIPv6Loopback(port: Int) throws -> (descriptor: Int32, port: Int) {
    try withIPv6Loopback(port) { try listen(on: $0, $1, family: AF_INET6, port) }
}

private func listen(
    on address: UnsafePointer<sockaddr>, _ size: socklen_t, family: Int32, _ port: Int
) throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError("socket") }
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
    if family == AF_INET6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, 4) }
    guard bind(descriptor, address, size) == 0, Glibc.listen(descriptor, 64) == 0 else {
        let error = SocketError("listen on port \(port)")
        close(descriptor)
        throw error
    }
    // The port is at the same place in sockaddr_in and sockaddr_in6.
    var bound = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    withUnsafeMutablePointer(to: &bound) {
        _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return (descriptor, Int(UInt16(bigEndian: bound.sin6_port)))
}

/// - Returns: a socket that the caller closes.
public func connectToLoopback(port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError("socket") }
    guard withLoopback(port, { connect(descriptor, $0, $1) == 0 }) else {
        let error = SocketError("connect to port \(port)")
        close(descriptor)
        throw error
    }
    setNoDelay(descriptor)
    return descriptor
}

/// accept4(2), which Swift's Glibc does not show: a descriptor that leaks into a child process would keep its
/// connection open after it was closed here.
func acceptConnection(_ listener: Int32) -> Int32 {
    typealias Accept4 = @convention(c) (Int32, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int32) -> Int32
    guard let symbol = dlsym(nil, "accept4") else { return -1 }
    return unsafeBitCast(symbol, to: Accept4.self)(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
}

func setNoDelay(_ descriptor: Int32) {
    var yes: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, 4)
}

/// Closes with a reset instead of an orderly end.
func resetConnection(_ descriptor: Int32) {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close(descriptor)
}

func withLoopback<Result>(
    _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
) rethrows -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return try withUnsafePointer(to: &address) {
        try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

func withIPv6Loopback<Result>(
    _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
) rethrows -> Result {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = UInt16(port).bigEndian
    address.sin6_addr = in6addr_loopback
    return try withUnsafePointer(to: &address) {
        try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
    }
}
