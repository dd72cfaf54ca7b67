/// One encoded line, built byte by byte in memory that is kept for the next.
///
/// Appending to an array checks uniqueness and capacity for each of the dozen parts of a line; here it is one
/// comparison. Measured on 5 000-line batches this halves the time of the encoder.
struct LineBuffer: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = 512
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    mutating func removeAll() { count = 0 }

    mutating func append(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count += 1
    }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).update(from: source, count: bytes.count)
        count += bytes.count
    }

    mutating func append(_ text: String) {
        if text.utf8.withContiguousStorageIfAvailable({ append($0) }) == nil {
            for byte in text.utf8 { append(byte) }
        }
    }

    mutating func append(decimal number: Int64) {
        withDecimal(number) { append($0) }
    }

    /// The bytes so far; valid during the call.
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        body(UnsafeBufferPointer(start: base, count: count))
    }

    private mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        fresh.update(from: base, count: count)
        base.deallocate()
        base = fresh
        capacity = larger
    }
}

/// Lends the digits of a number, with a minus sign if it is negative, between two bytes if they are given.
@inline(__always)
func withDecimal(
    _ number: Int64, before: UInt8? = nil, after: UInt8? = nil, _ body: (UnsafeBufferPointer<UInt8>) -> Void
) {
    // 19 digits, a sign, and the two.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 22) { text in
        var start = text.count
        func put(_ byte: UInt8) {
            start -= 1
            text[start] = byte
        }
        func put(digit: UInt64) { put(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)) }
        if let after { put(after) }
        var rest = number.magnitude
        // Two at a time: each division waits for the one before.
        while rest >= 100 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            put(digit: pair % 10)
            put(digit: pair / 10)
            rest = quotient
        }
        put(digit: rest % 10)
        if rest >= 10 { put(digit: rest / 10) }
        if number < 0 { put(UInt8(ascii: "-")) }
        if let before { put(before) }
        body(UnsafeBufferPointer(rebasing: text[start...]))
    }
}
