import Machine

/// The rows: written with their checksum, read back and verified.
final class EntryTable {
    private let insertion: Statement
    private let forward: Statement
    private let backward: Statement
    private let seek: Statement
    private let deletion: Statement
    private let topicInsertion: Statement
    private let topicList: Statement
    private let state: StateTable
    private(set) var topics = Topics()

    init(on connection: SQLiteConnection, state: StateTable) throws(JournalError) {
        self.state = state
        let columns = "sequence, topic, received, packet, crc, attributes, payload"
        insertion = try Statement("INSERT INTO entry (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", on: connection)
        forward = try Statement("SELECT \(columns) FROM entry WHERE sequence >= ?1 ORDER BY sequence", on: connection)
        backward = try Statement("SELECT \(columns) FROM entry ORDER BY sequence DESC", on: connection)
        seek = try Statement(
            "SELECT sequence, received FROM entry WHERE sequence >= ?1 ORDER BY sequence LIMIT 1", on: connection)
        deletion = try Statement("DELETE FROM entry WHERE sequence BETWEEN ?1 AND ?2", on: connection)
        topicInsertion = try Statement("INSERT INTO topic (id, name) VALUES (?1, ?2)", on: connection)
        topicList = try Statement("SELECT id, name FROM topic ORDER BY id LIMIT \(Topics.maximum)", on: connection)
    }

    // MARK: Topics

    /// - Parameter copies: the names in the state table, which have checksums and therefore come first.
    func loadTopics(copies: [Int: String]) throws(JournalError) {
        for (number, name) in copies { topics.add(name, number: number) }
        while try topicList.step(doing: "reading the topics of") {
            let number = topicList.int(0)
            if topics[number] == nil, let name = topicList.text(1) { topics.add(name, number: Int(clamping: number)) }
        }
    }

    func forgetTopics(above count: Int) { topics.truncate(to: count) }

    /// The topic's number, given now if there is room for one.
    private func number(of name: String) throws(JournalError) -> Int? {
        if let known = topics.number(of: name) { return known }
        guard let number = topics.nextNumber(for: name) else { return nil }
        topicInsertion.bind(1, Int64(number))
        topicInsertion.bind(2, name)
        try topicInsertion.run(doing: "adding a topic to")
        try state.set(StateName.topicPrefix + String(number), name)
        topics.add(name, number: number)
        return number
    }

    // MARK: Writing

    /// Inserts one row. The caller has begun a transaction.
    func insert(_ entry: borrowing Journal.Record, sequence: Int64) throws(JournalError) {
        var checksum: CRC32C
        if let number = try number(of: entry.topic), let topic = topics[Int64(number)] {
            checksum = topic.checksum
            insertion.bind(2, Int64(number))
        } else {
            checksum = Topics.Topic(name: entry.topic).checksum
            insertion.bind(2, entry.topic)
        }
        insertion.bind(1, sequence)
        insertion.bind(3, entry.receivedAt)
        let packet = PacketColumn(packetID: entry.packetID, span: entry.span)
        insertion.bind(4, packet.stored)
        // The arrays' own storage is bound, so that step has to happen in here; errors leave as a value.
        let failure = entry.attributes.withUnsafeBytes { attributes in
            entry.payload.withUnsafeBytes { payload -> JournalError? in
                checksum.update(
                    sequence: sequence, receivedAt: entry.receivedAt, packet: packet,
                    attributes: attributes, payload: payload)
                insertion.bind(5, checksum.stored)
                insertion.bind(6, unowned: attributes)
                insertion.bind(7, unowned: payload)
                do throws(JournalError) { try insertion.run(doing: "appending to") } catch { return error }
                return nil
            }
        }
        if let failure { throw failure }
    }

    /// Deletes a range of sequences. The connection's `changes` then has their number.
    func delete(_ range: ClosedRange<Int64>) throws(JournalError) {
        deletion.bind(1, range.lowerBound)
        deletion.bind(2, range.upperBound)
        try deletion.run(doing: "deleting from")
    }

    // MARK: Reading

    enum Row {
        case good(Journal.Record)
        /// Intact, and of a topic that is not asked for.
        case other(sequence: Int64, span: Int)
        /// Its checksum is wrong, so that nothing about it can be trusted, its sequence and its span included.
        case damaged(sequence: Int64, span: Int, payload: [UInt8])
    }

    /// Calls `body` with the rows from `sequence` on in order until it returns false.
    /// - Parameter topics: rows of others are verified but not copied; nil for all.
    /// - Returns: whether the end was reached.
    func scan(from sequence: Int64, topics: [String]? = nil, _ body: (Row) -> Bool) throws(JournalError) -> Bool {
        forward.bind(1, sequence)
        return try scan(forward, topics: topics, body)
    }

    /// The same from the newest row backwards.
    func scanBackward(_ body: (Row) -> Bool) throws(JournalError) {
        _ = try scan(backward, body)
    }

    private func scan(
        _ statement: Statement, topics: [String]? = nil, _ body: (Row) -> Bool
    ) throws(JournalError) -> Bool {
        while try statement.step(doing: "reading from") {
            guard body(row(statement, of: topics)) else {
                statement.reset()
                return false
            }
        }
        return true
    }

    private func row(_ statement: Statement, of wanted: [String]?) -> Row {
        let sequence = statement.int(0)
        let topic: Topics.Topic?
        if statement.isInteger(1) {
            topic = topics[statement.int(1)]
        } else {
            topic = statement.text(1).map { Topics.Topic(name: $0) }
        }
        let receivedAt = statement.int(2)
        let packet = PacketColumn(stored: statement.int(3))
        let attributes = statement.bytes(5)
        let payload = statement.bytes(6)
        let checksum = topic.map { topic in
            var checksum = topic.checksum
            checksum.update(
                sequence: sequence, receivedAt: receivedAt, packet: packet, attributes: attributes, payload: payload)
            return checksum.stored
        }
        guard let topic, checksum == statement.int(4) else {
            return .damaged(
                sequence: sequence, span: packet.span, payload: Array(payload.prefix(Journal.Rejected.keptBytes)))
        }
        if let wanted, !wanted.contains(where: { ExactName.isSame($0, topic.name) }) {
            return .other(sequence: sequence, span: packet.span)
        }
        return .good(
            Journal.Record(
                sequence: sequence, topic: topic.name, payload: Array(payload),
                attributes: Array(attributes), packetID: packet.packetID, receivedAt: receivedAt, span: packet.span))
    }

    /// The first row at or after `sequence`, unverified.
    func first(from sequence: Int64) throws(JournalError) -> (sequence: Int64, receivedAt: Int64)? {
        seek.bind(1, sequence)
        guard try seek.step(doing: "reading from") else { return nil }
        defer { seek.reset() }
        return (seek.int(0), seek.int(1))
    }
}

/// The packet identifier in the lower sixteen bits and, above, the span less one: a row that takes one sequence, which
/// is every row of a gateway, looks as it did before there were spans.
struct PacketColumn {
    var packetID: UInt16
    var span: Int

    init(packetID: UInt16, span: Int) {
        self.packetID = packetID
        self.span = span
    }

    /// Any number gives something; the row's checksum says whether it is meant.
    init(stored: Int64) {
        packetID = UInt16(truncatingIfNeeded: stored)
        span = Int(UInt16(truncatingIfNeeded: stored >> 16)) + 1
    }

    var stored: Int64 { Int64(span - 1) << 16 | Int64(packetID) }
}

extension CRC32C {
    /// The checksum as SQLite stores it smallest: a signed 32-bit number.
    var stored: Int64 { Int64(Int32(bitPattern: value)) }

    /// Everything of a row but its topic, which comes first.
    mutating func update(
        sequence: Int64, receivedAt: Int64, packet: PacketColumn, attributes: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer
    ) {
        update(UInt64(bitPattern: sequence))
        update(UInt64(bitPattern: receivedAt))
        update(UInt64(bitPattern: packet.stored))
        update(
            UInt64(UInt32(truncatingIfNeeded: attributes.count)) << 32
                | UInt64(UInt32(truncatingIfNeeded: payload.count)))
        update(attributes)
        update(payload)
    }
}
