import CLinux

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4): by the processor's instruction where there is one, else by sixteen
/// table look-ups per sixteen bytes.
package struct CRC32C {
    private var state: UInt32 = ~0
    private let hasInstruction: Bool

    /// - Parameter usesInstruction: false to look up in any case.
    package init(usesInstruction: Bool = true) {
        hasInstruction = usesInstruction && linux_has_crc32c() != 0
    }

    package var value: UInt32 { ~state }

    package mutating func update(_ word: UInt64) {
        withUnsafeBytes(of: word.littleEndian) { update($0) }
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if hasInstruction {
            state = linux_crc32c(state, bytes.baseAddress, bytes.count)
        } else {
            lookUp(bytes)
        }
    }

    private mutating func lookUp(_ bytes: UnsafeRawBufferPointer) {
        // Once: every access of a lazy variable asks whether it is there.
        let tables = Self.tables
        var state = state
        var offset = 0
        while offset + 16 <= bytes.count {
            // The second look-ups need not wait for the first, which need the state.
            let first = Self.word(of: bytes, at: offset) ^ UInt64(state)
            let second = Self.word(of: bytes, at: offset + 8)
            state = Self.lookUp(first, tables + 8 * 256) ^ Self.lookUp(second, tables)
            offset += 16
        }
        if offset + 8 <= bytes.count {
            state = Self.lookUp(Self.word(of: bytes, at: offset) ^ UInt64(state), tables)
            offset += 8
        }
        while offset < bytes.count {
            state = (state >> 8) ^ tables[Int((state ^ UInt32(bytes[offset])) & 0xff)]
            offset += 1
        }
        self.state = state
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    package mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    @inline(__always)
    private static func word(of bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// - Parameter table: the first of eight, for a word that nothing follows; eight tables later for one that another
    ///   word follows.
    @inline(__always)
    private static func lookUp(_ word: UInt64, _ table: UnsafePointer<UInt32>) -> UInt32 {
        let low = table[Int(7 << 8 | word & 0xff)] ^ table[Int(6 << 8 | (word >> 8) & 0xff)]
        let middle = table[Int(5 << 8 | (word >> 16) & 0xff)] ^ table[Int(4 << 8 | (word >> 24) & 0xff)]
        let high = table[Int(3 << 8 | (word >> 32) & 0xff)] ^ table[Int(2 << 8 | (word >> 40) & 0xff)]
        let top = table[Int(1 << 8 | (word >> 48) & 0xff)] ^ table[Int(word >> 56)]
        return (low ^ middle) ^ (high ^ top)
    }

    /// Sixteen tables of 256. Safe from every thread: filled once, then never changed or freed.
    private nonisolated(unsafe) static let tables: UnsafePointer<UInt32> = {
        let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 16 * 256)
        for index in 0..<256 {
            var crc = UInt32(index)
            for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0x82f6_3b78 : 0) }
            table[index] = crc
        }
        for index in 256..<(16 * 256) {
            let previous = table[index - 256]
            table[index] = (previous >> 8) ^ table[Int(previous & 0xff)]
        }
        return UnsafePointer(table)
    }()
}
