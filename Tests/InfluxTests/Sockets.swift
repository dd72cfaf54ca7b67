import Foundation
import Glibc

/// A listening TCP socket on the loopback interface; port 0 is a free one.
func listeningSocket(port: UInt16 = 0) throws -> (socket: CInt, port: UInt16) {
    let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var yes: CInt = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
    var address = loopback(port: port)
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withAddress(&address) { bind(listener, $0, length) == 0 && listen(listener, 64) == 0 }
    guard listener >= 0, isBound else { throw TestFailure("cannot listen: errno \(errno)") }
    var actual = length
    _ = withAddress(&address) { getsockname(listener, $0, &actual) }
    return (listener, UInt16(bigEndian: address.sin_port))
}

func freePort() throws -> UInt16 {
    let (listener, port) = try listeningSocket()
    close(listener)
    return port
}

func connectedSocket(port: UInt16) throws -> CInt {
    let client = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = loopback(port: port)
    let isConnected = withAddress(&address) {
        connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
    guard isConnected else {
        close(client)
        throw TestFailure("cannot connect to port \(port): errno \(errno)")
    }
    return client
}

/// What arrived; empty at the end of the stream, nil after a reset.
func receive(_ socket: CInt) throws -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    let count = recv(socket, &buffer, buffer.count, 0)
    return count < 0 ? nil : Array(buffer[..<count])
}

func sendAll(_ socket: CInt, _ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        guard count > 0 else { throw TestFailure("the peer closed the connection") }
        rest = rest.dropFirst(count)
    }
}

/// Makes the next close send a reset instead of an end of stream.
func resetOnClose(_ socket: CInt) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
}

private func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

private func withAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
) -> Result {
    withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
}

struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

func waitUntil(_ what: String, within seconds: Double = 10, _ condition: () throws -> Bool) throws {
    let deadline = Date().addingTimeInterval(seconds)
    while try !condition() {
        if Date() > deadline { throw TestFailure("not within \(seconds) s: \(what)") }
        usleep(5_000)
    }
}
