import GatewayClient
import Glibc
import Machine

/// A program that was run to its end, and what it said.
struct ChildProcess: Equatable {
    /// Its exit code; nil when a signal or the deadline ended it.
    var exitCode: Int32?
    /// Standard output and standard error together, cut at the limit, invalid UTF-8 replaced.
    var output: String

    /// Runs `path`, without a shell and with only `PATH` in its environment, and waits for its end.
    ///
    /// - Parameters:
    ///   - outputLimit: bytes that are kept; the rest is read and thrown away.
    ///   - timeout: after it, the program is killed.
    init(
        running path: String, _ arguments: [String], outputLimit: Int = 64 << 10, timeout: Duration = .seconds(10)
    ) throws(SystemError) {
        let deadline = ContinuousClock.now + timeout
        let (process, reader) = try Self.start(path, arguments)
        var kept: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while reader.wait(for: POLLIN, until: deadline) == .ready {
            let count = read(reader.number, &chunk, chunk.count)
            if count == 0 || (count < 0 && errno != EINTR) { break }
            kept += chunk[..<max(count, 0)].prefix(outputLimit - kept.count)
        }
        exitCode = Self.end(of: process, until: deadline)
        output = String(decoding: kept, as: UTF8.self)
    }

    private static func start(_ path: String, _ arguments: [String]) throws(SystemError) -> (pid_t, Descriptor) {
        let (reader, writer) = try Descriptor.pipe(isBlocking: true)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, writer.number, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, writer.number, STDERR_FILENO)
        var process: pid_t = 0
        let argv = ([path] + arguments).map { strdup($0) } + [nil]
        let environment = [strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), nil]
        defer { (argv + environment).forEach { free($0) } }
        let code = posix_spawn(&process, path, &actions, nil, argv, environment)
        guard code == 0 else { throw SystemError(code: code) }
        return (process, reader)  // the write end closes here: the child has the only one left
    }

    /// Collects the process. One that runs past the deadline is killed.
    private static func end(of process: pid_t, until deadline: ContinuousClock.Instant) -> Int32? {
        var status: Int32 = 0
        while true {
            let result = waitpid(process, &status, WNOHANG)
            if result == process { break }
            if result < 0, errno != EINTR { return nil }
            if ContinuousClock.now >= deadline { kill(process, SIGKILL) }
            _ = poll(nil, 0, 5)
        }
        // WIFEXITED and WEXITSTATUS of wait(2), which are macros.
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
    }
}
