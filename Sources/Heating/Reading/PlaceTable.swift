/// A home and a room that a ``LoggedReading/Reader`` remembers.
///
/// Readings come from the same few rooms again and again. What a caller has worked out for a room it may keep at
/// `slot` of an array of its own, and use as long as `serial` is the same.
public struct KnownPlace: Equatable, Sendable {
    /// Below 65 536.
    public var slot: Int
    /// Never given to another home and room.
    public var serial: Int
}

/// A reading of a room that the reader remembers.
public struct KnownReading: Equatable, Sendable {
    public var place: KnownPlace
    public var timestamp: Timestamp
    var number: ShortDecimal
    /// Finite.
    public var value: Double { number.double }
    /// Where in the event the value's text is, a number without an exponent.
    public var text: Range<Int>
}

/// Homes and rooms by the bytes that name them in events, with the last epoch of each: to find one costs less than to
/// make and check the names anew. A set-associative cache, two places to a set: bounded, and never wrong, since the
/// bytes are compared.
struct PlaceTable: Sendable {
    static let limit = 1 << 16

    private var keys: [[UInt8]]
    private(set) var homes: [HomeID?]
    private(set) var rooms: [Room?]
    private var epochs: [String]
    private var serials: [Int]
    private var count = 0
    private var nextSerial = 1

    init(capacity: Int = 256) {
        keys = Array(repeating: [], count: capacity)
        homes = Array(repeating: nil, count: capacity)
        rooms = Array(repeating: nil, count: capacity)
        epochs = Array(repeating: "", count: capacity)
        serials = Array(repeating: 0, count: capacity)
    }

    subscript(slot: Int) -> KnownPlace { KnownPlace(slot: slot, serial: serials[slot]) }

    /// The slot of a key that is there.
    func find(_ key: UnsafeBufferPointer<UInt8>) -> Int? {
        let first = Self.hash(key) & (keys.count - 1)
        if holds(first, key) { return first }
        return holds(first ^ 1, key) ? first ^ 1 : nil
    }

    /// Puts a key where it belongs, in place of another if need be.
    mutating func insert(_ key: UnsafeBufferPointer<UInt8>, _ home: HomeID, _ room: Room) -> Int {
        // Room for all, so that they do not drive each other out, as long as the table is not mostly empty.
        while isFull(key), keys.count < min(Self.limit, 64 * (count + 1)) { grow() }
        nextSerial += 1
        return put(Array(key), home, room, epoch: "", serial: nextSerial - 1)
    }

    /// The epoch as text, made only when it is not the one that came from there before.
    mutating func epoch(_ text: UnsafeBufferPointer<UInt8>, at slot: Int) -> String {
        let known = epochs[slot].utf8.withContiguousStorageIfAvailable { Self.areEqual($0, text) }
        if known != true { epochs[slot] = String(decoding: text, as: UTF8.self) }
        return epochs[slot]
    }

    private mutating func put(_ key: [UInt8], _ home: HomeID, _ room: Room, epoch: String, serial: Int) -> Int {
        let first = key.withUnsafeBufferPointer { Self.hash($0) } & (keys.count - 1)
        let slot = homes[first] == nil || homes[first ^ 1] != nil ? first : first ^ 1
        if homes[slot] == nil { count += 1 }
        (keys[slot], homes[slot], rooms[slot]) = (key, home, room)
        (epochs[slot], serials[slot]) = (epoch, serial)
        return slot
    }

    /// Whether others have both places.
    private func isFull(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        let first = Self.hash(key) & (keys.count - 1)
        return homes[first] != nil && homes[first ^ 1] != nil
    }

    private mutating func grow() {
        var larger = PlaceTable(capacity: keys.count * 2)
        larger.nextSerial = nextSerial
        for slot in keys.indices {
            guard let home = homes[slot], let room = rooms[slot] else { continue }
            _ = larger.put(keys[slot], home, room, epoch: epochs[slot], serial: serials[slot])
        }
        self = larger
    }

    private func holds(_ slot: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
        // An empty slot has an empty key, which no event has: there are quotation marks in each.
        keys[slot].withUnsafeBufferPointer { Self.areEqual($0, key) }
    }

    private static func areEqual(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        let (leftBytes, rightBytes) = (UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right))
        var offset = 0
        while offset + 8 <= left.count {
            guard
                leftBytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    == rightBytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            else { return false }
            offset += 8
        }
        while offset < left.count {
            guard left[offset] == right[offset] else { return false }
            offset += 1
        }
        return true
    }

    /// Who floods a table with names that collide makes it as slow as none.
    private static func hash(_ key: UnsafeBufferPointer<UInt8>) -> Int {
        Int(truncatingIfNeeded: wordHash(UnsafeRawBufferPointer(key))) & .max
    }
}
