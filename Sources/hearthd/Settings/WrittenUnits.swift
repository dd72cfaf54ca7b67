/// `1h30m` → 90 minutes; nil for anything that is not a sequence of number and unit (ms, s, m, h, d).
func parseDuration(_ text: String) -> Duration? {
    var rest = Substring(text)
    var total = Duration.zero
    guard !rest.isEmpty else { return nil }
    let units: [(String, Duration)] = [
        ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3600)),
        ("d", .seconds(86400)),
    ]
    while !rest.isEmpty {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let amount = Int32(digits) else { return nil }
        rest = rest.dropFirst(digits.count)
        guard let (name, unit) = units.first(where: { rest.hasPrefix($0.0) }) else { return nil }
        rest = rest.dropFirst(name.count)
        total += unit * amount
    }
    return total
}

/// `512MiB` → 536 870 912; powers of 1024 with an `i`, of 1000 without.
func parseSize(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let amount = Int64(digits) else { return nil }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }
    let units: [String: Int64] = [  // Own names: units.
        "": 1, "B": 1, "kB": 1000, "KB": 1000, "KiB": 1 << 10, "MB": 1_000_000, "MiB": 1 << 20,
        "GB": 1_000_000_000, "GiB": 1 << 30,
    ]
    guard let factor = units[String(unit)] else { return nil }
    let (bytes, overflow) = amount.multipliedReportingOverflow(by: factor)
    return overflow ? nil : bytes
}
