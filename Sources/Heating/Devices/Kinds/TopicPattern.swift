/// Which topics a rule is about, and where in them the room's name is: an MQTT filter in which one level may hold
/// `{room}` (`tele/{room}/SENSOR`, `+/sensor/{room}_temperature/state`) or be `{room...}`, which is one level or more.
///
/// Levels are compared by their bytes, as MQTT compares them: two spellings of "ü" are two topics.
public struct TopicPattern: Equatable, Sendable {
    enum Level: Equatable, Sendable {
        case literal(ExactString)
        /// `+`: any one level.
        case any
        /// One level, the room's name between two texts, either of which may be empty.
        case room(before: String, after: String)
        /// One level or more.
        case rooms
        /// `#`, at the end: any number of levels, none too.
        case rest
    }

    /// What a pattern must not be. The raw value says what to write instead.
    public enum SyntaxError: String, Error, Sendable {
        case empty = "must not be empty"
        case tooLong = "is longer than MQTT allows, 65535 bytes"
        case control = "must not contain NUL"
        case wildcardInLevel = "+ and # stand alone in their level"
        case restNotLast = "# is the last level"
        case twoRooms = "names the room twice"
        case placeholder = "has a brace that is neither {room} nor {room...}"
    }

    /// As written.
    public let text: String
    let levels: [Level]

    public init(_ text: String) throws(SyntaxError) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= 65_535 else { throw .tooLong }
        guard !text.utf8.contains(0) else { throw .control }
        self.text = text
        var levels: [Level] = []
        for level in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if levels.last == .rest { throw .restNotLast }
            levels.append(try Self.level(Substring(level)))
        }
        guard levels.count(where: \.namesRoom) <= 1 else { throw .twoRooms }
        self.levels = levels
    }

    private static func level(_ text: Substring) throws(SyntaxError) -> Level {
        switch text {
        case "+": return .any
        case "#": return .rest
        case "{room...}": return .rooms
        default: break
        }
        if text.utf8.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }) { throw .wildcardInLevel }
        guard text.utf8.contains(UInt8(ascii: "{")) || text.utf8.contains(UInt8(ascii: "}")) else {
            return .literal(ExactString(String(text)))
        }
        let mark = Array("{room}".utf8)
        let bytes = Array(text.utf8)
        let places = bytes.indices.filter { bytes[$0...].starts(with: mark) }
        guard let place = places.first else { throw .placeholder }
        if places.count > 1 { throw .twoRooms }
        let rest = bytes[..<place] + bytes[(place + mark.count)...]
        guard !rest.contains(UInt8(ascii: "{")), !rest.contains(UInt8(ascii: "}")) else { throw .placeholder }
        return .room(
            before: String(decoding: bytes[..<place], as: UTF8.self),
            after: String(decoding: bytes[(place + mark.count)...], as: UTF8.self))
    }

    /// Whether the topic says the room.
    public var namesRoom: Bool { levels.contains(where: \.namesRoom) }

    /// Whether more than one topic can fit.
    public var isOpen: Bool {
        levels.contains { if case .literal = $0 { false } else { true } }
    }

    /// Whether it has no word of its own and no end, so that everything at the broker fits.
    public var takesAll: Bool {
        guard let last = levels.last, last == .rest || last == .rooms else { return false }
        return levels.allSatisfy { level in
            switch level {
            case .literal: false
            case .room(let before, let after): before.isEmpty && after.isEmpty
            case .any, .rooms, .rest: true
            }
        }
    }

    /// The narrowest MQTT filter that brings every topic that fits.
    public var filter: String {
        var parts: [String] = []
        for level in levels {
            switch level {
            case .literal(let exact): parts.append(exact.text)
            case .any, .room: parts.append("+")
            case .rooms, .rest: return (parts + ["#"]).joined(separator: "/")
            }
        }
        return parts.joined(separator: "/")
    }

    /// What a topic that fits says.
    public struct Match: Equatable, Sendable {
        /// The levels that stand for the room, several of them with `/` between; nil without a placeholder.
        public var room: String?
    }

    /// Nil when the topic does not fit. Wildcards at the front do not fit the broker's own topics, which begin with `$`
    /// (MQTT 5.0 section 4.7.2).
    public func match(_ topic: String) -> Match? {
        match(topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0) })
    }

    func match(_ topic: [Substring]) -> Match? {
        if let first = topic.first, first.utf8.first == UInt8(ascii: "$") {
            guard case .literal? = levels.first else { return nil }
        }
        var match = Match()
        return fits(topic[...], levels[...], &match) ? match : nil
    }

    private func fits(_ topic: ArraySlice<Substring>, _ levels: ArraySlice<Level>, _ match: inout Match) -> Bool {
        var (topic, levels) = (topic, levels)
        while let level = levels.popFirst() {
            switch level {
            case .rest: return true
            case .rooms:
                // The levels behind it are of known number, but for a `#`, before which it takes as few as possible.
                let endsOpen = levels.last == .rest
                let behind = levels.count - (endsOpen ? 1 : 0)
                guard topic.count > behind else { return false }
                let taken = endsOpen ? 1 : topic.count - behind
                match.room = topic.prefix(taken).joined(separator: "/")
                topic = topic.dropFirst(taken)
            default:
                guard let part = topic.popFirst(), level.fits(part, &match) else { return false }
            }
        }
        return topic.isEmpty
    }
}

extension TopicPattern.Level {
    var namesRoom: Bool {
        switch self {
        case .room, .rooms: true
        case .literal, .any, .rest: false
        }
    }

    /// Whether what fits the other level fits this one, which is one level.
    fileprivate func covers(_ other: TopicPattern.Level) -> Bool {
        switch (self, other) {
        case (_, .rest), (_, .rooms): return false
        case (.any, _): return true
        case (.room(let before, let after), .any), (.room(let before, let after), .room):
            return before.isEmpty && after.isEmpty || self == other
        case (.room, .literal(let name)):
            var match = TopicPattern.Match()
            return fits(Substring(name.text), &match)
        default: return self == other
        }
    }

    /// Whether one level of a topic fits, for the kinds that are one level.
    fileprivate func fits(_ part: Substring, _ match: inout TopicPattern.Match) -> Bool {
        switch self {
        case .literal(let exact): return part.utf8.elementsEqual(exact.text.utf8)
        case .any, .rest, .rooms: return true
        case .room(let before, let after):
            let bytes = part.utf8
            guard bytes.count > before.utf8.count + after.utf8.count, bytes.starts(with: before.utf8),
                bytes.reversed().starts(with: after.utf8.reversed())
            else { return false }
            let name = bytes.dropFirst(before.utf8.count).dropLast(after.utf8.count)
            match.room = String(decoding: name, as: UTF8.self)
            return true
        }
    }
}

extension TopicPattern {
    /// Whether every topic that fits `other` fits this one. May say no of two forms that no file has.
    public func covers(_ other: TopicPattern) -> Bool { Self.covers(levels[...], other.levels[...]) }

    private static func covers(_ wide: ArraySlice<Level>, _ narrow: ArraySlice<Level>) -> Bool {
        guard let level = wide.first else { return narrow.isEmpty }
        if level == .rest { return true }
        guard let other = narrow.first else { return false }
        if level == .rooms { return wide.count == 1 ? other != .rest : wide.elementsEqual(narrow) }
        guard level.covers(other) else { return false }
        return covers(wide.dropFirst(), narrow.dropFirst())
    }

    /// Whether every topic that fits `other` fits `filter`, both being MQTT filters (MQTT 5, 4.7).
    public static func covers(_ filter: String, _ other: String) -> Bool {
        func levels(_ text: String) -> [Substring.UTF8View] {
            text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0).utf8 }
        }
        let (wide, narrow) = (levels(filter), levels(other))
        for (index, level) in wide.enumerated() {
            if level.elementsEqual("#".utf8) { return true }
            guard index < narrow.count, !narrow[index].elementsEqual("#".utf8) else { return false }
            guard level.elementsEqual("+".utf8) || level.elementsEqual(narrow[index]) else { return false }
        }
        return wide.count == narrow.count
    }

    /// Whether a topic can fit both filters.
    public static func overlap(_ one: String, _ other: String) -> Bool {
        func levels(_ text: String) -> [Substring.UTF8View] {
            text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0).utf8 }
        }
        let (left, right) = (levels(one), levels(other))
        for index in 0..<max(left.count, right.count) {
            // `#` also stands for the level above it (MQTT 5, 4.7.1.2).
            if index < left.count, left[index].elementsEqual("#".utf8) { return index <= right.count }
            if index < right.count, right[index].elementsEqual("#".utf8) { return index <= left.count }
            guard index < left.count, index < right.count else { return false }
            let isAny = left[index].elementsEqual("+".utf8) || right[index].elementsEqual("+".utf8)
            guard isAny || left[index].elementsEqual(right[index]) else { return false }
        }
        return true
    }
}
