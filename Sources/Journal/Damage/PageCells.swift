/// The cells of one leaf page and the records in them, read without trust: whatever does not fit is not there.
/// https://www.sqlite.org/fileformat2.html sections 1.6 and 2.1.
struct PageCells {
    enum Kind { case table, index }

    /// A value of a record, as far as the journal's tables use them.
    enum Value: Equatable {
        case null, integer(Int64), text([UInt8]), blob([UInt8]), other
    }

    struct Cell {
        let row: Int64
        let size: Int
        /// The part of the payload that lies on this page.
        let local: ArraySlice<UInt8>
        /// Where the rest begins; nil when there is none.
        let overflow: UInt32?
    }

    let kind: Kind
    /// More than a journal takes in one row; a damaged size must not become an allocation.
    private static let largestPayload = 64 << 20

    private let bytes: [UInt8]
    private let count: Int

    /// nil when this is no leaf page.
    init?(_ bytes: [UInt8], pageSize: Int) {
        guard bytes.count == pageSize else { return nil }
        // Page 1, which begins with the file's header instead, holds only the schema.
        switch bytes[0] {
        case 0x0d: kind = .table
        case 0x0a: kind = .index
        default: return nil
        }
        self.bytes = bytes
        count = min(BigEndian.uint16(bytes, 3), (pageSize - 8) / 2)
    }

    var cells: [Cell] { (0..<count).compactMap { cell($0) } }

    private func cell(_ index: Int) -> Cell? {
        var offset = BigEndian.uint16(bytes, 8 + 2 * index)
        guard let size = Self.varint(bytes, &offset), size >= 0, size <= Self.largestPayload else { return nil }
        var row: Int64 = 0
        if kind == .table {
            guard let number = Self.varint(bytes, &offset) else { return nil }
            row = number
        }
        let local = localSize(Int(size))
        guard offset + local + (local < size ? 4 : 0) <= bytes.count else { return nil }
        let overflow = local < size ? BigEndian.uint32(bytes, offset + local) : nil
        return Cell(row: row, size: Int(size), local: bytes[offset..<offset + local], overflow: overflow)
    }

    private func localSize(_ size: Int) -> Int {
        let usable = bytes.count
        let largest = kind == .table ? usable - 35 : (usable - 12) * 64 / 255 - 23
        if size <= largest { return size }
        let smallest = (usable - 12) * 32 / 255 - 23
        let fitting = smallest + (size - smallest) % (usable - 4)
        return fitting <= largest ? fitting : smallest
    }

    /// The values of a record; nil when its header does not fit.
    static func values(of record: [UInt8], limit: Int = 16) -> [Value]? {
        var offset = 0
        guard let headerSize = varint(record, &offset), headerSize >= offset, headerSize <= record.count else {
            return nil
        }
        var body = Int(headerSize)
        var values: [Value] = []
        while offset < headerSize {
            guard values.count < limit, let type = varint(record, &offset), offset <= headerSize else { return nil }
            guard let value = value(of: record, type: type, at: &body) else { return nil }
            values.append(value)
        }
        return body == record.count ? values : nil
    }

    private static func value(of record: [UInt8], type: Int64, at body: inout Int) -> Value? {
        let size: Int
        switch type {
        case 0, 8, 9: size = 0
        case 1...4: size = Int(type)
        case 5: size = 6
        case 6, 7: size = 8
        case 12...(1 << 31): size = Int(type - 12) / 2
        default: return nil
        }
        guard size <= record.count - body else { return nil }
        let bytes = record[body..<body + size]
        body += size
        switch type {
        case 0: return .null
        case 8, 9: return .integer(type - 8)
        case 1...6:
            let sign: UInt64 = bytes.first.map { $0 >= 0x80 } == true ? .max : 0
            return .integer(Int64(bitPattern: bytes.reduce(sign) { $0 << 8 | UInt64($1) }))
        case 7: return .other
        default: return type % 2 == 0 ? .blob(Array(bytes)) : .text(Array(bytes))
        }
    }

    static func varint(_ bytes: [UInt8], _ offset: inout Int) -> Int64? {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            offset += 1
            if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
            value = value << 7 | UInt64(byte & 0x7f)
            if byte < 0x80 { return Int64(bitPattern: value) }
        }
        return nil
    }
}
