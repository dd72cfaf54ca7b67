/// How a journal with an earlier layout becomes one with this program's.
///
/// Each step is one transaction, together with the version number that it leads to. A process that is killed, a power
/// cut or a full disk in the middle of a step leaves the layout before it, with all rows, and the next start goes on
/// from there. Rows keep their sequences and the file its epoch, so that the cloud notices nothing.
struct Migrations: Sendable, Equatable {
    /// SQL without transaction control; the step at index n leads from version n + 1 to n + 2. Released steps never
    /// change, since every earlier version may still be on some disk; ``Schema/create(_:epoch:)`` makes the newest
    /// layout directly.
    var steps: [String]

    static let released = Migrations(steps: [])

    /// The version after the last step.
    var version: Int64 { Int64(steps.count) + 1 }

    /// Takes the open and configured file from `version` to the newest one; nothing when it has that.
    ///
    /// - Throws: after a failure the connection must be closed, which undoes the step that had begun.
    func run(on connection: SQLiteConnection, from version: Int64) throws(JournalError) {
        guard version < self.version else { return }
        for next in (version + 1)...self.version {
            try connection.execute(
                "BEGIN IMMEDIATE; \(steps[Int(next) - 2]); PRAGMA user_version=\(next); COMMIT",
                doing: "changing the layout to schema \(next) of")
        }
        // A step may have rewritten every row; what it left in the log need not be read at each start.
        _ = try connection.checkpoint()
    }
}
