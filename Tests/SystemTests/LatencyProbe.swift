import Foundation
import MQTT
import Machine
import Synchronization

/// Measures reading → command from outside: publishes readings that must switch the pump and notes when the command
/// comes back through the home broker.
final class LatencyProbe: Sendable {
    private struct State {
        var sentAt: [String: Int64] = [:]
        var latencies: [Double] = []
        var wishes: [Publication] = []
    }

    private let state = Mutex(State())
    private let connection: Mutex<Connection?>

    init(port: Int) throws {
        connection = Mutex(nil)
        var settings = ConnectionSettings(host: "127.0.0.1", port: port, clientID: "latency-probe")
        settings.cleanStart = true
        let made = Connection(settings, name: "probe") { [self] in Handler(owner: self) }
        try made.start()
        connection.withLock { $0 = made }
    }

    var isConnected: Bool {
        if case .connected = connection.withLock({ $0 })?.state { return true }
        return false
    }

    /// Milliseconds per command so far.
    var latencies: [Double] { state.withLock { $0.latencies } }

    /// One reading that switches the pump of `room`; the next one for the room must have the other sign.
    func switchPump(of room: String, on: Bool, number: Int) {
        let time =
            "2026-11-23T10:\(String(format: "%02d:%02d", number / 60 % 60, number % 60)).\(String(format: "%06d", number))"
        let payload = "{\"timestamp\": \"\(time)\", \"value\": \(on ? 18 : 27)}"
        state.withLock {
            $0.wishes.append(Publication(topic: "\(room)/temperature", payload: Array(payload.utf8), qos: 1))
        }
        connection.withLock { $0 }?.wake()
    }

    func stop() { connection.withLock { $0 }?.stop(within: 1_000_000_000) }

    private final class Handler: ConnectionHandler {
        let owner: LatencyProbe
        init(owner: LatencyProbe) { self.owner = owner }

        func connected(_ link: Link, sessionPresent: Bool) { _ = try? link.subscribe(["+/heatpump"], qos: 0) }

        func received(_ batch: [Message], on link: Link) throws {
            let now = Clock.bootNanoseconds
            owner.state.withLock { state in
                for message in batch {
                    let room = String(message.topic.dropLast("/heatpump".count))
                    guard let sent = state.sentAt.removeValue(forKey: room) else { continue }
                    state.latencies.append(Double(now - sent) / 1e6)
                }
            }
        }

        func turn(_ link: Link?, now: Int64) -> Int64? {
            guard let link else { return nil }
            let wishes = owner.state.withLock { state in
                defer { state.wishes = [] }
                for wish in state.wishes {
                    state.sentAt[String(wish.topic.dropLast("/temperature".count))] = Clock.bootNanoseconds
                }
                return state.wishes
            }
            for wish in wishes { _ = try? link.publish(wish) }
            return nil
        }

        func disconnected(_ cause: Disconnection, after: Int64) -> Int64 { 100_000_000 }
    }
}
