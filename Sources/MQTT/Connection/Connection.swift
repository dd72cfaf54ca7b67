import CMosquitto
import Glibc
import Machine
import Synchronization

/// A connection to one broker that is kept up, on a thread of its own, until it is stopped.
///
/// The thread polls the socket, hands messages to the handler in batches and lets the acknowledgements leave after
/// the handler kept them. It is a plain thread and not a task: handlers wait for disks, and a blocked task would take
/// one of the few threads all tasks share.
///
/// All members may be called from any thread.
public final class Connection: Sendable {
    /// Name of the thread and of the connection in messages for people; the system shows 15 bytes of it.
    public let name: String

    private let makeHandler: @Sendable () -> any ConnectionHandler
    private let orders: Mutex<Orders>
    private let link = Mutex(LinkState.idle)
    private let lastTurn = Atomic<Int64>(0)
    private let isWoken = Atomic<Bool>(false)
    private let wakeUp = WakeUp()
    private let finished = WakeUp()

    /// What the thread is to do, as last told from outside.
    private struct Orders: Sendable {
        var settings: ConnectionSettings
        /// Counts the changes of `settings`.
        var generation = 0
        /// Boot time by which a graceful stop must be over; `nil`: go on.
        var stopBy: Int64?
        /// Nobody waits any more: end without calling the handler again.
        var isAbandoned = false
        var thread: pthread_t?
        var isStarted = false
    }

    /// - Parameter makeHandler: called once, on the connection's thread; the handler never leaves it.
    public init(
        _ settings: ConnectionSettings, name: String, makeHandler: @escaping @Sendable () -> any ConnectionHandler
    ) {
        self.name = name
        self.makeHandler = makeHandler
        orders = Mutex(Orders(settings: settings))
    }

    /// Boot time in nanoseconds of the thread's last turn, 0 before the first. It turns at least once a second,
    /// unless the handler or the resolver blocks (see ``LinkState/Phase/resolving``).
    public var progress: Int64 { lastTurn.load(ordering: .relaxed) }

    public var state: LinkState { link.withLock { $0 } }

    /// Starts the thread and the first attempt to connect. A second call does nothing.
    ///
    /// - Throws: ``StartError`` when the system has no thread or descriptor left.
    public func start() throws(StartError) {
        guard wakeUp.descriptor >= 0, finished.descriptor >= 0 else {
            throw StartError(message: "cannot start connection '\(name)': no file descriptor is left")
        }
        do throws(SystemError) {
            try orders.withLock { orders throws(SystemError) in
                guard !orders.isStarted, orders.stopBy == nil else { return }
                orders.thread = try joinableThread(named: name) { [self] in run() }
                orders.isStarted = true
            }
        } catch {
            throw StartError(message: "cannot start the thread of connection '\(name)': \(error.text)")
        }
    }

    /// Makes the handler's `turn` run soon. Cheap; calls before the thread has woken count as one.
    public func wake() {
        if !isWoken.exchange(true, ordering: .acquiringAndReleasing) { wakeUp.signal() }
    }

    /// Connects anew with other settings, or with the same ones to pick up new certificates and passwords.
    ///
    /// What was received is handed over and acknowledged first, and the broker is told goodbye.
    public func reconfigure(_ settings: ConnectionSettings) {
        orders.withLock {
            $0.settings = settings
            $0.generation += 1
        }
        wake()
    }

    /// Stops gracefully: the handler's `stopping` is called until it has finished, then DISCONNECT is sent and the
    /// thread ends. Nothing is acknowledged that the handler did not keep.
    ///
    /// Blocks for `nanoseconds` at most. If the handler or the resolver blocks the thread for longer, the thread is
    /// left behind and ends without calling the handler again as soon as it can; the process should exit.
    ///
    /// - Returns: whether the thread has ended.
    @discardableResult
    public func stop(within nanoseconds: Int64) -> Bool {
        let deadline = Clock.bootNanoseconds + nanoseconds
        let isRunning = orders.withLock { orders in
            // The rest of the time is for the DISCONNECT and the end of the thread.
            if orders.stopBy == nil { orders.stopBy = deadline - min(nanoseconds / 5, 100_000_000) }
            return orders.thread != nil
        }
        guard isRunning else {
            report(.stopped)
            return true
        }
        wake()
        let hasEnded = finished.wait(until: deadline)
        let thread = orders.withLock { orders -> pthread_t? in
            orders.isAbandoned = !hasEnded
            return orders.thread.take()
        }
        if let thread { _ = hasEnded ? pthread_join(thread, nil) : pthread_detach(thread) }
        return hasEnded
    }

    // MARK: For the thread

    /// Read at every turn, so without the settings.
    var currentOrders: (generation: Int, stopBy: Int64?, isAbandoned: Bool) {
        orders.withLock { ($0.generation, $0.stopBy, $0.isAbandoned) }
    }

    var currentSettings: (ConnectionSettings, generation: Int) {
        orders.withLock { ($0.settings, $0.generation) }
    }

    func report(_ state: LinkState) { link.withLock { $0 = state } }

    func recordTurn(_ now: Int64) { lastTurn.store(now, ordering: .relaxed) }

    /// Sleeps until the socket is ready, ``wake()`` is called or the deadline (boot time) passes.
    ///
    /// - Parameters:
    ///   - socket: `nil`: there is none.
    ///   - events: what of poll(2) to look for at the socket.
    /// - Returns: what the socket is ready for.
    func sleep(until deadline: Int64, socket: Int32?, for events: Int16) -> Int16 {
        // poll ignores a negative descriptor.
        var requests = (
            pollfd(fd: socket ?? -1, events: events, revents: 0),
            pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
        )
        let timeout = pollTimeout(until: deadline, now: Clock.bootNanoseconds)
        _ = withUnsafeMutableBytes(of: &requests) { bytes in
            bytes.withMemoryRebound(to: pollfd.self) { poll($0.baseAddress, 2, timeout) }
        }
        if requests.1.revents != 0 { clearWakeUp() }
        return requests.0.revents
    }

    private func clearWakeUp() {
        // The flag last: a wake between the two only makes one turn too many. An exchange, not a store, so that the turn sees
        // what was written before every wake that found the flag set and gave no signal, on any processor.
        wakeUp.clear()
        _ = isWoken.exchange(false, ordering: .acquiringAndReleasing)
    }

    private func run() {
        ConnectionLoop(self, handler: makeHandler()).run()
        report(.stopped)
        finished.signal()
    }
}

/// A connection's thread could not be started.
public struct StartError: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String

    public var description: String { message }
}
