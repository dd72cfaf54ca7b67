/// Text that is compared, ordered and hashed by its bytes: the key of every table whose names come from outside.
///
/// Swift's `String` equates different spellings of one character ("é" as one or two code points), while MQTT topics,
/// rooms and homes are different when their bytes are (MQTT 5 section 4.7.3: no normalisation may be done).
public struct ExactString: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    public var description: String { text }

    public static func == (left: ExactString, right: ExactString) -> Bool {
        let (leftBytes, rightBytes) = (left.text.utf8Span.span, right.text.utf8Span.span)
        guard leftBytes.count == rightBytes.count else { return false }
        for index in leftBytes.indices where leftBytes[index] != rightBytes[index] { return false }
        return true
    }

    public static func < (left: ExactString, right: ExactString) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // So that a name cannot pass bytes on to what is hashed after it; no UTF-8 has this byte.
        hasher.combine(0xFF as UInt8)
    }
}
