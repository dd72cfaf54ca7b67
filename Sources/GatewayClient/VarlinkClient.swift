import Glibc
import Heating
import Machine

/// A Varlink client over a unix stream socket: one JSON object per message, each ended by a NUL byte
/// (https://varlink.org/Method-Call). Blocking, with a deadline on every step; not for use from several threads.
/// After any error but ``VarlinkError/refusal(name:parameters:)`` and ``VarlinkError/interrupted`` the connection
/// is out of step and must be given up.
package final class VarlinkClient {
    /// The longest answer that is read. A status of 1 000 rooms is below 1 MiB.
    package static let replyLimit = 8 << 20

    package struct Reply {
        package var parameters: JSON
        /// Another reply to the same call follows.
        package var continues: Bool
    }

    private let socket: Descriptor
    private let timeout: Duration
    private let interrupt: Descriptor?
    private var buffer: [UInt8] = []
    private var scanned = 0

    /// Connects to the socket at `path`.
    ///
    /// - Parameters:
    ///   - timeout: for connecting, and again for every message sent or received.
    ///   - interrupt: when it becomes readable, a wait ends with ``VarlinkError/interrupted`` and can be resumed.
    /// - Throws: why there is no connection, told apart by what a person does about it.
    package init(path: String, timeout: Duration = .seconds(5), interrupt: Descriptor? = nil) throws(VarlinkError) {
        self.timeout = timeout
        self.interrupt = interrupt
        socket = try Self.connected(path: path, timeout: timeout)
    }

    /// Calls `method` and returns the parameters of its one reply.
    package func call(_ method: String, _ parameters: JSON? = nil) throws(VarlinkError) -> JSON {
        try send(method, parameters)
        return try receive().parameters
    }

    /// Sends a call; with `more`, the service answers until it or the connection ends.
    package func send(_ method: String, _ parameters: JSON? = nil, more: Bool = false) throws(VarlinkError) {
        var request = JSON.Object([("method", .string(method))])
        request["parameters"] = parameters
        if more { request["more"] = true }
        try write(JSON.object(request).bytes + [0])
    }

    /// The next reply.
    package func receive() throws(VarlinkError) -> Reply {
        let message = try nextMessage()
        let json: JSON
        do {
            json = try JSON.parse(message, limit: Self.replyLimit)
        } catch {
            throw .malformed(error.description)
        }
        guard json.object != nil else { throw .malformed("not a JSON object") }
        let parameters = json["parameters"] ?? [:]
        if let error = json["error"]?.string { throw .refusal(name: error, parameters: parameters) }
        return Reply(parameters: parameters, continues: json["continues"]?.bool ?? false)
    }

    private func nextMessage() throws(VarlinkError) -> [UInt8] {
        let deadline = ContinuousClock.now + timeout
        while true {
            if let end = buffer[scanned...].firstIndex(of: 0) {
                let message = Array(buffer[..<end])
                buffer.removeFirst(end + 1)
                scanned = 0
                return message
            }
            scanned = buffer.count
            guard buffer.count <= Self.replyLimit else { throw .oversized(limit: Self.replyLimit) }
            try fillBuffer(until: deadline)
        }
    }

    private func fillBuffer(until deadline: ContinuousClock.Instant) throws(VarlinkError) {
        switch socket.wait(for: POLLIN, until: deadline, interrupt: interrupt) {
        case .timedOut: throw .timedOut(timeout)
        case .interrupted: throw .interrupted
        case .ready: break
        }
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket.number, &chunk, chunk.count, 0)
        if count > 0 {
            buffer += chunk[..<count]
        } else if count == 0 || errno == ECONNRESET {
            throw .closed
        } else if errno != EAGAIN, errno != EINTR {
            throw .system(call: "recv", code: errno)
        }
    }

    private func write(_ bytes: [UInt8]) throws(VarlinkError) {
        let deadline = ContinuousClock.now + timeout
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE || errno == ECONNRESET {
                throw .closed
            } else if errno == EAGAIN {
                if socket.wait(for: POLLOUT, until: deadline) == .timedOut { throw .timedOut(timeout) }
            } else if errno != EINTR {
                throw .system(call: "send", code: errno)
            }
        }
    }
}

extension VarlinkClient {
    private static func connected(path: String, timeout: Duration) throws(VarlinkError) -> Descriptor {
        var address = try unixAddress(path)
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard let descriptor = Descriptor(Glibc.socket(AF_UNIX, kind, 0)) else {
            throw .system(call: "socket", code: errno)
        }
        let deadline = ContinuousClock.now + timeout
        while true {
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            if result == 0 { return descriptor }
            switch errno {
            case EAGAIN, EINTR:
                // The listener's queue is full (connect(2)); poll(2) does not tell when a place is free.
                guard ContinuousClock.now < deadline else { throw .timedOut(timeout) }
                _ = poll(nil, 0, 10)
            case ENOENT, ENOTDIR: throw .noSocket(path: path)
            case ECONNREFUSED, ENOTSOCK: throw .refused(path: path)
            case EACCES, EPERM: throw .denied(path: path, group: groupName(ofFile: path))
            default: throw .system(call: "connect", code: errno)
            }
        }
    }

    private static func unixAddress(_ path: String) throws(VarlinkError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else { throw .pathTooLong(path: path, limit: capacity - 1) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }
}

/// The name of the group that owns the file, if both can be seen.
private func groupName(ofFile path: String) -> String? {
    var information = stat()
    guard stat(path, &information) == 0, information.st_gid != 0, let entry = getgrgid(information.st_gid) else {
        return nil
    }
    return String(cString: entry.pointee.gr_name)
}
