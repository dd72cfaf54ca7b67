import CMosquitto

/// The questions an external loop must ask about libmosquitto's TLS session.
///
/// libmosquitto reads one packet per call while OpenSSL may hold many decrypted ones that no poll will announce, and
/// it hides how far a handshake is. See SSL_pending(3), SSL_want(3), SSL_is_init_finished(3).
struct OpenSSL: Sendable {
    typealias Session = UnsafeMutableRawPointer

    private typealias Ask = @convention(c) (UnsafeRawPointer) -> CInt
    private typealias AskLong = @convention(c) (UnsafeRawPointer) -> CLong
    private typealias Text = @convention(c) (CLong) -> UnsafePointer<CChar>?

    /// `nil` when the functions are not in this process; TLS is then refused.
    static let loaded = OpenSSL()

    private let pending: Ask
    private let want: Ask
    private let finished: Ask
    private let verification: AskLong
    private let verificationText: Text

    private init?() {
        guard let pending = hearth_symbol("SSL_pending"), let want = hearth_symbol("SSL_want"),
            let finished = hearth_symbol("SSL_is_init_finished"),
            let verification = hearth_symbol("SSL_get_verify_result"),
            let text = hearth_symbol("X509_verify_cert_error_string")
        else { return nil }
        self.pending = unsafeBitCast(pending, to: Ask.self)
        self.want = unsafeBitCast(want, to: Ask.self)
        self.finished = unsafeBitCast(finished, to: Ask.self)
        self.verification = unsafeBitCast(verification, to: AskLong.self)
        self.verificationText = unsafeBitCast(text, to: Text.self)
    }

    /// Bytes that are decrypted and not read yet.
    func pendingBytes(_ session: Session) -> Int { Int(pending(session)) }

    func isHandshakeFinished(_ session: Session) -> Bool { finished(session) == 1 }

    /// The last operation stopped because the socket could not take more (SSL_WRITING is 2).
    func wantsToWrite(_ session: Session) -> Bool { want(session) == 2 }

    /// Why the peer's certificate was refused, `nil` if it was not (X509_V_OK is 0).
    func verificationError(_ session: Session) -> String? {
        let result = verification(session)
        guard result != 0, let text = verificationText(result) else { return nil }
        return String(cString: text)
    }
}
