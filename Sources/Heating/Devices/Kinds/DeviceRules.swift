/// Every sensor's rule, and the only place that reads devices: a value made once, and asked for every message.
///
/// A message costs the same with ten rules and with a thousand: the rules are found by their topics' first levels.
public struct DeviceRules: Sendable {
    public let sensors: [SensorRule]
    private var root = Node()
    /// The black box's rule is asked last, and only when no other rule is about the topic.
    private let builtIn: Int?
    /// Which of the black box's topics another rule may be about: those of any name, or those with these names.
    private var contestsAll = false
    private var contested: Set<ExactString> = []

    /// - Parameter addsBlackBox: whether `<room>/temperature` of the contract is read too.
    public init(_ sensors: [SensorRule], addsBlackBox: Bool = true) {
        let blackBox = addsBlackBox ? SensorRule.blackBox : nil
        builtIn = blackBox == nil ? nil : sensors.count
        let sensors = sensors + (blackBox.map { [$0] } ?? [])
        self.sensors = sensors
        for (index, rule) in sensors.enumerated() { root.insert(index, rule.topic.levels[...]) }
        guard let blackBox else { return }
        for rule in sensors.dropLast() where TopicPattern.overlap(rule.topic.filter, blackBox.topic.filter) {
            if case .literal(let name)? = rule.topic.levels.first { contested.insert(name) } else { contestsAll = true }
        }
    }

    /// Only the black box: then every topic and byte is the contract's.
    public var isBlackBoxOnly: Bool { builtIn == 0 && sensors.count == 1 }

    /// Whether the rule is the black box's own, which nobody had to write.
    public func isBuiltIn(_ rule: Int) -> Bool { rule == builtIn }

    /// What to subscribe to, in the rules' order; none that another one covers, for most brokers send a message once for
    /// each filter that it fits.
    public var filters: [String] {
        var seen: Set<ExactString> = []
        let all = sensors.map(\.topic.filter).filter { seen.insert(ExactString($0)).inserted }
        return all.filter { filter in
            !all.contains { !$0.utf8.elementsEqual(filter.utf8) && TopicPattern.covers($0, filter) }
        }
    }

    /// What the rules make of a message: nothing when no rule is about its topic, and otherwise one outcome for each
    /// measure, in the rules' order. Of several rules with one measure the first that is about the topic counts, and those
    /// that name a room and read another place for it: a device may have several probes, in one room or in several.
    ///
    /// Pure: the same arguments give the same answer, and no bytes make it fail.
    /// - Parameters:
    ///   - arrival: the wall clock's time.
    ///   - naiveOffsetSeconds: east of UTC, for times without a zone.
    public func read(
        topic: String, payload: some Collection<UInt8>, isRetained: Bool, arrival: Timestamp,
        naiveOffsetSeconds: Int = 0
    ) -> [DeviceOutcome] {
        let levels = Self.levels(topic)
        let found = candidates(levels)
        guard !found.isEmpty else { return [] }
        return payload.withBytes { bytes in
            found.enumerated().map { place, candidate in
                let (index, match) = candidate
                let outcome = sensors[index].read(
                    match, topic: topic, payload: bytes, isRetained: isRetained, arrival: arrival,
                    naiveOffsetSeconds: naiveOffsetSeconds, rule: index)
                guard case .reading(var reading) = outcome else { return outcome }
                let before = found[..<place].filter { !sensors[$0.0].leaves($0.1.room) }
                reading.part = part(of: reading, match, beside: before.map { sensors[$0.0] })
                return .reading(reading)
            }
        }
    }

    /// What tells a sensor from others on its topic: its own name where the payload says it, its room where rules for other rooms
    /// come first, and its path beside another one of the same room.
    private func part(
        of reading: DeviceReading, _ match: TopicPattern.Match, beside others: [SensorRule]
    ) -> String? {
        let rule = sensors[reading.rule]
        let rivals = others.filter { $0.measure == rule.measure }
        // Many sensors speak on such a topic, and each has a clock and a silence of its own.
        var words = match.room == nil && rule.roomAt != nil ? [reading.name].compactMap(\.self) : []
        if !rivals.isEmpty { words.append(reading.room.name) }
        if rivals.contains(where: { $0.room == rule.room }) { words.append(rule.value.text) }
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }

    /// How many readings one message can hold at most.
    public var readingsAtMost: Int {
        var measures: [Measure: Set<ExactString>] = [:]
        for rule in sensors {
            // Of those that name no room one counts.
            let place = rule.room.map { "\($0.name)/\(rule.value.text)" } ?? ""
            measures[rule.measure, default: []].insert(ExactString(place))
        }
        return measures.values.reduce(0) { $0 + $1.count }
    }

    /// Whether no written rule is about the topic and the black box's is, so that its bytes are the contract's.
    ///
    /// Asked of every message: the rules are searched only where one of them may be about the topic.
    public func isBlackBox(_ topic: String) -> Bool {
        guard let builtIn, let length = Self.blackBoxName(topic) else { return false }
        if !contestsAll, contested.isEmpty { return true }
        let name = Substring(topic.utf8.prefix(length))
        if !contestsAll, !contested.contains(ExactString(String(name))) { return true }
        let found = candidates(Self.levels(topic))
        return found.count == 1 && found[0].0 == builtIn
    }

    /// How many bytes the first level of `{room}/temperature` has; nil for a topic that does not fit. Looked at as bytes, for a string's
    /// indices cost more than all the rest of the question.
    private static func blackBoxName(_ topic: String) -> Int? {
        topic.utf8.withBytes { bytes in
            let length = bytes.count - "/temperature".utf8.count
            guard length > 0, bytes.part(length..<bytes.count, equals: "/temperature" as StaticString),
                bytes[0] != UInt8(ascii: "$")
            else { return nil }
            for index in 0..<length where bytes[index] == UInt8(ascii: "/") { return nil }
            return length
        }
    }

    /// Whether any rule is about the topic.
    public func takes(_ topic: String) -> Bool { !candidates(Self.levels(topic)).isEmpty }

    /// Whether the topic fits the filter of a written rule, be the rule about it or not: `{room...}` and `{room}_temperature` take wider
    /// filters than they are, and a broker sends all that fits.
    public func hears(_ topic: String) -> Bool {
        var indices: [Int] = []
        root.collect(Self.levels(topic)[...], into: &indices)
        return indices.contains { $0 != builtIn }
    }

    private func candidates(_ levels: [Substring]) -> [(Int, TopicPattern.Match)] {
        var indices: [Int] = []
        root.collect(levels[...], into: &indices)
        indices.sort()
        var found: [(Int, TopicPattern.Match)] = []
        for index in indices where index != builtIn || found.isEmpty {
            let rule = sensors[index]
            let isTaken = found.contains { rule.repeats(sensors[$0.0]) && !sensors[$0.0].leaves($0.1.room) }
            guard !isTaken, let match = rule.takes(levels) else { continue }
            found.append((index, match))
        }
        return found
    }

    private static func levels(_ topic: String) -> [Substring] {
        topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0) }
    }
}

/// Rules by the levels of their topics.
private struct Node: Sendable {
    private var literals: [ExactString: Node] = [:]
    /// Below a level that may be anything.
    private var anything: [Node] = []
    /// Rules whose topic ends here.
    private var ends: [Int] = []
    /// Rules whose topic may have any levels from here on.
    private var open: [Int] = []

    mutating func insert(_ rule: Int, _ levels: ArraySlice<TopicPattern.Level>) {
        guard let level = levels.first else {
            ends.append(rule)
            return
        }
        switch level {
        case .rest, .rooms: open.append(rule)
        case .literal(let name): literals[name, default: Node()].insert(rule, levels.dropFirst())
        case .any, .room:
            if anything.isEmpty { anything.append(Node()) }
            anything[0].insert(rule, levels.dropFirst())
        }
    }

    func collect(_ levels: ArraySlice<Substring>, into rules: inout [Int]) {
        rules += open
        guard let level = levels.first else {
            rules += ends
            return
        }
        let rest = levels.dropFirst()
        if !literals.isEmpty { literals[ExactString(String(level))]?.collect(rest, into: &rules) }
        anything.first?.collect(rest, into: &rules)
    }
}
