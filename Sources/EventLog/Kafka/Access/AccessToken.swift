import CRdkafka
import Glibc
import Machine

/// Gives librdkafka the OAUTHBEARER token of a file, and again when it asks for a newer one: somebody else renews the
/// file, a sidecar or the kubelet.
enum AccessToken {
    /// How long librdkafka keeps a token: it asks again after four fifths of it, whatever the token itself says.
    private static let lifetime: Int64 = 300_000
    /// Longer is no token but a wrong file.
    private static let sizeLimit = 64 << 10

    /// For a client whose opaque is a ``CallbackContext`` with the file's path.
    static func install(on configuration: OpaquePointer?) {
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(configuration, refreshCallback)
    }

    /// Tells the client the token, or why there is none.
    fileprivate static func give(to client: OpaquePointer, from path: String) {
        var text = [CChar](repeating: 0, count: 512)
        guard let token = read(path) else {
            rd_kafka_oauthbearer_set_token_failure(client, "KAFKA_TOKEN_FILE \(path) cannot be read or is empty")
            return
        }
        let until = Clock.wallNanoseconds / 1_000_000 + lifetime
        let result = rd_kafka_oauthbearer_set_token(client, token, until, "hearth", nil, 0, &text, text.count)
        if result != RD_KAFKA_RESP_ERR_NO_ERROR { rd_kafka_oauthbearer_set_token_failure(client, text) }
    }

    /// The line of a file; nil for one that cannot be read, is empty or much too long.
    static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: sizeLimit)
        let count = fread(&bytes, 1, bytes.count, file)
        guard count > 0, count < sizeLimit else { return nil }
        let token = KafkaAccess.line(String(decoding: bytes[..<count], as: UTF8.self))
        return token.isEmpty ? nil : token
    }
}

/// Runs on librdkafka's background thread.
private func refreshCallback(
    client: OpaquePointer?, configuration: UnsafePointer<CChar>?, opaque: UnsafeMutableRawPointer?
) {
    guard let client, let path = CallbackContext.of(opaque)?.tokenFile else { return }
    AccessToken.give(to: client, from: path)
}
