import Glibc
import MQTT
import Machine
import Synchronization

/// Subscribes at a broker and writes every observation to a report before it is acknowledged, so that a restart of
/// the broker loses none.
final class ObserveSession: ConnectionHandler {
    private let broker: ObservedBroker
    private let report: ReportFile?
    private let shared: SharedObservation

    init(broker: ObservedBroker, report: ReportFile?, shared: SharedObservation) {
        self.broker = broker
        self.report = report
        self.shared = shared
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        do {
            try link.subscribe(broker.filters)
        } catch {
            link.drop("subscribe: \(error)")
        }
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        shared.state.withLock { $0.isSubscribed = true }
    }

    func received(_ batch: [Message], on link: Link) throws {
        var lines = ""
        for message in batch where !message.isRetained {
            for observation in expand(message) {
                lines += observation.line + "\n"
                shared.state.withLock { $0.rooms.count(observation) }
            }
        }
        try report?.append(lines)
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        shared.state.withLock { $0.isSubscribed = false }
        return 200_000_000
    }

    private func expand(_ message: Message) -> [Observation] {
        do {
            let observations = try broker.observations(topic: message.topic, payload: message.payload)
            if message.topic.hasSuffix("/frame") { shared.state.withLock { $0.rooms.countFrame() } }
            return observations
        } catch {
            complain("\(message.topic): \(error)")
            shared.state.withLock { $0.rooms.countUnreadable() }
            return []
        }
    }
}

/// Written by the connection's thread, read by the main thread.
final class SharedObservation: Sendable {
    struct State: Sendable {
        var isSubscribed = false
        var rooms = ObservedRooms()
    }

    let state = Mutex(State())

    var line: String { state.withLock { ($0.isSubscribed ? "" : "no broker · ") + $0.rooms.line } }
}

/// A file that lines are appended to.
final class ReportFile: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let path: String
    private let descriptor: Int32

    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw Failure(description: "\(path): \(systemErrorText(errno))") }
    }

    deinit {
        close(descriptor)
    }

    func append(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                let code = errno
                if code == EINTR { continue }
                throw Failure(description: "\(path): \(systemErrorText(code))")
            }
            rest = rest.dropFirst(written)
        }
    }
}
