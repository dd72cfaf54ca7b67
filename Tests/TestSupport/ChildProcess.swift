import Foundation
import Glibc
import Synchronization

/// A program that a test runs: killed with the last reference, its output kept in a file.
public final class ChildProcess: Sendable {
    public enum Exit: Equatable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    public struct CannotStart: Error, CustomStringConvertible {
        public let description: String
    }

    public let processID: pid_t
    public let executable: String
    private let directory: TemporaryDirectory
    private let exit = Mutex<Exit?>(nil)

    /// - Parameters:
    ///   - executable: a path, or the name of one of this package's products (see ``binary(_:)``).
    ///   - environment: added to the test's own environment.
    public init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws {
        let path = executable.contains("/") ? executable : try Self.binary(executable)
        self.executable = path
        directory = try TemporaryDirectory("output")
        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        processID = try spawn(
            path, arguments, merged.map { "\($0)=\($1)" }, output: directory.file("output"))
    }

    deinit {
        kill()
    }

    /// The path of a product: in `HEARTH_BIN_DIR`, beside the running tests, or in the package's build directory.
    public static func binary(_ name: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/"
        let directories: [String]
        if let chosen = ProcessInfo.processInfo.environment["HEARTH_BIN_DIR"] {
            directories = [chosen]
        } else {
            directories = [
                URL(fileURLWithPath: own).deletingLastPathComponent().path, root + "/.build/debug",
                root + "/.build/release",
            ]
        }
        for directory in directories where FileManager.default.isExecutableFile(atPath: "\(directory)/\(name)") {
            return "\(directory)/\(name)"
        }
        throw CannotStart(description: "no program '\(name)' in \(directories): build it or set HEARTH_BIN_DIR")
    }

    /// Standard output and error so far.
    public var output: String {
        let data = FileManager.default.contents(atPath: directory.file("output")) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// `nil` while it is running.
    public var exitStatus: Exit? {
        exit.withLock { exit in
            if exit == nil { exit = reap(WNOHANG) }
            return exit
        }
    }

    public var isRunning: Bool { exitStatus == nil }

    /// Resident memory in bytes, 0 if it is not running.
    public var residentBytes: Int {
        let fields = contentsOfProc("\(processID)/statm").split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    public func send(_ signal: Int32) {
        exit.withLock { exit in
            // Under the lock and not reaped, so the id is still this process's.
            if exit == nil { exit = reap(WNOHANG) }
            if exit == nil { _ = Glibc.kill(processID, signal) }
        }
    }

    /// SIGKILL, and waits until it is gone.
    public func kill() {
        exit.withLock { exit in
            if exit == nil { exit = reap(WNOHANG) }
            guard exit == nil else { return }
            _ = Glibc.kill(processID, SIGKILL)
            exit = reap(0)
        }
    }

    @discardableResult
    public func wait(within limit: Duration = .seconds(10)) async throws -> Exit {
        try await value(within: limit, "end of \(executable)") { exitStatus }
    }

    /// SIGTERM, and waits for the end.
    @discardableResult
    public func terminate(within limit: Duration = .seconds(10)) async throws -> Exit {
        send(SIGTERM)
        return try await wait(within: limit)
    }

    /// Runs a program to its end and returns what it printed.
    @discardableResult
    public static func run(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        within limit: Duration = .seconds(30)
    ) async throws -> (exit: Exit, output: String) {
        let child = try ChildProcess(executable, arguments, environment: environment)
        let exit = try await child.wait(within: limit)
        return (exit, child.output)
    }

    private func reap(_ options: Int32) -> Exit? {
        var status: Int32 = 0
        var result = waitpid(processID, &status, options)
        while result < 0, errno == EINTR { result = waitpid(processID, &status, options) }
        guard result == processID else { return result < 0 ? .code(-1) : nil }
        // The macros WIFSIGNALED and WEXITSTATUS of wait(2).
        return status & 0x7F == 0 ? .code((status >> 8) & 0xFF) : .signal(status & 0x7F)
    }
}

private func spawn(
    _ path: String, _ arguments: [String], _ environment: [String], output: String
) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)

    // Connections of other tests must not live on in this child (closefrom is not shown by Swift's Glibc).
    typealias CloseFrom = @convention(c) (UnsafeMutableRawPointer, Int32) -> Int32
    if let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
        _ = unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
    }

    // The tests' threads may block or ignore signals; the child starts with the defaults.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let argv = ([path] + arguments).map { strdup($0) } + [nil]
    let envp = environment.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var processID: pid_t = 0
    let error = posix_spawnp(&processID, path, &actions, &attributes, argv, envp)
    guard error == 0 else {
        throw ChildProcess.CannotStart(description: "cannot start \(path): \(String(cString: strerror(error)))")
    }
    return processID
}

/// A file below /proc, empty when it cannot be read. Foundation stops at the first page of such a file, whose size is 0.
public func contentsOfProc(_ name: String) -> String {
    let descriptor = open("/proc/" + name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 { contents += buffer[..<count] }
    return String(decoding: contents, as: UTF8.self)
}
