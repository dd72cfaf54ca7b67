import CSQLite

/// What makes an SQLite file a journal, and how it must be open.
enum Schema {
    /// "HRTH"; the `file` command and every SQLite tool show it.
    static let applicationID: Int64 = 0x4852_5448
    static let version: Int64 = 1

    enum Kind { case empty, journal(Int64), foreign, newer(Int64) }

    /// Looks at a file without changing it.
    /// - Parameter known: the latest version that this program can read or make.
    static func identify(_ connection: SQLiteConnection, known: Int64 = version) throws(JournalError) -> Kind {
        let doing = "looking at"
        let application = try integer("PRAGMA application_id", on: connection, doing: doing)
        let version = try integer("PRAGMA user_version", on: connection, doing: doing)
        if application == applicationID {
            // A number that no release ever had or will have is damage, and says nothing about the layout.
            guard (1..<1000).contains(version) else { return .journal(known) }
            return version > known ? .newer(version) : .journal(version)
        }
        let tables = try integer("SELECT count(*) FROM sqlite_schema", on: connection, doing: doing)
        return application == 0 && version == 0 && tables == 0 ? .empty : .foreign
    }

    /// First statement on every connection: with the lock held for good, the log's index lives in the heap instead of
    /// a shared-memory file, and nobody else can open the file. https://www.sqlite.org/wal.html#noshm
    static func lock(_ connection: SQLiteConnection) throws(JournalError) {
        try connection.execute("PRAGMA locking_mode=EXCLUSIVE", doing: "locking")
    }

    /// Page size and vacuum mode must come before the first page is written.
    static func prepareEmpty(_ connection: SQLiteConnection, pageSize: Int) throws(JournalError) {
        try connection.execute("PRAGMA page_size=\(pageSize); PRAGMA auto_vacuum=NONE", doing: "creating")
    }

    /// Cache of pages in memory, KiB. Larger caches make neither appending nor reading in order faster.
    static let cacheKiB = 1024

    /// Sets everything that matters, whatever the library's defaults are, and reads it back.
    static func configure(_ connection: SQLiteConnection) throws(JournalError) {
        let settings = [
            ("journal_mode", "WAL", "wal"), ("synchronous", "FULL", "2"), ("locking_mode", "EXCLUSIVE", "exclusive"),
            ("wal_autocheckpoint", nil, "0"), ("journal_size_limit", "-1", "-1"), ("secure_delete", "OFF", "0"),
            ("auto_vacuum", nil, "0"), ("mmap_size", "0", "0"), ("cache_size", "-\(cacheKiB)", "-\(cacheKiB)"),
            ("temp_store", "MEMORY", "2"), ("foreign_keys", "OFF", "0"), ("trusted_schema", "OFF", "0"),
        ]
        for (name, value, expected) in settings {
            if let value { _ = try connection.value("PRAGMA \(name)=\(value)", doing: "configuring") }
            // Reading mmap_size back gives no row when memory mapping is compiled out.
            let answer = try connection.value("PRAGMA \(name)", doing: "configuring") ?? "0"
            guard answer == expected else {
                // The vacuum mode is part of the file, and this program never makes another.
                throw JournalError(
                    code: name == "auto_vacuum" ? .corrupt : .settings,
                    message: "SQLite answered \(name)=\(answer) for \(connection.path), \(expected) is needed. "
                        + "Use a local file system and the distribution's SQLite library.")
            }
        }
    }

    /// Creates the tables and identifies the file, in one transaction.
    static func create(_ connection: SQLiteConnection, epoch: String) throws(JournalError) {
        try connection.execute(
            """
            BEGIN IMMEDIATE;
            CREATE TABLE entry (sequence INTEGER PRIMARY KEY, topic, received INTEGER, packet INTEGER, crc INTEGER,
                attributes BLOB, payload BLOB);
            CREATE TABLE topic (id INTEGER PRIMARY KEY, name TEXT);
            CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT, crc INTEGER) WITHOUT ROWID;
            CREATE TABLE rejected (id INTEGER PRIMARY KEY, received INTEGER, reason TEXT, topic TEXT, payload BLOB);
            CREATE TABLE ballast (id INTEGER PRIMARY KEY, filler BLOB);
            """, doing: "creating")
        let state = try StateTable(on: connection)
        try state.set(StateName.epoch, epoch)
        try state.set(StateName.floor, 0)
        try state.set(StateName.newest, 0)
        try connection.execute(
            "PRAGMA application_id=\(applicationID); PRAGMA user_version=\(version); COMMIT", doing: "creating")
    }

    static func newEpoch() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    private static func integer(
        _ sql: String, on connection: SQLiteConnection, doing: String
    ) throws(JournalError) -> Int64 {
        try connection.value(sql, doing: doing).flatMap { Int64($0) } ?? 0
    }
}
