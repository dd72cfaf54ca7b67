/// The shape in which ingest writes readings into the log, found without looking for anything: the members in their one
/// order, without spaces, in ASCII and without escapes. ``LoggedReading/Reader`` tries it first; whatever looks
/// different, valid or not, goes the long way.
struct WrittenReading {
    /// From the home's first byte to the room's last.
    var names: Range<Int>
    var home: Range<Int>
    var room: Range<Int>
    var timestamp: Range<Int>
    var value: Range<Int>
    var sequence: Int64?
    var epoch: Range<Int>?

    /// nil unless it is all of `bytes`.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var cursor = Cursor(bytes: bytes)
        guard cursor.take("{\"home\":\""), let home = cursor.text(), cursor.take("\",\"room\":\""),
            let room = cursor.text(), cursor.take("\",\"timestamp\":\""), let timestamp = cursor.text(),
            cursor.take("\",\"value\":"), let value = cursor.decimal()
        else { return nil }
        (self.home, self.room, self.timestamp, self.value) = (home, room, timestamp, value)
        names = home.lowerBound..<room.upperBound
        if cursor.take(",\"seq\":") {
            guard let count = cursor.count() else { return nil }
            sequence = count
        }
        if cursor.take(",\"epoch\":\"") {
            guard let text = cursor.text(), cursor.take("\"") else { return nil }
            epoch = text
        }
        guard cursor.take("}"), cursor.index == bytes.count else { return nil }
    }

    /// A reading position.
    private struct Cursor {
        let bytes: UnsafeBufferPointer<UInt8>
        var index = 0

        mutating func take(_ literal: StaticString) -> Bool {
            let count = literal.utf8CodeUnitCount
            guard bytes.count - index >= count else { return false }
            let text = literal.utf8Start
            for offset in 0..<count where bytes[index + offset] != text[offset] { return false }
            index += count
            return true
        }

        /// Up to the next quotation mark; nil if that comes too late or anything but plain ASCII is before it.
        mutating func text() -> Range<Int>? {
            let start = index
            while index < bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: "\"") { return start..<index }
                guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return nil }
                index += 1
            }
            return nil
        }

        /// A number without an exponent, as JSON writes it (RFC 8259 section 6).
        mutating func decimal() -> Range<Int>? {
            let start = index
            if index < bytes.count, bytes[index] == UInt8(ascii: "-") { index += 1 }
            let whole = digits()
            guard whole > 0, whole == 1 || bytes[index - whole] != UInt8(ascii: "0") else { return nil }
            if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
                index += 1
                guard digits() > 0 else { return nil }
            }
            return start..<index
        }

        /// A positive number that fits.
        mutating func count() -> Int64? {
            let start = index
            let count = digits()
            guard (1...18).contains(count), bytes[start] != UInt8(ascii: "0") else { return nil }
            return bytes[start..<index].reduce(0) { $0 * 10 + Int64($1 &- UInt8(ascii: "0")) }
        }

        private mutating func digits() -> Int {
            let start = index
            while index < bytes.count, bytes[index] &- UInt8(ascii: "0") <= 9 { index += 1 }
            return index - start
        }
    }
}
