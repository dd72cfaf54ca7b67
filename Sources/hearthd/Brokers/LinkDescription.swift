import Heating
import MQTT

/// A link's state in the words of the control socket.
struct LinkDescription {
    var state: String
    /// How long it has been so; for a waiting link, how long until the next attempt.
    var nanoseconds: Int64
    var protocolName: String?
    /// What is going on, or what went wrong last; nil while all is well.
    var said: Sentence?

    init(_ link: LinkState, now: Int64) {
        switch link {
        case .idle:
            (state, nanoseconds, said) = ("stopped", 0, Sentence(LinkSentence.notStarted))
        case .connecting(let since, let phase):
            (state, nanoseconds) = ("connecting", now - since)
            let sentence: LinkSentence =
                switch phase {
                case .resolving: .resolving
                case .tcp: .tcp
                case .tls: .tls
                case .mqtt: .mqtt
                }
            said = Sentence(sentence)
        case .connected(let since, let version):
            (state, nanoseconds, protocolName) = ("connected", now - since, "MQTT \(version)")
        case .waiting(let until, let lastError):
            (state, nanoseconds, said) = ("waiting", max(0, until - now), lastError.said)
        case .stopped:
            (state, nanoseconds, said) = ("stopped", 0, Sentence(LinkSentence.stopped))
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
