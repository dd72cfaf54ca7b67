import Glibc
import Machine

/// systemd's notification protocol: one datagram of `NAME=value` lines to `$NOTIFY_SOCKET` (sd_notify(3)), so
/// libsystemd is not needed. Without the variable every call does nothing.
struct ServiceNotifier: Sendable {
    private let path: String?
    /// How often systemd wants to hear `WATCHDOG=1`, halved as sd_watchdog_enabled(3) advises; nil when it does not.
    let watchdogInterval: Duration?

    init(environment: [String: String]) {
        path = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let pid = environment["WATCHDOG_PID"].flatMap(Int32.init)
        let isOurs = pid == nil || pid == getpid()
        let microseconds = isOurs ? environment["WATCHDOG_USEC"].flatMap { Int64($0) } : nil
        watchdogInterval = microseconds.flatMap { $0 > 0 ? .microseconds($0 / 2) : nil }
    }

    func ready(status: String) { send("READY=1\nSTATUS=\(oneLine(status))") }
    func status(_ text: String) { send("STATUS=\(oneLine(text))") }
    /// sd_notify(3) asks for CLOCK_MONOTONIC here, not boot time.
    func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonicNanoseconds / 1000)") }
    func stopping() { send("STOPPING=1\nSTATUS=stopping: committing and closing") }
    func watchdog() { send("WATCHDOG=1") }

    private func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

    private func send(_ message: String) {
        guard let path else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }  // Abstract socket, unix(7).
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var text = message
        _ = text.withUTF8 { body in
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor, body.baseAddress, body.count, Int32(MSG_NOSIGNAL), $0, length)
                }
            }
        }
    }
}
