import Foundation
import GatewayClient
import Glibc
import Synchronization

/// A control socket whose every byte the test writes: each connection is handed to `script` on a thread of its own.
final class ScriptedServer: Sendable {
    let path: String
    private let listener: Int32
    private let directory: URL

    /// - Parameter listens: false for a socket that is bound and never accepts.
    init(_ script: @escaping @Sendable (Peer) -> Void) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "hearth-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        path = directory.appending(path: "s").path
        listener = try Self.listen(path)
        let listener = listener
        Thread.detachNewThread {
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                Thread.detachNewThread {
                    script(Peer(descriptor))
                    close(descriptor)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        try? FileManager.default.removeItem(at: directory)
    }

    private static func listen(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, Glibc.listen(descriptor, 4) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        return descriptor
    }
}

/// The server's end of one connection.
struct Peer {
    private let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// The next request without its NUL; nil when the client has hung up.
    func request() -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, 0) == 1 {
            if byte == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    /// Sends `text` and, unless told otherwise, the NUL that ends a message.
    @discardableResult
    func send(_ text: String, ended: Bool = true) -> Bool {
        send(bytes: Array(text.utf8) + (ended ? [0] : []))
    }

    func send(bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    func waitForHangUp() {
        while request() != nil {}
    }
}

/// A daemon that knows one status: answers every method of the interface from fixtures.
func gatewayServer(status: String, rooms: [String] = ["office"]) throws -> ScriptedServer {
    try ScriptedServer { peer in
        while let request = peer.request() {
            if request.contains("\"more\":true") {
                peer.send(#"{"parameters":\#(status),"continues":true}"#)
                peer.waitForHangUp()
            } else if request.contains("Gateway.Status") {
                peer.send(#"{"parameters":\#(status)}"#)
            } else if request.contains("Gateway.Journal") {
                peer.send(#"{"parameters":\#(journalReply)}"#)
            } else if request.contains("Gateway.Doctor") {
                peer.send(
                    #"{"parameters":{"checks":[{"name":"clock","state":"ok","detail":"synchronised","advice":""}]}}"#)
            } else if !rooms.contains(where: { request.contains("\"room\":\"\($0)\"") }) {
                peer.send(#"{"error":"io.hearth.Gateway.NoSuchRoom","parameters":{"message":"no such room"}}"#)
            } else if request.contains("Gateway.Why") {
                peer.send(
                    #"{"parameters":{"decisions":[{"time":"2026-11-23T10:00:00Z","pump":"on","reason":"cold"}]}}"#)
            } else {
                peer.send(#"{"parameters":{"room":"office","pump":"on","secondsLeft":7200}}"#)
            }
        }
    }
}
