import Glibc
import Machine

/// Runs `body` on a thread of its own.
///
/// Heating goes on where a thread beside it cannot be had, as while the box has no memory left; what is missing is said.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    do {
        try startThread(named: name, body)
    } catch {
        var text =
            "hearthd: no thread for \(name): \(error.text). Raise TasksMax= of the unit, or give the box memory\n"
        _ = text.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
