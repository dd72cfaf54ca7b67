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
        /// It says whether the device is there, and not whether it is on.
        var isPresence = false

        /// Nil when the payload does not say.
        public func read(_ payload: some Collection<UInt8>) -> Bool? {
            guard let text = text(payload) else { return nil }
            if DeviceText.means(text, yes) { return true }
            if let no, DeviceText.means(text, no) { return false }
            // A firmware's setting says in which of its words a device speaks.
            let usual = DeviceText.usual(yes) == true ? DeviceText.usual(text) : nil
            if let usual { return usual }
            if no != nil { return nil }
            return saysNothing(text) ? nil : false
        }

        /// An older Zigbee2MQTT says `offline` alone where a newer one has a document around it.
        private func text(_ payload: some Collection<UInt8>) -> String? {
            if let text = DeviceText.read(payload, at: path) { return text }
            let isWord = isPresence && payload.allSatisfy { $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: "[") }
            return isWord ? DeviceText.read(payload, at: JSONPath("")) : nil
        }

        /// A cleared topic or an `unknown` is no hand that switched the device off. That it is away, the word of a device
        /// about its being there says with the same words.
        private func saysNothing(_ text: String) -> Bool {
            let isAway = ["unavailable", "offline"].contains { DeviceText.means(text, $0) }
            return isAway ? !isPresence : DecimalReading.isAbsence(DeviceText.bare(text))
        }
    }

    /// How a device with a thermostat of its own is told the temperature wanted.
    public struct Target: Equatable, Sendable {
        public let topic: String
        public let payload: String
        public let unit: DeviceUnit
        /// What it is rounded to, in `unit`.
        public let step: Double
        /// Where it says which one it was told.
        public let state: (topic: String, path: JSONPath)?

        /// What the device says it was told, in °C; nil when the payload does not say.
        public func celsius(_ payload: some Collection<UInt8>) -> Double? {
            guard let state, let text = DeviceText.read(payload, at: state.path),
                let number = try? DecimalReading(text)
            else { return nil }
            return (number.unit ?? unit).celsius(number.value)
        }

        /// Whether that is what it was told, give or take its own rounding.
        public func isSame(_ left: Double, _ right: Double) -> Bool {
            abs(left - right) <= max(step, 0.1) * (unit == .fahrenheit ? 5.0 / 9 : 1) * 0.51
        }

        public static func == (left: Target, right: Target) -> Bool {
            left.topic == right.topic && left.payload == right.payload && left.unit == right.unit
                && left.step == right.step && left.state?.topic == right.state?.topic
                && left.state?.path == right.state?.path
        }
    }

    public let name: String
    public let kind: String
    /// The rooms it heats, at least one.
    public let rooms: [Room]
    /// Nil for a device that is told by its mode, or by the temperature alone.
    public let command: String?
    public let on: String
    public let off: String
    public let retain: Bool
    /// Topic and payloads of the device's mode.
    public let mode: (topic: String, on: String, off: String)?
    /// Where and how the temperature wanted is handed on.
    public let target: Target?
    private let targetUnit: DeviceUnit
    private let targetStep: Double
    public let state: Sign?
    public let available: Sign?
    /// Whether the gateway that it is behind is there.
    public let bridge: Sign?
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
            } else if let mark = filled.placeholder {
                errors.append(.init(key, "has \(mark), which is neither {device} nor {room}"))
            }
            return isTopic ? filled : nil
        }
        command = topic("command", table.command)
        if table.command == nil, table.targetCommand == nil {
            errors.append(
                .init(
                    "command",
                    "is missing: write command = \"the/topic\", or target_command for a device with a thermostat"
                ))
        }
        let unit = DeviceUnit(spelled: table.targetUnit ?? "C")
        if unit == nil { errors.append(.init("target_unit", "must be \"C\", \"F\" or \"K\"")) }
        let payload = table.targetPayload ?? "{target}"
        if table.targetCommand != nil, !payload.contains("{target}") {
            errors.append(.init("target_payload", "must have {target} where the temperature belongs"))
        }
        let targetState = topic("target_state", table.targetState).map {
            ($0, JSONPath(table.targetValue ?? ""))
        }
        let step = table.targetStep ?? 0.1
        target = topic("target_command", table.targetCommand).map {
            Target(topic: $0, payload: payload, unit: unit ?? .celsius, step: step, state: targetState)
        }
        (targetUnit, targetStep) = (unit ?? .celsius, step)
        let (on, off) = (table.on ?? "ON", table.off ?? "OFF")
        (self.on, self.off, retain) = (on, off, table.retain ?? false)
        errors += Self.strangeMarks(in: table)
        if on == off { errors.append(.init("off", "must differ from on, which is \"\(escapingControls(on))\" too")) }
        mode = topic("mode", table.mode).map { ($0, table.modeOn ?? "heat", table.modeOff ?? "off") }
        // Whoever is switched by a mode says it.
        let yes = table.stateOn ?? (table.command == nil ? mode?.on : nil) ?? on
        state = topic("state", table.state).map {
            Sign(topic: $0, path: JSONPath(table.stateValue ?? ""), yes: yes, no: table.stateOff)
        }
        func presence(_ key: String, _ text: String?) -> Sign? {
            topic(key, text).map {
                Sign(
                    topic: $0, path: JSONPath(table.availablePath ?? ""), yes: table.availableValue ?? "online",
                    no: nil,
                    isPresence: true)
            }
        }
        (available, bridge) = (presence("available", table.available), presence("bridge", table.bridge))
        power = topic("power", table.power).map { ($0, JSONPath(table.powerValue ?? "")) }
        runningAbove = table.runningAbove ?? 10
        let wish = OnForeign(rawValue: table.onForeign ?? "override")
        if wish == nil { errors.append(.init("on_foreign", "must be \"override\" or \"reassert\"")) }
        (onForeign, minOn, minOff) = (wish ?? .override, table.minOn, table.minOff)
        (self.rooms, self.kind, self.table) = (rooms, kind, table)
        guard errors.isEmpty else { throw DeviceTableErrors(errors) }
    }

    /// What nothing is put in the place of would be told to the device as it stands.
    private static func strangeMarks(in table: PumpTable) -> [DeviceTableError] {
        let payloads = [
            ("on", table.on), ("off", table.off), ("target_payload", table.targetPayload), ("mode_on", table.modeOn),
            ("mode_off", table.modeOff),
        ]
        return payloads.compactMap { key, text in
            let rest = text?.replacing("{target}", with: "").replacing("{room}", with: "")
            return rest?.placeholder.map { DeviceTableError(key, "has \($0), which is neither {target} nor {room}") }
        }
    }

    /// Where it is told what to do; of two devices it is never the same.
    public var mainTopic: String { command ?? mode?.topic ?? target?.topic ?? "" }

    /// Whether it is switched on and off; else it is told by the temperature alone that it shall run or rest.
    public var isSwitched: Bool { command != nil || mode != nil }

    /// Whether a command must be said again when the target changes.
    public var needsTarget: Bool {
        target != nil
            || [on, off, mode?.on ?? "", mode?.off ?? ""].contains { $0.contains("{target}") }
    }

    /// A message to publish.
    public struct Command: Equatable, Sendable {
        public var topic: String
        public var payload: [UInt8]
        public var isRetained: Bool
    }

    /// What to publish, in this order.
    /// - Parameters:
    ///   - target: in °C, for `{target}`; one decimal, as devices take it, in the device's unit. Without one nothing that holds
    ///     `{target}` is published: no device is told a temperature that nobody wants.
    ///   - room: for `{room}`; nil: the first.
    public func commands(isOn: Bool, target: Double? = nil, room: Room? = nil) -> [Command] {
        let name = (room ?? rooms.first)?.name ?? ""
        let number = target.map { written($0) }
        func command(_ topic: String?, _ text: String) -> Command? {
            guard let topic, number != nil || !text.contains("{target}") else { return nil }
            let payload = text.replacing("{room}", with: name).replacing("{target}", with: number ?? "")
            return Command(topic: topic, payload: Array(payload.utf8), isRetained: retain)
        }
        // A setpoint wakes some devices up: one that shall rest is told none.
        let isTold = isOn || !isSwitched
        return [
            mode.flatMap { command($0.topic, isOn ? $0.on : $0.off) },
            command(self.command, isOn ? on : off),
            isTold ? self.target.flatMap { command($0.topic, $0.payload) } : nil,
        ].compactMap(\.self)
    }

    /// A temperature in the device's unit, rounded to its step, with one decimal.
    private func written(_ celsius: Double) -> String {
        let value = targetUnit.value(celsius: celsius)
        return Self.oneDecimal((value / targetStep).rounded() * targetStep)
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
        return [state?.topic, available?.topic, bridge?.topic, power?.topic, target?.state?.topic].compactMap(\.self)
            .filter {
                seen.insert(ExactString($0)).inserted
            }
    }

    public static func == (left: PumpRule, right: PumpRule) -> Bool {
        left.table == right.table && left.kind == right.kind && left.name == right.name
    }
}
