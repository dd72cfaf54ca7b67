import Glibc

/// SIGINT and SIGTERM as something to wait for, instead of a handler.
enum StopSignal {
    /// Keeps both signals for `wait`, and broken pipes from ending the process. Call it before any thread is started:
    /// threads inherit the mask.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        var set = stopSignals()
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits up to `seconds`.
    /// - Returns: whether the process has been asked to stop.
    static func wait(seconds: Double) -> Bool {
        var set = stopSignals()
        var timeout = timespec(tv_sec: Int(seconds), tv_nsec: Int(seconds.truncatingRemainder(dividingBy: 1) * 1e9))
        return sigtimedwait(&set, nil, &timeout) > 0
    }

    private static func stopSignals() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        return set
    }
}
