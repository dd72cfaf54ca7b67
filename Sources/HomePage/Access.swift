import HTTP

/// Who may see the page, and whose requests may change something. Pure.
struct Access: Sendable {
    /// The one user's name.
    static let user = "hearth"

    /// nil: everybody who reaches the address.
    var password: String?
    /// Proves that a request comes from our own page; another site cannot read it.
    let token: String

    init(password: String?, token: String = Self.freshToken()) {
        self.password = password
        self.token = token
    }

    /// Why a request is not answered; nil when it may be.
    enum Refusal: Equatable {
        /// Not (or wrongly) signed in.
        case unauthorized
        /// The name in the address bar is not ours: another site has pointed its name at this machine.
        case foreignHost
        /// Something else than our page asks for a change.
        case foreignOrigin
        case notJSON
    }

    /// What every request has to fulfil.
    func refusal(of request: HTTPRequest) -> Refusal? {
        guard let password else {
            // Without a password nothing but the name keeps a page that rebinds its own name to 127.0.0.1 out.
            guard let host = request.header("host"), ListenAddress.isLoopback(Self.name(in: host)) else {
                return .foreignHost
            }
            return nil
        }
        return isSignedIn(request, password) ? nil : .unauthorized
    }

    /// What a request that changes something has to fulfil besides.
    func refusalOfChange(_ request: HTTPRequest) -> Refusal? {
        guard let given = request.header("x-hearth-token"), isEqual(given, token) else { return .foreignOrigin }
        // The fetch metadata of current browsers, and the origin of all.
        if let site = request.header("sec-fetch-site"), site != "same-origin" { return .foreignOrigin }
        guard let host = request.header("host"), let origin = request.header("origin"),
            origin == "http://\(host)" || origin == "https://\(host)"
        else { return .foreignOrigin }
        let type = request.header("content-type")?.split(separator: ";").first.map { $0.lowercased() } ?? ""
        return type.filter { $0 != " " } == "application/json" ? nil : .notJSON
    }

    /// `localhost:8088`, `[::1]:8088` and `localhost` without their port and brackets.
    private static func name(in host: String) -> String {
        ListenAddress(host)?.host ?? host.filter { $0 != "[" && $0 != "]" }
    }

    private func isSignedIn(_ request: HTTPRequest, _ password: String) -> Bool {
        guard let header = request.header("authorization") else { return false }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic" else { return false }
        return isEqual(String(parts[1]), base64(Array("\(Self.user):\(password)".utf8)))
    }

    /// Compares in a time that does not tell how much was right.
    private func isEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    static func freshToken() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// RFC 4648 section 4, with padding.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let chunk = bytes[start..<min(start + 3, bytes.count)]
        let bits = chunk.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (16 - 8 * UInt32($1.offset)) }
        for place in 0..<4 {
            result.append(place <= chunk.count ? alphabet[Int(bits >> (18 - 6 * UInt32(place)) & 63)] : 0x3D)
        }
    }
    return String(decoding: result, as: UTF8.self)
}
