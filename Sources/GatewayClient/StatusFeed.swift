import Glibc
import Heating
import Machine

/// A status each second for as long as it is asked, over connections that are renewed when they break.
package final class StatusFeed {
    package enum Event {
        case status(JSON)
        /// The daemon cannot be reached, or hung up; the next call tries again after a second.
        case lost(VarlinkError)
        /// The interrupt descriptor became readable.
        case interrupted
    }

    private let socket: String
    private let interrupt: Descriptor?
    private let pause: Duration
    private let timeout: Duration
    private var gateway: ControlClient?
    private var retryAt = ContinuousClock.now

    /// - Parameters:
    ///   - interrupt: ends a wait early when it becomes readable.
    ///   - pause: between two attempts.
    ///   - timeout: a daemon that says nothing for this long is lost.
    package init(
        socket: String, interrupt: Descriptor? = nil, pause: Duration = .seconds(1), timeout: Duration = .seconds(5)
    ) {
        self.socket = socket
        self.interrupt = interrupt
        self.pause = pause
        self.timeout = timeout
    }

    /// Blocks until there is something to tell.
    package func next() -> Event {
        do throws(VarlinkError) {
            if let gateway { return .status(try gateway.nextStatus()) }
            let renewed = try connected()
            gateway = renewed
            return .status(try renewed.nextStatus())
        } catch .interrupted {
            return .interrupted
        } catch {
            gateway = nil
            retryAt = ContinuousClock.now + pause
            return .lost(error)
        }
    }

    private func connected() throws(VarlinkError) -> ControlClient {
        if let interrupt {
            if interrupt.wait(for: POLLIN, until: retryAt) == .ready { throw .interrupted }
        } else {
            let remaining = ContinuousClock.now.duration(to: retryAt)
            if remaining > .zero { _ = poll(nil, 0, Int32(remaining / .milliseconds(1))) }
        }
        let gateway = try ControlClient(socket: socket, interrupt: interrupt, timeout: timeout)
        try gateway.startStatuses()
        return gateway
    }
}
