import Glibc

/// State behind a lock, with threads that wait until the state is as they need it.
///
/// `Synchronization.Mutex` has no condition variable, hence this pair of pthread objects. No closure may block
/// or call back into the monitor.
// @unchecked: `state` is touched only inside `withLock` and `wait`, which hold the mutex; the pointers never change.
final class Monitor<State>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    init(_ state: State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        // Both fail only on invalid attributes or a lack of memory that glibc does not use here.
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Calls `attempt` now and after each ``wakeAll()`` until it returns a value or throws.
    func wait<Result>(_ attempt: (inout State) throws -> Result?) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try attempt(&state) { return result }
            pthread_cond_wait(changed, mutex)
        }
    }

    /// Lets every waiting thread look again. Called after the change, with the lock free or held.
    func wakeAll() { pthread_cond_broadcast(changed) }
}
