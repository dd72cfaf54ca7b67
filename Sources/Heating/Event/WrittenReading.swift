/// The shape in which ingest writes readings of no zone into the log, found without looking for anything: the members in
/// their one order, without spaces, in ASCII and without escapes. ``LoggedReading/Reader`` tries it first; whatever looks
/// different, valid or not, goes the long way.
struct WrittenReading {
    var home: Part
    var room: Part
    var timestamp: Part
    var value: Part
    var number: ShortDecimal
    var sequence: Int64?
    var epoch: Part?

    /// A range in half the memory: a reading of more than 128 bytes is moved about by a function call each time.
    struct Part {
        var start: Int32
        var end: Int32

        var range: Range<Int> { Int(start)..<Int(end) }
    }

    /// nil unless it is all of `bytes`.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var cursor = Cursor(bytes: bytes)
        guard bytes.count <= Int32.max, cursor.take("{\"home\":\""), let home = cursor.text(),
            cursor.take("\",\"room\":\""), let room = cursor.text(), cursor.take("\",\"timestamp\":\""),
            let timestamp = cursor.text(),
            cursor.take("\",\"value\":"), let (value, number) = cursor.decimal()
        else { return nil }
        (self.home, self.room, self.timestamp, self.value, self.number) = (home, room, timestamp, value, number)
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

        /// - Parameter literal: at most sixteen bytes.
        @inline(__always)
        mutating func take(_ literal: StaticString) -> Bool {
            let count = literal.utf8CodeUnitCount
            guard bytes.count - index >= count else { return false }
            let text = literal.utf8Start
            if count >= 8 {
                // The first eight and the last eight, which may overlap.
                guard count <= 16, word(UnsafeRawPointer(text), 0) == word(at: index),
                    word(UnsafeRawPointer(text), count - 8) == word(at: index + count - 8)
                else { return false }
            } else {
                for offset in 0..<count where bytes[index + offset] != text[offset] { return false }
            }
            index += count
            return true
        }

        /// Up to the next quotation mark; nil if that comes too late or anything but plain ASCII is before it.
        mutating func text() -> Part? {
            let start = index
            while bytes.count - index >= 8 {
                let ends = Self.ends(word(at: index))
                guard ends == 0 else {
                    index += ends.trailingZeroBitCount / 8
                    return bytes[index] == UInt8(ascii: "\"") ? part(from: start) : nil
                }
                index += 8
            }
            while index < bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: "\"") { return part(from: start) }
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

        /// A number of at most eighteen digits without an exponent, as JSON writes it (RFC 8259 section 6).
        mutating func decimal() -> (part: Part, number: ShortDecimal)? {
            let start = index
            var number = ShortDecimal()
            if index < bytes.count, bytes[index] == UInt8(ascii: "-") {
                number.isNegative = true
                index += 1
            }
            let whole = digits(&number.digits)
            guard whole > 0, whole == 1 || bytes[index - whole] != UInt8(ascii: "0") else { return nil }
            if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
                index += 1
                let scale = digits(&number.digits)
                guard scale > 0, whole + scale <= ShortDecimal.mostDigits else { return nil }
                number.scale = UInt8(scale)
            }
            return whole <= ShortDecimal.mostDigits ? (part(from: start), number) : nil
        }

        /// Up to here.
        private func part(from start: Int) -> Part {
            Part(start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: index))
        }

        /// A positive number that fits.
        mutating func count() -> Int64? {
            let start = index
            var value: UInt64 = 0
            let count = digits(&value)
            guard (1...18).contains(count), bytes[start] != UInt8(ascii: "0") else { return nil }
            return Int64(value)
        }

        /// Passes over digits and appends them to `value`, which is right as long as they are not more than eighteen.
        /// - Returns: how many.
        private mutating func digits(_ value: inout UInt64) -> Int {
            let start = index
            while index < bytes.count {
                let digit = bytes[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { break }
                value = value &* 10 &+ UInt64(digit)
                index += 1
            }
            return index - start
        }
    }
}
