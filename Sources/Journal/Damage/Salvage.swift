/// Reads what is left of a damaged journal, page by page and without its trees, so that a lost header or inner page
/// costs nothing. Every row proves itself by its checksum; older versions of pages that are still in the file hold the
/// same rows, since rows never change.
struct Salvage {
    /// Counters and cursors, whose values only ever grow: of several versions the highest is the newest.
    struct State {
        var epoch: String?
        var floor: Int64 = 0
        var newest: Int64 = 0
        var countedThrough: Int64 = 0
        var dropped: Int64 = 0
        var quarantined: Int64 = 0
        var cursors: [String: Int64] = [:]  // Own names: readers.
    }

    struct Result {
        var rows: Int64 = 0
        /// The first row, when nothing was copied before.
        var first: Int64?
        /// Sequences that are missing and were not counted before.
        var lost: Int64 = 0
        /// Why copying ended early.
        var failure: JournalError?
    }

    private(set) var state = State()

    private let file: (any PageSource)?
    /// The pages with rows by their lowest good one. Sixteen bytes for each, in memory until the end of the copy.
    private var leaves: [(sequence: Int64, page: Int)] = []
    /// What a topic's number may mean; more than one name only when one is damaged.
    private var topics: [Int64: [Topics.Topic]]

    /// Looks at every page of a database that was set aside, and of its log.
    init(path: String, pageSize: Int) {
        self.init(DamagedFile(path: path, pageSize: pageSize))
    }

    /// Looks at the pages behind a damaged frame of the log.
    /// - Parameters:
    ///   - known: the topics of the database that the log belongs to.
    ///   - newest: the highest sequence that it has given out.
    ///   - countedThrough: up to here it has counted what it lost.
    init(_ tail: LogTail, topics known: Topics, newest: Int64, countedThrough: Int64) {
        var names: [Int64: [Topics.Topic]] = [:]
        for number in 1..<Int64(max(1, known.count) + 1) {
            if let topic = known[number] { names[number] = [topic] }
        }
        self.init(tail, topics: names)
        state.newest = max(state.newest, newest)
        state.countedThrough = max(state.countedThrough, countedThrough)
    }

    private init(_ source: (any PageSource)?, topics known: [Int64: [Topics.Topic]] = [:]) {
        file = source
        topics = known
        guard let file else { return }
        var pages: [Int] = []
        for index in 0..<file.count {
            guard let page = PageCells(file.page(index), pageSize: file.pageSize) else { continue }
            switch page.kind {
            case .index: for cell in page.cells { takeState(cell) }
            case .table: if takeTopics(page.cells) { pages.append(index) }
            }
        }
        // Only now the names are known, without which no row can be told from a damaged one.
        for index in pages {
            guard let page = PageCells(file.page(index), pageSize: file.pageSize) else { continue }
            let sequences = page.cells.compactMap { record($0)?.sequence }
            if let lowest = sequences.min() { leaves.append((lowest, index)) }
        }
        leaves.sort { $0.sequence < $1.sequence }
    }

    /// Gives the rows above `sequence` that had not been deleted to `restore`, in order and some at a time.
    ///
    /// - Parameters:
    ///   - isNext: the row after `sequence` existed, so that it counts as lost when it is not there.
    ///   - stopsAtGap: only rows that follow `sequence` without a gap.
    func copy(
        after sequence: Int64, isNext: Bool = false, stopsAtGap: Bool = false, bytes: Int,
        _ restore: ([Journal.Record]) throws(JournalError) -> Void
    ) -> Result {
        var result = Result()
        guard let file else { return result }
        var position = max(sequence, state.floor)
        // Without the state nobody knows where the rows began.
        var expected = isNext || state.epoch != nil ? position + 1 : nil
        var pending: [Journal.Record] = []
        var pendingBytes = 0
        do throws(JournalError) {
            for leaf in leaves {
                guard let page = PageCells(file.page(leaf.page), pageSize: file.pageSize) else { continue }
                let cells = page.cells.filter { $0.row > position }.sorted { $0.row < $1.row }
                for record in cells.lazy.compactMap({ record($0) }) where record.sequence > position {
                    let first = record.firstSequence
                    if stopsAtGap, first > position + 1 { break }
                    position = record.sequence
                    result.lost += missing(from: expected ?? first, to: first - 1)
                    expected = position + 1
                    if sequence == 0 { result.first = result.first ?? first }
                    result.rows += Int64(record.span)
                    pending.append(record)
                    pendingBytes += record.payload.count + record.attributes.count + 128
                    // Within a page: with overflow pages its rows may be much larger than it is.
                    if pendingBytes >= bytes {
                        try restore(pending)
                        (pending, pendingBytes) = ([], 0)
                    }
                }
            }
            try restore(pending)
        } catch {
            result.rows -= pending.reduce(0) { $0 + Int64($1.span) }
            result.failure = error
        }
        if result.failure == nil, let expected { result.lost += missing(from: expected, to: state.newest) }
        return result
    }

    /// Whether one of the first pages has a row above `sequence`.
    func hasRow(above sequence: Int64, inFirst pages: Int) -> Bool {
        guard let file else { return false }
        return leaves.contains { leaf in
            leaf.page < pages
                && PageCells(file.page(leaf.page), pageSize: file.pageSize)?.cells.contains {
                    $0.row > sequence && record($0) != nil
                } ?? false
        }
    }

    private func missing(from first: Int64, to last: Int64) -> Int64 {
        max(0, last - max(first, state.countedThrough + 1) + 1)
    }

    // MARK: Reading cells

    private mutating func takeState(_ cell: PageCells.Cell) {
        guard cell.overflow == nil, let values = PageCells.values(of: Array(cell.local)), values.count == 3,
            case .text(let nameBytes) = values[0], case .text(let valueBytes) = values[1],
            case .integer(let checksum) = values[2]
        else { return }
        let name = String(decoding: nameBytes, as: UTF8.self)
        let value = String(decoding: valueBytes, as: UTF8.self)
        guard StateTable.checksum(name, value) == checksum else { return }
        let number = Int64(value) ?? 0
        switch name {
        case StateName.epoch: state.epoch = value
        case StateName.floor: state.floor = max(state.floor, number)
        case StateName.newest: state.newest = max(state.newest, number)
        case StateName.countedThrough: state.countedThrough = max(state.countedThrough, number)
        case StateName.dropped: state.dropped = max(state.dropped, number)
        case StateName.quarantined: state.quarantined = max(state.quarantined, number)
        default:
            if name.hasPrefix(StateName.topicPrefix) {
                if let number = Int64(name.dropFirst(StateName.topicPrefix.count)) { takeTopic(number, value) }
            }
            guard name.hasPrefix(StateName.cursorPrefix) else { return }
            state.cursors[String(name.dropFirst(StateName.cursorPrefix.count)), default: 0].formMaximum(number)
        }
    }

    /// Notes what names topics in a page. - Returns: whether it may hold rows as well.
    private mutating func takeTopics(_ cells: [PageCells.Cell]) -> Bool {
        var hasOthers = false
        for cell in cells {
            if let name = topicName(cell) { takeTopic(cell.row, name) } else { hasOthers = true }
        }
        return hasOthers
    }

    private mutating func takeTopic(_ number: Int64, _ name: String) {
        let known = topics[number, default: []]
        guard known.count < 4, !known.contains(where: { ExactName.isSame($0.name, name) }) else { return }
        topics[number, default: []].append(Topics.Topic(name: name))
    }

    private func topicName(_ cell: PageCells.Cell) -> String? {
        guard cell.overflow == nil, cell.row > 0, cell.row <= Topics.maximum, cell.size < 1024,
            let values = PageCells.values(of: Array(cell.local)), values.count == 2, values[0] == .null,
            case .text(let name) = values[1]
        else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    private func record(_ cell: PageCells.Cell) -> Journal.Record? {
        for isNewest in cell.overflow == nil ? [true] : [true, false] {
            guard let bytes = payload(cell, isNewest: isNewest), let values = PageCells.values(of: bytes),
                let record = record(values, sequence: cell.row)
            else { continue }
            return record
        }
        return nil
    }

    /// The whole payload, following the chain of overflow pages.
    private func payload(_ cell: PageCells.Cell, isNewest: Bool) -> [UInt8]? {
        var bytes = Array(cell.local)
        var next = cell.overflow ?? 0
        while bytes.count < cell.size {
            guard let file, let version = isNewest ? file.versions(of: next).first : file.versions(of: next).last else {
                return nil
            }
            let page = file.page(version)
            guard page.count == file.pageSize else { return nil }
            next = BigEndian.uint32(page, 0)
            bytes += page[4...].prefix(cell.size - bytes.count)
        }
        return bytes
    }

    private func record(_ values: [PageCells.Value], sequence: Int64) -> Journal.Record? {
        guard values.count == 7, case .integer(let receivedAt) = values[2], case .integer(let packet) = values[3],
            case .integer(let checksum) = values[4], packet >> 32 == 0,
            let attributes = values[5].bytes, let payload = values[6].bytes
        else { return nil }
        let candidates: [Topics.Topic]
        switch values[1] {
        case .integer(let number): candidates = topics[number] ?? []
        case .text(let name): candidates = [Topics.Topic(name: String(decoding: name, as: UTF8.self))]
        default: return nil
        }
        let column = PacketColumn(stored: packet)
        let record = Journal.Record(
            sequence: sequence, topic: "", payload: payload, attributes: attributes, packetID: column.packetID,
            receivedAt: receivedAt, span: column.span)
        for topic in candidates where topic.checksum(of: record) == checksum {
            var record = record
            record.topic = topic.name
            return record
        }
        return nil
    }
}

extension Topics.Topic {
    /// What the row of `record` under this topic must carry.
    fileprivate func checksum(of record: Journal.Record) -> Int64 {
        var checksum = checksum
        record.attributes.withUnsafeBytes { attributes in
            record.payload.withUnsafeBytes { payload in
                checksum.update(
                    sequence: record.sequence, receivedAt: record.receivedAt,
                    packet: PacketColumn(packetID: record.packetID, span: record.span),
                    attributes: attributes, payload: payload)
            }
        }
        return checksum.stored
    }
}

extension PageCells.Value {
    /// Bytes of a column that is NULL when empty.
    fileprivate var bytes: [UInt8]? {
        switch self {
        case .null: []
        case .blob(let bytes): bytes
        default: nil
        }
    }
}

extension Int64 {
    fileprivate mutating func formMaximum(_ other: Int64) { self = Swift.max(self, other) }
}
