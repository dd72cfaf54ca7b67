import Glibc
import Heating
import Machine
import Synchronization

/// One gateway per home: taken before socket, broker or journal are touched.
///
/// Each of the three is guarded by a name in the kernel (abstract sockets, unix(7)): such a name vanishes with its process,
/// knows who holds it, and needs no disk that could be frozen, full or not mounted yet. Boxes do not see each other's names,
/// nor do containers with networks of their own; the brokers and the journal's own lock notice those.
final class GatewayLock: Sendable {
    /// Somebody else runs on the same socket, broker or journal.
    struct Held: Error, CustomStringConvertible {
        /// What is in use.
        var resource: String
        var pid: pid_t
        var program: String

        var description: String {
            "\(resource) is in use by process \(pid) (\(program)): one gateway per home. Stop it (systemctl stop hearthd, or "
                + "kill \(pid)), or give this one its own control.socket, journal.path and home."
        }
    }

    /// Askers that have not been dismissed yet.
    private static let backlog: Int32 = 4096
    /// How often a name is looked at whose holder has bound it and does not listen yet.
    private static let attempts = 20

    /// What is held, by name.
    private let held = Mutex<[ExactString: Int32]>([:])

    private init() {}

    /// Takes all names, or none.
    ///
    /// - Parameter patience: how long to wait for a holder that may be ending.
    /// - Throws: ``Held`` when another process has one of them.
    static func take(for configuration: Configuration, within patience: Duration) throws(Held) -> GatewayLock {
        let end = Clock.now + patience
        while true {
            let lock = GatewayLock()
            do throws(Held) {
                try lock.follow(configuration)
                return lock
            } catch {
                guard Clock.now < end else { throw error }
                Clock.sleep(100_000_000)
            }
        }
    }

    /// Takes what this configuration needs and lets go of the rest; all of it, or nothing changes.
    ///
    /// Asks the kernel alone and is quick, but for a holder that is about to end: a fifth of a second.
    /// - Throws: ``Held`` when another process has one of them.
    func follow(_ configuration: Configuration) throws(Held) {
        let wanted = Self.names(configuration)
        let known = held.withLock { $0 }
        var kept: [ExactString: Int32] = [:]
        var taken: [Int32] = []
        for (resource, name) in wanted {
            let key = ExactString(name)
            if let descriptor = known[key] {
                kept[key] = descriptor
                continue
            }
            do throws(Held) {
                guard let descriptor = try Self.take(resource, name) else { continue }
                (kept[key], taken) = (descriptor, taken + [descriptor])
            } catch {
                for descriptor in taken { close(descriptor) }
                throw error
            }
        }
        held.withLock { $0 = kept }
        for (key, descriptor) in known where kept[key] == nil { close(descriptor) }
    }

    func release() {
        let descriptors = held.withLock { held in
            defer { held = [:] }
            return held.values
        }
        for descriptor in descriptors { close(descriptor) }
    }

    /// Those who looked who holds the names stand in line until then. To be called now and then: who finds the line full
    /// cannot see the holder.
    func dismissAskers() {
        for descriptor in held.withLock({ Array($0.values) }) {
            while case let asker = accept(descriptor, nil, nil), asker >= 0 { close(asker) }
        }
    }

    /// What is guarded, for a person and as a name.
    static func names(_ configuration: Configuration) -> [(resource: String, key: String)] {
        let host = configuration.local.host
        let broker = "\(isThisBox(host) ? "localhost" : host):\(configuration.local.port)"
        var names = [
            (
                "home '\(configuration.home.displayName)' at the home broker \(configuration.local.address)",
                "home \(configuration.home.name) \(broker)"
            ),
            ("the journal \(configuration.journal.path)", "journal \(tidy(configuration.journal.path))"),
        ]
        let socket = configuration.controlSocket
        if !socket.isEmpty { names.insert(("the control socket \(socket)", "socket \(tidy(socket))"), at: 0) }
        return names
    }

    private static func isThisBox(_ host: String) -> Bool {
        ["localhost", "::1", "0.0.0.0", "::"].contains(host) || host.hasPrefix("127.")
    }

    /// Without `.`, `..`, doubled slashes and the like; symbolic links are not followed, which would need the disk.
    private static func tidy(_ path: String) -> String {
        var parts: [Substring] = []
        let absolute = path.hasPrefix("/") ? path : "\(currentDirectory)/\(path)"
        for part in absolute.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private static var currentDirectory: String {
        guard let bytes = getcwd(nil, 0) else { return "" }
        defer { free(bytes) }
        return String(cString: bytes)
    }

    /// - Returns: nil where nothing can be taken and nobody has it who counts.
    private static func take(_ resource: String, _ key: String) throws(Held) -> Int32? {
        for _ in 0..<attempts {
            guard let descriptor = socket() else { return nil }
            if withAddress(key, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, backlog) == 0 {
                return descriptor
            }
            let isTaken = errno == EADDRINUSE
            close(descriptor)
            guard isTaken else { return nil }
            switch holder(of: key) {
            case .gateway(let pid, let program): throw Held(resource: resource, pid: pid, program: program)
            case .stranger: return nil
            // It ended this moment, or has not come to listening yet: two that start at once.
            case .nobody: Clock.sleep(10_000_000)
            }
        }
        return nil
    }

    /// nil without descriptors: then nothing works, which is told elsewhere, and heating must not fail for want of a lock.
    private static func socket() -> Int32? {
        let descriptor = Glibc.socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        return descriptor >= 0 ? descriptor : nil
    }

    private enum Holder {
        case gateway(pid: pid_t, program: String)
        /// Somebody who only wants to keep this house cold.
        case stranger
        case nobody
    }

    /// Who listens on the name. Another user's process counts when it is root's, or a gateway and we are root.
    private static func holder(of key: String) -> Holder {
        guard let descriptor = socket() else { return .stranger }
        defer { close(descriptor) }
        guard withAddress(key, { connect(descriptor, $0, $1) }) == 0 else {
            // A gateway's line is never full.
            return errno == EAGAIN ? .stranger : .nobody
        }
        // struct ucred, which Swift does not see: socket(7).
        var peer: (pid: pid_t, uid: uid_t, gid: gid_t) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: peer))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 else { return .nobody }
        let program = name(of: peer.pid)
        let isOurs = peer.uid == geteuid() || peer.uid == 0 || (geteuid() == 0 && program == "hearthd")
        return isOurs ? .gateway(pid: peer.pid, program: program) : .stranger
    }

    private static func name(of pid: pid_t) -> String {
        let descriptor = open("/proc/\(pid)/comm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "unknown" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = max(0, read(descriptor, &bytes, bytes.count))
        return String(decoding: bytes[..<count].prefix { $0 != 10 }, as: UTF8.self)
    }

    /// An abstract name: a zero byte first. Longer keys than fit are told apart by a hash.
    private static func withAddress(
        _ key: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = [0] + Array("hearthd \(key)".utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        if bytes.count > room {
            // FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
            let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            bytes = bytes.prefix(room - 17) + Array(" \(String(hash, radix: 16))".utf8)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
