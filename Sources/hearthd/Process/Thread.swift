import Glibc

/// Runs `body` on a thread of its own, detached. For work that blocks in C: the Swift concurrency pool has one thread
/// per core, and two blocked ones would stop everything else on a small box.
///
/// - Parameter name: cut to 15 bytes, the kernel's limit.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let context = Unmanaged.passRetained(ThreadBody(name: name, run: body))
    var thread = pthread_t()
    // Signals are for the threads that handle them; a new thread inherits the mask.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    let code = pthread_create(&thread, nil, threadMain, context.toOpaque())
    pthread_sigmask(SIG_SETMASK, &before, nil)
    if code == 0 {
        pthread_detach(thread)
    } else {
        context.release()  // The thread that would have released it does not exist.
    }
}

private final class ThreadBody {
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

/// The kernel's way (proc(5)), since glibc's pthread_setname_np is not visible to Swift.
func nameThread(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    let bytes = Array(name.utf8.prefix(15))
    _ = write(descriptor, bytes, bytes.count)
    close(descriptor)
}
