import Foundation
import Glibc
import Synchronization

/// A TCP proxy between a client and a broker that reads the MQTT packets passing by and disturbs them on command.
///
/// It is the oracle for "acknowledged": what counts is which PUBACKs left the client, not what the client says.
public final class WireProxy: Sendable {
    /// A PUBLISH that passed, and in ``acknowledged`` one whose PUBACK came back.
    public struct Delivery: Sendable, Equatable {
        /// Number of the connection, counted from 0.
        public let connection: Int
        public let topic: String
        public let packetID: UInt16
        public let payload: [UInt8]
        public let isDuplicate: Bool
        /// When the PUBLISH passed, or in ``acknowledged`` the PUBACK.
        public let time: ContinuousClock.Instant
    }

    /// What the wire does.
    public enum Mode: Sendable, Equatable {
        case pass
        /// Nothing passes in either direction, nothing is closed; new connections are taken. What was held back
        /// passes when the mode changes, unless the connection was cut.
        case blackHole
        /// New connections are closed at once.
        case refuse
    }

    public let port: Int
    private let listener: Int32
    private let shared: Mutex<Shared>

    private struct Shared {
        var upstream: Int
        var mode = Mode.pass
        var bytesPerSecond: Int?
        var isClosed = false
        /// Connections opened before this number are to be cut.
        var cutBelow = 0
        var connections = 0
        var delivered: [Delivery] = []
        var acknowledged: [Delivery] = []
        var published: [Delivery] = []
        var confirmed: [Delivery] = []
    }

    /// - Parameter upstream: the broker's port on 127.0.0.1.
    public init(upstream: Int, port: Int = 0) throws {
        (listener, self.port) = try listenOnLoopback(port: port)
        shared = Mutex(Shared(upstream: upstream))
        _ = fcntl(listener, F_SETFL, O_NONBLOCK)
        Thread { [weak self] in
            var tunnels: [Tunnel] = []
            // Held for one turn only: the proxies of tests that are over would take the processor from those that run.
            while let proxy = self, proxy.turn(&tunnels) {}
            for tunnel in tunnels where !tunnel.isClosed { tunnel.reset() }
        }.start()
    }

    deinit {
        Glibc.close(listener)
    }

    /// PUBLISH packets of QoS 1 towards the client, in order, repetitions included.
    public var delivered: [Delivery] { shared.withLock { $0.delivered } }
    /// Those of ``delivered`` for which the client has sent a PUBACK with a reason below 0x80.
    public var acknowledged: [Delivery] { shared.withLock { $0.acknowledged } }
    /// PUBLISH packets of QoS 1 from the client.
    public var published: [Delivery] { shared.withLock { $0.published } }
    /// Those of ``published`` for which the broker has sent a PUBACK with a reason below 0x80.
    public var confirmed: [Delivery] { shared.withLock { $0.confirmed } }
    public var acknowledgedCount: Int { shared.withLock { $0.acknowledged.count } }
    public var deliveredCount: Int { shared.withLock { $0.delivered.count } }
    /// Connections accepted so far.
    public var connectionCount: Int { shared.withLock { $0.connections } }

    public func set(_ mode: Mode) { shared.withLock { $0.mode = mode } }

    /// Bytes per second in each direction of each connection; `nil`: as fast as possible.
    public func throttle(_ bytesPerSecond: Int?) { shared.withLock { $0.bytesPerSecond = bytesPerSecond } }

    /// Where connections go from now on.
    public func redirect(to port: Int) { shared.withLock { $0.upstream = port } }

    /// Resets all open connections; what was on its way is lost.
    public func cut() { shared.withLock { $0.cutBelow = $0.connections } }

    /// Ends the proxy and its connections.
    public func close() {
        shared.withLock { $0.isClosed = true }
        // Nobody is taken any more; the descriptor itself is the thread's until the end.
        shutdown(listener, Int32(SHUT_RDWR))
    }

    // MARK: The proxy's thread

    /// - Returns: false when the proxy has ended.
    private func turn(_ tunnels: inout [Tunnel]) -> Bool {
        let orders = shared.withLock {
            (closed: $0.isClosed, cutBelow: $0.cutBelow, mode: $0.mode, rate: $0.bytesPerSecond)
        }
        if orders.closed { return false }
        for tunnel in tunnels where tunnel.number < orders.cutBelow { tunnel.reset() }
        tunnels.removeAll { $0.isClosed }
        // Ten milliseconds at most between an order and its execution; two are the clock of the throttle.
        waitForSockets(tunnels, orders.mode, isThrottled: orders.rate != nil)
        accept(orders.mode, into: &tunnels)
        for tunnel in tunnels where !tunnel.isClosed {
            tunnel.pump(isHeld: orders.mode == .blackHole, bytesPerSecond: orders.rate, record)
        }
        return true
    }

    private func waitForSockets(_ tunnels: [Tunnel], _ mode: Mode, isThrottled: Bool) {
        var requests = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        if mode == .pass { requests += tunnels.flatMap { $0.pollRequests(isThrottled: isThrottled) } }
        _ = poll(&requests, nfds_t(requests.count), isThrottled ? 2 : 10)
    }

    private func accept(_ mode: Mode, into tunnels: inout [Tunnel]) {
        while true {
            let client = acceptConnection(listener)
            guard client >= 0 else { return }
            let (number, upstream) = shared.withLock { shared in
                defer { if mode != .refuse { shared.connections += 1 } }
                return (shared.connections, shared.upstream)
            }
            guard mode != .refuse, let broker = try? connectToLoopback(port: upstream) else {
                Glibc.close(client)
                continue
            }
            setNoDelay(client)
            tunnels.append(Tunnel(number: number, client: client, broker: broker))
        }
    }

    private func record(_ events: [Tunnel.Event]) {
        guard !events.isEmpty else { return }
        shared.withLock { shared in
            for event in events {
                switch event {
                case .delivered(let delivery): shared.delivered.append(delivery)
                case .acknowledged(let delivery): shared.acknowledged.append(delivery)
                case .published(let delivery): shared.published.append(delivery)
                case .confirmed(let delivery): shared.confirmed.append(delivery)
                }
            }
        }
    }
}
