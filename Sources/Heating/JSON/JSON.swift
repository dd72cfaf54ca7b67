/// A JSON value that keeps numbers as their exact text and object members in their order.
///
/// For control messages and status; the readings' hot path parses without building values.
public enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    /// The exact text of a number in JSON's grammar. Build from Swift numbers with `.init(_:)`.
    case number(String)
    case string(String)
    case array([JSON])
    case object(Object)

    /// The members of an object, in the order in which they were written.
    public struct Object: Equatable, Sendable {
        public var members: [(key: String, value: JSON)]

        public init(_ members: [(key: String, value: JSON)] = []) {
            self.members = members
        }

        /// The value of a key. Setting replaces in place or appends; setting nil removes.
        public subscript(key: String) -> JSON? {
            get { members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value }
            set {
                let index = members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
                switch (index, newValue) {
                case (let index?, let value?): members[index].value = value
                case (let index?, nil): members.remove(at: index)
                case (nil, let value?): members.append((key, value))
                case (nil, nil): break
                }
            }
        }

        public static func == (left: Object, right: Object) -> Bool {
            left.members.elementsEqual(right.members) {
                $0.key.utf8.elementsEqual($1.key.utf8) && $0.value == $1.value
            }
        }
    }
}

// MARK: - Reading values

extension JSON {
    /// A member of an object; nil when this is not an object or has no such member.
    public subscript(key: String) -> JSON? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    /// An element of an array; nil when this is not an array or is shorter.
    public subscript(index: Int) -> JSON? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }

    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The number as an integer, when its text is one (`1.0` and `1e3` are not).
    public var int: Int64? {
        if case .number(let text) = self { Int64(text) } else { nil }
    }

    /// The nearest double; nil when this is not a number or too large for one.
    public var double: Double? {
        guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    public var array: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    public var object: Object? {
        if case .object(let object) = self { object } else { nil }
    }

    public var isNull: Bool { self == .null }
}

// MARK: - Building values

extension JSON {
    public init(_ value: some BinaryInteger) {
        self = .number(String(value))
    }

    /// A number that reads back bit-equal. JSON has no NaN and no infinities: they become null.
    public init(_ value: Double) {
        self = value.isFinite ? .number(value.description) : .null
    }

    public init(_ value: Bool) {
        self = .bool(value)
    }

    public init(_ value: some StringProtocol) {
        self = .string(String(value))
    }

    /// Null when there is no value.
    public init<Wrapped>(_ value: Wrapped?, _ make: (Wrapped) -> JSON) {
        self = value.map(make) ?? .null
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self.init(value) }
    public init(floatLiteral value: Double) { self.init(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// Keeps the order of the literal.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Object(elements.map { (key: $0.0, value: $0.1) }))
    }
}
