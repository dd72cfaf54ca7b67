import Glibc
import Machine

/// Runs `body` on a thread of its own. Librdkafka, the database writer and SQLite block, which a task must not.
///
/// A service without one of its threads would stand still and look well. It ends instead, and whoever started it tries again.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    do {
        try startThread(named: name, body)
    } catch {
        complain(
            "hearth-cloud: no thread for \(name): \(error.text). Raise the limit of processes (TasksMax=, pids) or of memory\n"
        )
        exit(EX_OSERR)
    }
}

private func complain(_ text: String) {
    var text = text
    _ = text.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
