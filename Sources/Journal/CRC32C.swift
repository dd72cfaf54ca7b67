/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight table look-ups per eight bytes.
struct CRC32C {
    private var state: UInt32 = ~0

    var value: UInt32 { ~state }

    /// The checksum as SQLite stores it smallest: a signed 32-bit number.
    var stored: Int64 { Int64(Int32(bitPattern: value)) }

    @inline(__always)
    mutating func update(_ word: UInt64) {
        let table = Self.tables
        let mixed = word.littleEndian ^ UInt64(state)
        let low = table[Int(7 << 8 | mixed & 0xff)] ^ table[Int(6 << 8 | (mixed >> 8) & 0xff)]
        let middle = table[Int(5 << 8 | (mixed >> 16) & 0xff)] ^ table[Int(4 << 8 | (mixed >> 24) & 0xff)]
        let high = table[Int(3 << 8 | (mixed >> 32) & 0xff)] ^ table[Int(2 << 8 | (mixed >> 40) & 0xff)]
        let top = table[Int(1 << 8 | (mixed >> 48) & 0xff)] ^ table[Int(mixed >> 56)]
        state = low ^ middle ^ high ^ top
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 8 <= bytes.count {
            update(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        let table = Self.tables
        while offset < bytes.count {
            state = (state >> 8) ^ table[Int((state ^ UInt32(bytes[offset])) & 0xff)]
            offset += 1
        }
    }

    mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// Eight tables of 256. Safe from every thread: filled once, then never changed or freed.
    private nonisolated(unsafe) static let tables: UnsafePointer<UInt32> = {
        let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 8 * 256)
        for index in 0..<256 {
            var crc = UInt32(index)
            for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0x82f6_3b78 : 0) }
            table[index] = crc
        }
        for index in 256..<(8 * 256) {
            let previous = table[index - 256]
            table[index] = (previous >> 8) ^ table[Int(previous & 0xff)]
        }
        return UnsafePointer(table)
    }()
}
