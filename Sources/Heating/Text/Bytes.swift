extension Collection<UInt8> {
    /// Lends the elements as one contiguous span; copies only what is not stored contiguously.
    func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        withContiguousStorageIfAvailable { body($0.span) } ?? body(Array(self).span)
    }
}

extension Span<UInt8> {
    /// A copy of a part. `range` must lie within `indices`.
    func array(_ range: Range<Int>) -> [UInt8] {
        Array(unsafeUninitializedCapacity: range.count) { buffer, count in
            for index in range {
                buffer[count] = self[index]
                count += 1
            }
        }
    }

    /// The part as text. Invalid UTF-8 is repaired, so the caller checks first where bytes must stay exact.
    func text(_ range: Range<Int>) -> String {
        String(unsafeUninitializedCapacity: range.count) { buffer in
            for (offset, index) in range.enumerated() {
                buffer[offset] = self[index]
            }
            return range.count
        }
    }

    /// Whether the part holds exactly these bytes.
    func part(_ range: Range<Int>, equals literal: StaticString) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        for (offset, index) in range.enumerated() where self[index] != literal.utf8Start[offset] {
            return false
        }
        return true
    }
}

extension Span<UInt8> {
    /// Whether the part holds exactly the bytes of `text`.
    func part(_ range: Range<Int>, equals text: String) -> Bool {
        let span = text.utf8Span.span
        guard range.count == span.count else { return false }
        for offset in span.indices where self[range.lowerBound + offset] != span[offset] { return false }
        return true
    }
}

/// FNV-1a over words of eight bytes, its high bits folded down for who takes a remainder. Fast, the same in every process,
/// and no defence against who chooses the bytes.
package func wordHash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    var offset = 0
    while offset + 8 <= bytes.count {
        hash = (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x0000_0100_0000_01B3
        hash ^= hash >> 29
        offset += 8
    }
    for byte in bytes[offset...] { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return hash ^ (hash >> 32)
}
