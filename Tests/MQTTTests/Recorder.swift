import Foundation
import Glibc
import MQTT
import Synchronization
import TestSupport

/// What a connection's handler saw, to be looked at from the test, and what it should do.
final class Recorder: Sendable {
    struct Log: Sendable {
        var connected: [(version: ProtocolVersion, sessionPresent: Bool, sendMaximum: Int)] = []
        var batches: [[Message]] = []
        var published: [(packetID: Int32, reason: ReasonCode)] = []
        var granted: [[ReasonCode]] = []
        var disconnected: [(cause: Disconnection, after: Int64)] = []
        var turns: [Int64] = []
        var stops = 0

        var messages: [Message] { batches.flatMap { $0 } }
    }

    private let log = Mutex(Log())
    let filters: [String]
    let onConnected: @Sendable (Link) throws -> Void
    let onReceived: @Sendable ([Message], Link) throws -> Void
    let onTurn: @Sendable (Link?, Int64) -> Int64?
    let onStopping: @Sendable (Link?) -> Bool

    init(
        filters: [String] = [], onConnected: @escaping @Sendable (Link) throws -> Void = { _ in },
        onTurn: @escaping @Sendable (Link?, Int64) -> Int64? = { _, _ in nil },
        onStopping: @escaping @Sendable (Link?) -> Bool = { _ in true },
        onReceived: @escaping @Sendable ([Message], Link) throws -> Void = { _, _ in }
    ) {
        self.filters = filters
        self.onConnected = onConnected
        self.onReceived = onReceived
        self.onTurn = onTurn
        self.onStopping = onStopping
    }

    var now: Log { log.withLock { $0 } }
    var messages: [Message] { log.withLock { $0.messages } }
    var messageCount: Int { log.withLock { $0.batches.reduce(0) { $0 + $1.count } } }
    var connectCount: Int { log.withLock { $0.connected.count } }
    var batchCount: Int { log.withLock { $0.batches.count } }

    /// The n-th end of a connection or attempt.
    func disconnection(_ number: Int = 0, within limit: Duration = .seconds(10)) async throws -> Disconnection {
        try await value(within: limit, "disconnection \(number)") {
            let all = log.withLock { $0.disconnected }
            return all.count > number ? all[number].cause : nil
        }
    }

    fileprivate func note(_ change: (inout Log) -> Void) { log.withLock { change(&$0) } }

    fileprivate final class Handler: ConnectionHandler {
        let recorder: Recorder

        init(_ recorder: Recorder) { self.recorder = recorder }

        func connected(_ link: Link, sessionPresent: Bool) {
            if !recorder.filters.isEmpty { _ = try? link.subscribe(recorder.filters) }
            try? recorder.onConnected(link)
            recorder.note { $0.connected.append((link.version, sessionPresent, link.sendMaximum)) }
        }

        func received(_ batch: [Message], on link: Link) throws {
            recorder.note { $0.batches.append(batch) }
            try recorder.onReceived(batch, link)
        }

        func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
            recorder.note { $0.published.append((packetID, reason)) }
        }

        func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
            recorder.note { $0.granted.append(reasons) }
        }

        func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
            recorder.note { $0.disconnected.append((cause, after)) }
            return 10_000_000
        }

        func turn(_ link: Link?, now: Int64) -> Int64? {
            recorder.note { $0.turns.append(now) }
            return recorder.onTurn(link, now)
        }

        func stopping(_ link: Link?, now: Int64) -> Bool {
            recorder.note { $0.stops += 1 }
            return recorder.onStopping(link)
        }
    }
}

/// A handler refused a batch.
struct NotKept: Error {}

/// Runs a connection for the length of a test.
func withConnection<Result>(
    _ settings: ConnectionSettings, _ recorder: Recorder,
    _ body: (Connection) async throws -> Result
) async throws -> Result {
    let connection = Connection(settings, name: "test") { Recorder.Handler(recorder) }
    try connection.start()
    do {
        let result = try await body(connection)
        connection.stop(within: 2 * second)
        return result
    } catch {
        connection.stop(within: 2 * second)
        throw error
    }
}

let second: Int64 = 1_000_000_000
let millisecond: Int64 = 1_000_000

/// Settings for a peer on this machine.
func settings(_ port: Int, clientID: String = "gateway") -> ConnectionSettings {
    var settings = ConnectionSettings(host: "127.0.0.1", port: port, clientID: clientID)
    settings.connectTimeout = 5 * second
    return settings
}

/// A door that a handler waits at until the test opens it.
final class Gate: Sendable {
    fileprivate let isOpen = Atomic<Bool>(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    /// Blocks the handler's thread, for ten seconds at most.
    func wait() {
        let deadline = ContinuousClock.now + .seconds(10)
        while !isOpen.load(ordering: .acquiring), ContinuousClock.now < deadline { sleepBriefly() }
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func sleepBriefly() { usleep(500) }

extension Gate {
    var isOpened: Bool { isOpen.load(ordering: .acquiring) }
}

/// True for the first calls only.
final class Countdown: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    func next() -> Bool { left.subtract(1, ordering: .relaxed).oldValue > 0 }
}

/// Runs something blocking beside the test.
func onThread(_ body: @escaping @Sendable () -> Void) {
    Thread(block: body).start()
}

extension Recorder {
    func handler() -> any ConnectionHandler { Handler(self) }
}
