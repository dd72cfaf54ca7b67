import CMosquitto
import CMosquittoGuard
import Glibc
import Machine

// Turning the library's return codes into sentences that say what to do next.
extension Client {
    private var at: Disconnection.Value { .text(peer) }

    /// Why the library stopped, from its code, the error number after it, and what the callbacks have seen.
    func failure(_ code: Int32, _ error: Int32) -> Disconnection {
        if code == Int32(HEARTH_ASSERTION_FAILED) { return unknownProperty() }
        if let acceptance, acceptance.reason != .success { return refusal(acceptance) }
        if let disconnectReason { return disconnected(by: disconnectReason) }
        if let cause = tlsFailure() { return cause }
        guard stage == .connected else { return connectFailure(code, error) }
        if isOutOfMemory(code, error) { return outOfMemory() }
        switch mosq_err_t(rawValue: code) {
        case MOSQ_ERR_KEEPALIVE:
            return Disconnection(.keepAlive, .noPing, ["peer": at, "seconds": "\(settings.keepAlive)"])
        case MOSQ_ERR_ERRNO where error != 0 && error != EPROTO:
            return Disconnection(.lost, .broke, ["peer": at, "error": .text(systemErrorText(error))])
        case MOSQ_ERR_SUCCESS, MOSQ_ERR_CONN_LOST, MOSQ_ERR_ERRNO, MOSQ_ERR_NO_CONN:
            return Disconnection(.lost, .closed, ["peer": at, "client": .text(settings.clientID)])
        case MOSQ_ERR_MALFORMED_UTF8: return Disconnection(.protocolError, .notUTF8, ["peer": at])
        default: return brokenRules(libraryText(code))
        }
    }

    /// Why an attempt failed before its CONNACK.
    func connectFailure(_ code: Int32, _ error: Int32) -> Disconnection {
        if let cause = tlsFailure() { return cause }
        if isOutOfMemory(code, error) { return outOfMemory() }
        switch mosq_err_t(rawValue: code) {
        case MOSQ_ERR_EAI:
            return Disconnection(
                .nameResolution, .noSuchHost, ["host": .text(settings.host), "error": .text(resolverText(error))])
        case MOSQ_ERR_ERRNO where stage == .tcp: return unreachable(error)
        case MOSQ_ERR_ERRNO where error != 0 && error != EPROTO:
            return lostWhileConnecting(.text(systemErrorText(error)))
        case MOSQ_ERR_SUCCESS, MOSQ_ERR_CONN_LOST, MOSQ_ERR_ERRNO, MOSQ_ERR_NO_CONN:
            return lostWhileConnecting(.sentence(.closedIt))
        case MOSQ_ERR_INVAL:
            return Disconnection(.configuration, .noAddress, ["peer": at, "seconds": "\(settings.keepAlive)"])
        case MOSQ_ERR_TLS:
            return Disconnection(.tls, .tlsFailed, ["peer": at, "error": .text(log.joined(separator: "; "))])
        default:
            return Disconnection(.protocolError, .notMQTT, ["peer": at, "error": .text(libraryText(code))])
        }
    }

    /// The library also says so of a packet without the bytes that it must have: it takes no memory for none of them.
    private func isOutOfMemory(_ code: Int32, _ error: Int32) -> Bool {
        code == MOSQ_ERR_NOMEM.rawValue && error == ENOMEM
    }

    func outOfMemory() -> Disconnection { Disconnection(.lost, .noMemory, ["peer": at]) }

    /// The library cannot go on after it (CMosquittoGuard); with MQTT 3.1.1 there are no properties.
    private func unknownProperty() -> Disconnection {
        Disconnection(.protocolError, .unknownProperty, ["peer": at], hint: .withoutProperties)
    }

    func brokenRules(_ how: String) -> Disconnection {
        Disconnection(.protocolError, .brokeRules, ["peer": at, "how": .text(how)])
    }

    func unreachable(_ error: Int32) -> Disconnection {
        let sentence: DisconnectionSentence =
            switch error {
            case ECONNREFUSED: .nobodyListens
            case EHOSTUNREACH, ENETUNREACH: .noNetwork
            case EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL: .noUsableAddress
            default: .unreachable
            }
        return Disconnection(.unreachable, sentence, ["peer": at, "error": .text(systemErrorText(error))])
    }

    func lostWhileConnecting(_ what: Disconnection.Value) -> Disconnection {
        let values: KeyValuePairs<String, Disconnection.Value> = ["peer": at, "error": what]
        switch stage {
        case .tcp: return Disconnection(.unreachable, .notConnected, values)
        case .tls: return Disconnection(.tls, .handshakeEnded, values)
        case .mqtt, .connected:
            let isTLSPort = settings.tls == nil && settings.port == 8883
            return Disconnection(
                .lost, isTLSPort ? .endedAtTLSPort : settings.tls == nil ? .endedPlain : .endedTLS, values)
        }
    }

    /// The attempt took longer than `connectTimeout`.
    ///
    /// - Parameter nanoseconds: how long its last stage was given.
    func timeout(after nanoseconds: Int64) -> Disconnection {
        let seconds = Double(nanoseconds / 1_000_000) / 1000
        let sentence: DisconnectionSentence =
            switch stage {
            case .tcp: .noTCP
            case .tls: .noHandshake
            case .mqtt, .connected: .noAnswer
            }
        return Disconnection(.timeout, sentence, ["peer": at, "time": "\(seconds) s"])
    }

    private func refusal(_ acceptance: Acceptance) -> Disconnection {
        let reason = acceptance.reason
        let said: Disconnection.Value = "\(reason)\(acceptance.reasonText.map { ": \($0)" } ?? "")"
        func refused(
            _ sentence: DisconnectionSentence, _ name: String = "", _ value: String = ""
        ) -> Disconnection {
            Disconnection(.refused, sentence, ["peer": at, "reason": said, name: .text(value)], reason: reason)
        }
        switch reason {
        case .badUserNameOrPassword, .notAuthorised:
            return settings.username.map { refused(.userNotLetIn, "user", $0) } ?? refused(.anonymousNotLetIn)
        case .clientIDNotValid: return refused(.clientIDNotTaken, "client", settings.clientID)
        case .unsupportedProtocolVersion: return refused(.versionNotSpoken, "version", "\(version)")
        case .serverUnavailable, .serverShuttingDown: return refused(.refusedForNow)
        default: return refused(.refused)
        }
    }

    private func disconnected(by reason: ReasonCode) -> Disconnection {
        Disconnection(
            .disconnectedByBroker, reason == .sessionTakenOver ? .takenOver : .ended,
            ["peer": at, "reason": "\(reason)", "client": .text(settings.clientID)], reason: reason)
    }

    /// The cause, if the library or OpenSSL said something about TLS.
    private func tlsFailure() -> Disconnection? {
        guard let tls = settings.tls, !log.isEmpty else { return nil }
        let text = log.joined(separator: "; ")
        func failed(
            _ sentence: DisconnectionSentence, _ error: String, file: String? = nil
        ) -> Disconnection {
            Disconnection(
                .tls, sentence,
                ["peer": at, "host": .text(settings.host), "file": .text(file ?? ""), "error": .text(error)])
        }
        if text.contains("host name verification failed") { return failed(.otherName, text) }
        if text.contains("certificate verify failed") {
            return failed(
                tls.caFile == nil ? .notOfSystemCAs : .notOfThisCA, certificateError ?? "certificate verify failed",
                file: tls.caFile)
        }
        if text.contains("certificate required") || text.contains("handshake failure") {
            return failed(
                tls.certificateFile == nil ? .wantsCertificate : .certificateNotAccepted, text,
                file: tls.certificateFile)
        }
        if text.contains("wrong version number") || (text.contains("unexpected eof") && stage != .mqtt) {
            return failed(.noTLS, text)
        }
        return failed(tls.caFile == nil ? .tlsWithSystemCAsFailed : .tlsWithCAFailed, text, file: tls.caFile)
    }

    /// The resolver's own codes (netdb.h) come in errno.
    private func resolverText(_ code: Int32) -> String { String(cString: gai_strerror(code)) }
}
