import Synchronization

/// What librdkafka last said went wrong with a broker. It retries by itself and in the end reports no more than a time-out,
/// so this is where an error gets its broker and its cause from.
final class BrokerComplaints: Sendable {
    private struct State {
        var latest: (text: String, at: Int64)?
        /// The last one whose cause is known: what follows from it, a broken pipe, says less.
        var telling: (text: String, at: Int64)?
        var told: [String: Int64] = [:]  // Own names: librdkafka's sentences without their numbers.
    }

    /// Older ones say nothing about an error of now.
    static let memory: Int64 = 60_000_000_000

    private let state = Mutex(State())

    /// Keeps a complaint of a broker.
    func add(_ text: String, now: Int64) {
        state.withLock {
            $0.latest = (text, now)
            if Self.cause(text) != nil { $0.telling = (text, now) }
        }
    }

    /// The cluster took something: whatever was wrong is over.
    func clear() { state.withLock { ($0.latest, $0.telling) = (nil, nil) } }

    /// Whether to tell it now: the same is told once a minute.
    func isNews(_ text: String, now: Int64) -> Bool {
        state.withLock {
            let name = String(text.filter { !$0.isNumber })
            if let before = $0.told[name], now - before < Self.memory { return false }
            if $0.told.count > 200 { $0.told = $0.told.filter { now - $0.value < Self.memory } }
            $0.told[name] = now
            return true
        }
    }

    /// The last one, with what probably causes it; nil if nothing was wrong lately.
    func latest(now: Int64) -> String? {
        let kept = state.withLock { [$0.telling, $0.latest] }
        guard let latest = kept.lazy.compactMap(\.self).first(where: { now - $0.at < Self.memory }) else { return nil }
        let text = Self.readable(latest.text)
        return Self.cause(latest.text).map { "\(text): \($0)" } ?? text
    }

    /// Without what only librdkafka's developers need: `(after 4ms in state SSL_HANDSHAKE, 1 identical error(s) suppressed)`.
    private static func readable(_ text: String) -> String {
        text.firstRange(of: " (after ").map { String(text[..<$0.lowerBound]) } ?? text
    }

    /// What to look at, by librdkafka's sentence (rdkafka_broker.c, rdkafka_transport.c, rdkafka_ssl.c, rdkafka_sasl.c of
    /// 2.0.2); nil if the sentence says enough.
    static func cause(_ text: String) -> String? {
        func says(_ part: String) -> Bool { text.contains(part) }
        if says("connecting to a SSL listener?") {
            return "the port may be one for TLS; give KAFKA_CA_FILE, or take the port of a plain listener"
        }
        if says("connecting to a PLAINTEXT broker listener?") || says("wrong version number")
            || says("SSL_HANDSHAKE")
                && says("Disconnected")
        {
            return
                "the port does not speak TLS; take the port of the TLS listener, or KAFKA_SECURITY_PROTOCOL without SSL"
        }
        if says("certificate verify failed") {
            return "its certificate is not from the authority in KAFKA_CA_FILE, or not for this name"
        }
        if says("alert certificate required") || says("alert handshake failure") {
            return "the broker wants a client certificate; give KAFKA_CERT_FILE and KAFKA_KEY_FILE"
        }
        if says("alert unknown ca") || says("alert bad certificate") || says("alert certificate") {
            return "the broker does not take the client certificate of KAFKA_CERT_FILE"
        }
        if says("might require SASL") || says("unexpected eof while reading") {
            return "the broker may ask who we are; give KAFKA_SASL_MECHANISM with its user"
        }
        if says("supported mechanisms") { return "set KAFKA_SASL_MECHANISM to one that it has" }
        if says("SASL Handshake not supported") {
            return "this listener knows no SASL; take another port, or KAFKA_SECURITY_PROTOCOL without SASL"
        }
        if says("SASL authentication error") {
            return "the broker does not know this user with this password or token; see KAFKA_USERNAME, "
                + "KAFKA_PASSWORD_FILE, KAFKA_TOKEN_FILE"
        }
        if says("Failed to resolve") { return "the name does not exist here; see KAFKA_HOST" }
        if says("Connection refused") { return "nothing listens there; see KAFKA_HOST, and whether the broker runs" }
        return nil
    }
}
