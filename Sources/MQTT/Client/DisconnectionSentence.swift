/// What is said of a connection's end: an English pattern, whose values stand in its braces. The pattern is its own code, by which
/// the page finds a translation (`Sources/HomePage/Page/said.*.js`).
public enum DisconnectionSentence: String, CaseIterable, Sendable {
    // What the settings name cannot be used.
    case emptyPassword = "the password file {file} is empty: write the password into it"
    case passwordNotText = "the password file {file} is not text: it must hold the password as UTF-8"
    case fileTooLarge = "the {purpose} {file} is larger than {count} bytes: is it the right file?"
    case fileForbidden = "cannot read the {purpose} {file}: {error}; make it readable for this service's user"
    case fileUnreadable = "cannot read the {purpose} {file}: {error}; check the path"
    case passwordFile = "password file"
    case caFile = "CA file"
    case clientCertificate = "client certificate"
    case clientKey = "client key"
    case badClientID =
        "cannot create an MQTT client with client id '{client}': is it empty or does it contain control characters?"
    case passwordWithoutUser = "MQTT 3.1.1 knows no password without a user name: set username"
    case badUser = "the user name for {peer} contains control characters"
    case noOpenSSL = "this libmosquitto was built without OpenSSL: TLS to {peer} is not possible"
    case halfAPair = "a client certificate needs its key and a key its certificate: set both"
    case badTLSFiles = "cannot use the TLS files for {peer}: {error}"
    case badWill = "the last will for '{topic}': {error}"

    // There is no way to the broker.
    case noSuchHost = "cannot resolve the host name '{host}': {error}; check the name and this machine's DNS"
    case noAddress = "'{peer}' is no address, or keep-alive {seconds} s is not 5...65535"
    case nobodyListens = "cannot connect to {peer}: {error}; is the broker running and listening there?"
    case noNetwork = "cannot connect to {peer}: {error}; is the network up?"
    case noUsableAddress = "cannot connect to {peer}: {error}; this machine has no usable address for it"
    case unreachable = "cannot connect to {peer}: {error}; check the address and the firewall"
    case notConnected = "cannot connect to {peer}: {error}"
    case noTCP = "no TCP connection to {peer} within {time}: check the address, the network and the firewall"
    case noHandshake = "the TLS handshake with {peer} did not end within {time}: is it the broker's TLS port?"
    case noAnswer = "{peer} took the connection but sent no CONNACK within {time}: is it an MQTT broker?"
    case handshakeEnded = "{peer} ended the TLS handshake ({error}): is it the broker's TLS port?"
    case endedAtTLSPort =
        "{peer} ended the connection before it accepted us ({error}): port 8883 is for TLS: set ca in the section's tls, or use 1883, and what does its log say?"
    case endedPlain =
        "{peer} ended the connection before it accepted us ({error}): is it a broker that wants no TLS there, and what does its log say?"
    case endedTLS =
        "{peer} ended the connection before it accepted us ({error}): is it a broker, does it require a client certificate, and what does its log say?"
    case closedIt = "closed the connection"

    // TLS.
    case otherName =
        "the certificate of {peer} is for another name than '{host}': use the name in the certificate as host, or issue one for this name"
    case notOfThisCA =
        "the certificate of {peer} cannot be verified with the CA in {file} ({error}): is it the CA that signed it, and is this machine's clock right?"
    case notOfSystemCAs =
        "the certificate of {peer} cannot be verified with the system's CAs ({error}): is it the CA that signed it, and is this machine's clock right?"
    case certificateNotAccepted = "{peer} does not accept the client certificate {file}: {error}"
    case wantsCertificate = "{peer} does not accept a client without certificate: {error}"
    case noTLS = "{peer} does not speak TLS: is it the broker's TLS port? ({error})"
    case tlsWithCAFailed = "TLS with {peer} failed, using the CA in {file}: {error}"
    case tlsWithSystemCAsFailed = "TLS with {peer} failed, using the system's CAs: {error}"
    case tlsFailed = "TLS with {peer} failed: {error}"

    // The broker refused, or ended it.
    case userNotLetIn =
        "{peer} refused the connection, {reason}: it does not let user '{user}' in; check username and password_file"
    case anonymousNotLetIn =
        "{peer} refused the connection, {reason}: it does not let an anonymous client in; check username and password_file"
    case clientIDNotTaken = "{peer} refused the connection, {reason}: it does not take the client id '{client}'"
    case versionNotSpoken = "{peer} refused the connection, {reason}: it does not speak MQTT {version}"
    case refusedForNow = "{peer} refused the connection, {reason}: try again later"
    case refused = "{peer} refused the connection, {reason}: see the broker's log"
    case takenOver =
        "{peer} ended the connection, {reason}: another client uses the client id '{client}'; every client needs its own"
    case ended = "{peer} ended the connection, {reason}: see the broker's log"
    case closed =
        "{peer} closed the connection: if this repeats, see its log and look for a second client with the id '{client}'"
    case broke = "the connection to {peer} broke: {error}"
    case noPing = "{peer} did not answer a ping for {seconds} s: is the network up?"
    case noMemory =
        "no memory for the connection to {peer}: see what else takes it (free -h, journalctl -k); it is made again by itself"

    // What came is not MQTT.
    case notMQTT = "{peer} answered, but not with MQTT ({error}): is it the broker's port?"
    case brokeRules = "{peer} broke the rules of MQTT: {how}"
    case notUTF8 = "{peer} sent a message whose topic or property is not valid UTF-8: remove its sender"
    case unknownProperty =
        "{peer} sent a property that MQTT 5 does not know: is it a broker, and which version of it?"

    // Ends of our own.
    case triedAgain = "MQTT 5 is tried once more with {peer}"
    case newSettings = "new settings for {peer}"
    case notKept = "a batch from {peer} was not kept: {error}"
    /// Words of who ended it.
    case ownWords = "{words}"
}

extension Disconnection {
    /// What stands in a pattern's braces.
    public enum Value: Equatable, Sendable, ExpressibleByStringInterpolation {
        /// A name, an address, the system's own words: the same in every language.
        case text(String)
        /// A sentence without values.
        case sentence(DisconnectionSentence)

        public init(stringLiteral text: String) { self = .text(text) }

        /// In English.
        public var text: String {
            switch self {
            case .text(let text): text
            case .sentence(let sentence): sentence.rawValue
            }
        }
    }

    public struct NamedValue: Equatable, Sendable {
        public var name: String
        public var value: Value
    }

    /// The pattern with its values, in English.
    static func text(_ sentence: DisconnectionSentence, _ values: [NamedValue]) -> String {
        var (text, rest) = ("", sentence.rawValue[...])
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = rest[rest.index(after: open)..<close]
            text += rest[..<open] + (values.first { $0.name == name }?.value.text ?? "{\(name)}")
            rest = rest[rest.index(after: close)...]
        }
        return text + rest
    }
}
