/// The shape in which ingest writes readings of no zone into the log, found without looking for anything: the members in
/// their one order, without spaces, in ASCII and without escapes. ``LoggedReading/Reader`` tries it first; whatever looks
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
            var offset = 0
            while offset + 8 <= count {
                guard word(UnsafeRawPointer(text), offset) == word(at: index + offset) else { return false }
                offset += 8
            }
            while offset < count {
                guard bytes[index + offset] == text[offset] else { return false }
                offset += 1
            }
            index += count
            return true
        }

        /// Up to the next quotation mark; nil if that comes too late or anything but plain ASCII is before it.
        mutating func text() -> Range<Int>? {
            let start = index
            while bytes.count - index >= 8 {
                let ends = Self.ends(word(at: index))
                guard ends == 0 else {
                    index += ends.trailingZeroBitCount / 8
                    return bytes[index] == UInt8(ascii: "\"") ? start..<index : nil
                }
                index += 8
            }
            while index < bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: "\"") { return start..<index }
                guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return nil }
                index += 1
            }
            return nil
        }

        /// The highest bit of each byte that ends or spoils a text: a quotation mark, a backslash, a control character or
        /// one beyond ASCII. Bits above the lowest one may be wrong, by the carry: "Determine if a word has a byte less
        /// than n" in S. E. Anderson, "Bit Twiddling Hacks".
        private static func ends(_ word: UInt64) -> UInt64 {
            let ones: UInt64 = 0x0101_0101_0101_0101
            let (quotes, backslashes) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
            let controls = (word &- ones &* 0x20) & ~word
            let found = ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes) | controls | word
            return found & (ones &* 0x80)
        }

        /// Eight bytes, the first one lowest.
        private func word(at index: Int) -> UInt64 {
            // The caller has compared with the count.
            UInt64(littleEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: index, as: UInt64.self))
        }

        private func word(_ text: UnsafeRawPointer, _ offset: Int) -> UInt64 {
            UInt64(littleEndian: text.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
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
