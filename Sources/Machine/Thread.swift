import CLinux
import Glibc

/// Runs `body` on a thread of its own, detached. For work that blocks in C: the Swift concurrency pool has one thread
/// per core, and two blocked ones would stop everything else on a small box.
///
/// The thread takes no signals from elsewhere; they are for the threads that wait for them.
///
/// - Parameter name: what the system shows, cut to 15 bytes (proc(5)).
/// - Throws: ``SystemError``, usually EAGAIN: the limit of threads or of memory is reached. `body` does not run then.
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    pthread_detach(try joinableThread(named: name, body))
}

/// Like ``startThread(named:_:)``, for a thread whose end somebody waits for.
///
/// - Returns: what pthread_join or pthread_detach must be called with, once.
package func joinableThread(
    named name: String, _ body: @escaping @Sendable () -> Void
) throws(SystemError) -> pthread_t {
    let context = Unmanaged.passRetained(ThreadBody(name: name, run: body))
    var thread = pthread_t()
    // A new thread inherits the mask.
    var mask = othersSignals()
    var before = sigset_t()
    pthread_sigmask(SIG_SETMASK, &mask, &before)
    let code = pthread_create(&thread, nil, threadMain, context.toOpaque())
    pthread_sigmask(SIG_SETMASK, &before, nil)
    guard code == 0 else {
        context.release()  // The thread that would have released it does not exist.
        throw SystemError(code: code)
    }
    return thread
}

/// All signals but a thread's own faults and SIGPROF, by which Swift's crash handler halts the other threads: it waits five
/// seconds for each crash when one of them blocks it (CrashHandlerLinux.cpp), and the process is neither alive nor ended so long.
/// libdispatch leaves the same ones to its threads (_dispatch_worker_thread in queue.c).
private func othersSignals() -> sigset_t {
    var mask = sigset_t()
    sigfillset(&mask)
    for own in [SIGILL, SIGTRAP, SIGFPE, SIGBUS, SIGSEGV, SIGSYS, SIGPROF] { sigdelset(&mask, own) }
    return mask
}

/// Names the calling thread; the system shows 15 bytes of it.
package func nameThread(_ name: String) {
    linux_name_thread(name)
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

/// File scope: a closure handed to C from an isolated context compiles and crashes.
private func threadMain(_ raw: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let raw else { return nil }
    let body = Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue()
    nameThread(body.name)
    body.run()
    return nil
}
