import CLinux
import Glibc
import Machine

/// A process of this very program with a socket to it, for ``ForwardProcess``.
struct SpawnedProcess {
    /// Where the child finds its socket.
    static let childDescriptor: Int32 = 3

    let pid: pid_t
    /// Our end; does not block.
    let descriptor: Int32

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Starts this program's file once more, with `arguments` behind its name.
    ///
    /// By `/proc/self/exe`: while a package is being upgraded the child is of the same version as its parent. Where there is
    /// no `/proc`, by the name that this process was started by.
    static func start(_ arguments: [String]) throws(Failure) -> SpawnedProcess {
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            throw Failure(description: "no socket for it: \(systemErrorText(errno))")
        }
        defer { close(pair[1]) }
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, pair[1], childDescriptor)
        // libmosquitto's sockets are not closed by exec: the home broker would never see ours end.
        linux_spawn_close_from(&actions, childDescriptor + 1)
        // Our threads block every signal, and a child inherits that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var argv: [UnsafeMutablePointer<CChar>?] = (["hearthd"] + arguments).map { strdup($0) } + [nil]
        // The child neither reports to systemd nor feeds its watchdog.
        var environment: [UnsafeMutablePointer<CChar>?] =
            Environment.current.filter { !Self.private.contains($0.key) }.map { strdup("\($0.key)=\($0.value)") } + [
                nil
            ]
        defer { for text in argv + environment { free(text) } }
        var pid: pid_t = 0
        var error = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, &argv, &environment)
        if error == ENOENT, let name = linux_program_name() {
            error = posix_spawn(&pid, name, &actions, &attributes, &argv, &environment)
        }
        guard error == 0 else {
            close(pair[0])
            throw Failure(description: systemErrorText(error))
        }
        _ = fcntl(pair[0], F_SETFL, O_NONBLOCK)
        return SpawnedProcess(pid: pid, descriptor: pair[0])
    }

    // Own names: variables.
    private static let `private`: Set<String> = ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"]

    /// Ends it if it has not ended `within` nanoseconds by itself, and waits for it.
    /// - Returns: how it ended, in words.
    func reap(within nanoseconds: Int64) -> String {
        let deadline = Clock.bootNanoseconds + nanoseconds
        var status: Int32 = 0
        while true {
            let ended = waitpid(pid, &status, WNOHANG)
            if ended == pid { return Self.text(status) }
            if ended < 0, errno != EINTR { return "ended" }
            if Clock.bootNanoseconds >= deadline { break }
            Clock.sleep(5_000_000)
        }
        kill(pid, SIGKILL)
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return Self.text(status)
    }

    /// wait(2)'s macros, which Swift does not see.
    private static func text(_ status: Int32) -> String {
        let signal = status & 0x7f
        return signal == 0 ? "ended with status \((status >> 8) & 0xff)" : "was ended by signal \(signal)"
    }
}
