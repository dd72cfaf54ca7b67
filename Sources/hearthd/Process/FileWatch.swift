import Glibc
import Heating
import Machine
import Synchronization

/// What the files that the configuration names are like: certificates, secrets, the journal's disk.
///
/// Looked at again and again on a thread of its own: a disk that hangs must silence nobody, and everybody only looks at
/// what was seen last.
final class FileWatch: Sendable {
    struct Contents: Sendable {
        var certificates: [CertificateWatch.End] = []
        var secrets: [Check] = []
        /// Bytes on the journal's file system; nil when its directory cannot be examined.
        var disk: Disk?
    }

    struct Disk: Equatable, Sendable {
        var free: Int64
        var total: Int64
    }

    private static let intervalNanoseconds: Int64 = 5_000_000_000
    private let contents = Mutex(Contents())

    /// As of the last look, which is a few seconds old at most while the disk answers.
    var snapshot: Contents { contents.withLock { $0 } }

    /// Watches the files that `configuration` names each time, for as long as it returns one.
    func start(_ configuration: @escaping @Sendable () -> Configuration?) {
        startThread("files") { [self] in
            while let current = configuration() {
                let seen = Contents(
                    certificates: CertificateWatch.read(current), secrets: Self.secrets(current),
                    disk: Self.disk(current.journal.path))
                contents.withLock { $0 = seen }
                Clock.sleep(Self.intervalNanoseconds)
            }
        }
    }

    private static func disk(_ path: String) -> Disk? {
        var space = statvfs()
        let directory = path.split(separator: "/").dropLast().joined(separator: "/")
        guard statvfs("/" + directory, &space) == 0 else { return nil }
        let block = Int64(space.f_frsize)
        return Disk(free: Int64(space.f_bavail) * block, total: Int64(space.f_blocks) * block)
    }

    /// Files with secrets: readable by us, and by nobody else.
    private static func secrets(_ configuration: Configuration) -> [Check] {
        [("local", configuration.local), ("cloud", configuration.cloud)].flatMap { name, broker in
            [broker.passwordFile, broker.tls?.key].compactMap { $0 }.map { secret("\(name) secret", $0) }
        }
    }

    private static func secret(_ name: String, _ file: String) -> Check {
        var information = stat()
        guard access(file, R_OK) == 0, stat(file, &information) == 0 else {
            return Check(
                name: name, state: .error, detail: "\(file): \(systemErrorText(errno))",
                advice: "Make it readable for the user hearthd runs as, or use LoadCredential=.")
        }
        guard information.st_mode & 0o077 == 0 else {
            return Check(
                name: name, state: .warning, detail: "\(file) is readable by others", advice: "chmod 600 \(file)")
        }
        return Check(name: name, state: .ok, detail: file)
    }
}
