/// How the bytes of `maxBytes` are divided.
struct Layout: Equatable {
    let logBytes: Int
    let reserveBytes: Int
    /// The database file grows in steps of this, allocated before they are needed.
    let chunkBytes: Int
    /// What the database file may reach.
    let databaseBytes: Int64

    init(_ settings: Journal.Settings) {
        let maximum = max(settings.maxBytes, Journal.minimumBytes)
        logBytes = Int(min(Int64(max(settings.logBytes, 64 << 10)), maximum / 4))
        reserveBytes = Int(min(Int64(max(settings.reserveBytes, 0)), maximum / 8))
        chunkBytes = 64 << 10
        databaseBytes = (maximum - Int64(logBytes)) / Int64(chunkBytes) * Int64(chunkBytes)
    }

    /// A checkpoint is due when the log holds this much.
    var checkpointBytes: Int { logBytes / 2 }

    func chunks(_ bytes: Int64) -> Int64 { (bytes + Int64(chunkBytes) - 1) / Int64(chunkBytes) * Int64(chunkBytes) }
}

/// An upper bound for what a batch needs.
struct Estimate {
    private(set) var bytes = 0
    private(set) var overflowPages = 0
    let pageSize: Int

    init(pageSize: Int) { self.pageSize = pageSize }

    /// Header, checksum, times and lengths of a row, rounded up.
    private static let perRow = 48

    mutating func add(_ size: Int) {
        let size = size + Self.perRow
        if size <= pageSize / 4 { bytes += size } else { overflowPages += size / (pageSize - 4) + 2 }
    }

    /// Leaves filled to three quarters at worst, their parents, and the pages of state, topics and the file's head.
    var pages: Int { bytes / (pageSize * 3 / 4) + overflowPages + 8 }
}
