/// How readings of one kind of sensor are found and understood: a checked ``SensorTable``.
public struct SensorRule: Equatable, Sendable {
    public enum Unit: Equatable, Sendable {
        case fixed(DeviceUnit)
        /// Where the payload says it.
        case at(JSONPath)
    }

    /// What a message counts that the broker kept from earlier.
    public enum Retained: String, CaseIterable, Sendable { case ignore, use }
    /// What a name on the wire means that no one has listed.
    public enum Unlisted: String, CaseIterable, Sendable { case room, ignore }

    /// The kind's name, for people.
    public let kind: String
    public let topic: TopicPattern
    public let value: JSONPath
    public let time: JSONPath?
    public let unit: Unit
    public let measure: Measure
    public let retained: Retained
    public let room: Room?
    public let staleAfter: Duration?
    public let discard: [Double]
    let roomAt: JSONPath?
    let names: [ExactString: Room?]
    let unlisted: Unlisted
    let except: [TopicPattern]
    let ignored: [String]
    let isContract: Bool
    /// The table it was made of, for printing.
    public let table: SensorTable

    /// - Throws: every problem of the table, each with its key.
    public init(kind: String, _ table: SensorTable) throws(DeviceTableErrors) {
        var errors: [DeviceTableError] = []
        func check<Value>(_ key: String, _ body: () throws -> Value) -> Value? {
            do { return try body() } catch let error as DeviceTableError {
                errors.append(error)
            } catch let error as TopicPattern.SyntaxError {
                errors.append(.init(key, "\(error.rawValue): \"\(escapingControls(table.topic ?? ""))\""))
            } catch {}
            return nil
        }
        let topic = check("topic") { () throws in
            guard let text = table.topic else {
                throw DeviceTableError("topic", "is missing: write topic = \"the/topic/of/{room}\"")
            }
            return try TopicPattern(text)
        }
        let except = check("except") { () throws in try (table.except ?? []).map { text in try TopicPattern(text) } }
        let names = check("rooms") { () throws in try Self.names(table.rooms ?? []) }
        let room = check("room") { () throws in try table.room.map { try Self.room($0, "room") } }
        let unit = check("unit") { () throws in try Self.unit(table.unit ?? "C") }
        let measure = check("measure") { () throws in try Self.measure(table.measure ?? "temperature") }
        let retained = check("retained") { () throws in try Self.choice("retained", table.retained, Retained.ignore) }
        let unlisted = check("unlisted") { () throws in try Self.choice("unlisted", table.unlisted, Unlisted.room) }
        if let topic, !topic.namesRoom, table.room == nil, table.roomAt == nil {
            errors.append(.init("room", "is missing: the topic has no {room}; write room = \"office\" beside it"))
        }
        guard errors.isEmpty, let topic, let except, let names, let room, let unit, let measure, let retained,
            let unlisted
        else { throw DeviceTableErrors(errors) }
        (self.kind, self.topic, self.except, self.names, self.room) = (kind, topic, except, names, room)
        (self.unit, self.measure, self.retained, self.unlisted) = (unit, measure, retained, unlisted)
        ignored = table.ignore ?? []
        value = JSONPath(table.value ?? "", ignoring: ignored)
        time = table.time.flatMap { $0.isEmpty ? nil : JSONPath($0, ignoring: table.ignore ?? []) }
        roomAt = table.roomAt.map { JSONPath($0) }
        discard = table.discard ?? []
        staleAfter = table.staleAfter
        isContract = table.isContract ?? false
        self.table = table
    }

    /// Whether the measure is a temperature, which has a unit.
    public var isTemperature: Bool { measure.isTemperature }

    /// Whether this rule looks at a topic at all.
    func takes(_ levels: [Substring]) -> TopicPattern.Match? {
        guard let match = topic.match(levels), !except.contains(where: { $0.match(levels) != nil }) else { return nil }
        return match
    }

    /// Whether it says nothing new about a topic that the other rule is about too: the same measure, and not another room's or
    /// another probe's where both name their room.
    func repeats(_ other: SensorRule) -> Bool {
        guard measure == other.measure else { return false }
        guard let room, let theirs = other.room else { return true }
        return room == theirs && value == other.value
    }

    /// Whether somebody has given this name on the wire a room.
    func lists(_ name: String) -> Bool { names[ExactString(name)].map { $0 != nil } ?? false }

    /// Whether it leaves a device of this name to the rules behind it: somebody has said which names are its own, and this one is none.
    func leaves(_ name: String?) -> Bool {
        guard let name, !isContract else { return false }
        return names[ExactString(name)].map { $0 == nil } ?? (room == nil && unlisted == .ignore)
    }

    /// Whether it says nothing wherever it is asked, since the other rule comes first.
    public func neverCounts(behind first: SensorRule) -> Bool {
        let leavesNone = first.unlisted == .room || first.room != nil
        return leavesNone && first.topic.covers(topic) && (first.except.isEmpty || first.except == except)
            && repeats(first)
    }

    // MARK: Checking

    private static func names(_ pairs: [(wire: String, room: String)]) throws(DeviceTableError) -> [ExactString: Room?]
    {
        var names: [ExactString: Room?] = [:]
        for (wire, name) in pairs {
            names.updateValue(name.isEmpty ? nil : try room(name, "rooms"), forKey: ExactString(wire))
        }
        return names
    }

    private static func room(_ name: String, _ key: String) throws(DeviceTableError) -> Room {
        guard let room = Room(name) else {
            throw DeviceTableError(
                key, "\"\(escapingControls(name))\" is not a room: a room is one topic level, without /, + and #")
        }
        return room
    }

    private static func unit(_ text: String) throws(DeviceTableError) -> Unit {
        if text.hasPrefix("@") {
            guard text.utf8.count > 1 else { throw DeviceTableError("unit", "must have a path behind the @") }
            return .at(JSONPath(String(text.dropFirst())))
        }
        guard let unit = DeviceUnit(spelled: text) else {
            throw DeviceTableError(
                "unit", "must be \"C\", \"F\", \"K\" or a path that says it, such as \"@TempUnit\"; not \"\(text)\"")
        }
        return .fixed(unit)
    }

    private static func measure(_ text: String) throws(DeviceTableError) -> Measure {
        guard let measure = Measure(text) else {
            throw DeviceTableError("measure", Measure.problem(text) ?? "is not one")
        }
        return measure
    }

    private static func choice<Choice>(
        _ key: String, _ text: String?, _ fallback: Choice
    ) throws(DeviceTableError) -> Choice where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
        guard let text else { return fallback }
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
            throw DeviceTableError(key, "must be \(choices), not \"\(escapingControls(text))\"")
        }
        return choice
    }
}

extension SensorRule {
    /// `<room>/temperature` as the contract has it. Never nil, which a test holds.
    public static var blackBox: SensorRule? {
        DeviceKind.builtIn("hearth").flatMap { kind in try? SensorRule(kind: kind.name, kind.sensor) }
    }
}

/// All the problems of one table at once.
public struct DeviceTableErrors: Error, Equatable, Sendable {
    public var errors: [DeviceTableError]

    public init(_ errors: [DeviceTableError]) {
        self.errors = errors
    }
}
