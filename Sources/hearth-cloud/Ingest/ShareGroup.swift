import Foundation
import Heating

/// The name of the shared subscription that all ingestors of one cloud join.
///
/// A broker whose rules say nothing about SUBSCRIBE, as Mosquitto's ACL file, lets a home join any group whose name it
/// knows, and what is delivered to it there nobody else gets. So the name is made from what only the ingestors have:
/// their password, or their private key. All replicas have the same and agree. Without either the broker knows no
/// users, and a secret name would protect nothing.
struct ShareGroup: Equatable {
    static let plainName = "hearth-ingest"

    let name: String
    /// Names under which a session of an earlier version may still be subscribed.
    var formerNames: [String] { name == Self.plainName ? [] : [Self.plainName] }

    init(named name: String) throws {
        // A level of a topic filter (MQTT 5 section 4.8.2).
        guard !name.isEmpty, name.utf8.count <= 200, !name.utf8.contains(where: { "/+#\0".utf8.contains($0) }) else {
            throw SettingError("MQTT_SHARE_GROUP must be one topic level without /, + and #, not \"\(name)\"")
        }
        self.name = name
    }

    init(_ secret: BrokerSecret?) {
        name = secret.map { "\(Self.plainName)-\($0.derived("share group"))" } ?? Self.plainName
    }
}

/// What an ingestor proves itself to the broker with; names are made from it that nobody else can make.
struct BrokerSecret {
    private let bytes: [UInt8]

    /// The password, or else the private key; nil where there is neither.
    init?(_ broker: BrokerOptions) throws {
        let setting = broker.passwordFile.given == nil ? broker.keyFile : broker.passwordFile
        guard let path = setting.given else { return nil }
        guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else {
            throw setting.failure("\(path) cannot be read or is empty; mount the secret there")
        }
        var bytes = [UInt8](data)
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
        self.bytes = bytes
    }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// 24 hexadecimal digits for one purpose; says nothing about the secret, nor about those for other purposes.
    func derived(_ purpose: String) -> String {
        SHA256.digest(Array("hearth \(purpose)\n".utf8) + bytes).prefix(12).map(hexadecimal).joined()
    }
}

/// The client id of an ingestor: the broker keeps this client's session, so it is the same after a restart, whatever the
/// host is called by then, and nobody can guess it and take the connection over.
enum ClientIdentity {
    /// From its file, which is made when it is not there.
    /// - Parameter first: what to begin with; nil: a random one.
    static func kept(in path: String, role: String, first: String?) throws -> String {
        if let text = try? String(contentsOfFile: path, encoding: .utf8) {
            let id = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !id.isEmpty, id.utf8.count <= 200 else {
                throw SettingError("\(path) should hold the MQTT client id; delete it and a new one is made")
            }
            return id
        }
        var random = SystemRandomNumberGenerator()
        let id = first ?? "hearth-\(role)-" + (0..<12).map { _ in hexadecimal(random.next()) }.joined()
        let isMade = FileManager.default.createFile(
            atPath: path, contents: Data((id + "\n").utf8), attributes: [.posixPermissions: 0o600])
        guard isMade else {
            throw SettingError(
                "the MQTT client id cannot be kept in \(path); make the directory writable, or set MQTT_CLIENT_ID")
        }
        return id
    }

    /// Where no file can be kept: the same for the same replica, and nobody's who has not the secret.
    static func derived(role: String, name: String, secret: BrokerSecret?) -> String {
        let readable = "hearth-\(role)-\(name)"
        return secret.map { "\(readable)-\($0.derived("client id \(readable)").prefix(12))" } ?? readable
    }
}

private func hexadecimal(_ byte: UInt8) -> String {
    let digits = Array("0123456789abcdef")
    return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
}
