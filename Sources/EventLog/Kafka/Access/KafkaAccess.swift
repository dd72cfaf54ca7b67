/// Who this program is to a cluster and how it talks to it: TLS, client certificates, SASL. A value, made from settings;
/// librdkafka reads the certificates' files itself, secrets come from files that are read here.
public struct KafkaAccess: Sendable, Equatable {
    /// The settings' names, as in the environment.
    public enum Setting: String, CaseIterable, Sendable {
        case securityProtocol = "KAFKA_SECURITY_PROTOCOL"
        case caFile = "KAFKA_CA_FILE"
        case certificateFile = "KAFKA_CERT_FILE"
        case keyFile = "KAFKA_KEY_FILE"
        case keyPasswordFile = "KAFKA_KEY_PASSWORD_FILE"
        case mechanism = "KAFKA_SASL_MECHANISM"
        case username = "KAFKA_USERNAME"
        case passwordFile = "KAFKA_PASSWORD_FILE"
        case tokenFile = "KAFKA_TOKEN_FILE"
        case propertiesFile = "KAFKA_PROPERTIES_FILE"
    }

    /// What librdkafka can do. OAUTHBEARER takes its token from a file: Debian's build has no OIDC.
    public enum Mechanism: String, CaseIterable, Sendable {
        case plain = "PLAIN"
        case scram256 = "SCRAM-SHA-256"
        case scram512 = "SCRAM-SHA-512"
        case oauthBearer = "OAUTHBEARER"
        /// Kerberos; its further properties (`sasl.kerberos.…`) come from the properties' file.
        case kerberos = "GSSAPI"

        var hasPassword: Bool { self == .plain || self == .scram256 || self == .scram512 }
    }

    /// librdkafka's properties, in their order.
    public private(set) var properties: [(name: String, value: String)] = []
    /// Holds the token of OAUTHBEARER; read again every few minutes.
    public private(set) var tokenFile: String?
    /// Whose password of PLAIN or SCRAM is where; read again when it is refused.
    private(set) var login: (user: String, file: String)?

    /// Plain text, to whoever answers.
    public init() {}

    /// - Parameters:
    ///   - value: a setting's value; nil where it is not given.
    ///   - contents: a file's text; nil if it cannot be read.
    /// - Throws: `settings`, naming the setting and what to do.
    public init(
        _ value: (Setting) -> String?, contents: (String) -> String?
    ) throws(EventLogError) {
        func text(_ setting: Setting) throws(EventLogError) -> String? {
            guard let path = value(setting) else { return nil }
            guard let text = contents(path) else {
                throw Self.wrong("\(setting.rawValue) \(path) cannot be read; mount the file there")
            }
            return text
        }
        let mechanism = try Self.mechanism(value)
        let (isTLS, hasSASL) = try Self.layers(value, mechanism)
        properties.append(
            ("security.protocol", hasSASL ? (isTLS ? "SASL_SSL" : "SASL_PLAINTEXT") : (isTLS ? "SSL" : "PLAINTEXT")))
        for (setting, name) in [
            (Setting.caFile, "ssl.ca.location"), (.certificateFile, "ssl.certificate.location"),
            (.keyFile, "ssl.key.location"),
        ] {
            guard let path = value(setting) else { continue }
            _ = try text(setting)
            properties.append((name, path))
        }
        guard (value(.certificateFile) == nil) == (value(.keyFile) == nil) else {
            throw Self.wrong("KAFKA_CERT_FILE and KAFKA_KEY_FILE go together")
        }
        if let password = try text(.keyPasswordFile) { properties.append(("ssl.key.password", Self.line(password))) }
        if let mechanism { try add(mechanism, user: value(.username), password: text(.passwordFile)) }
        if let mechanism, mechanism.hasPassword, let user = value(.username), let file = value(.passwordFile) {
            login = (user, file)
        }
        if mechanism == .oauthBearer {
            guard try text(.tokenFile) != nil else { throw Self.wrong("OAUTHBEARER needs KAFKA_TOKEN_FILE") }
            tokenFile = value(.tokenFile)
        } else if value(.tokenFile) != nil {
            throw Self.wrong("KAFKA_TOKEN_FILE is for KAFKA_SASL_MECHANISM=OAUTHBEARER")
        }
        if let path = value(.propertiesFile), let file = try text(.propertiesFile) {
            let further = try KafkaProperties.parse(file, path: path)
            try Self.check(further, isTLS: isTLS, hasSASL: hasSASL, hasCA: value(.caFile) != nil)
            properties += further
        }
    }

    /// Nothing fails open: an authority that would not be used, a certificate of any name where the system's authorities are trusted.
    private static func check(
        _ further: [(name: String, value: String)], isTLS: Bool, hasSASL: Bool, hasCA: Bool
    ) throws(EventLogError) {
        for (name, value) in further {
            if name.hasPrefix("ssl."), !isTLS {
                throw wrong("\(name) is given, and no TLS is used; give KAFKA_SECURITY_PROTOCOL=SSL, or take it away")
            }
            if name.hasPrefix("sasl."), !hasSASL {
                throw wrong("\(name) is given, and no SASL is used; give KAFKA_SASL_MECHANISM, or take it away")
            }
            let own = hasCA || further.contains { $0.name == "ssl.ca.pem" }
            if name == "ssl.endpoint.identification.algorithm", value != "https", !own {
                throw wrong(
                    "\(name)=\(value) would take the certificate of any name that some authority of the system's has signed; "
                        + "name the cluster's own in KAFKA_CA_FILE")
            }
        }
    }

    private mutating func add(
        _ mechanism: Mechanism, user: String?, password: String?
    ) throws(EventLogError) {
        properties.append(("sasl.mechanisms", mechanism.rawValue))
        guard mechanism.hasPassword else {
            if user != nil || password != nil {
                throw Self.wrong(
                    "KAFKA_USERNAME and KAFKA_PASSWORD_FILE are for PLAIN and SCRAM, not \(mechanism.rawValue)")
            }
            return
        }
        guard let user, let password else {
            throw Self.wrong("\(mechanism.rawValue) needs KAFKA_USERNAME and KAFKA_PASSWORD_FILE")
        }
        guard !Self.line(password).isEmpty else { throw Self.wrong("the file of KAFKA_PASSWORD_FILE is empty") }
        properties += [("sasl.username", user), ("sasl.password", Self.line(password))]
    }

    private static func mechanism(_ value: (Setting) -> String?) throws(EventLogError) -> Mechanism? {
        guard let name = value(.mechanism) else {
            for setting in [Setting.username, .passwordFile, .tokenFile] where value(setting) != nil {
                throw wrong("\(setting.rawValue) needs KAFKA_SASL_MECHANISM: \(known)")
            }
            return nil
        }
        guard let mechanism = Mechanism(rawValue: name.uppercased()) else {
            throw wrong("KAFKA_SASL_MECHANISM must be one of \(known), not \"\(name)\"")
        }
        return mechanism
    }

    private static var known: String { Mechanism.allCases.map(\.rawValue).joined(separator: ", ") }

    /// Which layers are between us and Kafka's protocol. Without KAFKA_SECURITY_PROTOCOL what is given decides; a
    /// password never goes over a plain connection unless that is asked for by name.
    private static func layers(
        _ value: (Setting) -> String?, _ mechanism: Mechanism?
    ) throws(EventLogError) -> (tls: Bool, sasl: Bool) {
        let ofTLS = [Setting.caFile, .certificateFile, .keyFile, .keyPasswordFile].filter { value($0) != nil }
        guard let name = value(.securityProtocol)?.uppercased() else {
            return (!ofTLS.isEmpty || mechanism != nil, mechanism != nil)
        }
        guard ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"].contains(name) else {
            throw wrong("KAFKA_SECURITY_PROTOCOL must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, not \"\(name)\"")
        }
        let (isTLS, hasSASL) = (name.hasSuffix("SSL"), name.hasPrefix("SASL"))
        if !isTLS, let unused = ofTLS.first {
            throw wrong("\(unused.rawValue) is given, and KAFKA_SECURITY_PROTOCOL=\(name) uses no TLS; take one away")
        }
        if hasSASL, mechanism == nil {
            throw wrong("KAFKA_SECURITY_PROTOCOL=\(name) needs KAFKA_SASL_MECHANISM: \(known)")
        }
        if !hasSASL, mechanism != nil {
            throw wrong("KAFKA_SASL_MECHANISM is given, and KAFKA_SECURITY_PROTOCOL=\(name) uses none; take one away")
        }
        return (isTLS, hasSASL)
    }

    /// A secret without the line end of its file, and without an editor's mark of the encoding before it.
    static func line(_ text: String) -> String {
        var text = text.drop { $0 == "\u{FEFF}" }
        while let last = text.last, last.isNewline { text = text.dropLast() }
        return String(text)
    }

    private static func wrong(_ text: String) -> EventLogError { EventLogError(.settings, text + ".") }

    public static func == (left: KafkaAccess, right: KafkaAccess) -> Bool {
        left.tokenFile == right.tokenFile && left.login?.file == right.login?.file
            && left.properties.elementsEqual(right.properties) { $0.name == $1.name && $0.value == $1.value }
    }
}
