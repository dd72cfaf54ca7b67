/// What a local time of a zone stands for. The terms are those of PEP 495 (https://peps.python.org/pep-0495/). Offsets are
/// seconds east of UTC.
public enum WallTime: Equatable, Sendable {
    case once(offset: Int)
    /// Clocks were set back: it came twice, first with the one offset, then with the other.
    case twice(first: Int, second: Int)
    /// Clocks were set forward over it. Read with the offset before, it is as far behind the change as it was skipped.
    case never(offset: Int)

    /// - Parameters:
    ///   - seconds: the local time since 1970-01-01T00:00:00 local time.
    ///   - offset: the zone's offset at an instant, in seconds since 1970 UTC. Two changes of one zone are more than two
    ///     days apart.
    public init(_ seconds: Int64, offset: (Int64) -> Int) {
        let day: Int64 = 86_400
        let (before, after) = (offset(seconds - day), offset(seconds + day))
        if before == after {
            self = .once(offset: before)
            return
        }
        let isBefore = offset(seconds - Int64(before)) == before
        let isAfter = offset(seconds - Int64(after)) == after
        switch (isBefore, isAfter) {
        case (true, true): self = .twice(first: max(before, after), second: min(before, after))
        case (true, false): self = .once(offset: before)
        case (false, true): self = .once(offset: after)
        case (false, false): self = .never(offset: before)
        }
    }

    /// - Parameter isSecondPass: `fold`; only matters where the time came twice.
    public func offset(isSecondPass: Bool) -> Int {
        switch self {
        case .once(let offset), .never(let offset): offset
        case .twice(let first, let second): isSecondPass ? second : first
        }
    }
}

/// Whether a name can be one of the zone database, a file below `/usr/share/zoneinfo` that holds a zone. The directory has
/// other things: the same zones counted with leap seconds (`right/`) or again (`posix/`), this machine's own zone
/// (`localtime`, `posixrules`), and tables.
public func isZoneName(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard let first = parts.first.map({ String(Substring($0)) }), parts.count <= 4 else { return false }
    if ["posix", "right", "localtime", "posixrules"].contains(first) { return false }
    return parts.allSatisfy { part in
        // Names of the database have no dots (theory.html, "Names of timezones").
        !part.isEmpty
            && part.allSatisfy {
                ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z")) || $0 &- UInt8(ascii: "0") <= 9
                    || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+")
            }
    }
}

/// The offset that `+01:00` names, seconds east of UTC; nil for anything else. Up to fourteen hours, as zones have it.
public func zoneOffsetSeconds(_ text: String) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count == 6, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
        bytes[3] == UInt8(ascii: ":")
    else { return nil }
    let digits = [1, 2, 4, 5].map { Int(bytes[$0]) - Int(UInt8(ascii: "0")) }
    guard digits.allSatisfy((0...9).contains) else { return nil }
    let (hours, minutes) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
    guard hours < 14 || (hours == 14 && minutes == 0), minutes < 60 else { return nil }
    let seconds = hours * 3600 + minutes * 60
    return bytes[0] == UInt8(ascii: "-") ? -seconds : seconds
}
