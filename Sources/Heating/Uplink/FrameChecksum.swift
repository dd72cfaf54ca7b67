/// CRC-32C (Castagnoli) of a frame, as in RFC 3720 appendix B.4: reflected polynomial 0x82F63B78.
enum FrameChecksum {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }

    static func checksum(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
        let table = table
        var crc = UInt32.max
        for index in range {
            crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])] ^ crc >> 8
        }
        return ~crc
    }
}
