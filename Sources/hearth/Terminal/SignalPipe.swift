import GatewayClient
import Glibc
import Machine
import Synchronization

/// Where the handler of ``SignalPipe`` writes; -1 while there is none.
private let signalWriteEnd = Atomic<Int32>(-1)

/// Runs in signal context: only async-signal-safe calls (signal-safety(7)), and errno left as it was.
private func forwardSignal(_ number: Int32) {
    let savedErrno = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(signalWriteEnd.load(ordering: .relaxed), &byte, 1)
    errno = savedErrno
}

/// Unblocks `signals`, which a parent may have left blocked, and returns the mask as it was.
@discardableResult
func letThrough(_ signals: [Int32]) -> sigset_t {
    var (mask, previous) = (sigset_t(), sigset_t())
    sigemptyset(&mask)
    for number in signals { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, &previous)
    return previous
}

/// Turns signals into bytes of a pipe, so that a loop that polls handles them between its steps. One at a time.
final class SignalPipe {
    /// Readable while a signal waits.
    let descriptor: Descriptor
    private let writeEnd: Descriptor
    private let previous: [(number: Int32, action: sigaction)]
    private var previousMask = sigset_t()

    /// Catches `signals` until this object goes away; their previous handling is restored then.
    init(_ signals: [Int32]) throws(Problem) {
        do {
            (descriptor, writeEnd) = try Descriptor.pipe(isBlocking: false)
        } catch {
            throw Problem("cannot watch for signals: \(error.text)", exitCode: EXIT_FAILURE)
        }
        signalWriteEnd.store(writeEnd.number, ordering: .sequentiallyConsistent)
        previous = signals.map { number in
            var action = sigaction()
            action.__sigaction_handler.sa_handler = forwardSignal
            action.sa_flags = SA_RESTART
            var before = sigaction()
            sigaction(number, &action, &before)
            return (number, before)
        }
        previousMask = letThrough(signals)
    }

    /// The signals that have come since the last call, oldest first.
    func take() -> [Int32] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor.number, &bytes, bytes.count)
        return count > 0 ? bytes[..<count].map(Int32.init) : []
    }

    deinit {
        pthread_sigmask(SIG_SETMASK, &previousMask, nil)
        for (number, var action) in previous { sigaction(number, &action, nil) }
        signalWriteEnd.store(-1, ordering: .sequentiallyConsistent)
    }
}
