/// How one pump, or one valve, is commanded and what it says of itself: a checked ``PumpTable``.
public struct PumpRule: Equatable, Sendable {
    /// What it means that the pump was switched and nobody here did it.
    public enum OnForeign: String, CaseIterable, Sendable {
        /// Somebody's wish, which ends as an override does.
        case override
        /// A fault: the command is said again.
        case reassert
    }

    /// A topic, where in its payload, and which text there means yes.
    public struct Sign: Equatable, Sendable {
        public let topic: String
        public let path: JSONPath
        public let yes: String
        public let no: String?

        /// Nil when the payload does not say.
        public func read(_ payload: some Collection<UInt8>) -> Bool? {
            guard let text = DeviceText.read(payload, at: path) else { return nil }
            if DeviceText.means(text, yes) { return true }
            guard let no else { return false }
            return DeviceText.means(text, no) ? false : nil
        }
    }

    public let name: String
    public let kind: String
    /// The rooms it heats, at least one.
    public let rooms: [Room]
    public let command: String
    public let on: String
    public let off: String
    public let retain: Bool
    /// Topic and payloads of the device's mode.
    public let mode: (topic: String, on: String, off: String)?
    public let state: Sign?
    public let available: Sign?
    public let power: (topic: String, path: JSONPath)?
    /// In watts.
    public let runningAbove: Double
    public let onForeign: OnForeign
    public let minOn: Duration?
    public let minOff: Duration?
    /// The table it was made of, for printing.
    public let table: PumpTable

    public init(kind: String, _ table: PumpTable) throws(DeviceTableErrors) {
        var errors: [DeviceTableError] = []
        let rooms = (table.rooms ?? []).compactMap { name in
            let room = Room(name)
            if room == nil { errors.append(.init("rooms", "\"\(escapingControls(name))\" is not a room")) }
            return room
        }
        if table.rooms?.isEmpty ?? true { errors.append(.init("rooms", "is missing: write rooms = [\"office\"]")) }
        if Set(rooms).count != rooms.count { errors.append(.init("rooms", "names a room twice")) }
        name = table.name ?? rooms.first?.name ?? ""
        let device = table.device ?? name
        func topic(_ key: String, _ text: String?) -> String? {
            guard let text else { return nil }
            let filled = text.replacing("{device}", with: device).replacing("{room}", with: rooms.first?.name ?? "")
            let bytes = filled.utf8
            let isTopic =
                !bytes.isEmpty && bytes.count <= 65_535
                && !bytes.contains { $0 == 0 || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }
            if !isTopic {
                errors.append(.init(key, "must be a topic, without + and #; not \"\(escapingControls(text))\""))
            }
            return isTopic ? filled : nil
        }
        command = topic("command", table.command) ?? ""
        if table.command == nil { errors.append(.init("command", "is missing: write command = \"the/topic\"")) }
        let (on, off) = (table.on ?? "ON", table.off ?? "OFF")
        (self.on, self.off, retain) = (on, off, table.retain ?? false)
        if on == off { errors.append(.init("off", "must differ from on, which is \"\(escapingControls(on))\" too")) }
        mode = topic("mode", table.mode).map { ($0, table.modeOn ?? "heat", table.modeOff ?? "off") }
        state = topic("state", table.state).map {
            Sign(topic: $0, path: JSONPath(table.stateValue ?? ""), yes: table.stateOn ?? on, no: table.stateOff)
        }
        available = topic("available", table.available).map {
            Sign(
                topic: $0, path: JSONPath(table.availablePath ?? ""), yes: table.availableValue ?? "online", no: nil)
        }
        power = topic("power", table.power).map { ($0, JSONPath(table.powerValue ?? "")) }
        runningAbove = table.runningAbove ?? 10
        let wish = OnForeign(rawValue: table.onForeign ?? "override")
        if wish == nil { errors.append(.init("on_foreign", "must be \"override\" or \"reassert\"")) }
        (onForeign, minOn, minOff) = (wish ?? .override, table.minOn, table.minOff)
        (self.rooms, self.kind, self.table) = (rooms, kind, table)
        guard errors.isEmpty else { throw DeviceTableErrors(errors) }
    }

    /// Whether a command must be said again when the target changes.
    public var needsTarget: Bool {
        [on, off, mode?.on ?? "", mode?.off ?? ""].contains { $0.contains("{target}") }
    }

    /// A message to publish.
    public struct Command: Equatable, Sendable {
        public var topic: String
        public var payload: [UInt8]
        public var isRetained: Bool
    }

    /// What to publish, in this order.
    /// - Parameters:
    ///   - target: in °C, for `{target}`; one decimal, as devices take it.
    ///   - room: for `{room}`; nil: the first.
    public func commands(isOn: Bool, target: Double? = nil, room: Room? = nil) -> [Command] {
        func filled(_ text: String) -> [UInt8] {
            let name = (room ?? rooms.first)?.name ?? ""
            return Array(
                text.replacing("{room}", with: name).replacing("{target}", with: Self.oneDecimal(target ?? 0)).utf8)
        }
        var commands: [Command] = []
        if let mode {
            commands.append(.init(topic: mode.topic, payload: filled(isOn ? mode.on : mode.off), isRetained: retain))
        }
        commands.append(.init(topic: command, payload: filled(isOn ? on : off), isRetained: retain))
        return commands
    }

    private static func oneDecimal(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e6 else { return "0.0" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    /// The watts in a message on the power topic; nil when it holds none.
    public func watts(_ payload: some Collection<UInt8>) -> Double? {
        guard let power, let text = DeviceText.read(payload, at: power.path) else { return nil }
        return (try? DecimalReading(text))?.value
    }

    /// What to listen to.
    public var filters: [String] {
        var seen: Set<ExactString> = []
        return [state?.topic, available?.topic, power?.topic].compactMap(\.self).filter {
            seen.insert(ExactString($0)).inserted
        }
    }

    public static func == (left: PumpRule, right: PumpRule) -> Bool {
        left.table == right.table && left.kind == right.kind && left.name == right.name
    }
}

extension String {
    /// Every `mark`, which is ASCII, replaced. By bytes: beside a combining mark a brace is no `Character` of its own.
    func replacing(_ mark: StaticString, with text: String) -> String {
        let bytes = Array(utf8)
        let wanted = Array(mark.description.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: wanted) {
                result += text.utf8
                index += wanted.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Short words of devices: `ON`, `online`, `{"state": "online"}`.
enum DeviceText {
    static func read(_ payload: some Collection<UInt8>, at path: JSONPath) -> String? {
        guard payload.count <= Reading.payloadLimit else { return nil }
        if path.isWhole {
            guard let text = String(validating: payload, as: UTF8.self) else { return nil }
            return String(DecimalReading.trimmed(Substring(text)))
        }
        let field = payload.withBytes { bytes in try? path.field(in: bytes) }
        switch field {
        case .text(let text)?: return String(DecimalReading.trimmed(Substring(text)))
        case .number(let text)?: return text
        case .bool(let value)?: return value ? "true" : "false"
        case .null?, .nonFinite?, .structure?, nil: return nil
        }
    }

    /// The same word, whatever its case and the quotes around it.
    static func means(_ text: String, _ word: String) -> Bool {
        var text = Substring(text)
        if text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
        return text.lowercased().utf8.elementsEqual(word.lowercased().utf8)
    }
}
