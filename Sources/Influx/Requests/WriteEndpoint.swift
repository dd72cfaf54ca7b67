/// The URL and headers of write requests, checked and ready for libcurl.
struct WriteEndpoint {
    let url: String
    let headers: [String]
    let credentials: (username: String, password: String)?
    let compressionLevel: Int

    /// - Throws: ``InfluxError/invalidSetting(_:)``.
    init(_ settings: InfluxSettings) throws(InfluxError) {
        let base = try BaseURL(settings.url)
        var headers = [
            "Content-Type: text/plain; charset=utf-8",
            "Content-Encoding: gzip",
            // libcurl would ask for "100 Continue" before bodies over 1 MiB and wait a second for servers
            // that do not know it.
            "Expect:",
        ]
        switch settings.target {
        case .v1(let database, let retentionPolicy, let username, let password):
            guard !database.isEmpty else { throw .invalidSetting("the InfluxDB database name is empty") }
            var query = [("db", database)]
            if let retentionPolicy { query.append(("rp", retentionPolicy)) }
            query.append(("precision", "n"))
            url = base.appending("/write", query: query)
            credentials = username.map { ($0, password ?? "") }
        case .v2(let organization, let bucket, let token):
            guard !bucket.isEmpty else { throw .invalidSetting("the InfluxDB bucket name is empty") }
            guard !organization.isEmpty else { throw .invalidSetting("the InfluxDB organisation name is empty") }
            url = base.appending(
                "/api/v2/write", query: [("org", organization), ("bucket", bucket), ("precision", "ns")])
            if let header = try tokenHeader(token) { headers.append(header) }
            credentials = nil
        case .v3(let database, let token):
            guard !database.isEmpty else { throw .invalidSetting("the InfluxDB database name is empty") }
            // https://docs.influxdata.com/influxdb3/core/write-data/http-api/v3-write-lp/: the precision would be guessed;
            // answered once it is in the log on disk; what is right of a request is stored although some lines are not.
            url = base.appending(
                "/api/v3/write_lp",
                query: [
                    ("db", database), ("precision", "nanosecond"), ("accept_partial", "true"), ("no_sync", "false"),
                ])
            if let header = try tokenHeader(token, scheme: "Bearer") { headers.append(header) }
            credentials = nil
        }
        self.headers = headers
        compressionLevel = settings.compressionLevel ?? (base.isLoopback ? 0 : 1)
    }
}

/// `Authorization: Token …`, or `Bearer …` for version 3; nil for an empty token.
/// - Throws: ``InfluxError/invalidSetting(_:)`` for a token that would break out of its header line.
func tokenHeader(_ token: String, scheme: String = "Token") throws(InfluxError) -> String? {
    guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
        throw .invalidSetting("the InfluxDB token contains a space or a control character (a line end from its file?)")
    }
    return token.isEmpty ? nil : "Authorization: \(scheme) \(token)"
}

/// The address of a server, without a slash at its end.
struct BaseURL {
    let text: String

    /// - Throws: ``InfluxError/invalidSetting(_:)`` unless it is `http://host…` or `https://host…` without a
    ///   query, fragment, white space or control character.
    init(_ url: String) throws(InfluxError) {
        let scheme = ["http://", "https://"].first { url.lowercased().hasPrefix($0) }
        guard let scheme, url.utf8.count > scheme.utf8.count, !url.dropFirst(scheme.count).hasPrefix("/") else {
            throw .invalidSetting("the InfluxDB address must be http://host:port or https://host:port, not \"\(url)\"")
        }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
        else {
            throw .invalidSetting("the InfluxDB address must not contain a query or white space: \"\(url)\"")
        }
        var text = url[...]
        while text.hasSuffix("/") { text = text.dropLast() }
        self.text = String(text)
        guard let port else { return }
        guard port.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(port), (1...65535).contains(number)
        else { throw .invalidSetting("the InfluxDB address has no port \"\(port)\": \"\(url)\"") }
    }

    /// Behind user and password, before the path.
    private var host: Substring {
        let authority = text.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" }
        return authority.split(separator: "@").last ?? ""
    }

    /// What stands behind the host's name or its bracket; nil without.
    private var port: Substring? {
        let rest = host.hasPrefix("[") ? host.drop { $0 != "]" }.dropFirst() : host.drop { $0 != ":" }
        return rest.hasPrefix(":") ? rest.dropFirst() : nil
    }

    /// Whether the host is this machine, by its usual names.
    var isLoopback: Bool {
        host.hasPrefix("127.") || host.hasPrefix("[::1]") || host.prefix { $0 != ":" } == "localhost"
    }

    func appending(_ path: String, query: [(name: String, value: String)] = []) -> String {
        let pairs = query.map { "\($0.name)=\(percentEncoded($0.value))" }.joined(separator: "&")
        return text + path + (pairs.isEmpty ? "" : "?\(pairs)")
    }
}

/// RFC 3986: everything outside the unreserved characters becomes `%XX`.
func percentEncoded(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    var output: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            output.append(byte)
        default:
            output += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
        }
    }
    return String(decoding: output, as: UTF8.self)
}
