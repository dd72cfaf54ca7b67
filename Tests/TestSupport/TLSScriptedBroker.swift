import Foundation
import Glibc

/// A TLS server whose every byte the test decides, made of `openssl s_server`: what is written in one piece goes out
/// in TLS records as large as they can be (16 KiB), which a real broker does not do.
///
/// It serves one connection at a time.
public final class TLSScriptedBroker: Sendable {
    public let port: Int
    private let directory: TemporaryDirectory
    private let server: ChildProcess
    private let pipe: Int32

    public init(_ certificates: Certificates) async throws {
        port = try freePort()
        directory = try TemporaryDirectory("s_server")
        let fifo = directory.file("in")
        guard mkfifo(fifo, 0o600) == 0 else { throw SocketError("mkfifo") }
        // Opened for both directions, so that neither side ever waits or sees the end.
        pipe = open(fifo, O_RDWR | O_CLOEXEC)
        guard pipe >= 0 else { throw SocketError("open \(fifo)") }
        let command = """
            exec /usr/bin/openssl s_server -quiet -accept 127.0.0.1:\(port) -cert \(certificates.serverCertificate) \
            -key \(certificates.serverKey) < \(fifo) > \(directory.file("out")) 2> \(directory.file("err"))
            """
        server = try ChildProcess("/bin/sh", ["-c", command])
        let port = port
        // A test connection would be the one it serves: look at the kernel's table of sockets instead.
        let entry = ":" + String(format: "%04X", port) + " 00000000:0000 0A"
        try await eventually("openssl listening on port \(port)") {
            guard server.isRunning else {
                let error = FileManager.default.contents(atPath: directory.file("err")) ?? Data()
                throw ChildProcess.CannotStart(description: "openssl: " + String(decoding: error, as: UTF8.self))
            }
            return contentsOfProc("net/tcp").contains(entry)
        }
    }

    deinit {
        server.kill()
        close(pipe)
    }

    /// Everything the client has sent, decrypted.
    public var packets: [Packet] {
        var parser = PacketParser()
        parser.append(FileManager.default.contents(atPath: directory.file("out")) ?? Data())
        var packets: [Packet] = []
        while let packet = parser.next() { packets.append(packet) }
        return packets
    }

    /// Blocks until the server has taken the bytes from the pipe, but for the last 64 KiB.
    public func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(pipe, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
