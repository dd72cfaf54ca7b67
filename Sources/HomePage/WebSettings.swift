import Glibc
import Machine

/// Why hearth-web does not start: exit code 78.
package struct SettingsError: Error, Equatable {
    package var description: String

    package init(description: String) { self.description = description }
}

/// Where the page is served, and to whom.
package struct WebSettings: Sendable {
    package var address: ListenAddress
    var access: Access

    /// - Throws: when the address is none, or reaches beyond this machine without a password; when a file cannot be used.
    package init(listen: String, passwordFile: String?) throws(SettingsError) {
        guard let address = ListenAddress(listen) else {
            throw SettingsError(
                description:
                    "--listen \(listen): an address and a port are expected, such as 127.0.0.1:8088 or [::1]:8088")
        }
        let password = passwordFile == nil ? nil : try Self.password(in: passwordFile ?? "")
        guard address.isLoopback || password != nil else {
            throw SettingsError(
                description: """
                    \(listen) can be reached from other machines, and whoever opens the page may switch the heat \
                    pumps. Name a file with a password: --password-file FILE. Or listen on this machine only, \
                    --listen 127.0.0.1:\(address.port), and reach it through ssh -L.
                    """)
        }
        self.address = address
        access = Access(password: password)
    }

    /// Whether a password travels over a network, which TLS or a proxy in front has to hide.
    package var isPasswordSent: Bool { access.password != nil && !address.isLoopback }

    private static func password(in file: String) throws(SettingsError) -> String {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SettingsError(description: "--password-file \(file): \(systemErrorText(errno))")
        }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = max(0, read(descriptor, &buffer, buffer.count))
        let line = buffer[..<count].prefix { $0 != 0x0A && $0 != 0x0D }
        guard line.count >= 8, let password = String(validating: line, as: UTF8.self) else {
            throw SettingsError(
                description: "--password-file \(file): its first line is the password, of at least 8 characters")
        }
        return password
    }
}

/// `address:port`, `[address]:port` or `name:port`.
package struct ListenAddress: Equatable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = Int(port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Only this machine reaches it: 127.0.0.0/8, ::1, and the name `localhost` (RFC 6761 section 6.3). Any other name
    /// may resolve to anything, and counts as reachable from outside.
    var isLoopback: Bool { Self.isLoopback(host) }

    static func isLoopback(_ host: some StringProtocol) -> Bool {
        if host.lowercased() == "localhost" { return true }
        var four = in_addr()
        if inet_pton(AF_INET, String(host), &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
        var six = in6_addr()
        guard inet_pton(AF_INET6, String(host), &six) == 1 else { return false }
        return withUnsafeBytes(of: &six) { bytes in bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1 }
    }
}
