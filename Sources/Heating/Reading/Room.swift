/// A room: one level of an MQTT topic, at most 200 bytes of UTF-8, free of `/`, `+`, `#` and NUL.
///
/// Two rooms are equal when their *bytes* are. MQTT compares topics so, while Swift's `String` also equates
/// different spellings of one character ("é" as one or two code points).
public struct Room: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let name: String

    /// Nil when the name is not a usable topic level.
    public init?(_ name: String) {
        guard isTopicLevel(name.utf8) else { return nil }
        self.name = name
    }

    /// Nil when the name is not a usable topic level.
    public init?(_ name: some StringProtocol) {
        guard isTopicLevel(name.utf8) else { return nil }
        self.name = String(name)
    }

    public var description: String { name }
    /// The name with control characters escaped: safe for terminals and logs.
    public var displayName: String { escapingControls(name) }

    public static func == (left: Room, right: Room) -> Bool { left.exactName == right.exactName }
    public static func < (left: Room, right: Room) -> Bool { left.exactName < right.exactName }
    public func hash(into hasher: inout Hasher) { hasher.combine(exactName) }
    private var exactName: ExactString { ExactString(name) }
}

/// A home (a tenant of the cloud): the first level of every cloud topic. As ``Room``, and not starting with `$`,
/// which MQTT reserves for the broker.
public struct HomeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let name: String

    /// Nil when the name is not a usable first topic level.
    public init?(_ name: String) {
        guard isTopicLevel(name.utf8), name.utf8.first != UInt8(ascii: "$") else { return nil }
        self.name = name
    }

    /// Nil when the name is not a usable first topic level.
    public init?(_ name: some StringProtocol) {
        guard isTopicLevel(name.utf8), name.utf8.first != UInt8(ascii: "$") else { return nil }
        self.name = String(name)
    }

    public var description: String { name }
    /// The name with control characters escaped: safe for terminals and logs.
    public var displayName: String { escapingControls(name) }

    public static func == (left: HomeID, right: HomeID) -> Bool { left.exactName == right.exactName }
    public static func < (left: HomeID, right: HomeID) -> Bool { left.exactName < right.exactName }
    public func hash(into hasher: inout Hasher) { hasher.combine(exactName) }
    private var exactName: ExactString { ExactString(name) }
}

private let longestLevel = 200

private func isTopicLevel(_ name: some Collection<UInt8>) -> Bool {
    guard !name.isEmpty, name.count <= longestLevel else { return false }
    return name.allSatisfy {
        $0 != 0 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "#")
    }
}

/// Escapes C0, DEL and C1 controls and the marks that reorder or break lines on a screen.
public func escapingControls(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
