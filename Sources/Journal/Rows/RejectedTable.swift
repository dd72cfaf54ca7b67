/// Rejected input, kept for people: the newest ones within two bounds.
final class RejectedTable {
    static let maximumRows = 1000
    static let maximumBytes = 1 << 20
    static let maximumReasons = 64

    private let insertion: Statement
    private let deletion: Statement
    private let sizes: Statement
    private let newest: Statement
    /// Identifiers and sizes of what is stored, oldest first; read at first use, since most starts never need it.
    private var stored: [(id: Int64, size: Int)]?

    init(on connection: SQLiteConnection) throws(JournalError) {
        insertion = try Statement("INSERT INTO rejected VALUES (?1, ?2, ?3, ?4, ?5)", on: connection)
        deletion = try Statement("DELETE FROM rejected WHERE id <= ?1", on: connection)
        sizes = try Statement(
            "SELECT id, length(payload) FROM rejected ORDER BY id DESC LIMIT \(Self.maximumRows)", on: connection)
        newest = try Statement(
            "SELECT received, reason, topic, payload FROM rejected ORDER BY id DESC LIMIT ?1", on: connection)
    }

    static func size(of rejected: Journal.Rejected) -> Int {
        min(rejected.payload.count, Journal.Rejected.keptBytes) + min(rejected.topic.utf8.count, 1024)
    }

    /// Inserts within a transaction of the caller, who calls ``forget()`` when that fails.
    func insert(_ rejected: ArraySlice<Journal.Rejected>) throws(JournalError) {
        var stored = try load()
        self.stored = nil
        for item in rejected.suffix(Self.maximumRows) {
            let id = (stored.last?.id ?? 0) + 1
            let payload = item.payload.prefix(Journal.Rejected.keptBytes)
            insertion.bind(1, id)
            insertion.bind(2, item.receivedAt)
            insertion.bind(3, item.reason)
            insertion.bind(4, String(item.topic.prefix(256)))
            let failure = payload.withUnsafeBytes { bytes -> JournalError? in
                insertion.bind(5, unowned: bytes)
                do throws(JournalError) { try insertion.run(doing: "setting aside in") } catch { return error }
                return nil
            }
            if let failure { throw failure }
            stored.append((id, payload.count))
        }
        var surplus = 0
        var bytes = stored.reduce(0) { $0 + $1.size }
        while stored.count - surplus > Self.maximumRows || bytes > Self.maximumBytes {
            bytes -= stored[surplus].size
            surplus += 1
        }
        if surplus > 0 {
            deletion.bind(1, stored[surplus - 1].id)
            try deletion.run(doing: "setting aside in")
            stored.removeFirst(surplus)
        }
        self.stored = stored
    }

    func forget() { stored = nil }

    /// The newest `limit`, newest first.
    func list(limit: Int) throws(JournalError) -> [Journal.Rejected] {
        newest.bind(1, Int64(max(limit, 0)))
        var list: [Journal.Rejected] = []
        while try newest.step(doing: "reading from") {
            list.append(
                Journal.Rejected(
                    topic: newest.text(2) ?? "", payload: Array(newest.bytes(3)), reason: newest.text(1) ?? "",
                    receivedAt: newest.int(0)))
        }
        return list
    }

    private func load() throws(JournalError) -> [(id: Int64, size: Int)] {
        if let stored { return stored }
        var list: [(id: Int64, size: Int)] = []
        while try sizes.step(doing: "reading from") { list.append((sizes.int(0), Int(clamping: sizes.int(1)))) }
        list.reverse()
        return list
    }
}
