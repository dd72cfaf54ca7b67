import CMosquitto
import CMosquittoGuard
import Glibc
import Machine

// Turning the library's return codes into sentences that say what to do next.
extension Client {
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
            return Disconnection(
                .keepAlive, "\(peer) did not answer a ping for \(settings.keepAlive) s: is the network up?")
        case MOSQ_ERR_ERRNO where error != 0 && error != EPROTO:
            return Disconnection(.lost, "the connection to \(peer) broke: \(systemErrorText(error))")
        case MOSQ_ERR_SUCCESS, MOSQ_ERR_CONN_LOST, MOSQ_ERR_ERRNO, MOSQ_ERR_NO_CONN:
            return Disconnection(
                .lost,
                "\(peer) closed the connection: if this repeats, see its log and look for a second client with"
                    + " the id '\(settings.clientID)'")
        case MOSQ_ERR_MALFORMED_UTF8:
            return Disconnection(
                .protocolError, "\(peer) sent a message whose topic or property is not valid UTF-8: remove its sender")
        default:
            return Disconnection(.protocolError, "\(peer) broke the rules of MQTT: \(libraryText(code))")
        }
    }

    /// Why an attempt failed before its CONNACK.
    func connectFailure(_ code: Int32, _ error: Int32) -> Disconnection {
        if let cause = tlsFailure() { return cause }
        if isOutOfMemory(code, error) { return outOfMemory() }
        switch mosq_err_t(rawValue: code) {
        case MOSQ_ERR_EAI:
            return Disconnection(
                .nameResolution, "cannot resolve the host name '\(settings.host)': \(resolverText(error))")
        case MOSQ_ERR_ERRNO where stage == .tcp: return unreachable(error)
        case MOSQ_ERR_ERRNO where error != 0 && error != EPROTO: return lostWhileConnecting(systemErrorText(error))
        case MOSQ_ERR_SUCCESS, MOSQ_ERR_CONN_LOST, MOSQ_ERR_ERRNO, MOSQ_ERR_NO_CONN:
            return lostWhileConnecting("closed the connection")
        case MOSQ_ERR_INVAL:
            return Disconnection(
                .configuration, "'\(peer)' is no address, or keep-alive \(settings.keepAlive) s is not 5...65535")
        case MOSQ_ERR_TLS: return Disconnection(.tls, "TLS with \(peer) failed: \(log.joined(separator: "; "))")
        default:
            return Disconnection(
                .protocolError, "\(peer) answered, but not with MQTT (\(libraryText(code))): is it the broker's port?")
        }
    }

    /// The library also says so of a packet without the bytes that it must have: it takes no memory for none of them.
    private func isOutOfMemory(_ code: Int32, _ error: Int32) -> Bool {
        code == MOSQ_ERR_NOMEM.rawValue && error == ENOMEM
    }

    func outOfMemory() -> Disconnection {
        Disconnection(
            .lost,
            "no memory for the connection to \(peer): see what else takes it (free -h, journalctl -k); it is made again by itself"
        )
    }

    /// The library cannot go on after it (CMosquittoGuard); with MQTT 3.1.1 there are no properties.
    private func unknownProperty() -> Disconnection {
        Disconnection(
            .protocolError,
            "\(peer) sent a property that MQTT 5 does not know: is it a broker, and which version of it?",
            hint: .withoutProperties)
    }

    func brokenRules(_ how: String) -> Disconnection {
        Disconnection(.protocolError, "\(peer) broke the rules of MQTT: \(how)")
    }

    func unreachable(_ error: Int32) -> Disconnection {
        let hint: String
        switch error {
        case ECONNREFUSED: hint = "is the broker running and listening there?"
        case EHOSTUNREACH, ENETUNREACH: hint = "is the network up?"
        case EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL: hint = "this machine has no usable address for it"
        default: hint = "check the address and the firewall"
        }
        return Disconnection(.unreachable, "cannot connect to \(peer): \(systemErrorText(error)); \(hint)")
    }

    func lostWhileConnecting(_ what: String) -> Disconnection {
        switch stage {
        case .tcp: return Disconnection(.unreachable, "cannot connect to \(peer): \(what)")
        case .tls:
            return Disconnection(.tls, "\(peer) ended the TLS handshake (\(what)): is it the broker's TLS port?")
        case .mqtt, .connected:
            let isTLSPort = settings.tls == nil && settings.port == 8883
            let hint =
                isTLSPort
                ? "port 8883 is for TLS: set ca in the section's tls, or use 1883"
                : settings.tls == nil
                    ? "is it a broker that wants no TLS there" : "is it a broker, does it require a client certificate"
            return Disconnection(
                .lost,
                "\(peer) ended the connection before it accepted us (\(what)): \(hint), and what does its log say?")
        }
    }

    /// The attempt took longer than `connectTimeout`.
    ///
    /// - Parameter nanoseconds: how long its last stage was given.
    func timeout(after nanoseconds: Int64) -> Disconnection {
        let seconds = Double(nanoseconds / 1_000_000) / 1000
        let time = "\(seconds) s"
        switch stage {
        case .tcp:
            return Disconnection(
                .timeout, "no TCP connection to \(peer) within \(time): check the address, the network and the firewall"
            )
        case .tls:
            return Disconnection(
                .timeout, "the TLS handshake with \(peer) did not end within \(time): is it the broker's TLS port?")
        case .mqtt, .connected:
            return Disconnection(
                .timeout, "\(peer) took the connection but sent no CONNACK within \(time): is it an MQTT broker?")
        }
    }

    private func refusal(_ acceptance: Acceptance) -> Disconnection {
        let reason = acceptance.reason
        let detail = acceptance.reasonText.map { ": \($0)" } ?? ""
        let hint: String
        switch reason {
        case .badUserNameOrPassword, .notAuthorised:
            let who = settings.username.map { "user '\($0)'" } ?? "an anonymous client"
            hint = "it does not let \(who) in; check username and password_file"
        case .clientIDNotValid: hint = "it does not take the client id '\(settings.clientID)'"
        case .unsupportedProtocolVersion: hint = "it does not speak MQTT \(version)"
        case .serverUnavailable, .serverShuttingDown: hint = "try again later"
        default: hint = "see the broker's log"
        }
        return Disconnection(.refused, "\(peer) refused the connection, \(reason)\(detail): \(hint)", reason: reason)
    }

    private func disconnected(by reason: ReasonCode) -> Disconnection {
        let hint =
            reason == .sessionTakenOver
            ? "another client uses the client id '\(settings.clientID)'; every client needs its own"
            : "see the broker's log"
        return Disconnection(
            .disconnectedByBroker, "\(peer) ended the connection, \(reason): \(hint)", reason: reason)
    }

    /// The cause, if the library or OpenSSL said something about TLS.
    private func tlsFailure() -> Disconnection? {
        guard let tls = settings.tls, !log.isEmpty else { return nil }
        let text = log.joined(separator: "; ")
        let authority = tls.caFile.map { "the CA in \($0)" } ?? "the system's CAs"
        if text.contains("host name verification failed") {
            return Disconnection(
                .tls,
                "the certificate of \(peer) is for another name than '\(settings.host)': use the name in the"
                    + " certificate as host, or issue one for this name")
        }
        if text.contains("certificate verify failed") {
            return Disconnection(
                .tls,
                "the certificate of \(peer) cannot be verified with \(authority)"
                    + " (\(certificateError ?? "certificate verify failed")): is it the CA that signed it, and is this"
                    + " machine's clock right?")
        }
        if text.contains("certificate required") || text.contains("handshake failure") {
            let own = tls.certificateFile.map { "the client certificate \($0)" } ?? "a client without certificate"
            return Disconnection(.tls, "\(peer) does not accept \(own): \(text)")
        }
        if text.contains("wrong version number") || (text.contains("unexpected eof") && stage != .mqtt) {
            return Disconnection(.tls, "\(peer) does not speak TLS: is it the broker's TLS port? (\(text))")
        }
        return Disconnection(.tls, "TLS with \(peer) failed, using \(authority): \(text)")
    }

    /// The resolver's own codes (netdb.h) come in errno.
    private func resolverText(_ code: Int32) -> String {
        String(cString: gai_strerror(code)) + "; check the name and this machine's DNS"
    }
}
