/// A home and a room that a ``LoggedReading/Reader`` remembers.
///
/// Readings come from the same few rooms again and again. What a caller has worked out for a room it may keep at
/// `slot` of an array of its own, and use as long as `serial` is the same.
public struct KnownPlace: Equatable, Sendable {
    /// Below 131 072.
    public var slot: Int
    /// Never given to another home and room.
    public var serial: Int
}

/// Homes and rooms by the bytes of their names, with the last epoch of each: to find one costs less than to make and check the
/// names anew. A set-associative cache, eight places to a set: bounded, and never wrong, since the bytes are compared.
///
/// Fifty thousand rooms, of ten thousand homes, are to have a place each: with two to a set and half as many places every third
/// reading of so many rooms drove another room out, in each of the pipelines.
struct PlaceTable: Sendable {
    static let limit = 1 << 17
    private static let setSize = 8

    /// The two names of a place, as bytes.
    struct Names {
        var home: UnsafeBufferPointer<UInt8>
        var room: UnsafeBufferPointer<UInt8>
    }

    /// What is read of a place is together, so that it comes with one look into memory: of fifty thousand rooms none is in the
    /// processor's cache.
    private struct Entry {
        var serial = 0
        var home: HomeID?
        var room: Room?
        var epoch = ""
    }

    private var entries: [Entry]
    /// Bits of each key's hash; 0 where there is none. A set's are in one line of the cache.
    private var tags: [UInt32]
    private var count = 0
    private var nextSerial = 1

    /// - Parameter capacity: a power of two, at least a set.
    init(capacity: Int = 256) {
        entries = Array(repeating: Entry(), count: capacity)
        tags = Array(repeating: 0, count: capacity)
    }

    subscript(slot: Int) -> KnownPlace { KnownPlace(slot: slot, serial: entries[slot].serial) }

    func home(_ slot: Int) -> HomeID? { entries[slot].home }
    func room(_ slot: Int) -> Room? { entries[slot].room }

    /// The slot of names that are there.
    func find(_ names: Names) -> Int? {
        let hash = Self.hash(names)
        let tag = Self.tag(hash)
        for step in 0..<Self.setSize {
            let slot = slot(hash, step)
            if tags[slot] == tag, holds(slot, names) { return slot }
        }
        return nil
    }

    /// Puts names where they belong, in place of others if need be.
    mutating func insert(_ names: Names, _ home: HomeID, _ room: Room) -> Int {
        let hash = Self.hash(names)
        // Room for all, so that they do not drive each other out, as long as the table is not mostly empty.
        while freeSlot(hash) == nil, entries.count < min(Self.limit, 64 * (count + 1)) { grow() }
        nextSerial += 1
        return put(Entry(serial: nextSerial - 1, home: home, room: room), hash)
    }

    /// The epoch as text, made only when it is not the one that came from there before.
    mutating func epoch(_ text: UnsafeBufferPointer<UInt8>, at slot: Int) -> String {
        let known = entries[slot].epoch.utf8.withContiguousStorageIfAvailable { Self.areEqual($0, text) }
        if known != true { entries[slot].epoch = String(decoding: text, as: UTF8.self) }
        return entries[slot].epoch
    }

    private mutating func put(_ entry: Entry, _ hash: Int) -> Int {
        let free = freeSlot(hash)
        if free != nil { count += 1 }
        let slot = free ?? slot(hash, 0)
        entries[slot] = entry
        tags[slot] = Self.tag(hash)
        return slot
    }

    /// The places of a key's set, the one first where it is most likely.
    private func slot(_ hash: Int, _ step: Int) -> Int {
        let first = hash & (tags.count - 1)
        return first & ~(Self.setSize - 1) | (first + step) & (Self.setSize - 1)
    }

    private func freeSlot(_ hash: Int) -> Int? {
        for step in 0..<Self.setSize where tags[slot(hash, step)] == 0 { return slot(hash, step) }
        return nil
    }

    private mutating func grow() {
        var larger = PlaceTable(capacity: entries.count * 2)
        larger.nextSerial = nextSerial
        for entry in entries {
            guard let home = entry.home, let room = entry.room else { continue }
            var (homeName, roomName) = (home.name, room.name)
            let hash = homeName.withUTF8 { home in roomName.withUTF8 { Self.hash(Names(home: home, room: $0)) } }
            _ = larger.put(entry, hash)
        }
        self = larger
    }

    private func holds(_ slot: Int, _ names: Names) -> Bool {
        guard let home = entries[slot].home, let room = entries[slot].room else { return false }
        return Self.isEqual(room.name, names.room) && Self.isEqual(home.name, names.home)
    }

    private static func isEqual(_ name: String, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        name.utf8.withContiguousStorageIfAvailable { areEqual($0, bytes) } ?? name.utf8.elementsEqual(bytes)
    }

    private static func tag(_ hash: Int) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) | 1 }

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

    /// Who floods a table with names that collide makes it as slow as none. The two are mixed by SplitMix64's last step (Steele, Lea,
    /// Flood 2014): without it the five rooms of similar homes gather in the same sets.
    private static func hash(_ names: Names) -> Int {
        let (home, room) = (wordHash(UnsafeRawBufferPointer(names.home)), wordHash(UnsafeRawBufferPointer(names.room)))
        var mixed = home &* 0x9E37_79B9_7F4A_7C15 ^ room
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: mixed ^ (mixed >> 31)) & .max
    }
}
