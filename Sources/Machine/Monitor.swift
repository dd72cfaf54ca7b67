import Glibc

/// State behind a lock, with threads that wait until the state is as they need it.
///
/// `Synchronization.Mutex` has no condition variable, hence this pair of pthread objects. No closure may block
/// or call back into the monitor.
// @unchecked: `state` is touched only while `mutex` is held; both objects stay at addresses that do not change.
package final class Monitor<State>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package init(_ state: State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        // These fail only on invalid attributes or a lack of memory that glibc does not use here.
        pthread_mutex_init(mutex, nil)
        // Waits end by the monotonic clock, so that setting the wall clock does not stretch them.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    package var current: State { withLock { $0 } }

    /// Reads or changes the state, and wakes nobody.
    package func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the state and wakes every thread that waits.
    package func change<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Lets every waiting thread look again. Called after the change, with the lock free or held.
    package func wakeAll() { pthread_cond_broadcast(changed) }

    /// Calls `attempt` now and after each wake until it returns a value or throws.
    package func wait<Result>(_ attempt: (inout State) throws -> Result?) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try attempt(&state) { return result }
            pthread_cond_wait(changed, mutex)
        }
    }

    /// Waits until the condition holds or `deadline` (``Clock/monotonicNanoseconds``) passes.
    ///
    /// - Returns: whether the condition holds.
    package func wait(until deadline: Int64, for isDone: (State) -> Bool) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var end = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        while !isDone(state) {
            if pthread_cond_timedwait(changed, mutex, &end) == ETIMEDOUT { return isDone(state) }
        }
        return true
    }
}
