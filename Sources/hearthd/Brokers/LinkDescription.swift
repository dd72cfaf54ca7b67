import MQTT

/// A link's state in the words of the control socket.
struct LinkDescription {
    var state: String
    /// How long it has been so; for a waiting link, how long until the next attempt.
    var nanoseconds: Int64
    var protocolName: String?
    /// What is going on, or what went wrong last.
    var detail: String

    init(_ link: LinkState, now: Int64) {
        switch link {
        case .idle:
            (state, nanoseconds, detail) = ("stopped", 0, "not started")
        case .connecting(let since, let phase):
            (state, nanoseconds) = ("connecting", now - since)
            detail =
                switch phase {
                case .resolving: "asking the name server"
                case .tcp: "waiting for the network"
                case .tls: "TLS handshake"
                case .mqtt: "waiting for the broker's answer"
                }
        case .connected(let since, let version):
            (state, nanoseconds, protocolName, detail) = ("connected", now - since, "MQTT \(version)", "")
        case .waiting(let until, let lastError):
            (state, nanoseconds, detail) = ("waiting", max(0, until - now), "\(lastError)")
        case .stopped:
            (state, nanoseconds, detail) = ("stopped", 0, "stopped")
        }
    }
}

extension Connection {
    var isConnected: Bool {
        if case .connected = state { return true }
        return false
    }

    /// Whether the thread may sit in the resolver, the one call that no deadline of ours cuts short.
    var isConnecting: Bool {
        if case .connecting = state { return true }
        return false
    }
}
