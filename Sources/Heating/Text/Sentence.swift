/// A sentence for a household before it is put into a language: an English pattern, and what stands in its braces.
///
/// The pattern is its own code: who knows another language finds the translation by it, who knows none reads ``text``. Patterns come
/// from enumerations (``RoomSentence``, ``DeviceSentence``, those of the programs), so that a test can ask for all of them.
public struct Sentence: Equatable, Sendable {
    public enum Value: Equatable, Sendable {
        /// A name, a topic, a line to write, an error of the system: the same in every language.
        case text(String)
        /// A temperature in the unit of the house; shown with one decimal.
        case number(Double)
        /// A number that somebody wrote, with all its decimals.
        case exact(Double)
        case duration(Duration)
        case integer(Int64)
        case sentence(Sentence)

        public static func count(_ count: some BinaryInteger) -> Value { .integer(Int64(count)) }
    }

    private struct Named: Equatable {
        var name: String
        var value: Value
    }

    /// English, with names in braces: `no reading for {time}: {action}`.
    public let pattern: String
    private let values: [Named]

    public init<Pattern: RawRepresentable>(_ pattern: Pattern, _ values: KeyValuePairs<String, Value> = [:])
    where Pattern.RawValue == String {
        self.init(pattern, values: values.map { ($0.key, $0.value) })
    }

    public init<Pattern: RawRepresentable>(_ pattern: Pattern, values: [(name: String, value: Value)])
    where Pattern.RawValue == String {
        self.pattern = pattern.rawValue
        self.values = values.map { Named(name: $0.name, value: $0.value) }
    }

    private func value(_ name: Substring) -> Value? { values.first { $0.name == name }?.value }

    /// In English.
    public var text: String {
        var (text, rest) = ("", pattern[...])
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            text += rest[..<open]
            let name = rest[rest.index(after: open)..<close]
            text += value(name)?.text ?? "{\(name)}"
            rest = rest[rest.index(after: close)...]
        }
        return text + rest
    }
}

extension Sentence.Value {
    fileprivate var text: String {
        switch self {
        case .text(let text): text
        case .number(let number): oneDecimal(number)
        case .exact(let number): "\(number)"
        case .duration(let duration): duration.spoken
        case .integer(let count): "\(count)"
        case .sentence(let sentence): sentence.text
        }
    }
}

// MARK: - On its way to who shows it

extension Sentence {
    /// `{"say": "no reading for {time}: {action}", "with": {"time": {"seconds": 1800}, "action": {"say": "the pump is off"}}}`
    public var json: JSON {
        guard !values.isEmpty else { return ["say": .string(pattern)] }
        return ["say": .string(pattern), "with": .object(.init(values.map { ($0.name, $0.value.json) }))]
    }

    /// - Returns: nil when it is none.
    public init?(_ json: JSON) {
        guard let pattern = json["say"]?.string else { return nil }
        self.pattern = pattern
        values = (json["with"]?.object?.members ?? []).compactMap { member in
            Value(member.value).map { Named(name: member.key, value: $0) }
        }
    }
}

extension Sentence.Value {
    fileprivate var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): ["number": number.isFinite ? .number(oneDecimal(number)) : .null]
        case .exact(let number): ["exact": number.isFinite ? .number("\(number)") : .null]
        case .duration(let duration): ["seconds": JSON(Double(duration.wholeNanoseconds / 100_000_000) / 10)]
        case .integer(let count): JSON(count)
        case .sentence(let sentence): sentence.json
        }
    }

    fileprivate init?(_ json: JSON) {
        if let text = json.string {
            self = .text(text)
        } else if let count = json.int {
            self = .integer(count)
        } else if let number = json["number"]?.double {
            self = .number(number)
        } else if let number = json["exact"]?.double {
            self = .exact(number)
        } else if let seconds = json["seconds"]?.double, abs(seconds) < 1e9 {
            self = .duration(.milliseconds(Int64(seconds * 1000)))
        } else if let sentence = Sentence(json) {
            self = .sentence(sentence)
        } else {
            return nil
        }
    }
}
