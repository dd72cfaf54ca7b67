import Synchronization

/// What a load run has done so far, and the summary at its end.
struct LoadCounts: Sendable, Equatable {
    /// Different readings handed to the network.
    var sent = 0
    /// Readings the broker acknowledged (QoS 0: readings written to the socket).
    var acknowledged = 0
    /// Readings sent again after a reconnect.
    var resent = 0
    /// Readings the broker refused with a reason code.
    var refused = 0
    /// Readings without acknowledgement when a connection ended, and not sent again.
    var lost = 0
    var disconnects = 0
    /// Boot time of the first publish and of the newest acknowledgement, nanoseconds.
    var began: Int64?
    var newest: Int64?

    var seconds: Double {
        guard let began, let newest else { return 0 }
        return Double(newest - began) / 1e9
    }

    var messagesPerSecond: Double {
        seconds > 0 ? Double(acknowledged) / seconds : 0
    }

    mutating func add(_ other: LoadCounts) {
        sent += other.sent
        acknowledged += other.acknowledged
        resent += other.resent
        refused += other.refused
        lost += other.lost
        disconnects += other.disconnects
        began = [began, other.began].compactMap { $0 }.min()
        newest = [newest, other.newest].compactMap { $0 }.max()
    }

    /// One JSON object on one line.
    func json(qos: UInt8, payloadBytes: Int) -> String {
        let seconds = (seconds * 1e6).rounded() / 1e6
        let rate = messagesPerSecond.rounded()
        return """
            {"sent": \(sent), "acknowledged": \(acknowledged), "unacknowledged": \(sent - acknowledged), \
            "resent": \(resent), "refused": \(refused), "lost": \(lost), "disconnects": \(disconnects), \
            "qos": \(qos), "payload_bytes": \(payloadBytes), "seconds": \(seconds), "messages_per_second": \(rate)}
            """
    }

    /// The same for people.
    var line: String {
        var text = "\(sent) sent, \(acknowledged) acknowledged in \(oneDecimal(seconds)) s"
        text += ", \(Int(messagesPerSecond.rounded())) messages/s"
        if resent > 0 { text += ", \(resent) sent again" }
        if refused > 0 { text += ", \(refused) refused" }
        if lost > 0 { text += ", \(lost) without acknowledgement when a connection ended" }
        return text
    }
}

/// Written by one connection's thread, read by the main thread.
final class LoadTally: Sendable {
    private struct State {
        var counts = LoadCounts()
        var isFinished = false
        var failure: String?
    }

    private let state = Mutex(State())

    var counts: LoadCounts { state.withLock { $0.counts } }
    var isFinished: Bool { state.withLock { $0.isFinished } }
    var failure: String? { state.withLock { $0.failure } }

    func update(_ counts: LoadCounts, isFinished: Bool) {
        state.withLock {
            $0.counts = counts
            $0.isFinished = isFinished
        }
    }

    func fail(_ reason: String) {
        state.withLock { $0.failure = reason }
    }
}
