/// Checks a broker's address as people write it: a name or an address, and nothing around it.
public enum BrokerAddress {
    /// What is wrong with `host`, with what to write; nil for a name or an address.
    ///
    /// - Parameters:
    ///   - host: as it was written.
    ///   - portKey: how the port is set, for the advice.
    public static func problem(_ host: String, portKey: String) -> String? {
        let bare = name(in: host)
        let port = port(in: host).map { " and \(portKey) = \($0)" } ?? ""
        if host.isEmpty { return "must not be empty" }
        guard bare != host || host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else { return nil }
        guard !bare.isEmpty else {
            return "\"\(host)\" is no name and no address: write \"127.0.0.1\" or \"broker.example\""
        }
        return "must be the name or address alone: write \"\(bare)\"\(port) instead of \"\(host)\""
    }

    /// The name or address in `host`, without scheme, user, brackets, port, path and blanks.
    private static func name(in host: String) -> String {
        let rest = authority(of: host)
        if rest.first == "[" { return String(rest.dropFirst().prefix { $0 != "]" }) }
        // Two colons or more are an IPv6 address.
        if rest.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1 { return String(rest.prefix { $0 != ":" }) }
        return String(rest)
    }

    private static func port(in host: String) -> Int? {
        let rest = authority(of: host)
        let colons = rest.utf8.count(where: { $0 == UInt8(ascii: ":") })
        guard rest.first == "[" ? rest.contains("]:") : colons == 1, let last = rest.split(separator: ":").last else {
            return nil
        }
        return Int(last)
    }

    private static func authority(of host: String) -> Substring {
        var rest = host[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        if let start = rest.firstIndex(of: ":"), rest[start...].hasPrefix("://") {
            rest = rest[rest.index(start, offsetBy: 3)...]
        }
        rest = rest.prefix { $0 != "/" }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        return rest.prefix { !$0.isWhitespace }
    }
}
